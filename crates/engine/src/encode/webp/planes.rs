//! From red, green and blue to the planes of a lossy WebP: luma from 16 to 235, chroma of half the size.

use crate::simd::{self, Kernel, LANES, Level};
use crate::ycbcr::{self, CHANNELS, Halved, RUN, Shares};

/// A plane, and how many samples its rows lie apart.
pub(super) struct Plane<'p> {
    pub(super) samples: &'p mut [u8],
    pub(super) stride: usize,
}

/// Fills the planes of a picture that is `width` pixels wide. Chroma is the mean of two by two pixels, as in a JPEG; those at
/// odd edges count twice.
pub(super) fn fill(samples: &[u8], width: usize, luma: Plane<'_>, [blue, red]: [Plane<'_>; 2]) {
    let line = width * CHANNELS;
    let rows = luma.samples.chunks_mut(2 * luma.stride);
    let chroma = blue
        .samples
        .chunks_mut(blue.stride)
        .zip(red.samples.chunks_mut(red.stride));
    for ((lines, luma_rows), chroma) in samples.chunks(2 * line).zip(rows).zip(chroma) {
        let (upper, lower) = lines.split_at(line);
        let (luma_upper, luma_lower) = luma_rows.split_at_mut(luma.stride.min(luma_rows.len()));
        simd::run(TwoRows {
            // The last row of an odd number counts twice.
            lines: [upper, if lower.is_empty() { upper } else { lower }],
            luma: [luma_upper, luma_lower],
            chroma: [chroma.0, chroma.1],
        });
    }
}

/// Two rows of pixels, the second of which may be the first, and what they become.
struct TwoRows<'r> {
    lines: [&'r [u8]; 2],
    luma: [&'r mut [u8]; 2],
    chroma: [&'r mut [u8]; 2],
}

impl Kernel for TwoRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self, level: impl Level) {
        let Self { lines, luma, chroma } = self;
        let [upper, lower] = lines.map(ycbcr::runs);
        for ((run, upper), (_, lower)) in upper.zip(lower) {
            let made = Halved::new(level, &Shares::LIMITED, [&upper, &lower]);
            for (row, halves) in made.luma.into_iter().enumerate() {
                for (half, lanes) in halves.into_iter().enumerate() {
                    put(level, lanes, luma[row], run * RUN + half * LANES);
                }
            }
            put(level, made.blue, chroma[0], run * LANES);
            put(level, made.red, chroma[1], run * LANES);
        }
    }
}

/// Stores levels of a row, rounded; what lies beyond its end is left out.
#[inline(always)]
fn put<L: Level>(level: L, lanes: L::Lanes, row: &mut [u8], at: usize) {
    let mut levels = [0; LANES];
    let rounded = level.shift_right::<7>(level.add(lanes, level.splat(1 << 6)));
    level.store(rounded, &mut levels);
    let levels = levels.map(|number| number as u8);
    let Some(rest) = row.get_mut(at..) else { return };
    match rest.first_chunk_mut::<LANES>() {
        Some(into) => *into = levels,
        None => rest.copy_from_slice(&levels[..rest.len()]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_those_of_the_formula_also_at_odd_edges() {
        for (width, height) in [(1, 1), (3, 2), (37, 5), (64, 4)] {
            let samples: Vec<u8> = (0..width * height * CHANNELS)
                .map(|at| ((at * 2_654_435_761) >> 12) as u8)
                .collect();
            let (stride, half) = (width + 3, (width.div_ceil(2), height.div_ceil(2)));
            let mut luma = vec![0; stride * height];
            let mut chroma = [0, 1].map(|_| vec![0; stride * half.1]);
            let plane = |samples| Plane { samples, stride };
            let [blue, red] = &mut chroma;
            fill(
                &samples,
                width,
                plane(&mut luma),
                [blue, red].map(|samples| plane(samples)),
            );

            let at = |x: usize, y: usize| -> [f64; CHANNELS] {
                let pixel = (y.min(height - 1) * width + x.min(width - 1)) * CHANNELS;
                std::array::from_fn(|channel| samples[pixel + channel].into())
            };
            // ITU-R BT.601, of 255 levels.
            let of = |pixel: [f64; CHANNELS], shares: [f64; CHANNELS], zero: f64| {
                zero + pixel
                    .iter()
                    .zip(shares)
                    .map(|(level, share)| level * share / 255.0)
                    .sum::<f64>()
            };
            for (x, y) in (0..height).flat_map(|y| (0..width).map(move |x| (x, y))) {
                let expected = of(at(x, y), [65.481, 128.553, 24.966], 16.0);
                assert!(
                    (f64::from(luma[y * stride + x]) - expected).abs() < 0.6,
                    "{width}x{height}: {x}, {y}"
                );
            }
            for (x, y) in (0..half.1).flat_map(|y| (0..half.0).map(move |x| (x, y))) {
                let four = [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(right, down)| at(2 * x + right, 2 * y + down));
                let mean = std::array::from_fn(|channel| four.iter().map(|pixel| pixel[channel]).sum::<f64>() / 4.0);
                for (plane, shares) in chroma
                    .iter()
                    .zip([[-37.797, -74.203, 112.0], [112.0, -93.786, -18.214]])
                {
                    let expected = of(mean, shares, 128.0);
                    assert!(
                        (f64::from(plane[y * stride + x]) - expected).abs() < 0.6,
                        "{width}x{height}: {x}, {y}"
                    );
                }
            }
        }
    }
}
