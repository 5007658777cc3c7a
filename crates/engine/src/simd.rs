//! Runs a kernel compiled for the widest instructions this processor has.
//!
//! Kernels are plain safe Rust; the compiler vectorises them once for every processor and once for AVX2. Where it does
//! that badly, a kernel asks its [`Level`], which is the only place that knows of instructions.
#![expect(
    unsafe_code,
    reason = "code compiled for instructions that were found at run time, and their loads"
)]

/// Numbers that [`Level::add_weighted_pairs`] adds up side by side.
pub(crate) const RUN: usize = 64;

/// A piece of number work. `run` is to be `#[inline(always)]`, so that it is compiled into its caller.
pub(crate) trait Kernel {
    type Output;

    fn run(self, level: impl Level) -> Self::Output;
}

/// What the instructions at hand do best.
pub(crate) trait Level: Copy {
    /// Adds to each of `sums` the upper half of (one + other) x weight, for every weight and the two runs of `numbers`
    /// that `pair_at` places for it, counted from 0. Sums wrap.
    fn add_weighted_pairs(
        self,
        sums: &mut [u16; RUN],
        numbers: &[u16],
        weights: &[u16],
        pair_at: impl Fn(usize) -> (usize, usize),
    );
}

/// Runs `kernel` with the widest instructions there are.
pub(crate) fn run<K: Kernel>(kernel: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    if let Some(level) = avx2::Avx2::detect() {
        return level.run(kernel);
    }
    kernel.run(Portable)
}

/// What every processor does.
#[derive(Clone, Copy)]
struct Portable;

impl Level for Portable {
    #[inline(always)]
    fn add_weighted_pairs(
        self,
        sums: &mut [u16; RUN],
        numbers: &[u16],
        weights: &[u16],
        pair_at: impl Fn(usize) -> (usize, usize),
    ) {
        for (pair, weight) in weights.iter().enumerate() {
            let (one, other) = pair_at(pair);
            let (ones, others) = (&numbers[one..][..RUN], &numbers[other..][..RUN]);
            for ((sum, one), other) in sums.iter_mut().zip(ones).zip(others) {
                let product = u32::from(one.wrapping_add(*other)) * u32::from(*weight);
                *sum = sum.wrapping_add((product >> 16) as u16);
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    //! The twin for AVX2: four registers of sums that never leave them.

    use std::arch::x86_64::{
        __m256i, _mm256_add_epi16, _mm256_loadu_si256, _mm256_mulhi_epu16, _mm256_set1_epi16, _mm256_storeu_si256,
    };

    use super::{Kernel, Level, RUN};

    /// Numbers in a register.
    const LANES: usize = 16;

    /// Proof that the processor has AVX2: only [`Avx2::detect`] makes one.
    #[derive(Clone, Copy)]
    pub(super) struct Avx2(());

    impl Avx2 {
        pub(super) fn detect() -> Option<Self> {
            std::arch::is_x86_feature_detected!("avx2").then_some(Self(()))
        }

        pub(super) fn run<K: Kernel>(self, kernel: K) -> K::Output {
            // SAFETY: the one condition of the call is AVX2, which `self` proves.
            unsafe { run(kernel, self) }
        }
    }

    #[target_feature(enable = "avx2")]
    fn run<K: Kernel>(kernel: K, level: Avx2) -> K::Output {
        kernel.run(level)
    }

    impl Level for Avx2 {
        #[inline(always)]
        fn add_weighted_pairs(
            self,
            sums: &mut [u16; RUN],
            numbers: &[u16],
            weights: &[u16],
            pair_at: impl Fn(usize) -> (usize, usize),
        ) {
            // SAFETY: the one condition of the call is AVX2, which `self` proves.
            unsafe { add_weighted_pairs(sums, numbers, weights, pair_at) }
        }
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn add_weighted_pairs(
        sums: &mut [u16; RUN],
        numbers: &[u16],
        weights: &[u16],
        pair_at: impl Fn(usize) -> (usize, usize),
    ) {
        let (parts, _) = sums.as_chunks_mut::<LANES>();
        let mut registers = [load(&parts[0]), load(&parts[1]), load(&parts[2]), load(&parts[3])];
        for (pair, weight) in weights.iter().enumerate() {
            let (one, other) = pair_at(pair);
            let (ones, _) = numbers[one..][..RUN].as_chunks::<LANES>();
            let (others, _) = numbers[other..][..RUN].as_chunks::<LANES>();
            let weight = _mm256_set1_epi16(weight.cast_signed());
            for ((register, one), other) in registers.iter_mut().zip(ones).zip(others) {
                let both = _mm256_add_epi16(load(one), load(other));
                *register = _mm256_add_epi16(*register, _mm256_mulhi_epu16(both, weight));
            }
        }
        for (part, register) in parts.iter_mut().zip(registers) {
            // SAFETY: a part is exactly as long as a register, and an unaligned store asks for no alignment.
            unsafe { _mm256_storeu_si256(part.as_mut_ptr().cast(), register) }
        }
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn load(lanes: &[u16; LANES]) -> __m256i {
        // SAFETY: the array is exactly as long as a register, and an unaligned load asks for no alignment.
        unsafe { _mm256_loadu_si256(lanes.as_ptr().cast()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct AddUp<'a> {
        numbers: &'a [u16],
        weights: &'a [u16],
    }

    impl Kernel for AddUp<'_> {
        type Output = [u16; RUN];

        #[inline(always)]
        fn run(self, level: impl Level) -> [u16; RUN] {
            let mut sums = [7; RUN];
            level.add_weighted_pairs(&mut sums, self.numbers, self.weights, |pair| (pair * 3, 200 - pair * 5));
            sums
        }
    }

    #[test]
    fn the_widest_instructions_give_what_every_processor_gives() {
        let numbers: Vec<u16> = (0..300_u32).map(|number| (number * 40_503 % 65_536) as u16).collect();
        for count in [0, 1, 2, 7, 40] {
            let weights: Vec<u16> = (0..count).map(|weight| 65_535 / (weight + 1)).collect();
            let add_up = || AddUp {
                numbers: &numbers,
                weights: &weights,
            };
            assert_eq!(run(add_up()), add_up().run(Portable), "{count} weights");
        }
    }
}
