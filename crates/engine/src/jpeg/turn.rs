//! Turns a picture by turning its blocks: a DCT is transposed with its block, and mirroring negates the odd frequencies of
//! one direction. Exact for pictures of whole blocks, and for those alone.

use super::{BLOCK, ZIGZAG};
use crate::exif::Orientation;

/// How a stored picture becomes an upright one (CIPA DC-008, 4.6.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn {
    /// Columns of the stored picture become rows.
    pub(super) transposes: bool,
    /// Columns of the stored picture are taken from its right, rows from below.
    pub(super) mirrors_across: bool,
    pub(super) mirrors_down: bool,
}

impl Turn {
    pub(super) const fn new(orientation: Orientation) -> Self {
        let (transposes, mirrors_across, mirrors_down) = match orientation.as_exif() {
            2 => (false, true, false),
            3 => (false, true, true),
            4 => (false, false, true),
            5 => (true, false, false),
            6 => (true, false, true),
            7 => (true, true, true),
            8 => (true, true, false),
            _ => (false, false, false),
        };
        Self {
            transposes,
            mirrors_across,
            mirrors_down,
        }
    }

    /// For each coefficient of an upright block in zigzag order, where in the stored block it comes from, counted row by
    /// row, and the sign it gets.
    pub(super) fn sources(self) -> [(u8, i16); BLOCK] {
        ZIGZAG.map(|place| {
            let (down, across) = (place / 8, place % 8);
            let (down, across) = if self.transposes {
                (across, down)
            } else {
                (down, across)
            };
            let is_odd = |frequency: u8, mirrors: bool| mirrors && frequency % 2 == 1;
            let is_negated = is_odd(across, self.mirrors_across) != is_odd(down, self.mirrors_down);
            (down * 8 + across, if is_negated { -1 } else { 1 })
        })
    }
}
