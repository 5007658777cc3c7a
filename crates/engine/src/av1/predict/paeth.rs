//! Paeth prediction (7.11.2.2): each pixel is the neighbour nearest to left + above - corner.
//!
//! Knows nothing of how edges came to be.

use super::edges::{Edges, OFFSET};
use super::{Level, run_of, sixteen, store_pixels};

#[inline(always)]
pub(super) fn predict<const SIDE: usize>(level: impl Level, edges: &Edges, into: &mut [u16]) {
    let corner = edges.above[OFFSET - 1];
    let zero = level.splat(0);
    for part in 0..SIDE / run_of(SIDE) {
        let start = part * run_of(SIDE);
        let above = level.load(sixteen(&edges.above, OFFSET + start));
        let above_less_corner = level.subtract(above, level.splat(corner));
        let corner_less_above = level.subtract(level.splat(corner), above);
        let from_left = level.magnitude(above_less_corner);
        for (row, left) in into.chunks_exact_mut(SIDE).zip(&edges.left[OFFSET..]) {
            let left_less_corner = left - corner;
            let from_above = level.splat(left_less_corner.abs());
            let from_corner = level.magnitude(level.add(above_less_corner, level.splat(left_less_corner)));
            // Above zero where the neighbour is further than the others: its difference from the better one is added.
            let above_excess = level.max(level.subtract(from_above, from_corner), zero);
            let other = level.add(above, level.mark_nonzero(zero, above_excess, corner_less_above));
            let left_excess = level.subtract(from_left, level.min(from_above, from_corner));
            let left_excess = level.max(left_excess, zero);
            let left = level.splat(*left);
            let change = level.mark_nonzero(zero, left_excess, level.subtract(other, left));
            store_pixels(level, level.add(left, change), &mut row[start..][..run_of(SIDE)]);
        }
    }
}
