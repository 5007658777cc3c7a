//! The reconstructed pixels around a block, prepared once and shared by all the modes that are tried on it (7.11.2.1).
//!
//! Knows nothing of modes: filters of edges are for [`super::edge_filter`].

use super::LANES;

/// The largest side of a block.
const LARGEST: usize = 64;
/// Index of `AboveRow[ 0 ]` and `LeftCol[ 0 ]`, so that registers may start up to sixteen pixels before.
pub(super) const OFFSET: usize = LANES;

/// Length of the edge of a block of `side`, in whole registers: it begins before [`OFFSET`] and has room for what the
/// flattest angle reads past its end, which is no further than half a side, and for the registers that begin there.
pub(super) const fn length_of(side: usize) -> usize {
    let read = side + side / 2 + LANES;
    OFFSET + (if read > 2 * side { read } else { 2 * side + side / 2 }).next_multiple_of(LANES)
}

const LENGTH: usize = length_of(LARGEST);

/// An edge, with the corner before its first pixel. Signed, as the pixels are worked on: they have 10 bits at most.
type Edge = [i16; LENGTH];

/// What of the neighbourhood of a block is decoded already and may be predicted from.
///
/// The extent of the frame that counts is the one of 7.11.2: `MiCols` x 4 and `MiRows` x 4 luma pixels (a picture's
/// size rounded up to multiples of 8), halved for subsampled chroma. Pixels up to there are to be in the picture that
/// edges are gathered from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Available {
    /// `haveAbove`: whether there is a decoded block above.
    pub(crate) above: bool,
    /// `haveLeft`: whether there is a decoded block to the left.
    pub(crate) left: bool,
    /// Pixels of the row above that are decoded and inside of the frame, beyond the block's own width: 0 where
    /// `haveAboveRt` is 0, else `Min( w, maxX + 1 - ( x + w ) )`. It counts only where the whole width is inside.
    pub(crate) above_right: usize,
    /// The same for the column to the left, below the block.
    pub(crate) below_left: usize,
    /// Columns of the block inside of the frame: `Min( w, maxX - x + 1 )`. A larger number means all of them.
    pub(crate) columns_inside: usize,
    /// Rows of the block inside of the frame: `Min( h, maxY - y + 1 )`. A larger number means all of them.
    pub(crate) rows_inside: usize,
}

/// `AboveRow[ -1..2 * side ]` and `LeftCol[ -1..2 * side ]` before any filter, and what they were gathered for.
#[derive(Clone, Debug)]
pub(crate) struct Edges {
    pub(super) above: Edge,
    pub(super) left: Edge,
    pub(super) available: Available,
    pub(super) side: usize,
    pub(super) bits: u8,
}

impl Edges {
    /// Edges of no block yet.
    pub(crate) const fn new() -> Self {
        Self {
            above: [0; LENGTH],
            left: [0; LENGTH],
            available: Available {
                above: false,
                left: false,
                above_right: 0,
                below_left: 0,
                columns_inside: 0,
                rows_inside: 0,
            },
            side: 4,
            bits: 8,
        }
    }

    /// Gathers the edges of the block of `side` x `side` pixels (4, 8, 16, 32 or 64) with its top left pixel at index
    /// `at` of `pixels`, which have `bits` (8 or 10).
    pub(crate) fn gather(
        &mut self,
        pixels: &[u16],
        stride: usize,
        at: usize,
        side: usize,
        available: Available,
        bits: u8,
    ) {
        debug_assert!(matches!(side, 4 | 8 | 16 | 32 | 64), "a block of {side}");
        let available = Available {
            columns_inside: available.columns_inside.clamp(1, side),
            rows_inside: available.rows_inside.clamp(1, side),
            ..available
        };
        (self.available, self.side, self.bits) = (available, side, bits);
        let middle = 1 << (bits - 1);

        let above = &mut self.above[OFFSET..][..2 * side];
        if available.above {
            let count = decoded(side, available.columns_inside, available.above_right);
            let (there, missing) = above.split_at_mut(count);
            for (pixel, from) in there.iter_mut().zip(&pixels[at - stride..][..count]) {
                *pixel = from.cast_signed();
            }
            missing.fill(there[count - 1]);
        } else if available.left {
            above.fill(pixels[at - 1].cast_signed());
        } else {
            above.fill(middle - 1);
        }

        let left = &mut self.left[OFFSET..][..2 * side];
        if available.left {
            let count = decoded(side, available.rows_inside, available.below_left);
            let (there, missing) = left.split_at_mut(count);
            for (pixel, from) in there.iter_mut().zip(pixels[at - 1..].iter().step_by(stride)) {
                *pixel = from.cast_signed();
            }
            missing.fill(there[count - 1]);
        } else if available.above {
            left.fill(pixels[at - stride].cast_signed());
        } else {
            left.fill(middle + 1);
        }

        let corner = match (available.above, available.left) {
            (true, true) => pixels[at - stride - 1].cast_signed(),
            (true, false) => pixels[at - stride].cast_signed(),
            (false, true) => pixels[at - 1].cast_signed(),
            (false, false) => middle,
        };
        self.above[OFFSET - 1] = corner;
        self.left[OFFSET - 1] = corner;
    }
}

/// Pixels of an edge that are decoded: nothing is beyond the block where the frame ends within it.
fn decoded(side: usize, inside: usize, beyond: usize) -> usize {
    if inside < side { inside } else { side + beyond.min(side) }
}
