//! A perceptual hash: 64 low frequencies of luma, each above or below their median.
//!
//! Alike pictures differ in few of the bits, whatever their size and format. As `phash` of Python's ImageHash does it: 32 x
//! 32 pixels of luma, a discrete cosine transform, its 8 x 8 lowest frequencies row by row, the first in the highest bit.

use std::f64::consts::PI;

use super::Raster;

/// Side of the picture that is transformed, pixels.
const SIDE: usize = 32;
/// Frequencies kept in each direction.
const KEPT: usize = 8;
/// Steps in which frequencies are told apart: what lies below is left over from rounding.
const STEP: f64 = 1e-6;

/// The hash of a picture, laid on white.
pub(super) fn hash(raster: &Raster) -> u64 {
    let luma: Vec<f64> = raster
        .on_white()
        .map(|[red, green, blue]| 0.299 * red + 0.587 * green + 0.114 * blue)
        .collect();
    let rows = luma.chunks_exact(raster.width).flat_map(|row| resized(row, SIDE));
    let narrow: Vec<f64> = rows.collect();
    let columns = (0..SIDE).map(|x| {
        let column: Vec<f64> = narrow.iter().skip(x).step_by(SIDE).copied().collect();
        frequencies(&resized(&column, SIDE))
    });
    let columns: Vec<[f64; KEPT]> = columns.collect();
    let kept: Vec<f64> = (0..KEPT)
        .flat_map(|y| {
            let row: Vec<f64> = columns.iter().map(|column| column[y]).collect();
            frequencies(&row)
        })
        .map(|factor| (factor / STEP).round())
        .collect();
    let mut sorted = kept.clone();
    sorted.sort_by(f64::total_cmp);
    let median = (sorted[KEPT * KEPT / 2 - 1] + sorted[KEPT * KEPT / 2]) / 2.0;
    kept.iter()
        .fold(0, |hash, factor| hash << 1 | u64::from(*factor > median))
}

/// The lowest frequencies of a discrete cosine transform of the second type.
fn frequencies(levels: &[f64]) -> [f64; KEPT] {
    std::array::from_fn(|frequency| {
        let cosine = |place: usize| (PI / levels.len() as f64 * frequency as f64 * (place as f64 + 0.5)).cos();
        levels
            .iter()
            .enumerate()
            .map(|(place, level)| level * cosine(place))
            .sum()
    })
}

/// A row of another length: Lanczos of 3 lobes, widened when it becomes shorter, cut off at the ends.
fn resized(row: &[f64], length: usize) -> Vec<f64> {
    let scale = row.len() as f64 / length as f64;
    let widening = scale.max(1.0);
    let lanczos = |x: f64| match x.abs() {
        x if x < 1e-9 => 1.0,
        x if x < 3.0 => 3.0 * (PI * x).sin() * (PI * x / 3.0).sin() / (PI * PI * x * x),
        _ => 0.0,
    };
    let at = |to: usize| {
        let center = (to as f64 + 0.5) * scale;
        let first = (center - 3.0 * widening).max(0.0) as usize;
        let last = ((center + 3.0 * widening).ceil() as usize).min(row.len());
        let (mut sum, mut weights) = (0.0, 0.0);
        for (place, level) in (first..last).zip(&row[first..last]) {
            let weight = lanczos((place as f64 + 0.5 - center) / widening);
            sum += weight * level;
            weights += weight;
        }
        sum / weights
    };
    (0..length).map(at).collect()
}
