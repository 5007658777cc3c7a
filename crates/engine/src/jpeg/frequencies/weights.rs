//! What the frequencies of blocks count for those of a blurred block.

use std::sync::LazyLock;

use crate::jpeg::BLOCK;
use crate::simd::{LANES, Level};

/// The orthonormal DCT, frequency by frequency (ISO/IEC 10918-1, A.3.3).
pub(super) static COSINES: LazyLock<[[f64; 8]; 8]> = LazyLock::new(|| {
    std::array::from_fn(|frequency| {
        let scale = if frequency == 0 { 0.125_f64.sqrt() } else { 0.5 };
        std::array::from_fn(|at| scale * (((2 * at + 1) * frequency) as f64 * std::f64::consts::PI / 16.0).cos())
    })
});

/// What each frequency of the blocks in a row counts for those of the blurred one in the middle, in 32,768ths, once for
/// every lane.
pub(super) struct Weights<const N: usize, const R: usize> {
    /// Of the block itself, both even or both odd.
    pub(super) own: Table<N>,
    /// Of those before, nearest first. Of those behind it is the same, negated where one is even and the other odd.
    pub(super) beside: [Table<N>; R],
}

/// By the frequency that is made, then by that which it is made of.
pub(super) type Table<const N: usize> = [[[i16; LANES]; N]; N];

/// The blocks a kernel reaches: the sums of those before and behind, and the differences, nearest first.
pub(super) struct Around<L: Level, const N: usize, const R: usize> {
    pub(super) own: [L::Lanes; N],
    pub(super) sums: [[L::Lanes; N]; R],
    pub(super) differences: [[L::Lanes; N]; R],
}

impl<L: Level, const N: usize, const R: usize> Around<L, N, R> {
    #[inline(always)]
    pub(super) fn new(level: L) -> Self {
        let zero = level.splat(0);
        Self {
            own: [zero; N],
            sums: [[zero; N]; R],
            differences: [[zero; N]; R],
        }
    }
}

impl<const N: usize, const R: usize> Weights<N, R> {
    pub(super) fn new(kernel: &[f64]) -> Box<Self> {
        let between = |one: usize, other: usize| kernel.get(one.abs_diff(other)).copied().unwrap_or(0.0);
        let cosines = &*COSINES;
        // What the samples of a block from `begin` on, in a frame where the one in the middle begins at 8 R, add to it.
        let weight = |to: usize, from: usize, begin: usize| -> f64 {
            (0..BLOCK)
                .map(|index| {
                    let (made, source) = (index / 8, index % 8);
                    cosines[to][made] * cosines[from][source] * between(8 * R + made, begin + source)
                })
                .sum()
        };
        let table = |begin: usize| -> Table<N> {
            std::array::from_fn(|to| {
                std::array::from_fn(|from| [(weight(to, from, begin) * 32_768.0).round() as i16; LANES])
            })
        };
        let mut own = table(8 * R);
        let beside: [Table<N>; R] = std::array::from_fn(|index| table(8 * (R - 1 - index)));
        // A flat picture stays as it is, whatever was rounded.
        for (to, own) in own.iter_mut().enumerate().step_by(2) {
            let whole = if to == 0 { 32_768 } else { 0 };
            let sides: i32 = beside.iter().map(|table| 2 * i32::from(table[to][0][0])).sum();
            own[0] = [(whole - sides) as i16; LANES];
        }
        Box::new(Self { own, beside })
    }

    /// Mixes blocks with those around them.
    #[inline(always)]
    pub(super) fn mix<L: Level>(&self, level: L, around: &Around<L, N, R>) -> [L::Lanes; N] {
        let Around { own, sums, differences } = around;
        let mut mixed = [level.splat(0); N];
        for to in 0..N {
            let mut sum = level.multiply_fractions(own[to % 2], level.load(&self.own[to][to % 2]));
            for from in (to % 2 + 2..N).step_by(2) {
                let part = level.multiply_fractions(own[from], level.load(&self.own[to][from]));
                sum = level.add(sum, part);
            }
            for index in 0..R {
                for from in 0..N {
                    let both = if from % 2 == to % 2 {
                        sums[index][from]
                    } else {
                        differences[index][from]
                    };
                    let part = level.multiply_fractions(both, level.load(&self.beside[index][to][from]));
                    sum = level.add(sum, part);
                }
            }
            mixed[to] = sum;
        }
        mixed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::gaussian_weights;

    #[test]
    fn a_flat_picture_stays_flat() {
        for sigma in [0.5, 1.0, 2.0, 2.1] {
            let weights = Weights::<7, 1>::new(&gaussian_weights(sigma));
            for to in 0..7 {
                let sum = i32::from(weights.own[to][0][0]) + 2 * i32::from(weights.beside[0][to][0][0]);
                let expected = if to == 0 { 32_768 } else { 0 };
                assert!(to % 2 == 1 || sum == expected, "sigma {sigma}, frequency {to}: {sum}");
            }
        }
    }
}
