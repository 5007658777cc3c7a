//! The header of a QOI (The Quite OK Image Format Specification, version 1.0).

use crate::EngineError;

pub(crate) const MAGIC: &[u8] = b"qoif";
/// Magic, sides, channels, colour space.
pub(crate) const HEADER: usize = 14;
/// What ends the file.
pub(crate) const END: [u8; 8] = [0, 0, 0, 0, 0, 0, 0, 1];

/// What a header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Qoi {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) has_alpha: bool,
}

/// Reads what follows the magic.
///
/// # Errors
/// [`EngineError::Corrupt`] for a number of channels or a colour space that there is not.
pub(crate) fn parse(header: &[u8; HEADER - MAGIC.len()]) -> Result<Qoi, EngineError> {
    let [a, b, c, d, e, f, g, h, channels, space] = *header;
    if !matches!(channels, 3 | 4) || space > 1 {
        return Err(EngineError::Corrupt(format!(
            "the QOI declares {channels} channels in the colour space {space}"
        )));
    }
    Ok(Qoi {
        width: u32::from_be_bytes([a, b, c, d]),
        height: u32::from_be_bytes([e, f, g, h]),
        has_alpha: channels == 4,
    })
}
