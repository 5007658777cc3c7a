//! What a one-dimensional transform is: the order of its numbers and its steps, inverse and forward.
//!
//! It knows nothing of the steps themselves.

use super::arithmetic::Decoding;

/// The cosine transform.
pub(super) struct Dct;

/// The asymmetric sine transform.
pub(super) struct Adst;

/// A transform of `N` numbers: `ORDER[i]` is the frequency that the steps have at `i`.
pub(super) trait Order<const N: usize> {
    const ORDER: [usize; N];
}

/// From frequencies, in their order, to pixels.
pub(super) trait Inverse<const N: usize>: Order<N> {
    fn inverse(arithmetic: impl Decoding, t: &mut [i32; N]);
}

/// From pixels to frequencies, in their order.
pub(super) trait Forward<const N: usize>: Order<N> {
    fn forward(t: &mut [f32; N]);
}

/// The inverse DCT array permutation process (7.13.2.2).
impl<const N: usize> Order<N> for Dct {
    const ORDER: [usize; N] = {
        let mut order = [0; N];
        let mut index = 0;
        while index < N {
            order[index] = index.reverse_bits() >> (usize::BITS - N.trailing_zeros());
            index += 1;
        }
        order
    };
}

/// The inverse ADST input array permutation process (7.13.2.4), which that of four does without.
impl<const N: usize> Order<N> for Adst {
    const ORDER: [usize; N] = {
        let mut order = [0; N];
        let mut index = 0;
        while index < N {
            order[index] = match (N, index & 1) {
                (4, _) => index,
                (_, 0) => N - index - 1,
                _ => index - 1,
            };
            index += 1;
        }
        order
    };
}

/// Repeats a body for each constant index below `$count`, at most 64: loops of that many turns the compiler leaves be,
/// and with them every number of a transform in memory.
macro_rules! unrolled {
    ($count:ident, $index:ident => $body:block) => {
        crate::av1::transform::steps::unrolled!($count, $index => $body;
            0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63)
    };
    ($count:ident, $index:ident => $body:block; $($number:literal),+) => {
        $(if $number < $count {
            const $index: usize = $number;
            $body
        })+
    };
}

macro_rules! rotate {
    ($arithmetic:ident, $t:ident: $($one:literal $other:literal $angle:literal),+) => {
        $(($t[$one], $t[$other]) =
            $arithmetic.rotate($t[$one], $t[$other], const { crate::av1::transform::arithmetic::Angle::new($angle) });)+
    };
}

macro_rules! rotate_and_swap {
    ($arithmetic:ident, $t:ident: $($one:literal $other:literal $angle:literal),+) => {
        $(($t[$one], $t[$other]) =
            $arithmetic.rotate_and_swap($t[$one], $t[$other], const { crate::av1::transform::arithmetic::Angle::new($angle) });)+
    };
}

macro_rules! add_and_subtract {
    ($arithmetic:ident, $t:ident: $($one:literal $other:literal),+) => {
        $(($t[$one], $t[$other]) = $arithmetic.add_and_subtract($t[$one], $t[$other]);)+
    };
}

pub(super) use {add_and_subtract, rotate, rotate_and_swap, unrolled};
