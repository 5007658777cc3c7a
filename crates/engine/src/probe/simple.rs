//! Reads the headers of BMP, QOI and PNM, which are short and at the start of their files.

use pixmill_types::ImageFormat;

use super::header::{ColorModel, Header, still};
use super::{Next, Walk};
use crate::EngineError;
use crate::layout::{bmp, pnm, qoi};
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
