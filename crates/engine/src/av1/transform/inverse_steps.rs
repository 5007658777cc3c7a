//! The steps of the one-dimensional inverse transforms, as the AV1 specification lists them (7.13.2.3 and 7.13.2.6 to 8).
//!
//! It knows nothing of rows, columns or blocks.

use super::arithmetic::{Decoding, NINTHS, round_shift};
use super::steps::{Adst, Dct, Inverse, add_and_subtract, rotate, rotate_and_swap};

/// The inverse DCT of the first 4 numbers, which are in bit-reversed order.
#[inline(always)]
fn dct4<const N: usize>(arithmetic: impl Decoding, t: &mut [i32; N]) {
    rotate_and_swap!(arithmetic, t: 0 1 32);
    rotate!(arithmetic, t: 2 3 48);
    add_and_subtract!(arithmetic, t: 0 3, 1 2);
}

/// The inverse DCT of the first 8 numbers, which are in bit-reversed order.
#[inline(always)]
fn dct8<const N: usize>(arithmetic: impl Decoding, t: &mut [i32; N]) {
    dct4(arithmetic, t);
    rotate!(arithmetic, t: 4 7 56, 5 6 24);
    add_and_subtract!(arithmetic, t: 4 5, 7 6);
    rotate_and_swap!(arithmetic, t: 6 5 32);
    add_and_subtract!(arithmetic, t: 0 7, 1 6, 2 5, 3 4);
}

/// The inverse DCT of the first 16 numbers, which are in bit-reversed order.
#[inline(always)]
fn dct16<const N: usize>(arithmetic: impl Decoding, t: &mut [i32; N]) {
    dct8(arithmetic, t);
    rotate!(arithmetic, t: 8 15 60, 9 14 28, 10 13 44, 11 12 12);
    add_and_subtract!(arithmetic, t: 8 9, 11 10, 12 13, 15 14);
    rotate_and_swap!(arithmetic, t: 14 9 48, 13 10 112);
    add_and_subtract!(arithmetic, t: 8 11, 9 10, 15 12, 14 13);
    rotate_and_swap!(arithmetic, t: 13 10 32, 12 11 32);
    add_and_subtract!(arithmetic, t: 0 15, 1 14, 2 13, 3 12, 4 11, 5 10, 6 9, 7 8);
}

/// The inverse DCT of the first 32 numbers, which are in bit-reversed order.
#[inline(always)]
fn dct32<const N: usize>(arithmetic: impl Decoding, t: &mut [i32; N]) {
    dct16(arithmetic, t);
    rotate!(arithmetic, t: 16 31 62, 17 30 30, 18 29 46, 19 28 14, 20 27 54, 21 26 22, 22 25 38, 23 24 6);
    add_and_subtract!(arithmetic, t: 16 17, 19 18, 20 21, 23 22, 24 25, 27 26, 28 29, 31 30);
    rotate_and_swap!(arithmetic, t: 30 17 56, 29 18 120, 26 21 24, 25 22 88);
    add_and_subtract!(arithmetic, t: 16 19, 17 18, 23 20, 22 21, 24 27, 25 26, 31 28, 30 29);
    rotate_and_swap!(arithmetic, t: 29 18 48, 28 19 48, 27 20 112, 26 21 112);
    add_and_subtract!(arithmetic, t: 16 23, 17 22, 18 21, 19 20, 31 24, 30 25, 29 26, 28 27);
    rotate_and_swap!(arithmetic, t: 27 20 32, 26 21 32, 25 22 32, 24 23 32);
    add_and_subtract!(arithmetic, t:
        0 31, 1 30, 2 29, 3 28, 4 27, 5 26, 6 25, 7 24, 8 23, 9 22, 10 21, 11 20, 12 19, 13 18, 14 17, 15 16
    );
}

/// The inverse DCT of the first 64 numbers, which are in bit-reversed order.
#[inline(always)]
fn dct64<const N: usize>(arithmetic: impl Decoding, t: &mut [i32; N]) {
    dct32(arithmetic, t);
    rotate!(arithmetic, t:
        32 63 63, 33 62 31, 34 61 47, 35 60 15, 36 59 55, 37 58 23, 38 57 39, 39 56 7, 40 55 59, 41 54 27,
        42 53 43, 43 52 11, 44 51 51, 45 50 19, 46 49 35, 47 48 3
    );
    add_and_subtract!(arithmetic, t:
        32 33, 35 34, 36 37, 39 38, 40 41, 43 42, 44 45, 47 46, 48 49, 51 50, 52 53, 55 54, 56 57, 59 58, 60
        61, 63 62
    );
    rotate_and_swap!(arithmetic, t:
        62 33 60, 61 34 124, 58 37 28, 57 38 92, 54 41 44, 53 42 108, 50 45 12, 49 46 76
    );
    add_and_subtract!(arithmetic, t:
        32 35, 33 34, 39 36, 38 37, 40 43, 41 42, 47 44, 46 45, 48 51, 49 50, 55 52, 54 53, 56 59, 57 58, 63
        60, 62 61
    );
    rotate_and_swap!(arithmetic, t:
        61 34 56, 60 35 56, 59 36 120, 58 37 120, 53 42 24, 52 43 24, 51 44 88, 50 45 88
    );
    add_and_subtract!(arithmetic, t:
        32 39, 33 38, 34 37, 35 36, 47 40, 46 41, 45 42, 44 43, 48 55, 49 54, 50 53, 51 52, 63 56, 62 57, 61
        58, 60 59
    );
    rotate_and_swap!(arithmetic, t:
        59 36 48, 58 37 48, 57 38 48, 56 39 48, 55 40 112, 54 41 112, 53 42 112, 52 43 112
    );
    add_and_subtract!(arithmetic, t:
        32 47, 63 48, 33 46, 62 49, 34 45, 61 50, 35 44, 60 51, 36 43, 59 52, 37 42, 58 53, 38 41, 57 54, 39
        40, 56 55
    );
    rotate_and_swap!(arithmetic, t: 55 40 32, 54 41 32, 53 42 32, 52 43 32, 51 44 32, 50 45 32, 49 46 32, 48 47 32);
    add_and_subtract!(arithmetic, t:
        0 63, 1 62, 2 61, 3 60, 4 59, 5 58, 6 57, 7 56, 8 55, 9 54, 10 53, 11 52, 12 51, 13 50, 14 49, 15
        48, 16 47, 17 46, 18 45, 19 44, 20 43, 21 42, 22 41, 23 40, 24 39, 25 38, 26 37, 27 36, 28 35, 29
        34, 30 33, 31 32
    );
}

impl Inverse<4> for Dct {
    #[inline(always)]
    fn inverse(arithmetic: impl Decoding, t: &mut [i32; 4]) {
        dct4(arithmetic, t);
    }
}

impl Inverse<8> for Dct {
    #[inline(always)]
    fn inverse(arithmetic: impl Decoding, t: &mut [i32; 8]) {
        dct8(arithmetic, t);
    }
}

impl Inverse<16> for Dct {
    #[inline(always)]
    fn inverse(arithmetic: impl Decoding, t: &mut [i32; 16]) {
        dct16(arithmetic, t);
    }
}

impl Inverse<32> for Dct {
    #[inline(always)]
    fn inverse(arithmetic: impl Decoding, t: &mut [i32; 32]) {
        dct32(arithmetic, t);
    }
}

impl Inverse<64> for Dct {
    #[inline(always)]
    fn inverse(arithmetic: impl Decoding, t: &mut [i32; 64]) {
        dct64(arithmetic, t);
    }
}

impl Inverse<4> for Adst {
    #[inline(always)]
    fn inverse(arithmetic: impl Decoding, t: &mut [i32; 4]) {
        let [one, two, three, four] = NINTHS;
        let [a, b, c, d] = *t;
        let by = |number, factor| arithmetic.multiply(number, factor);
        let first = by(a, one).wrapping_add(by(c, four)).wrapping_add(by(d, two));
        let second = by(a, two).wrapping_sub(by(c, one)).wrapping_sub(by(d, four));
        let shared = by(b, three);
        let third = by(a.wrapping_sub(c).wrapping_add(d), three);
        let fourth = first.wrapping_add(second).wrapping_sub(shared);
        *t = [
            round_shift(first.wrapping_add(shared), 12),
            round_shift(second.wrapping_add(shared), 12),
            round_shift(third, 12),
            round_shift(fourth, 12),
        ];
    }
}

impl Inverse<8> for Adst {
    #[inline(always)]
    fn inverse(arithmetic: impl Decoding, t: &mut [i32; 8]) {
        rotate_and_swap!(arithmetic, t: 0 1 60, 2 3 44, 4 5 28, 6 7 12);
        add_and_subtract!(arithmetic, t: 0 4, 1 5, 2 6, 3 7);
        rotate_and_swap!(arithmetic, t: 4 5 48, 7 6 16);
        add_and_subtract!(arithmetic, t: 0 2, 4 6, 1 3, 5 7);
        rotate_and_swap!(arithmetic, t: 2 3 32, 6 7 32);
        *t = [t[0], -t[4], t[6], -t[2], t[3], -t[7], t[5], -t[1]];
    }
}

impl Inverse<16> for Adst {
    #[inline(always)]
    fn inverse(arithmetic: impl Decoding, t: &mut [i32; 16]) {
        rotate_and_swap!(arithmetic, t: 0 1 62, 2 3 54, 4 5 46, 6 7 38, 8 9 30, 10 11 22, 12 13 14, 14 15 6);
        add_and_subtract!(arithmetic, t: 0 8, 1 9, 2 10, 3 11, 4 12, 5 13, 6 14, 7 15);
        rotate_and_swap!(arithmetic, t: 8 9 56, 13 12 8, 10 11 24, 15 14 40);
        add_and_subtract!(arithmetic, t: 0 4, 8 12, 1 5, 9 13, 2 6, 10 14, 3 7, 11 15);
        rotate_and_swap!(arithmetic, t: 4 5 48, 12 13 48, 7 6 16, 15 14 16);
        add_and_subtract!(arithmetic, t: 0 2, 4 6, 8 10, 12 14, 1 3, 5 7, 9 11, 13 15);
        rotate_and_swap!(arithmetic, t: 2 3 32, 6 7 32, 10 11 32, 14 15 32);
        *t = [
            t[0], -t[8], t[12], -t[4], t[6], -t[14], t[10], -t[2], t[3], -t[11], t[15], -t[7], t[5], -t[13], t[9],
            -t[1],
        ];
    }
}
