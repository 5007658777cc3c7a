//! Walks an ICO to its largest picture, of those the one with most bits a pixel.
//!
//! An entry may leave its bits out. Of several that are as large as each other the heads of their pictures are asked then.

use pixmill_types::ImageFormat;

use super::header::{ColorModel, Header, still};
use super::{Next, Walk};
use crate::EngineError;
use crate::layout::{bmp, ico};

/// How many pictures there are.
pub(super) const FIRST_READ: usize = 2;

/// The header of a bitmap up to its bits, or that of a PNG up to its depth.
pub(crate) const HEAD: usize = 26;
const PNG_SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
/// As a PNG is taken to have: it is what the best picture of an icon is stored as.
const PNG_BITS: u16 = 32;
/// Where an entry says its bits.
const BITS_AT: usize = 6;

/// The walk behind the magic: the count, the directory, and the heads of the pictures that may be taken.
#[derive(Debug, Default)]
pub(super) enum Walker {
    #[default]
    Count,
    Directory,
    Heads {
        directory: Vec<u8>,
        /// Where those are that are still to be read; the next is the last.
        ahead: Vec<u32>,
        read: Vec<(u32, Vec<u8>)>,
    },
}

impl Walk for Walker {
    fn step(&mut self, piece: &[u8]) -> Result<Next, EngineError> {
        match self {
            Self::Count => {
                let count = usize::from(u16::from_le_bytes([piece[0], piece[1]]));
                if !(1..=ico::MAX_ENTRIES).contains(&count) {
                    return Err(corrupt(&format!("declares {count} pictures")));
                }
                *self = Self::Directory;
                Ok(Next::read(count * ico::ENTRY))
            }
            Self::Directory => {
                let mut ahead = doubtful(piece);
                ahead.reverse();
                if ahead.is_empty() {
                    ahead.extend(ico::largest(piece).map(|entry| entry.offset));
                }
                let next = next_head(&ahead, ico::HEADER + piece.len())?;
                *self = Self::Heads {
                    directory: piece.to_vec(),
                    ahead,
                    read: Vec::new(),
                };
                next.ok_or_else(|| corrupt("has no directory"))
            }
            Self::Heads { directory, ahead, read } => {
                if let Some(offset) = ahead.pop() {
                    note_bits(directory, offset, piece);
                    read.push((offset, piece.to_vec()));
                    if let Some(next) = next_head(ahead, offset as usize + HEAD)? {
                        return Ok(next);
                    }
                }
                let taken = ico::largest(directory).map(|entry| entry.offset);
                let head = read.iter().find(|(offset, _)| Some(*offset) == taken);
                header(head.map_or(piece, |(_, head)| head)).map(Next::Done)
            }
        }
    }

    fn finish(&self) -> Result<Header, EngineError> {
        Err(super::cut_off("ICO"))
    }
}

/// Where the pictures are, in order, whose heads decide which of them is taken: those that are as large as the largest, if
/// one of their entries does not say its bits.
pub(crate) fn doubtful(directory: &[u8]) -> Vec<u32> {
    let area = |entry: ico::Entry| entry.width * entry.height;
    let most = ico::largest(directory).map(area);
    let of_largest: Vec<_> = directory
        .as_chunks::<{ ico::ENTRY }>()
        .0
        .iter()
        .filter_map(|entry| Some((ico::largest(entry)?, says_bits(entry))))
        .filter(|(entry, _)| Some(area(*entry)) == most)
        .collect();
    if of_largest.len() == 1 || of_largest.iter().all(|(_, says_bits)| *says_bits) {
        return Vec::new();
    }
    let mut offsets: Vec<_> = of_largest.iter().map(|(entry, _)| entry.offset).collect();
    offsets.sort_unstable();
    offsets.dedup();
    offsets
}

/// Notes in a directory the bits that the head of the picture at `offset` says, where entries of it do not.
pub(crate) fn note_bits(directory: &mut [u8], offset: u32, head: &[u8]) {
    let bits = if head.starts_with(PNG_SIGNATURE) {
        PNG_BITS
    } else {
        bmp::parse(head).map_or(0, |bitmap| bitmap.bits)
    };
    for entry in directory.as_chunks_mut::<{ ico::ENTRY }>().0 {
        if !says_bits(entry) && ico::largest(entry).is_some_and(|entry| entry.offset == offset) {
            entry[BITS_AT..BITS_AT + 2].copy_from_slice(&bits.to_le_bytes());
        }
    }
}

fn says_bits(entry: &[u8; ico::ENTRY]) -> bool {
    entry[BITS_AT..BITS_AT + 2] != [0; 2]
}

/// The way to the next head from what is `read`, bytes.
fn next_head(ahead: &[u32], read: usize) -> Result<Option<Next>, EngineError> {
    let Some(offset) = ahead.last() else { return Ok(None) };
    let skip = u64::from(*offset)
        .checked_sub(read as u64)
        .ok_or_else(|| corrupt("has a picture within its directory or another picture"))?;
    Ok(Some(Next::skip_then_read(skip, HEAD)))
}

/// What the head of the picture says that is taken.
fn header(head: &[u8]) -> Result<Header, EngineError> {
    let (width, height) = if head.starts_with(PNG_SIGNATURE) {
        let side = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        (side(16), side(20))
    } else {
        let bitmap = bmp::parse(head)?;
        (bitmap.width, bitmap.height / 2)
    };
    still(ImageFormat::Ico, width, height, ColorModel::Rgba)
}

fn corrupt(how: &str) -> EngineError {
    EngineError::Corrupt(format!("the ICO {how}"))
}
