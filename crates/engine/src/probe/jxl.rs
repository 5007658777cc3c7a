//! Walks a JPEG XL to the head of its codestream, which lies in the first box of its kind, or begins the file.
//!
//! How many frames an animation has is not said there: it counts as its first.

use pixmill_types::ImageFormat;

use super::header::{ColorModel, Header, still};
use super::{Next, Walk};
use crate::EngineError;
use crate::layout::jxl::{BOX_HEAD_BYTES, BoxHead, HEAD_BYTES, LONG_LENGTH_BYTES, Picture, Problem, corrupt};

#[derive(Debug, Clone, Copy)]
pub(super) enum Walker {
    /// The head of a box.
    Box,
    /// The length of a box of this type, which does not fit into four bytes.
    Length([u8; 4]),
    /// The head of the codestream.
    Codestream,
    /// A number, and then that.
    Part,
}

/// What precedes the codestream in the box of a part of it, bytes.
const PART_NUMBER: usize = 4;

impl Walk for Walker {
    fn step(&mut self, piece: &[u8]) -> Result<Next, EngineError> {
        match *self {
            Self::Box => {
                let head = piece.first_chunk().ok_or_else(cut_off)?;
                match BoxHead::of(*head)? {
                    (Some(head), _) => self.behind(head),
                    (None, kind) => {
                        *self = Self::Length(kind);
                        Ok(Next::read(LONG_LENGTH_BYTES))
                    }
                }
            }
            Self::Length(kind) => {
                let length = piece.first_chunk().ok_or_else(cut_off)?;
                self.behind(BoxHead::long(kind, *length)?)
            }
            Self::Codestream => header(piece).map(Next::Done),
            Self::Part => header(piece.get(PART_NUMBER..).unwrap_or_default()).map(Next::Done),
        }
    }

    fn finish(&self) -> Result<Header, EngineError> {
        Err(cut_off())
    }

    /// A picture may be smaller than what its head could take.
    fn at_end(&mut self, rest: &[u8]) -> Result<Header, EngineError> {
        match self {
            Self::Codestream => header(rest),
            Self::Part => header(rest.get(PART_NUMBER..).unwrap_or_default()),
            Self::Box | Self::Length(_) => self.finish(),
        }
    }
}

impl Walker {
    fn behind(&mut self, head: BoxHead) -> Result<Next, EngineError> {
        // What follows the box is no part of the codestream.
        let length = head
            .body
            .map_or(HEAD_BYTES, |body| body.min(HEAD_BYTES as u64) as usize);
        *self = match &head.kind {
            b"jxlc" => Self::Codestream,
            b"jxlp" => Self::Part,
            _ => {
                *self = Self::Box;
                let body = head.body.ok_or_else(|| corrupt("has no codestream"))?;
                return Ok(Next::skip_then_read(body, BOX_HEAD_BYTES));
            }
        };
        Ok(Next::read(length))
    }
}

fn cut_off() -> EngineError {
    super::cut_off("JPEG XL")
}

fn header(codestream: &[u8]) -> Result<Header, EngineError> {
    let picture = match Picture::of(codestream) {
        Ok(picture) => picture,
        Err(Problem::CutOff) if codestream.len() < HEAD_BYTES - PART_NUMBER => return Err(cut_off()),
        Err(Problem::CutOff) => return Err(corrupt("has a head that does not end")),
        Err(Problem::Wrong(error)) => return Err(error),
    };
    let color = match (picture.is_gray, picture.has_alpha) {
        (true, false) => ColorModel::Gray,
        (true, true) => ColorModel::GrayAlpha,
        (false, false) => ColorModel::Rgb,
        (false, true) => ColorModel::Rgba,
    };
    Ok(Header {
        orientation: picture.orientation,
        sixteen_bit: picture.bits > 8,
        multi_pass: picture.has_icc || picture.is_animation,
        has_more_pages: picture.is_animation,
        ..still(ImageFormat::Jxl, picture.width, picture.height, color)?
    })
}
