//! Rounds the corners: beyond an arc alpha falls to nothing, over the arc as much as of the pixel lies beyond it.

use super::channels::convert;
use crate::EngineError;
use crate::mill::Control;
use crate::pixels::{Image, Sample, both_depths};

/// Lines along which a pixel is measured.
const LINES: usize = 16;

/// The picture with corners of `radius` pixels, which is half the shorter side at most.
pub(super) fn round(image: Image, radius: f64, control: &dyn Control) -> Result<Image, EngineError> {
    let to = image.channels.to_transparent();
    let mut image = convert(image, to)?;
    let channels = image.channels.count();
    let (width, height) = (image.width as usize, image.height as usize);
    let rows = (radius.ceil() as usize).min(height);
    for row in 0..rows {
        if control.should_stop() {
            return Err(EngineError::Stopped);
        }
        let covered = covered(row, radius);
        // The middle row of an odd number is both, and lies under the arcs of all four corners.
        for row in [row, height - 1 - row] {
            both_depths!(&mut image.samples, samples => {
                uncover(&mut samples[row * width * channels..][..width * channels], channels, &covered);
            });
        }
    }
    Ok(image)
}

/// How much of each pixel in a row of the left upper corner lies within the arc, from the left, 0 to 1.
fn covered(row: usize, radius: f64) -> Vec<f32> {
    let lines: [f64; LINES] = std::array::from_fn(|line| {
        let from_middle = radius - (row as f64 + (line as f64 + 0.5) / LINES as f64);
        // Below the middle of the arc everything is within.
        radius - (radius * radius - from_middle.max(0.0).powi(2)).max(0.0).sqrt()
    });
    let pixel = |x: usize| {
        let within: f64 = lines.iter().map(|begin| (x as f64 + 1.0 - begin).clamp(0.0, 1.0)).sum();
        (within / LINES as f64) as f32
    };
    let beyond = lines.iter().copied().fold(0.0, f64::max).ceil() as usize;
    (0..beyond).map(pixel).collect()
}

/// Multiplies alpha at both ends of a row.
fn uncover<T: Sample>(row: &mut [T], channels: usize, covered: &[f32]) {
    let scale = |alpha: &mut T, covered: f32| *alpha = T::nearest(Into::<f32>::into(*alpha) * covered);
    for (pixel, covered) in row.chunks_exact_mut(channels).zip(covered) {
        scale(&mut pixel[channels - 1], *covered);
    }
    for (pixel, covered) in row.rchunks_exact_mut(channels).zip(covered) {
        scale(&mut pixel[channels - 1], *covered);
    }
}
