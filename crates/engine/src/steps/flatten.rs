//! Lays a picture with alpha on a colour.

use pixmill_types::Color;

use super::channels::{convert, pixel};
use crate::EngineError;
use crate::mill::Control;
use crate::pixels::{Image, Sample, both_depths};

/// The picture on `color`, which is opaque; one without alpha stays as it is.
pub(crate) fn flatten(image: Image, color: Color, control: &dyn Control) -> Result<Image, EngineError> {
    if !image.channels.has_alpha() {
        return Ok(image);
    }
    let to = image.channels.holding(color);
    let mut image = convert(image, to)?;
    let channels = image.channels.count();
    let row = image.width as usize * channels;
    let opaque = image.channels.to_opaque();
    both_depths!(&mut image.samples, samples => {
        lay_on(samples, (row, channels), &pixel(color, opaque), control)
    })?;
    image.channels = opaque;
    Ok(image)
}

/// Mixes pixels of `channels` samples, alpha the last, with `below`, towards the front of the same memory.
fn lay_on<T: Sample + Into<u64> + TryFrom<u64>>(
    samples: &mut Vec<T>,
    (row, channels): (usize, usize),
    below: &[T],
    control: &dyn Control,
) -> Result<(), EngineError> {
    let max = u64::from(T::MAX);
    let (pixels, colors) = (samples.len() / channels, channels - 1);
    let width = row / channels;
    for pixel in 0..pixels {
        if pixel % width == 0 && control.should_stop() {
            return Err(EngineError::Stopped);
        }
        let alpha: u64 = samples[pixel * channels + colors].into();
        for (color, below) in below.iter().enumerate() {
            let above: u64 = samples[pixel * channels + color].into();
            let mixed = (above * alpha + Into::<u64>::into(*below) * (max - alpha) + max / 2) / max;
            // A mean of two samples is one.
            samples[pixel * colors + color] = T::try_from(mixed).unwrap_or_default();
        }
    }
    samples.truncate(pixels * colors);
    samples.shrink_to_fit();
    Ok(())
}
