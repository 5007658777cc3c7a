//! Walks the blocks of a GIF (GIF89a specification) to its trailer: frames are counted nowhere.
//!
//! A screen that its first frame leaves is as large as that asks for, as in Chromium and Pillow. What is see-through follows
//! from all frames: a transparent index, a first one that leaves some of the screen bare, or one that is wiped away.

use pixmill_types::ImageFormat;

use super::header::{ColorModel, Header, still};
use super::{Next, Walk};
use crate::EngineError;

/// The logical screen descriptor.
pub(super) const FIRST_READ: usize = SCREEN;

const SCREEN: usize = 7;
const DESCRIPTOR: usize = 9;
const TABLE: u8 = 0x80;
const WIPED: u8 = 2;
const PUT_BACK: u8 = 3;

#[derive(Debug, Default)]
pub(super) struct Walker {
    expects: Expects,
    /// Of the screen, pixels.
    width: u32,
    height: u32,
    frames: u32,
    is_see_through: bool,
}

/// What the piece asked for is.
#[derive(Debug, Default, Clone, Copy)]
enum Expects {
    #[default]
    Screen,
    /// What kind of block follows.
    Block,
    /// The label of an extension and the length of its first sub-block.
    Extension,
    /// The flags of a graphic control extension, and how many bytes follow them in the sub-block.
    Control { behind: u64 },
    /// A frame's place and flags.
    Descriptor,
    /// The length of a sub-block; 0 is the last.
    SubBlock,
}

impl Walk for Walker {
    fn step(&mut self, piece: &[u8]) -> Result<Next, EngineError> {
        match self.expects {
            Expects::Screen => {
                (self.width, self.height) = (number(piece, 0), number(piece, 2));
                Ok(self.want(Expects::Block, table_bytes(piece[4]), 1))
            }
            Expects::Block => match piece[0] {
                b'!' => Ok(self.want(Expects::Extension, 0, 2)),
                b',' => Ok(self.want(Expects::Descriptor, 0, DESCRIPTOR)),
                b';' => self.header().map(Next::Done),
                // Stray zeros between blocks are passed over by every reader.
                0 => Ok(self.want(Expects::Block, 0, 1)),
                _ => Err(EngineError::Corrupt("the GIF has a block of an unknown kind".into())),
            },
            Expects::Extension => {
                let [label, length] = [piece[0], piece[1]];
                match (label, length) {
                    (_, 0) => Ok(self.want(Expects::Block, 0, 1)),
                    (0xf9, length) => {
                        let behind = u64::from(length) - 1;
                        Ok(self.want(Expects::Control { behind }, 0, 1))
                    }
                    _ => Ok(self.want(Expects::SubBlock, length.into(), 1)),
                }
            }
            Expects::Control { behind } => {
                let flags = piece[0];
                let disposal = flags >> 2 & 7;
                // Before the first frame there was nothing to put back.
                let wipes = disposal == WIPED || disposal == PUT_BACK && self.frames == 0;
                self.is_see_through |= flags & 1 == 1 || wipes;
                Ok(self.want(Expects::SubBlock, behind, 1))
            }
            Expects::Descriptor => {
                if self.frames == 0 {
                    let [left, top, width, height] = [0, 2, 4, 6].map(|at| number(piece, at));
                    self.width = self.width.max(left + width);
                    self.height = self.height.max(top + height);
                    self.is_see_through |= (width, height) != (self.width, self.height);
                }
                self.frames = self.frames.saturating_add(1);
                // The size of the codes comes before the sub-blocks.
                Ok(self.want(Expects::SubBlock, table_bytes(piece[8]) + 1, 1))
            }
            Expects::SubBlock => match piece[0] {
                0 => Ok(self.want(Expects::Block, 0, 1)),
                length => Ok(self.want(Expects::SubBlock, length.into(), 1)),
            },
        }
    }

    fn finish(&self) -> Result<Header, EngineError> {
        if self.frames == 0 {
            return Err(super::cut_off("GIF"));
        }
        self.header()
    }
}

impl Walker {
    fn want(&mut self, expects: Expects, skip: u64, read: usize) -> Next {
        self.expects = expects;
        Next::skip_then_read(skip, read)
    }

    fn header(&self) -> Result<Header, EngineError> {
        if self.frames == 0 {
            return Err(EngineError::Corrupt("the GIF holds no picture".into()));
        }
        let color = if self.is_see_through {
            ColorModel::Rgba
        } else {
            ColorModel::Rgb
        };
        let header = still(ImageFormat::Gif, self.width, self.height, color)?;
        Ok(Header {
            frames: self.frames,
            ..header
        })
    }
}

/// The two bytes at `at`, the lower first.
fn number(piece: &[u8], at: usize) -> u32 {
    u16::from_le_bytes([piece[at], piece[at + 1]]).into()
}

/// The length of the color table that a flags byte announces.
fn table_bytes(flags: u8) -> u64 {
    if flags & TABLE == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}
