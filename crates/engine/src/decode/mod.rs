//! From files to pixels. Every decoder is memory-safe Rust and is told its limits before it allocates.
//!
//! Owns which library reads which format, and the words for what is wrong with a file. Knows nothing of plans.

mod jpeg;
mod png;
mod webp;

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
        ImageFormat::Png => png::decode(input, header),
        ImageFormat::Webp => webp::decode(input, header),
    }
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
