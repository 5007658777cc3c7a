//! The four coefficients in the corner of a block, by one look-up where they are short: what a picture of a quarter of the
//! size needs, and the chroma of one of an eighth.

use super::bits::Reader;
use super::entropy::Group;
use super::huffman::{Decoder, extend};
use crate::simd::LANES;

/// Bits that the table is indexed by.
const WINDOW_BITS: u32 = 12;
const WINDOWS: usize = 1 << WINDOW_BITS;

/// The coefficients beside the DC coefficient, below it, and between both.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C, align(8))]
struct Corner {
    beside: i16,
    below: i16,
    between: i16,
    /// Whether the window says all about them.
    is_known: bool,
}

impl Corner {
    /// What the window behind a DC difference says.
    fn of(window: usize, ac: &Decoder) -> Self {
        let mut corner = Self::default();
        let (mut used, mut last) = (0, 0);
        while !corner.is_known {
            let next = (window << (16 - WINDOW_BITS) << used & 0xffff) as u32;
            let Some(symbol) = ac.symbol(next) else { break };
            let value_begin = used + u32::from(symbol.bits);
            if value_begin > WINDOW_BITS {
                break;
            }
            let size = symbol.size();
            last += symbol.run() + 1;
            if last > CornerTable::LAST || (size == 0 && symbol.run() != 15) {
                corner.is_known = true;
                break;
            }
            used = value_begin + size;
            if used > WINDOW_BITS {
                break;
            }
            let value = extend((window >> (WINDOW_BITS - used)) as u32 & ((1 << size) - 1), size) as i16;
            match last {
                1 => corner.beside = value,
                2 => corner.below = value,
                CornerTable::LAST => {
                    corner.between = value;
                    corner.is_known = true;
                }
                _ => {}
            }
        }
        corner
    }
}

/// Decodes the corners of blocks.
#[derive(Debug)]
pub(super) struct CornerTable {
    corners: Box<[Corner; WINDOWS]>,
}

impl CornerTable {
    /// The last coefficient of the corner in zigzag order.
    pub(super) const LAST: usize = 4;

    pub(super) fn new(ac: &Decoder) -> Self {
        let mut corners = Box::new([Corner::default(); WINDOWS]);
        for (window, corner) in corners.iter_mut().enumerate() {
            *corner = Corner::of(window, ac);
        }
        Self { corners }
    }

    /// Puts what follows a DC difference into a group, if a look-up says all about it. The reader has a window left.
    #[inline(always)]
    pub(super) fn put(&self, bits: &Reader, group: &mut Group, lane: usize) -> bool {
        let corner = self.corners[bits.peek(WINDOW_BITS) as usize % WINDOWS];
        if corner.is_known {
            group[LANES + lane] = corner.beside;
            group[8 * LANES + lane] = corner.below;
            group[9 * LANES + lane] = corner.between;
        }
        corner.is_known
    }
}
