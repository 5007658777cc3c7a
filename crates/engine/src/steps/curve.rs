//! Functions of one level, as a table. Alpha is left alone.

use crate::EngineError;
use crate::mill::Control;
use crate::pixels::{Image, Sample, both_depths};
use crate::plan::Tone;

/// Changes every level by all of `tones`, one after the other, rounding once.
pub(super) fn curve(mut image: Image, tones: &[Tone], control: &dyn Control) -> Result<Image, EngineError> {
    let channels = image.channels.count();
    let colors = image.channels.to_opaque().count();
    let row = image.width as usize * channels;
    both_depths!(&mut image.samples, samples => {
        let table = table_of(tones);
        look_up(samples, row, (channels, colors), &table, control)
    })?;
    Ok(image)
}

fn table_of<T: Sample>(tones: &[Tone]) -> Vec<T> {
    (0..=T::MAX)
        .map(|level| {
            let level = f64::from(level) / f64::from(T::MAX);
            let changed = tones.iter().fold(level, |level, tone| tone.of(level));
            T::nearest((changed * f64::from(T::MAX)) as f32)
        })
        .collect()
}

/// Replaces every level by what `table` has for it; of each pixel the first `colors` of `channels` samples.
pub(super) fn look_up<T: Sample>(
    samples: &mut [T],
    row: usize,
    (channels, colors): (usize, usize),
    table: &[T],
    control: &dyn Control,
) -> Result<(), EngineError> {
    for row in samples.chunks_exact_mut(row) {
        if control.should_stop() {
            return Err(EngineError::Stopped);
        }
        for pixel in row.chunks_exact_mut(channels) {
            for sample in &mut pixel[..colors] {
                *sample = table[Into::<usize>::into(*sample)];
            }
        }
    }
    Ok(())
}
