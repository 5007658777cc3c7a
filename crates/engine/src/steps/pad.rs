//! Adds a border.

use super::channels::{convert_row, pixel};
use crate::EngineError;
use crate::mill::Control;
use crate::pixels::{Channels, Image, Sample, Shape, map_depths, zeros};
use crate::plan::{Operation, PadPlan};

/// The picture within a border.
pub(super) fn pad(image: &Image, plan: &PadPlan, control: &dyn Control) -> Result<Image, EngineError> {
    let shape = Operation::Pad(*plan).shape_after(image.shape());
    let width = image.width as usize;
    Ok(Image {
        width: shape.width,
        height: shape.height,
        channels: shape.channels,
        samples: map_depths!(&image.samples, samples => surround(samples, (width, image.channels), plan, shape, control)?),
    })
}

/// Copies a picture of so many pixels a row and these channels into one of `shape`.
fn surround<T: Sample>(
    samples: &[T],
    (width, channels): (usize, Channels),
    plan: &PadPlan,
    shape: Shape,
    control: &dyn Control,
) -> Result<Vec<T>, EngineError> {
    let mut padded: Vec<T> = zeros(shape.samples())?;
    let count = shape.channels.count();
    let background = pixel(plan.background, shape.channels).repeat(shape.width as usize);
    let left = plan.margins.left as usize * count;
    let right = left + width * count;
    let mut rows = samples.chunks_exact(width * channels.count());
    for (y, to) in padded.chunks_exact_mut(background.len()).enumerate() {
        if control.should_stop() {
            return Err(EngineError::Stopped);
        }
        let from = if y < plan.margins.top as usize {
            None
        } else {
            rows.next()
        };
        match from {
            None => to.copy_from_slice(&background),
            Some(from) => {
                to[..left].copy_from_slice(&background[..left]);
                convert_row(from, channels, &mut to[left..right], shape.channels);
                to[right..].copy_from_slice(&background[right..]);
            }
        }
    }
    Ok(padded)
}
