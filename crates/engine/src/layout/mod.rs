//! How files are laid out whose structure is simple enough to be read by ourselves: what headers mean, for those who
//! probe and those who decode alike.
//!
//! Owns fields and what they may hold. Reads no pixel.

pub(crate) mod bmp;
pub(crate) mod fields;
pub(crate) mod ico;
pub(crate) mod jxl;
pub(crate) mod pnm;
pub(crate) mod qoi;
pub(crate) mod tiff;

/// The two bytes at `at`, the lower first; 0 beyond the end.
fn short(bytes: &[u8], at: usize) -> u16 {
    bytes
        .get(at..)
        .and_then(|bytes| bytes.first_chunk())
        .map_or(0, |bytes| u16::from_le_bytes(*bytes))
}

/// The four bytes at `at`, the lowest first; 0 beyond the end.
fn long(bytes: &[u8], at: usize) -> u32 {
    bytes
        .get(at..)
        .and_then(|bytes| bytes.first_chunk())
        .map_or(0, |bytes| u32::from_le_bytes(*bytes))
}
