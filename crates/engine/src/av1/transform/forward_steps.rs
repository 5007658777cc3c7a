//! The steps of the one-dimensional forward transforms: those of the inverse transforms transposed, last step first.
//!
//! It knows nothing of rows, columns or blocks, nor of the scale that makes a transform the inverse of another.

use super::arithmetic::{Arithmetic, NINTHS, Transposed};
use super::steps::{Adst, Dct, Forward, add_and_subtract, rotate, rotate_and_swap};

/// The DCT of the first 4 numbers; its frequencies end up in bit-reversed order.
#[inline(always)]
fn dct4<const N: usize>(arithmetic: Transposed, t: &mut [f32; N]) {
    add_and_subtract!(arithmetic, t: 1 2, 0 3);
    rotate!(arithmetic, t: 2 3 48);
    rotate_and_swap!(arithmetic, t: 0 1 32);
}

/// The DCT of the first 8 numbers; its frequencies end up in bit-reversed order.
#[inline(always)]
fn dct8<const N: usize>(arithmetic: Transposed, t: &mut [f32; N]) {
    add_and_subtract!(arithmetic, t: 3 4, 2 5, 1 6, 0 7);
    rotate_and_swap!(arithmetic, t: 6 5 32);
    add_and_subtract!(arithmetic, t: 7 6, 4 5);
    rotate!(arithmetic, t: 5 6 24, 4 7 56);
    dct4(arithmetic, t);
}

/// The DCT of the first 16 numbers; its frequencies end up in bit-reversed order.
#[inline(always)]
fn dct16<const N: usize>(arithmetic: Transposed, t: &mut [f32; N]) {
    add_and_subtract!(arithmetic, t: 7 8, 6 9, 5 10, 4 11, 3 12, 2 13, 1 14, 0 15);
    rotate_and_swap!(arithmetic, t: 12 11 32, 13 10 32);
    add_and_subtract!(arithmetic, t: 14 13, 15 12, 9 10, 8 11);
    rotate_and_swap!(arithmetic, t: 13 10 112, 14 9 48);
    add_and_subtract!(arithmetic, t: 15 14, 12 13, 11 10, 8 9);
    rotate!(arithmetic, t: 11 12 12, 10 13 44, 9 14 28, 8 15 60);
    dct8(arithmetic, t);
}

/// The DCT of the first 32 numbers; its frequencies end up in bit-reversed order.
#[inline(always)]
fn dct32<const N: usize>(arithmetic: Transposed, t: &mut [f32; N]) {
    add_and_subtract!(arithmetic, t:
        15 16, 14 17, 13 18, 12 19, 11 20, 10 21, 9 22, 8 23, 7 24, 6 25, 5 26, 4 27, 3 28, 2 29, 1 30, 0 31
    );
    rotate_and_swap!(arithmetic, t: 24 23 32, 25 22 32, 26 21 32, 27 20 32);
    add_and_subtract!(arithmetic, t: 28 27, 29 26, 30 25, 31 24, 19 20, 18 21, 17 22, 16 23);
    rotate_and_swap!(arithmetic, t: 26 21 112, 27 20 112, 28 19 48, 29 18 48);
    add_and_subtract!(arithmetic, t: 30 29, 31 28, 25 26, 24 27, 22 21, 23 20, 17 18, 16 19);
    rotate_and_swap!(arithmetic, t: 25 22 88, 26 21 24, 29 18 120, 30 17 56);
    add_and_subtract!(arithmetic, t: 31 30, 28 29, 27 26, 24 25, 23 22, 20 21, 19 18, 16 17);
    rotate!(arithmetic, t: 23 24 6, 22 25 38, 21 26 22, 20 27 54, 19 28 14, 18 29 46, 17 30 30, 16 31 62);
    dct16(arithmetic, t);
}

/// The DCT of the first 64 numbers; its frequencies end up in bit-reversed order.
#[inline(always)]
fn dct64<const N: usize>(arithmetic: Transposed, t: &mut [f32; N]) {
    add_and_subtract!(arithmetic, t:
        31 32, 30 33, 29 34, 28 35, 27 36, 26 37, 25 38, 24 39, 23 40, 22 41, 21 42, 20 43, 19 44, 18 45, 17
        46, 16 47, 15 48, 14 49, 13 50, 12 51, 11 52, 10 53, 9 54, 8 55, 7 56, 6 57, 5 58, 4 59, 3 60, 2 61,
        1 62, 0 63
    );
    rotate_and_swap!(arithmetic, t: 48 47 32, 49 46 32, 50 45 32, 51 44 32, 52 43 32, 53 42 32, 54 41 32, 55 40 32);
    add_and_subtract!(arithmetic, t:
        56 55, 39 40, 57 54, 38 41, 58 53, 37 42, 59 52, 36 43, 60 51, 35 44, 61 50, 34 45, 62 49, 33 46, 63
        48, 32 47
    );
    rotate_and_swap!(arithmetic, t:
        52 43 112, 53 42 112, 54 41 112, 55 40 112, 56 39 48, 57 38 48, 58 37 48, 59 36 48
    );
    add_and_subtract!(arithmetic, t:
        60 59, 61 58, 62 57, 63 56, 51 52, 50 53, 49 54, 48 55, 44 43, 45 42, 46 41, 47 40, 35 36, 34 37, 33
        38, 32 39
    );
    rotate_and_swap!(arithmetic, t:
        50 45 88, 51 44 88, 52 43 24, 53 42 24, 58 37 120, 59 36 120, 60 35 56, 61 34 56
    );
    add_and_subtract!(arithmetic, t:
        62 61, 63 60, 57 58, 56 59, 54 53, 55 52, 49 50, 48 51, 46 45, 47 44, 41 42, 40 43, 38 37, 39 36, 33
        34, 32 35
    );
    rotate_and_swap!(arithmetic, t:
        49 46 76, 50 45 12, 53 42 108, 54 41 44, 57 38 92, 58 37 28, 61 34 124, 62 33 60
    );
    add_and_subtract!(arithmetic, t:
        63 62, 60 61, 59 58, 56 57, 55 54, 52 53, 51 50, 48 49, 47 46, 44 45, 43 42, 40 41, 39 38, 36 37, 35
        34, 32 33
    );
    rotate!(arithmetic, t:
        47 48 3, 46 49 35, 45 50 19, 44 51 51, 43 52 11, 42 53 43, 41 54 27, 40 55 59, 39 56 7, 38 57 39, 37
        58 23, 36 59 55, 35 60 15, 34 61 47, 33 62 31, 32 63 63
    );
    dct32(arithmetic, t);
}

impl Forward<4> for Dct {
    #[inline(always)]
    fn forward(t: &mut [f32; 4]) {
        dct4(Transposed, t);
    }
}

impl Forward<8> for Dct {
    #[inline(always)]
    fn forward(t: &mut [f32; 8]) {
        dct8(Transposed, t);
    }
}

impl Forward<16> for Dct {
    #[inline(always)]
    fn forward(t: &mut [f32; 16]) {
        dct16(Transposed, t);
    }
}

impl Forward<32> for Dct {
    #[inline(always)]
    fn forward(t: &mut [f32; 32]) {
        dct32(Transposed, t);
    }
}

impl Forward<64> for Dct {
    #[inline(always)]
    fn forward(t: &mut [f32; 64]) {
        dct64(Transposed, t);
    }
}

impl Forward<4> for Adst {
    #[inline(always)]
    fn forward(t: &mut [f32; 4]) {
        let [one, two, three, four] = [
            Transposed::fraction(NINTHS[0]),
            Transposed::fraction(NINTHS[1]),
            Transposed::fraction(NINTHS[2]),
            Transposed::fraction(NINTHS[3]),
        ];
        let [a, b, c, d] = *t;
        *t = [
            one * a + two * b + three * c + four * d,
            three * (a + b - d),
            four * a - one * b - three * c + two * d,
            two * a - four * b + three * c - one * d,
        ];
    }
}

impl Forward<8> for Adst {
    #[inline(always)]
    fn forward(t: &mut [f32; 8]) {
        let arithmetic = Transposed;
        *t = [t[0], -t[7], -t[3], t[4], -t[1], t[6], t[2], -t[5]];
        rotate_and_swap!(arithmetic, t: 6 7 32, 2 3 32);
        add_and_subtract!(arithmetic, t: 5 7, 1 3, 4 6, 0 2);
        rotate_and_swap!(arithmetic, t: 7 6 16, 4 5 48);
        add_and_subtract!(arithmetic, t: 3 7, 2 6, 1 5, 0 4);
        rotate_and_swap!(arithmetic, t: 6 7 12, 4 5 28, 2 3 44, 0 1 60);
    }
}

impl Forward<16> for Adst {
    #[inline(always)]
    fn forward(t: &mut [f32; 16]) {
        let arithmetic = Transposed;
        *t = [
            t[0], -t[15], -t[7], t[8], -t[3], t[12], t[4], -t[11], -t[1], t[14], t[6], -t[9], t[2], -t[13], -t[5],
            t[10],
        ];
        rotate_and_swap!(arithmetic, t: 14 15 32, 10 11 32, 6 7 32, 2 3 32);
        add_and_subtract!(arithmetic, t: 13 15, 9 11, 5 7, 1 3, 12 14, 8 10, 4 6, 0 2);
        rotate_and_swap!(arithmetic, t: 15 14 16, 7 6 16, 12 13 48, 4 5 48);
        add_and_subtract!(arithmetic, t: 11 15, 3 7, 10 14, 2 6, 9 13, 1 5, 8 12, 0 4);
        rotate_and_swap!(arithmetic, t: 15 14 40, 10 11 24, 13 12 8, 8 9 56);
        add_and_subtract!(arithmetic, t: 7 15, 6 14, 5 13, 4 12, 3 11, 2 10, 1 9, 0 8);
        rotate_and_swap!(arithmetic, t: 14 15 6, 12 13 14, 10 11 22, 8 9 30, 6 7 38, 4 5 46, 2 3 54, 0 1 62);
    }
}
