//! Cuts off margins, towards the front of the same memory.

use crate::EngineError;
use crate::mill::Control;
use crate::pixels::{Image, both_depths};
use crate::plan::Margins;

/// The picture without `margins`, which leave something of it.
pub(super) fn crop(mut image: Image, margins: Margins, control: &dyn Control) -> Result<Image, EngineError> {
    let kept = margins.cut_off(image.shape());
    let channels = image.channels.count();
    let row = image.width as usize * channels;
    let from = margins.top as usize * row + margins.left as usize * channels;
    let (width, height) = (kept.width as usize * channels, kept.height as usize);
    both_depths!(&mut image.samples, samples => keep(samples, (from, row), (width, height), control))?;
    Ok(Image {
        width: kept.width,
        height: kept.height,
        ..image
    })
}

/// Keeps `height` runs of `width` samples from `begin` on, one every `stride`.
fn keep<T: Copy>(
    samples: &mut Vec<T>,
    (begin, stride): (usize, usize),
    (width, height): (usize, usize),
    control: &dyn Control,
) -> Result<(), EngineError> {
    for row in 0..height {
        if control.should_stop() {
            return Err(EngineError::Stopped);
        }
        let from = begin + row * stride;
        samples.copy_within(from..from + width, row * width);
    }
    samples.truncate(width * height);
    samples.shrink_to_fit();
    Ok(())
}
