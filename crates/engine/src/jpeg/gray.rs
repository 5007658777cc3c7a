//! Encodes a gray picture that lies in memory.

use super::strip::Strip;
use super::write::{Rows, Target, Writer};
use crate::EngineError;
use crate::encode::Sink;
use crate::mill::Control;
use crate::plan::EncodePlan;
use crate::steps::widen;

/// Encodes samples of a picture of `width` x `height` pixels.
///
/// # Errors
/// [`EngineError::Stopped`] when `control` says so, [`EngineError::Internal`] when memory is lacking.
pub(crate) fn encode_gray(
    samples: &[u8],
    width: u32,
    height: u32,
    plan: &EncodePlan,
    control: &dyn Control,
) -> Result<Vec<u8>, EngineError> {
    /// Rows of a block.
    const ROWS: usize = 8;
    let mut writer = Writer::new(Sink::new(control), Target::of(width, height, plan)?)?;
    let width = width as usize;
    let mut strip = Strip::new(width, ROWS)?;
    for lines in samples.chunks(width * ROWS) {
        for (row, line) in lines.chunks_exact(width).enumerate() {
            let begin = strip.begin_of(row);
            widen(line, &mut strip.numbers[begin..][..width]);
        }
        strip.repeat_edges(lines.len() / width);
        writer.mcu_row(&[Rows::of(&strip)])?;
    }
    writer.finish()
}
