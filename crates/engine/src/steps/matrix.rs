//! Mixes red, green and blue. Alpha is left alone.

use super::channels::convert;
use crate::EngineError;
use crate::mill::Control;
use crate::pixels::{Image, Sample, both_depths};
use crate::plan::ColorMatrix;

/// Multiplies every colour by `matrix`; a gray picture becomes a coloured one.
pub(super) fn matrix(image: Image, matrix: &ColorMatrix, control: &dyn Control) -> Result<Image, EngineError> {
    let to = image.channels.to_colored();
    let mut image = convert(image, to)?;
    let channels = image.channels.count();
    let row = image.width as usize * channels;
    let factors = matrix.0.map(|row| row.map(|factor| factor as f32));
    both_depths!(&mut image.samples, samples => multiply(samples, row, channels, &factors, control))?;
    Ok(image)
}

fn multiply<T: Sample>(
    samples: &mut [T],
    row: usize,
    channels: usize,
    factors: &[[f32; 3]; 3],
    control: &dyn Control,
) -> Result<(), EngineError> {
    for row in samples.chunks_exact_mut(row) {
        if control.should_stop() {
            return Err(EngineError::Stopped);
        }
        for pixel in row.chunks_exact_mut(channels) {
            let from: [f32; 3] = [pixel[0].into(), pixel[1].into(), pixel[2].into()];
            for (to, [red, green, blue]) in pixel.iter_mut().zip(factors) {
                *to = T::nearest(from[0] * red + from[1] * green + from[2] * blue);
            }
        }
    }
    Ok(())
}
