//! Stretches the levels between the darkest and the lightest luma to all there are. Alpha is left alone.

use pixmill_types::steps::Normalise;

use super::curve::curve;
use super::grayscale::luma;
use crate::EngineError;
use crate::mill::Control;
use crate::pixels::{Image, Sample, both_depths, zeros};
use crate::plan::Tone;

/// Stretches as far as the shares of `step` allow. A picture whose levels lie no further apart stays as it is.
pub(super) fn normalise(image: Image, step: Normalise, control: &dyn Control) -> Result<Image, EngineError> {
    let mut levels = Levels::default();
    levels.count(&image, control)?;
    match levels.stretched(step) {
        Some(tone) => curve(image, &[tone], control),
        None => Ok(image),
    }
}

/// How many pixels have each luma, of one picture or several.
#[derive(Debug, Default)]
pub(crate) struct Levels {
    /// As many as there are levels of the depth, once a picture was counted.
    counts: Vec<u64>,
}

impl Levels {
    /// Counts the pixels of a picture too, of the depth of those before.
    ///
    /// # Errors
    /// [`EngineError::Stopped`] when `control` says so, [`EngineError::Internal`] when memory is lacking.
    pub(crate) fn count(&mut self, image: &Image, control: &dyn Control) -> Result<(), EngineError> {
        let channels = image.channels.count();
        let colors = image.channels.to_opaque().count();
        let row = image.width as usize * channels;
        both_depths!(&image.samples, samples => count(&mut self.counts, samples, row, (channels, colors), control))
    }

    /// What makes the darkest level black and the lightest white; nothing where there are no two.
    pub(crate) fn stretched(&self, step: Normalise) -> Option<Tone> {
        let seen: u64 = self.counts.iter().sum();
        let share = |percent: f32| (seen as f64 * f64::from(percent) / 100.0) as u64;
        let counts = || self.counts.iter().copied().enumerate();
        let darkest = beyond(counts(), share(step.low))?;
        let lightest = beyond(counts().rev(), share(step.high))?;
        let white = self.counts.len() as f64 - 1.0;
        (darkest < lightest).then(|| Tone::Stretch {
            black: darkest as f64 / white,
            white: lightest as f64 / white,
        })
    }
}

fn count<T: Sample>(
    counts: &mut Vec<u64>,
    samples: &[T],
    row: usize,
    (channels, colors): (usize, usize),
    control: &dyn Control,
) -> Result<(), EngineError> {
    if counts.is_empty() {
        *counts = zeros(u64::from(T::MAX) + 1)?;
    }
    for row in samples.chunks_exact(row) {
        if control.should_stop() {
            return Err(EngineError::Stopped);
        }
        for pixel in row.chunks_exact(channels) {
            let is_unseen = colors < channels && pixel[colors].level() == 0;
            if !is_unseen {
                counts[luma_of(&pixel[..colors])] += 1;
            }
        }
    }
    Ok(())
}

/// The first level with more pixels up to it than are left out of account.
fn beyond(counts: impl Iterator<Item = (usize, u64)>, left_out: u64) -> Option<usize> {
    let mut passed = 0;
    for (level, count) in counts {
        passed += count;
        if passed > left_out {
            return Some(level);
        }
    }
    None
}

fn luma_of<T: Sample>(colors: &[T]) -> usize {
    match colors {
        [red, green, blue] => luma(red.level(), green.level(), blue.level()) as usize,
        [gray, ..] => gray.level() as usize,
        [] => 0,
    }
}
