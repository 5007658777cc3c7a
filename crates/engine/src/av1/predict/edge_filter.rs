//! The filters of edges that directional prediction may ask for: corner, smoothing and upsampling (7.11.2.7 and
//! 7.11.2.9 to 7.11.2.12).
//!
//! Knows nothing of how pixels are predicted from the edges.

use super::edges::OFFSET;
use super::{LANES, Level, sixteen};

/// Room for the pixels between those of an upsampled edge: sides up to 8 are upsampled, and the flattest angle that is
/// upsampled reads registers from the sixth pixel on at most.
pub(super) const HALVES: usize = OFFSET + 2 * LANES;

/// The corner, filtered across.
#[inline(always)]
pub(super) fn corner(above: &[i16], left: &[i16]) -> i16 {
    (left[OFFSET] * 5 + above[OFFSET - 1] * 6 + above[OFFSET] * 5 + 8) >> 4
}

/// Strength of the filter for the edge that is `away` degrees from the angle of prediction (7.11.2.9). As blocks are
/// square, `blkWh` is twice the side.
#[inline(always)]
pub(super) fn strength<const SIDE: usize>(is_smooth: bool, away: i32) -> usize {
    let away = away.abs();
    match (is_smooth, SIDE) {
        (false, 4) => usize::from(away >= 56),
        (false, 8) => usize::from(away >= 40),
        (false, 16) => 1 + usize::from(away >= 4) + usize::from(away >= 32),
        (true, 4) => usize::from(away >= 40) + usize::from(away >= 64),
        (true, 8) => usize::from(away >= 20) + usize::from(away >= 48),
        _ => 3,
    }
}

/// Whether that edge is upsampled (7.11.2.10).
#[inline(always)]
pub(super) fn is_upsampled<const SIDE: usize>(is_smooth: bool, away: i32) -> bool {
    let away = away.abs();
    SIDE <= if is_smooth { 4 } else { 8 } && away > 0 && away < 40
}

/// `Intra_Edge_Kernel`, from the middle outwards.
const KERNELS: [[i16; 3]; 3] = [[8, 4, 0], [6, 5, 0], [4, 4, 2]];

/// Smooths `count` pixels of the edge, which is `numPx` less the corner (7.11.2.12).
#[inline(always)]
pub(super) fn smooth<const LENGTH: usize>(level: impl Level, edge: &mut [i16; LENGTH], count: usize, strength: usize) {
    let Some(kernel) = strength.checked_sub(1).and_then(|kernel| KERNELS.get(kernel)) else {
        return;
    };
    // What is read before the corner and after the last pixel repeats them.
    let mut from = *edge;
    from[OFFSET - 2] = from[OFFSET - 1];
    let last = from[OFFSET + count - 1];
    from[OFFSET + count..][..2].fill(last);
    let mut at = OFFSET;
    while at < OFFSET + count {
        let middle = level.multiply(level.load(sixteen(&from, at)), level.splat(kernel[0]));
        let near = level.multiply(pairs(level, &from, at - 1, at + 1), level.splat(kernel[1]));
        let far = level.multiply(pairs(level, &from, at - 2, at + 2), level.splat(kernel[2]));
        let sum = level.add(level.add(middle, level.splat(8)), level.add(near, far));
        let mut numbers = [0; LANES];
        level.store(level.shift_right::<4>(sum), &mut numbers);
        let count = count + OFFSET - at;
        for (lane, (pixel, number)) in edge[at..][..LANES].iter_mut().zip(numbers).enumerate() {
            *pixel = if lane < count { number } else { *pixel };
        }
        at += LANES;
    }
}

/// The sums of sixteen pixels from index `one` and as many from index `other`.
#[inline(always)]
fn pairs<L: Level>(level: L, edge: &[i16], one: usize, other: usize) -> L::Lanes {
    level.add(level.load(sixteen(edge, one)), level.load(sixteen(edge, other)))
}

/// The pixels halfway between those of an edge of which `count` (16 at most) count: the one at `OFFSET + i` is between
/// pixels i and i + 1, which is `buf[ 2 * i + 1 ]` of 7.11.2.11; `buf[ 2 * i ]` are the pixels of the edge itself.
#[inline(always)]
pub(super) fn upsample(level: impl Level, edge: &mut [i16], count: usize, bits: u8) -> [i16; HALVES] {
    edge[OFFSET - 2] = edge[OFFSET - 1];
    edge[OFFSET + count] = edge[OFFSET + count - 1];
    let near = pairs(level, edge, OFFSET - 1, OFFSET);
    let far = pairs(level, edge, OFFSET - 2, OFFSET + 1);
    let sum = level.subtract(level.multiply(near, level.splat(9)), far);
    let rounded = level.shift_right::<4>(level.add(sum, level.splat(8)));
    let clipped = level.min(level.max(rounded, level.splat(0)), level.splat((1 << bits) - 1));
    let mut halves = [0; HALVES];
    let mut numbers = [0; LANES];
    level.store(clipped, &mut numbers);
    halves[OFFSET - 1..][..LANES].copy_from_slice(&numbers);
    halves
}
