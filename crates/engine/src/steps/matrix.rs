//! Mixes red, green and blue. Alpha is left alone.

use crate::EngineError;
use crate::mill::Control;
use crate::pixels::{Channels, Image, Sample, Samples, both_depths, zeros};
use crate::plan::ColorMatrix;

/// Multiplies every colour by `matrix`; a gray picture becomes a coloured one.
pub(super) fn matrix(image: Image, matrix: &ColorMatrix, control: &dyn Control) -> Result<Image, EngineError> {
    let mut image = colored(image)?;
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

/// The picture in red, green and blue.
fn colored(image: Image) -> Result<Image, EngineError> {
    if !image.channels.is_gray() {
        return Ok(image);
    }
    let has_alpha = image.channels == Channels::GrayAlpha;
    let samples = match &image.samples {
        Samples::Eight(gray) => Samples::Eight(repeated(gray, has_alpha)?),
        Samples::Sixteen(gray) => Samples::Sixteen(repeated(gray, has_alpha)?),
    };
    Ok(Image {
        channels: image.channels.to_colored(),
        samples,
        ..image
    })
}

fn repeated<T: Copy + Default>(gray: &[T], has_alpha: bool) -> Result<Vec<T>, EngineError> {
    let (from, to) = if has_alpha { (2, 4) } else { (1, 3) };
    let mut colored = zeros((gray.len() / from * to) as u64)?;
    for (pixel, gray) in colored.chunks_exact_mut(to).zip(gray.chunks_exact(from)) {
        pixel[..3].fill(gray[0]);
        pixel[3..].copy_from_slice(&gray[1..]);
    }
    Ok(colored)
}
