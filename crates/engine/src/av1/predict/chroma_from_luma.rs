//! Chroma from luma (7.11.5): what luma differs from its mean, scaled and added to a prediction of chroma.
//!
//! Knows nothing of where the prediction comes from nor of how the scale is chosen.

use super::{LANES, sixteen, store_pixels};
use crate::simd::{self, Kernel, Level};

/// Luma of a chroma block of `side` x `side` pixels (4 to 64), less its mean, in eighths of a pixel: what is multiplied
/// with alpha. The first luma pixel of the block is at index `at`; `is_halved` is true for 4:2:0 and false for 4:4:4.
/// All of the luma is to be there.
pub(crate) fn luma_ac(luma: &[u16], stride: usize, at: usize, is_halved: bool, side: usize, into: &mut [i16]) {
    simd::run(LumaAc {
        luma: &luma[at..],
        stride,
        is_halved,
        side,
        into,
    });
}

/// What [`luma_ac`] runs. `luma` begins with the block.
pub(crate) struct LumaAc<'a> {
    pub(crate) luma: &'a [u16],
    pub(crate) stride: usize,
    pub(crate) is_halved: bool,
    pub(crate) side: usize,
    pub(crate) into: &'a mut [i16],
}

impl Kernel for LumaAc<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self, level: impl Level) {
        match self.side {
            4 => self.gather::<4>(level),
            8 => self.gather::<8>(level),
            16 => self.gather::<16>(level),
            32 => self.gather::<32>(level),
            _ => self.gather::<64>(level),
        }
    }
}

impl LumaAc<'_> {
    #[inline(always)]
    fn gather<const SIDE: usize>(self, level: impl Level) {
        let into = &mut self.into[..SIDE * SIDE];
        let registers = into.as_chunks_mut::<LANES>().0;
        if self.is_halved {
            for (number, into) in registers.iter_mut().enumerate() {
                // Means of twice the sums of two rows are sums of four pixels, with nothing to round.
                let first = twice_two_rows(level, self.luma, self.stride, 2 * SIDE, 2 * number);
                let second = twice_two_rows(level, self.luma, self.stride, 2 * SIDE, 2 * number + 1);
                let fours = level.pair_means(first, second);
                level.store(level.shift_left::<1>(fours), into);
            }
        } else {
            for (number, into) in registers.iter_mut().enumerate() {
                let pixels = level.load(&rows(self.luma, self.stride, SIDE, number));
                level.store(level.shift_left::<3>(pixels), into);
            }
        }
        let sum: i32 = into.iter().map(|luma| i32::from(*luma)).sum();
        let bits = 2 * SIDE.trailing_zeros();
        let mean = level.splat(((sum + (1 << (bits - 1))) >> bits) as i16);
        for into in into.as_chunks_mut::<LANES>().0 {
            level.store(level.subtract(level.load(into), mean), into);
        }
    }
}

/// Twice the sums of two pixels one below the other, sixteen of them, of rows of `width`.
#[inline(always)]
fn twice_two_rows<L: Level>(level: L, luma: &[u16], stride: usize, width: usize, number: usize) -> L::Lanes {
    let top = level.load(&rows(luma, 2 * stride, width, number));
    let bottom = level.load(&rows(&luma[stride..], 2 * stride, width, number));
    level.shift_left::<1>(level.add(top, bottom))
}

/// The sixteen pixels with this number, where rows of `width` follow one another.
#[inline(always)]
fn rows(pixels: &[u16], stride: usize, width: usize, number: usize) -> [i16; LANES] {
    let (row, column) = (number * LANES / width, number * LANES % width);
    let pixels = &pixels[row * stride + column..];
    let mut sixteen = [0; LANES];
    for (number, part) in sixteen.chunks_exact_mut(width.min(LANES)).enumerate() {
        for (into, pixel) in part.iter_mut().zip(&pixels[number * stride..][..width.min(LANES)]) {
            *into = pixel.cast_signed();
        }
    }
    sixteen
}

/// Adds `alpha` (-16..=16) times what [`luma_ac`] gave to the prediction `dc`, for all of `into`: a multiple of sixteen
/// pixels, as all square blocks are.
pub(crate) fn chroma_from_luma(dc: &[u16], ac: &[i16], alpha: i32, bits: u8, into: &mut [u16]) {
    simd::run(ChromaFromLuma {
        dc,
        ac,
        alpha,
        bits,
        into,
    });
}

/// What [`chroma_from_luma`] runs.
pub(crate) struct ChromaFromLuma<'a> {
    pub(crate) dc: &'a [u16],
    pub(crate) ac: &'a [i16],
    pub(crate) alpha: i32,
    pub(crate) bits: u8,
    pub(crate) into: &'a mut [u16],
}

impl Kernel for ChromaFromLuma<'_> {
    type Output = ();

    /// `Round2Signed( alpha * ac, 6 )` rounds magnitudes: with alpha in 512ths that is one rounding product of 16 bits.
    #[inline(always)]
    fn run(self, level: impl Level) {
        debug_assert!(
            self.alpha.abs() <= 16 && self.into.len().is_multiple_of(LANES),
            "alpha {}",
            self.alpha
        );
        let fraction = (self.alpha.abs() << 9) as i16;
        let sign = level.splat(self.alpha.signum() as i16);
        let (least, most) = (level.splat(0), level.splat((1 << self.bits) - 1));
        let (dc, ac) = (self.dc.as_chunks::<LANES>().0, self.ac.as_chunks::<LANES>().0);
        for ((into, dc), ac) in self.into.chunks_exact_mut(LANES).zip(dc).zip(ac) {
            let ac = level.load(ac);
            let magnitude = level.multiply_fraction(level.magnitude(ac), fraction);
            let scaled = level.with_sign(level.with_sign(magnitude, ac), sign);
            let dc = level.load(&sixteen(dc, 0).map(u16::cast_signed));
            let sum = level.add(dc, scaled);
            store_pixels(level, level.max(level.min(sum, most), least), into);
        }
    }
}
