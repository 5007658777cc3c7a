//! Walks a TIFF to its first directory, wherever in the file that is.
//!
//! What a directory refers to may lie behind the walk: the bits of a sample, if there are several in a pixel. A
//! picture is then taken for one of 16, which is the dearer.

use pixmill_types::ImageFormat;

use super::header::{Header, still};
use super::{Next, Walk};
use crate::EngineError;
use crate::layout::tiff::{Directory, Order, Picture, corrupt};

#[derive(Debug)]
pub(super) struct Walker {
    order: Order,
    expects: Expects,
}

#[derive(Debug, Clone, Copy)]
enum Expects {
    /// Where the first directory is.
    Head,
    /// How many entries it has.
    Count,
    Directory,
}

impl Walker {
    pub(super) const fn new(order: Order) -> Self {
        Self {
            order,
            expects: Expects::Head,
        }
    }
}

impl Walk for Walker {
    fn step(&mut self, piece: &[u8]) -> Result<Next, EngineError> {
        match self.expects {
            Expects::Head => {
                let walked = 4 + piece.len() as u64;
                let skip = self.order.first_directory(piece).checked_sub(walked);
                let skip = skip.ok_or_else(|| corrupt("has its directory within its header"))?;
                self.expects = Expects::Count;
                Ok(Next::skip_then_read(skip, self.order.count_bytes()))
            }
            Expects::Count => {
                self.expects = Expects::Directory;
                Ok(Next::read(self.order.body_bytes(piece)?))
            }
            Expects::Directory => header(&Directory::new(self.order, piece, None)).map(Next::Done),
        }
    }

    fn finish(&self) -> Result<Header, EngineError> {
        Err(super::cut_off("TIFF"))
    }
}

/// What a directory says.
pub(super) fn header(directory: &Directory<'_>) -> Result<Header, EngineError> {
    let picture = Picture::of(directory)?;
    let still = still(ImageFormat::Tiff, picture.width, picture.height, picture.color())?;
    Ok(Header {
        orientation: picture.orientation,
        sixteen_bit: picture.is_sixteen_bit(),
        unpacked_bytes: picture.unpacked_bytes(directory),
        has_more_pages: directory.has_next(),
        ..still
    })
}
