//! Smooth prediction (7.11.2.6): edges interpolated towards the last pixels of the opposite ones.
//!
//! Knows nothing of how edges came to be.
//!
//! Of `w * a + ( 256 - w ) * b` the part `256 * b` is exact, so its rounded 256th is `b` plus the rounded 256th of
//! `w * ( a - b )`, which is one rounding product of 16 bits with `w` in 32,768ths.

use super::edges::{Edges, OFFSET};
use super::{Level, run_of, sixteen, store_pixels};

/// `Sm_Weights_Tx_4x4` and so on, one after another, each at its length less 4: sixteen may be loaded from the start of
/// any of them.
static WEIGHTS: [i16; 124] = [
    255, 149, 85, 64, // 4
    255, 197, 146, 105, 73, 50, 37, 32, // 8
    255, 225, 196, 170, 145, 123, 102, 84, 68, 54, 43, 33, 26, 20, 17, 16, // 16
    255, 240, 225, 210, 196, 182, 169, 157, 145, 133, 122, 111, 101, 92, 83, 74, // 32
    66, 59, 52, 45, 39, 34, 29, 25, 21, 17, 14, 12, 10, 9, 8, 8, //
    255, 248, 240, 233, 225, 218, 210, 203, 196, 189, 182, 176, 169, 163, 156, 150, // 64
    144, 138, 133, 127, 121, 116, 111, 106, 101, 96, 91, 86, 82, 77, 73, 69, //
    65, 61, 57, 54, 50, 47, 44, 41, 38, 35, 32, 29, 27, 25, 22, 20, //
    18, 16, 15, 13, 12, 10, 9, 8, 7, 6, 6, 5, 5, 4, 4, 4, //
];

/// The weights of a side, followed by at least as many others as fill a register.
#[inline(always)]
fn weights<const SIDE: usize>() -> &'static [i16] {
    &WEIGHTS[SIDE - 4..]
}

#[inline(always)]
pub(super) fn vertical<const SIDE: usize>(level: impl Level, edges: &Edges, into: &mut [u16]) {
    let last = level.splat(edges.left[OFFSET + SIDE - 1]);
    for (row, weight) in into.chunks_exact_mut(SIDE).zip(weights::<SIDE>()) {
        for (part, pixels) in row.chunks_exact_mut(run_of(SIDE)).enumerate() {
            let above = level.load(sixteen(&edges.above, OFFSET + part * run_of(SIDE)));
            let share = level.multiply_fraction(level.subtract(above, last), weight << 7);
            store_pixels(level, level.add(last, share), pixels);
        }
    }
}

#[inline(always)]
pub(super) fn horizontal<const SIDE: usize>(level: impl Level, edges: &Edges, into: &mut [u16]) {
    let last = edges.above[OFFSET + SIDE - 1];
    for (row, left) in into.chunks_exact_mut(SIDE).zip(&edges.left[OFFSET..]) {
        let difference = level.splat(left - last);
        for (part, pixels) in row.chunks_exact_mut(run_of(SIDE)).enumerate() {
            let weights = level.load(sixteen(weights::<SIDE>(), part * run_of(SIDE)));
            let share = level.multiply_fractions(difference, level.shift_left::<7>(weights));
            store_pixels(level, level.add(level.splat(last), share), pixels);
        }
    }
}

/// The sum of two weighted pairs has too many bits: of each pair, the rounded 256th and what was rounded off are added
/// by themselves. With `x + 128 = 256 * q + r`, `Round2( x + y, 9 )` is `( q + q' + ( ( r + r' ) >> 8 ) ) >> 1`.
#[inline(always)]
pub(super) fn both<const SIDE: usize>(level: impl Level, edges: &Edges, into: &mut [u16]) {
    let (last_left, last_above) = (edges.left[OFFSET + SIDE - 1], edges.above[OFFSET + SIDE - 1]);
    let lasts = level.splat(last_left + last_above);
    for part in 0..SIDE / run_of(SIDE) {
        let at = part * run_of(SIDE);
        let above = level.subtract(level.load(sixteen(&edges.above, OFFSET + at)), level.splat(last_left));
        let weights_across = level.load(sixteen(weights::<SIDE>(), at));
        let fractions_across = level.shift_left::<7>(weights_across);
        let rows = into.chunks_exact_mut(SIDE);
        for ((row, weight), left) in rows.zip(weights::<SIDE>()).zip(&edges.left[OFFSET..]) {
            let left = level.splat(left - last_above);
            let quotients = level.add(
                level.multiply_fraction(above, weight << 7),
                level.multiply_fractions(left, fractions_across),
            );
            let remainders = level.add(
                remainder(level, level.multiply(above, level.splat(*weight))),
                remainder(level, level.multiply(left, weights_across)),
            );
            let sums = level.add(level.add(lasts, quotients), level.shift_right::<8>(remainders));
            store_pixels(level, level.shift_right::<1>(sums), &mut row[at..][..run_of(SIDE)]);
        }
    }
}

/// What is rounded off of a product's 256th, plus 128.
#[inline(always)]
fn remainder<L: Level>(level: L, product: L::Lanes) -> L::Lanes {
    let up = level.shift_left::<8>(level.add(product, level.splat(128)));
    level.shift_right_by(up, 8)
}
