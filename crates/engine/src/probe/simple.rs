//! Reads the headers of BMP, ICO, QOI and PNM, which are short and at the start of their files.

use pixmill_types::ImageFormat;

use super::header::{ColorModel, Header, still};
use super::{Next, Walk};
use crate::EngineError;
use crate::layout::{bmp, ico, pnm, qoi};
use crate::pixels::Channels;

/// The walk over a BMP behind its magic: the rest of its file header, then a header that begins with its own length.
#[derive(Debug, Default)]
pub(super) struct BmpWalker(Vec<u8>);

/// What follows `BM` in the file header, and the length that comes first in the next.
pub(super) const BMP_FIRST_READ: usize = bmp::FILE_HEADER - 2 + 4;

impl Walk for BmpWalker {
    fn step(&mut self, piece: &[u8]) -> Result<Next, EngineError> {
        if self.0.is_empty() {
            let (_, size) = piece.split_at(BMP_FIRST_READ - 4);
            self.0 = size.to_vec();
            let size = u32::from_le_bytes([size[0], size[1], size[2], size[3]]);
            return Ok(Next::read(bmp::header_bytes(size)? - 4));
        }
        self.0.extend_from_slice(piece);
        self.header().map(Next::Done)
    }

    fn finish(&self) -> Result<Header, EngineError> {
        Err(super::cut_off("BMP"))
    }

    fn at_end(&mut self, rest: &[u8]) -> Result<Header, EngineError> {
        // Masks that a plain header does not have are asked for with it, and may lie beyond a tiny file.
        let least = bmp::header_bytes(40).unwrap_or_default() - 16;
        if !self.0.is_empty() && self.0.len() + rest.len() >= least {
            self.0.extend_from_slice(rest);
            return self.header();
        }
        self.finish()
    }
}

impl BmpWalker {
    fn header(&self) -> Result<Header, EngineError> {
        let bitmap = bmp::parse(&self.0)?;
        let color = if bitmap.has_alpha() {
            ColorModel::Rgba
        } else {
            ColorModel::Rgb
        };
        still(ImageFormat::Bmp, bitmap.width, bitmap.height, color)
    }
}

/// The walk over an ICO behind its magic: the count, the directory, and the header of the picture that is taken.
#[derive(Debug, Default)]
pub(super) enum IcoWalker {
    #[default]
    Count,
    Directory,
    Picture,
}

pub(super) const ICO_FIRST_READ: usize = 2;
/// The header of a bitmap, or that of a PNG up to its depth.
const ICO_PICTURE: usize = 26;
const PNG_SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

impl Walk for IcoWalker {
    fn step(&mut self, piece: &[u8]) -> Result<Next, EngineError> {
        let corrupt = |how: &str| EngineError::Corrupt(format!("the ICO {how}"));
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
                let read = ico::HEADER + piece.len();
                let entry = ico::largest(piece).ok_or_else(|| corrupt("has no directory"))?;
                let skip = u64::from(entry.offset)
                    .checked_sub(read as u64)
                    .ok_or_else(|| corrupt("has a picture within its directory"))?;
                *self = Self::Picture;
                Ok(Next::skip_then_read(skip, ICO_PICTURE))
            }
            Self::Picture => {
                let (width, height) = if piece.starts_with(PNG_SIGNATURE) {
                    let side = |at: usize| u32::from_be_bytes([piece[at], piece[at + 1], piece[at + 2], piece[at + 3]]);
                    (side(16), side(20))
                } else {
                    let bitmap = bmp::parse(piece)?;
                    (bitmap.width, bitmap.height / 2)
                };
                still(ImageFormat::Ico, width, height, ColorModel::Rgba).map(Next::Done)
            }
        }
    }

    fn finish(&self) -> Result<Header, EngineError> {
        Err(super::cut_off("ICO"))
    }
}

/// The walk over a QOI behind its magic.
#[derive(Debug, Default)]
pub(super) struct QoiWalker;

pub(super) const QOI_FIRST_READ: usize = qoi::HEADER - qoi::MAGIC.len();

impl Walk for QoiWalker {
    fn step(&mut self, piece: &[u8]) -> Result<Next, EngineError> {
        let header = piece.first_chunk().ok_or_else(|| super::cut_off("QOI"))?;
        let qoi = qoi::parse(header)?;
        let color = if qoi.has_alpha {
            ColorModel::Rgba
        } else {
            ColorModel::Rgb
        };
        still(ImageFormat::Qoi, qoi.width, qoi.height, color).map(Next::Done)
    }

    fn finish(&self) -> Result<Header, EngineError> {
        Err(super::cut_off("QOI"))
    }
}

/// The walk over the text that a PNM begins with, byte by byte.
#[derive(Debug, Default)]
pub(super) struct PnmWalker(Vec<u8>);

pub(super) const PNM_FIRST_READ: usize = 1;

impl Walk for PnmWalker {
    fn step(&mut self, piece: &[u8]) -> Result<Next, EngineError> {
        self.0.extend_from_slice(piece);
        let may_be_whole = piece.first().is_some_and(u8::is_ascii_whitespace) || self.0.len() >= pnm::MAX_HEADER;
        let header = if may_be_whole { pnm::parse(&self.0)? } else { None };
        let Some(header) = header else {
            return Ok(Next::read(1));
        };
        let color = match header.channels {
            Channels::Gray => ColorModel::Gray,
            Channels::GrayAlpha => ColorModel::GrayAlpha,
            Channels::Rgb => ColorModel::Rgb,
            Channels::Rgba => ColorModel::Rgba,
        };
        let still = still(ImageFormat::Pnm, header.width, header.height, color)?;
        Ok(Next::Done(Header {
            sixteen_bit: header.is_sixteen_bit(),
            ..still
        }))
    }

    fn finish(&self) -> Result<Header, EngineError> {
        Err(super::cut_off("PNM"))
    }
}
