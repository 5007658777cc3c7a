//! Runs a kernel compiled for the widest instructions this processor has.
//!
//! Kernels are plain safe Rust, written over a [`Level`] and compiled once for every processor and once for AVX2 with the
//! bit instructions that came with it. A level is the only place that knows of instructions; the portable one is the
//! oracle of the other.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod portable;
#[cfg(test)]
mod tests;

/// Numbers that [`Level::add_weighted_pairs`] adds up side by side.
pub(crate) const RUN: usize = 64;
/// Numbers in [`Level::Lanes`].
pub(crate) const LANES: usize = 16;
/// Numbers in a row of eight for each lane.
pub(crate) const ROW: usize = 8 * LANES;

/// Bytes of a pixel of red, green and blue for each lane.
pub(crate) const PIXELS: usize = 3 * LANES;

/// A piece of number work. `run` is to be `#[inline(always)]`, so that it is compiled into its caller.
pub(crate) trait Kernel {
    type Output;

    fn run(self, level: impl Level) -> Self::Output;
}

/// What the instructions at hand do best. Sums and products wrap unless they say otherwise.
pub(crate) trait Level: Copy {
    /// Sixteen numbers of 16 bits that are worked on side by side.
    type Lanes: Copy;

    /// Adds to each of `sums` the upper half of (one + other) x weight, for every weight and the two runs of `numbers`
    /// that `pair_at` places for it, counted from 0.
    fn add_weighted_pairs(
        self,
        sums: &mut [u16; RUN],
        numbers: &[u16],
        weights: &[u16],
        pair_at: impl Fn(usize) -> (usize, usize),
    );

    /// The same number in every lane.
    fn splat(self, number: i16) -> Self::Lanes;
    fn load(self, numbers: &[i16; LANES]) -> Self::Lanes;
    fn store(self, lanes: Self::Lanes, numbers: &mut [i16; LANES]);
    fn add(self, one: Self::Lanes, other: Self::Lanes) -> Self::Lanes;
    fn subtract(self, one: Self::Lanes, other: Self::Lanes) -> Self::Lanes;
    fn min(self, one: Self::Lanes, other: Self::Lanes) -> Self::Lanes;
    fn max(self, one: Self::Lanes, other: Self::Lanes) -> Self::Lanes;
    /// The lower half of the product.
    fn multiply(self, one: Self::Lanes, other: Self::Lanes) -> Self::Lanes;
    /// The product in 32,768ths, rounded: a fraction of a number when `fraction` counts 32,768ths.
    fn multiply_fraction(self, numbers: Self::Lanes, fraction: i16) -> Self::Lanes;
    /// The same with a fraction for every lane.
    fn multiply_fractions(self, numbers: Self::Lanes, fractions: Self::Lanes) -> Self::Lanes;
    /// The upper half of the product of two numbers without sign.
    fn multiply_high(self, one: Self::Lanes, other: Self::Lanes) -> Self::Lanes;
    fn shift_left<const BITS: i32>(self, lanes: Self::Lanes) -> Self::Lanes;
    /// Keeps the sign.
    fn shift_right<const BITS: i32>(self, lanes: Self::Lanes) -> Self::Lanes;
    /// The numbers without sign, shifted by at most 15 bits.
    fn shift_right_by(self, lanes: Self::Lanes, bits: u16) -> Self::Lanes;
    /// The magnitude of each number.
    fn magnitude(self, lanes: Self::Lanes) -> Self::Lanes;
    /// `lanes`, negated where `signs` is negative, zero where it is zero.
    fn with_sign(self, lanes: Self::Lanes, signs: Self::Lanes) -> Self::Lanes;
    /// `marks`, with `mark` set where the number is not zero.
    fn mark_nonzero(self, marks: Self::Lanes, numbers: Self::Lanes, mark: Self::Lanes) -> Self::Lanes;
    /// Red, green and blue of sixteen pixels.
    fn load_pixels(self, pixels: &[u8; PIXELS]) -> [Self::Lanes; 3];
    /// The mean, rounded up, of each two neighbours: those of `one`, then those of `other`. None is negative.
    fn pair_means(self, one: Self::Lanes, other: Self::Lanes) -> Self::Lanes;
    /// Lays out eight numbers of every lane as a row: those of lane 0, then those of lane 1 and so on.
    fn columns_to_row(self, columns: [Self::Lanes; 8], row: &mut [u16; ROW]);
    /// Puts four numbers of every lane together, the first lowest.
    fn columns_to_words(self, columns: [Self::Lanes; 4], words: &mut [u64; LANES]);
    /// The inverse of [`Level::columns_to_row`].
    fn row_to_columns(self, row: &[u16; ROW]) -> [Self::Lanes; 8];
}

/// Runs `kernel` with the widest instructions there are.
pub(crate) fn run<K: Kernel>(kernel: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    if let Some(level) = avx2::Avx2::detect() {
        return level.run(kernel);
    }
    kernel.run(portable::Portable)
}

/// Runs `kernel` with what every processor has: what the widest instructions are tested against.
#[cfg(test)]
pub(crate) fn run_portable<K: Kernel>(kernel: K) -> K::Output {
    kernel.run(portable::Portable)
}
