//! From files to pixels. Every decoder is memory-safe Rust and is told its limits before it allocates.
//!
//! Owns which library reads which format, and the words for what is wrong with a file. Knows nothing of plans.

mod bmp;
mod canvas;
mod frames;
mod gif;
mod ico;
mod jpeg;
pub(crate) mod jxl;
mod png;
mod pnm;
pub(crate) mod qoi;
mod tiff;
mod webp;

pub(crate) use self::frames::Frames;

use pixmill_types::ImageFormat;

use crate::EngineError;
use crate::mill::Control;
use crate::pixels::Image;
use crate::plan::DecodePlan;
use crate::probe::Header;

/// Decodes the first frame of a file whose header was read and checked.
///
/// # Errors
/// [`EngineError::Truncated`] when the file ends too early, [`EngineError::Corrupt`] when it cannot be decoded for
/// another reason, [`EngineError::Stopped`] when `control` says so.
pub(crate) fn decode(
    input: &[u8],
    header: &Header,
    plan: &DecodePlan,
    control: &dyn Control,
) -> Result<Image, EngineError> {
    match header.format {
        ImageFormat::Jpeg => jpeg::decode(input, header, plan, control),
        ImageFormat::Png => png::decode(input, header, plan, control),
        ImageFormat::Webp => webp::decode(input, header),
        ImageFormat::Gif => gif::decode(input, header, control),
        ImageFormat::Tiff => tiff::decode(input, header, control),
        ImageFormat::Bmp => bmp::decode(input, header, control),
        ImageFormat::Ico => ico::decode(input, header, control),
        ImageFormat::Qoi => qoi::decode(input, header, control),
        ImageFormat::Pnm => pnm::decode(input, header, control),
        ImageFormat::Jxl => jxl::decode(input, header, control),
        ImageFormat::Avif => Err(EngineError::Internal("AVIF has no decoder".into())),
    }
}

/// Pixels between two looks at whether to go on.
const PIXELS_BETWEEN_CHECKS: usize = 256 * 1024;

/// Asks now and then, row by row, whether to go on.
fn rows_or_stop(row: usize, width: u32, control: &dyn Control) -> Result<(), EngineError> {
    let rows = (PIXELS_BETWEEN_CHECKS / width.max(1) as usize).max(1);
    if row.is_multiple_of(rows) && control.should_stop() {
        return Err(EngineError::Stopped);
    }
    Ok(())
}

/// A file that a decoder gave up on: cut off if it has no end, else damaged.
fn broken(format: &str, has_end: bool, why: &dyn std::fmt::Display) -> EngineError {
    if has_end {
        let why = why.to_string();
        let why = why.trim_matches(['"', '.', ' ']);
        EngineError::Corrupt(format!("the {format} is damaged: {why}"))
    } else {
        cut_off(format)
    }
}

fn cut_off(format: &str) -> EngineError {
    EngineError::Truncated(format!("the file ends before its {format} picture does"))
}

fn other_sides(format: &str) -> EngineError {
    EngineError::Corrupt(format!("the {format} declares two different sizes"))
}
