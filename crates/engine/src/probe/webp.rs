//! Walks the chunks of a WebP (RFC 9649, section 2).
//!
//! A still picture's first chunk says everything. An animation counts its frames nowhere, so its chunks are walked to
//! the end of the file, their bodies passed over.

use pixmill_types::ImageFormat;

use super::header::{ColorModel, Header, still};
use super::{EXIF_MAX_BYTES, Next, Walk};
use crate::EngineError;
use crate::exif;

/// A chunk's type and length.
pub(super) const FIRST_READ: usize = CHUNK_HEAD;

const CHUNK_HEAD: usize = 8;
const LOSSY_HEAD: usize = 10;
const LOSSLESS_HEAD: usize = 5;
const EXTENDED_HEAD: usize = 10;
const ANIMATED: u8 = 0x02;
const ALPHA: u8 = 0x10;

#[derive(Debug)]
pub(super) struct Walker {
    expects: Expects,
    /// What the RIFF header leaves for chunks that were not asked for yet, bytes.
    left: u64,
}

#[derive(Debug, Clone, Copy)]
enum Expects {
    FirstChunk,
    Lossy,
    Lossless,
    /// The body of `VP8X`, and how many bytes follow it in its chunk.
    Extended {
        behind: u64,
    },
    /// The head of a chunk of an animation, with its frames counted so far.
    Chunk(Animation),
    /// The body of an animation's `EXIF`, and how many bytes pad it.
    Exif {
        animation: Animation,
        behind: u64,
    },
}

/// An animation's header, with the frames seen so far.
#[derive(Debug, Clone, Copy)]
struct Animation {
    header: Header,
    frames: u32,
}

impl Animation {
    fn counted(self) -> Result<Header, EngineError> {
        match self.frames {
            0 => Err(corrupt("is an animation without frames")),
            frames => Ok(Header { frames, ..self.header }),
        }
    }
}

impl Walker {
    /// Walks a file whose RIFF header declares this size.
    pub(super) fn new(riff_bytes: u32) -> Self {
        Self {
            expects: Expects::FirstChunk,
            left: u64::from(riff_bytes).saturating_sub(4),
        }
    }
}

impl Walk for Walker {
    fn step(&mut self, piece: &[u8]) -> Result<Next, EngineError> {
        match self.expects {
            Expects::FirstChunk => self.first_chunk(piece),
            Expects::Lossy => lossy(piece).map(Next::Done),
            Expects::Lossless => lossless(piece).map(Next::Done),
            Expects::Extended { behind } => self.extended(piece, behind),
            Expects::Chunk(animation) => self.chunk(animation, piece),
            Expects::Exif { mut animation, behind } => {
                animation.header.orientation = exif::orientation_of_block(piece).unwrap_or_default();
                self.next_chunk(animation, behind)
            }
        }
    }

    /// The file is over before its RIFF header said: what was counted so far, if a frame was seen.
    fn finish(&self) -> Result<Header, EngineError> {
        match self.expects {
            Expects::Chunk(animation) | Expects::Exif { animation, .. } if animation.frames > 0 => animation.counted(),
            _ => Err(super::cut_off("WebP")),
        }
    }
}

impl Walker {
    fn first_chunk(&mut self, head: &[u8]) -> Result<Next, EngineError> {
        let (kind, size) = chunk_head(head);
        let (expects, read) = match &kind {
            b"VP8 " => (Expects::Lossy, LOSSY_HEAD),
            b"VP8L" => (Expects::Lossless, LOSSLESS_HEAD),
            b"VP8X" => {
                let behind = padded(size).saturating_sub(EXTENDED_HEAD as u64);
                (Expects::Extended { behind }, EXTENDED_HEAD)
            }
            _ => return Err(corrupt("does not begin with a picture")),
        };
        if u64::from(size) < read as u64 {
            return Err(corrupt("has a picture header that is too short"));
        }
        self.take(size);
        self.expects = expects;
        Ok(Next::read(read))
    }

    fn extended(&mut self, body: &[u8], behind: u64) -> Result<Next, EngineError> {
        let side = |at: usize| 1 + u32::from_le_bytes([body[at], body[at + 1], body[at + 2], 0]);
        let color = if body[0] & ALPHA == 0 {
            ColorModel::Rgb
        } else {
            ColorModel::Rgba
        };
        let header = still(ImageFormat::Webp, side(4), side(7), color)?;
        if body[0] & ANIMATED == 0 {
            return Ok(Next::Done(header));
        }
        self.next_chunk(Animation { header, frames: 0 }, behind)
    }

    fn chunk(&mut self, mut animation: Animation, head: &[u8]) -> Result<Next, EngineError> {
        let (kind, size) = chunk_head(head);
        self.take(size);
        match &kind {
            b"ANMF" => animation.frames = animation.frames.saturating_add(1),
            b"EXIF" if u64::from(size) <= EXIF_MAX_BYTES => {
                let behind = padded(size) - u64::from(size);
                self.expects = Expects::Exif { animation, behind };
                return Ok(Next::read(size as usize));
            }
            _ => {}
        }
        self.next_chunk(animation, padded(size))
    }

    /// Passes over `behind` bytes of this chunk to the next one, if the file says that there is one.
    fn next_chunk(&mut self, animation: Animation, behind: u64) -> Result<Next, EngineError> {
        if self.left < CHUNK_HEAD as u64 {
            return animation.counted().map(Next::Done);
        }
        self.expects = Expects::Chunk(animation);
        Ok(Next::skip_then_read(behind, CHUNK_HEAD))
    }

    fn take(&mut self, body: u32) {
        self.left = self.left.saturating_sub(CHUNK_HEAD as u64 + padded(body));
    }
}

/// The frame header of VP8 (RFC 6386, section 9.1).
fn lossy(head: &[u8]) -> Result<Header, EngineError> {
    if head[0] & 1 != 0 || head[3..6] != [0x9d, 0x01, 0x2a] {
        return Err(corrupt("does not begin with a key frame"));
    }
    let side = |at: usize| u32::from(u16::from_le_bytes([head[at], head[at + 1]]) & 0x3fff);
    still(ImageFormat::Webp, side(6), side(8), ColorModel::Rgb)
}

/// The header of the lossless bitstream (RFC 9649, section 3.4).
fn lossless(head: &[u8]) -> Result<Header, EngineError> {
    let bits = u32::from_le_bytes([head[1], head[2], head[3], head[4]]);
    if head[0] != 0x2f || bits >> 29 != 0 {
        return Err(corrupt("has a lossless picture of an unknown version"));
    }
    let color = if bits >> 28 & 1 == 0 {
        ColorModel::Rgb
    } else {
        ColorModel::Rgba
    };
    still(ImageFormat::Webp, 1 + (bits & 0x3fff), 1 + (bits >> 14 & 0x3fff), color)
}

fn chunk_head(head: &[u8]) -> ([u8; 4], u32) {
    (
        [head[0], head[1], head[2], head[3]],
        u32::from_le_bytes([head[4], head[5], head[6], head[7]]),
    )
}

/// Chunks begin at even offsets.
fn padded(size: u32) -> u64 {
    u64::from(size).next_multiple_of(2)
}

fn corrupt(how: &str) -> EngineError {
    EngineError::Corrupt(format!("the WebP {how}"))
}
