//! What blocks know of those above and to the left of them (the contexts of 8.3.2).

use super::predict::Mode;

/// Pixels of luma that share what is remembered.
pub(super) const UNIT: usize = 4;
/// Of a superblock in one direction.
pub(super) const UNITS: usize = 16;

/// What is remembered of four pixels of the edge of a block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Near {
    /// The logarithm of the side of the block, pixels; very large where there is none.
    pub(super) log2: u8,
    pub(super) luma_mode: Mode,
    /// [`Mode::Dc`] where it is taken from luma.
    pub(super) chroma_mode: Mode,
    pub(super) is_skipped: bool,
    /// The sum of the levels of each plane, up to 63.
    pub(super) levels: [u8; 3],
    /// The signs of the means of each plane.
    pub(super) signs: [i8; 3],
}

impl Near {
    /// Where there is no block.
    pub(super) const NONE: Self = Self {
        log2: u8::MAX,
        luma_mode: Mode::Dc,
        chroma_mode: Mode::Dc,
        is_skipped: false,
        levels: [0; 3],
        signs: [0; 3],
    };

    fn is_smooth(self, plane: usize) -> bool {
        if plane == 0 {
            self.luma_mode.is_smooth()
        } else {
            self.chroma_mode.is_smooth()
        }
    }
}

/// Of a tile while a row of superblocks is coded.
#[derive(Debug)]
pub(super) struct Contexts {
    /// From the left edge of the tile.
    pub(super) above: Vec<Near>,
    /// From the upper edge of the superblock.
    pub(super) left: [Near; UNITS],
    /// Units that are inside the picture, from the left edge of the tile and the upper edge of the superblock.
    pub(super) inside: [usize; 2],
}

/// A square block, in units of the tile and of the superblock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Square {
    /// From the left edge of the tile, pixels.
    pub(super) column: usize,
    /// From the upper edge of the row of superblocks, pixels.
    pub(super) row: usize,
    /// The logarithm of its side, pixels.
    pub(super) log2: usize,
}

impl Square {
    pub(super) fn side(self) -> usize {
        1 << self.log2
    }

    /// The quarter with this index, row by row.
    pub(super) fn quarter(self, index: usize) -> Self {
        let half = self.side() / 2;
        Self {
            column: self.column + index % 2 * half,
            row: self.row + index / 2 * half,
            log2: self.log2 - 1,
        }
    }

    fn units(self) -> usize {
        self.side() / UNIT
    }
}

/// What is remembered around a block, to go back to.
#[derive(Debug, Clone)]
pub(super) struct Remembered {
    above: [Near; UNITS],
    left: [Near; UNITS],
}

impl Contexts {
    pub(super) fn new(units: usize) -> Self {
        Self {
            above: vec![Near::NONE; units],
            left: [Near::NONE; UNITS],
            inside: [0; 2],
        }
    }

    fn above(&self, square: Square) -> &[Near] {
        &self.above[square.column / UNIT..][..square.units()]
    }

    fn left(&self, square: Square) -> &[Near] {
        &self.left[square.row / UNIT..][..square.units()]
    }

    /// Those of both edges that are inside the picture.
    fn inside(&self, square: Square) -> impl Iterator<Item = &Near> + Clone {
        let [columns, rows] = self.inside;
        let above = self.above(square).iter().take(columns - square.column / UNIT);
        let left = self.left(square).iter().take(rows - square.row / UNIT);
        above.chain(left)
    }

    fn nearest(&self, square: Square) -> [Near; 2] {
        [self.above[square.column / UNIT], self.left[square.row / UNIT]]
    }

    /// Of the way that a block is divided.
    pub(super) fn partition(&self, square: Square) -> usize {
        let [above, left] = self.nearest(square).map(|near| usize::from(near.log2) < square.log2);
        2 * usize::from(left) + usize::from(above)
    }

    pub(super) fn skip(&self, square: Square) -> usize {
        self.nearest(square)
            .map(|near| usize::from(near.is_skipped))
            .iter()
            .sum()
    }

    /// Of the mode of luma, by what is above and what is to the left.
    pub(super) fn luma_mode(&self, square: Square) -> [usize; 2] {
        // Intra_Mode_Context.
        const CLASSES: [usize; 13] = [0, 1, 2, 3, 4, 4, 4, 4, 3, 0, 1, 2, 0];
        self.nearest(square).map(|near| CLASSES[near.luma_mode as usize])
    }

    /// Whether a neighbour is smooth, for which edges are filtered more.
    pub(super) fn is_smooth(&self, square: Square, plane: usize) -> bool {
        self.nearest(square).iter().any(|near| near.is_smooth(plane))
    }

    /// Of whether a transform, as large as its block, is all zero.
    pub(super) fn all_zero(&self, square: Square, plane: usize) -> usize {
        if plane == 0 {
            return 0;
        }
        let [columns, rows] = self.inside;
        let is_coded = |near: &Near| near.levels[plane] != 0 || near.signs[plane] != 0;
        let above = self
            .above(square)
            .iter()
            .take(columns - square.column / UNIT)
            .any(is_coded);
        let left = self.left(square).iter().take(rows - square.row / UNIT).any(is_coded);
        7 + usize::from(above) + usize::from(left)
    }

    pub(super) fn dc_sign(&self, square: Square, plane: usize) -> usize {
        let sum: i32 = self.inside(square).map(|near| i32::from(near.signs[plane])).sum();
        match sum {
            ..0 => 1,
            0 => 0,
            1.. => 2,
        }
    }

    /// Remembers a part of what is known, on both edges.
    pub(super) fn set(&mut self, square: Square, change: impl Fn(&mut Near)) {
        let units = square.units();
        self.above[square.column / UNIT..][..units].iter_mut().for_each(&change);
        self.left[square.row / UNIT..][..units].iter_mut().for_each(&change);
    }

    pub(super) fn remembered(&self, square: Square) -> Remembered {
        let mut remembered = Remembered {
            above: [Near::NONE; UNITS],
            left: [Near::NONE; UNITS],
        };
        remembered.above[..square.units()].copy_from_slice(self.above(square));
        remembered.left[..square.units()].copy_from_slice(self.left(square));
        remembered
    }

    pub(super) fn restore(&mut self, square: Square, remembered: &Remembered) {
        let units = square.units();
        self.above[square.column / UNIT..][..units].copy_from_slice(&remembered.above[..units]);
        self.left[square.row / UNIT..][..units].copy_from_slice(&remembered.left[..units]);
    }
}
