//! Stretches the levels between the darkest and the lightest luma to all there are. Alpha is left alone.

use pixmill_types::steps::Normalise;

use super::curve::look_up;
use super::grayscale::luma;
use crate::EngineError;
use crate::mill::Control;
use crate::pixels::{Image, Sample, both_depths, zeros};

/// Stretches as far as the shares of `step` allow. A picture whose levels lie no further apart stays as it is.
pub(super) fn normalise(mut image: Image, step: Normalise, control: &dyn Control) -> Result<Image, EngineError> {
    let channels = image.channels.count();
    let colors = image.channels.to_opaque().count();
    let row = image.width as usize * channels;
    both_depths!(&mut image.samples, samples => stretch(samples, row, (channels, colors), step, control))?;
    Ok(image)
}

fn stretch<T: Sample>(
    samples: &mut [T],
    row: usize,
    (channels, colors): (usize, usize),
    step: Normalise,
    control: &dyn Control,
) -> Result<(), EngineError> {
    let mut counts: Vec<u32> = zeros(u64::from(T::MAX) + 1)?;
    for row in samples.chunks_exact(row) {
        if control.should_stop() {
            return Err(EngineError::Stopped);
        }
        for pixel in row.chunks_exact(channels) {
            let is_unseen = colors < channels && level(pixel[colors]) == 0;
            if !is_unseen {
                counts[luma_of(&pixel[..colors])] += 1;
            }
        }
    }
    let seen: u64 = counts.iter().map(|count| u64::from(*count)).sum();
    let share = |percent: f32| (seen as f64 * f64::from(percent) / 100.0) as u64;
    let darkest = beyond(counts.iter().copied().enumerate(), share(step.low));
    let lightest = beyond(counts.iter().copied().enumerate().rev(), share(step.high));
    let (Some(darkest), Some(lightest)) = (darkest, lightest) else {
        return Ok(());
    };
    if darkest >= lightest {
        return Ok(());
    }
    let factor = f64::from(T::MAX) / (lightest - darkest) as f64;
    let table: Vec<T> = (0..=T::MAX)
        .map(|level| T::nearest(((f64::from(level) - darkest as f64) * factor) as f32))
        .collect();
    look_up(samples, row, (channels, colors), &table, control)
}

/// The first level with more pixels up to it than are left out of account.
fn beyond(counts: impl Iterator<Item = (usize, u32)>, left_out: u64) -> Option<usize> {
    let mut passed = 0;
    for (level, count) in counts {
        passed += u64::from(count);
        if passed > left_out {
            return Some(level);
        }
    }
    None
}

fn luma_of<T: Sample>(colors: &[T]) -> usize {
    match colors {
        [red, green, blue] => luma(level(*red), level(*green), level(*blue)) as usize,
        [gray, ..] => level(*gray) as usize,
        [] => 0,
    }
}

fn level<T: Sample>(sample: T) -> u32 {
    let level: usize = sample.into();
    level as u32
}
