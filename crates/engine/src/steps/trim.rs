//! Cuts off rows and columns along the edges that have the colour of the left upper corner.

use super::crop::crop;
use crate::EngineError;
use crate::mill::Control;
use crate::pixels::{Image, Sample, both_depths};
use crate::plan::Margins;

/// The picture without its border; the whole of one that is nothing else. `tolerance` is in levels of 255.
pub(super) fn trim(image: Image, tolerance: u32, control: &dyn Control) -> Result<Image, EngineError> {
    match border(&image, tolerance, control)? {
        None | Some(Margins::NONE) => Ok(image),
        Some(margins) => crop(image, margins, control),
    }
}

/// The border of a picture; `None` when it is nothing else. `tolerance` is in levels of 255.
///
/// # Errors
/// [`EngineError::Stopped`] when `control` says so.
pub(crate) fn border(image: &Image, tolerance: u32, control: &dyn Control) -> Result<Option<Margins>, EngineError> {
    let channels = image.channels.count();
    let row = image.width as usize * channels;
    let has_alpha = image.channels.has_alpha();
    both_depths!(&image.samples, samples => {
        let corner = Corner::new(&samples[..channels], has_alpha, tolerance);
        corner.margins(samples, row, control)
    })
}

/// What the border looks like.
struct Corner {
    /// What is seen of it: colours multiplied by alpha, and alpha.
    seen: [u64; 4],
    channels: usize,
    has_alpha: bool,
    /// In the unit of what is seen.
    tolerance: u64,
}

impl Corner {
    fn new<T: Sample + Into<u64>>(pixel: &[T], has_alpha: bool, tolerance: u32) -> Self {
        let unit = if has_alpha { T::MAX } else { 1 };
        Self {
            seen: seen(pixel, has_alpha),
            channels: pixel.len(),
            has_alpha,
            tolerance: u64::from(tolerance) * u64::from(T::MAX / 255) * u64::from(unit),
        }
    }

    fn is_like<T: Sample + Into<u64>>(&self, pixel: &[T]) -> bool {
        let pixel = seen(pixel, self.has_alpha);
        self.seen
            .iter()
            .zip(pixel)
            .all(|(one, other)| one.abs_diff(other) <= self.tolerance)
    }

    /// The border of a picture; `None` when there is nothing else.
    fn margins<T: Sample + Into<u64>>(
        &self,
        samples: &[T],
        row: usize,
        control: &dyn Control,
    ) -> Result<Option<Margins>, EngineError> {
        let is_border = |row: &[T]| {
            if control.should_stop() {
                return Err(EngineError::Stopped);
            }
            Ok(row.chunks_exact(self.channels).all(|pixel| self.is_like(pixel)))
        };
        let height = samples.len() / row;
        let (mut top, mut bottom) = (0, 0);
        while top < height && is_border(&samples[top * row..][..row])? {
            top += 1;
        }
        if top == height {
            return Ok(None);
        }
        while is_border(&samples[(height - 1 - bottom) * row..][..row])? {
            bottom += 1;
        }
        // The narrowest border of all rows between.
        let (mut left, mut right) = (row / self.channels, row / self.channels);
        for row in samples[top * row..(height - bottom) * row].chunks_exact(row) {
            if control.should_stop() {
                return Err(EngineError::Stopped);
            }
            let is_like = |pixel: &&[T]| self.is_like(pixel);
            left = row.chunks_exact(self.channels).take(left).take_while(is_like).count();
            right = row.rchunks_exact(self.channels).take(right).take_while(is_like).count();
        }
        Ok(Some(Margins {
            left: left as u32,
            top: top as u32,
            right: right as u32,
            bottom: bottom as u32,
        }))
    }
}

/// Colours multiplied by alpha, then alpha in the same unit; as they are where there is none.
fn seen<T: Sample + Into<u64>>(pixel: &[T], has_alpha: bool) -> [u64; 4] {
    let mut seen = [0; 4];
    for (seen, sample) in seen.iter_mut().zip(pixel) {
        *seen = (*sample).into();
    }
    if has_alpha {
        let colors = pixel.len() - 1;
        let alpha = seen[colors];
        seen[..colors].iter_mut().for_each(|color| *color *= alpha);
        seen[colors] *= u64::from(T::MAX);
    }
    seen
}
