//! Walks the chunks of a PNG up to its first pixel data (W3C PNG, third edition, section 5).
//!
//! Reads `IHDR`, and of the ancillary chunks before the pixels `acTL`, `tRNS` and `eXIf`; passes over every other one.
//! Checks the CRC of `IHDR` alone: the decoder checks the rest.

use pixmill_types::ImageFormat;

use super::header::{ColorModel, Header, still};
use super::{EXIF_MAX_BYTES, Next, Walk};
use crate::EngineError;
use crate::chunks;
use crate::exif;

/// A chunk's length and type.
pub(super) const FIRST_READ: usize = CHUNK_HEAD;

const CHUNK_HEAD: usize = 8;
const CRC: usize = 4;
const IHDR_BODY: usize = 13;
const ACTL_BODY: usize = 8;

/// What the next piece is, with the header as known so far.
#[derive(Debug, Default)]
pub(super) enum Walker {
    #[default]
    FirstChunk,
    /// The body of `IHDR` and its CRC.
    ImageHeader,
    ChunkHead(Header),
    /// The body of `acTL`.
    AnimationControl(Header),
    /// The body of `eXIf`.
    Exif(Header),
}

impl Walk for Walker {
    fn step(&mut self, piece: &[u8]) -> Result<Next, EngineError> {
        match *self {
            Self::FirstChunk => self.first_chunk(piece),
            Self::ImageHeader => {
                let header = image_header(piece)?;
                Ok(self.next_chunk(header, 0))
            }
            Self::ChunkHead(header) => self.chunk(header, piece),
            Self::AnimationControl(mut header) => {
                // Decoders take a declared 0 as a still image.
                header.frames = big_endian(piece).max(1);
                Ok(self.next_chunk(header, CRC as u64))
            }
            Self::Exif(mut header) => {
                header.orientation = exif::orientation_of_block(piece).unwrap_or_default();
                Ok(self.next_chunk(header, CRC as u64))
            }
        }
    }

    fn finish(&self) -> Result<Header, EngineError> {
        Err(super::cut_off("PNG"))
    }
}

impl Walker {
    fn next_chunk(&mut self, header: Header, skip: u64) -> Next {
        *self = Self::ChunkHead(header);
        Next::skip_then_read(skip, CHUNK_HEAD)
    }

    fn first_chunk(&mut self, head: &[u8]) -> Result<Next, EngineError> {
        match &head[4..] {
            b"IHDR" if big_endian(head) as usize == IHDR_BODY => {
                *self = Self::ImageHeader;
                Ok(Next::read(IHDR_BODY + CRC))
            }
            b"CgBI" => Err(EngineError::Unsupported(
                "this is a PNG in the private form of iOS apps (CgBI), which is not read".into(),
            )),
            _ => Err(corrupt("does not begin with an image header")),
        }
    }

    fn chunk(&mut self, mut header: Header, head: &[u8]) -> Result<Next, EngineError> {
        let length = u64::from(big_endian(head));
        if length > u64::from(u32::MAX / 2) {
            return Err(corrupt("has a chunk longer than any may be"));
        }
        match &head[4..] {
            b"IDAT" => return Ok(Next::Done(header)),
            b"IEND" => return Err(corrupt("holds no pixels")),
            b"tRNS" => {
                header.color = match header.color {
                    ColorModel::Gray => ColorModel::GrayAlpha,
                    ColorModel::Rgb => ColorModel::Rgba,
                    other => other,
                };
            }
            b"acTL" if length == ACTL_BODY as u64 => {
                *self = Self::AnimationControl(header);
                return Ok(Next::read(ACTL_BODY));
            }
            b"eXIf" if length <= EXIF_MAX_BYTES => {
                *self = Self::Exif(header);
                return Ok(Next::read(length as usize));
            }
            _ => {}
        }
        Ok(self.next_chunk(header, length + CRC as u64))
    }
}

/// How many of the `declared` frames a whole file has: those of which there is data. Where it is cut off, which a missing
/// `IEND` tells, all of them.
pub(super) fn frames(file: &[u8], declared: u32) -> u32 {
    let (mut frames, mut is_begun) = (0, false);
    for chunk in chunks::of_png(file) {
        match &chunk.kind {
            b"fcTL" => is_begun = true,
            b"IDAT" | b"fdAT" => frames += u32::from(std::mem::take(&mut is_begun)),
            b"IEND" => return declared.min(frames).max(1),
            _ => {}
        }
    }
    declared
}

fn image_header(body_and_crc: &[u8]) -> Result<Header, EngineError> {
    let (body, crc) = body_and_crc.split_at(IHDR_BODY);
    if crc32(b"IHDR", body) != big_endian(crc) {
        return Err(corrupt("has a damaged image header: its checksum does not match"));
    }
    let (depth, color_type, interlace) = (body[8], body[9], body[12]);
    let (color, depths): (_, &[u8]) = match color_type {
        0 => (ColorModel::Gray, &[1, 2, 4, 8, 16]),
        2 => (ColorModel::Rgb, &[8, 16]),
        3 => (ColorModel::Rgb, &[1, 2, 4, 8]),
        4 => (ColorModel::GrayAlpha, &[8, 16]),
        6 => (ColorModel::Rgba, &[8, 16]),
        _ => return Err(corrupt(&format!("declares the unknown colour type {color_type}"))),
    };
    if !depths.contains(&depth) {
        let how = format!("declares {depth} bits a sample, which colour type {color_type} does not allow");
        return Err(corrupt(&how));
    }
    if body[10] != 0 || body[11] != 0 || interlace > 1 {
        return Err(corrupt("declares an unknown compression, filter or interlace method"));
    }
    let mut header = still(ImageFormat::Png, big_endian(body), big_endian(&body[4..]), color)?;
    header.sixteen_bit = depth == 16;
    header.multi_pass = interlace == 1;
    Ok(header)
}

/// CRC-32 of a chunk's type and body, bit by bit: it runs over 17 bytes a file.
fn crc32(kind: &[u8], body: &[u8]) -> u32 {
    let crc = kind.iter().chain(body).fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    });
    !crc
}

/// The first four bytes as a number.
fn big_endian(bytes: &[u8]) -> u32 {
    bytes.first_chunk::<4>().map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

fn corrupt(how: &str) -> EngineError {
    EngineError::Corrupt(format!("the PNG {how}"))
}
