//! The directory of an ICO: which pictures it holds, and which of them is taken.

use super::{long, short};

/// Magic and count.
pub(crate) const HEADER: usize = 6;
pub(crate) const ENTRY: usize = 16;
/// More entries than any icon has.
pub(crate) const MAX_ENTRIES: usize = 256;

/// One picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) width: u32,
    pub(crate) height: u32,
    bits: u16,
    /// Of its bytes.
    pub(crate) size: u32,
    /// In the file.
    pub(crate) offset: u32,
}

/// The largest picture of a directory, of those the one with most bits a pixel.
pub(crate) fn largest(entries: &[u8]) -> Option<Entry> {
    let side = |byte: u8| if byte == 0 { 256 } else { u32::from(byte) };
    entries
        .as_chunks::<ENTRY>()
        .0
        .iter()
        .map(|entry| Entry {
            width: side(entry[0]),
            height: side(entry[1]),
            bits: short(entry, 6),
            size: long(entry, 8),
            offset: long(entry, 12),
        })
        .max_by_key(|entry| (entry.width * entry.height, entry.bits))
}
