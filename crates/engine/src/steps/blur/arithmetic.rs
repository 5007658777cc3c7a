//! The number work of blurring, by what the samples are.
//!
//! Opaque 8-bit pictures are blurred in 16-bit fixed point, twice as many numbers to an instruction as any other way, as
//! long as the kernel is small enough for that. Everything else is blurred in single precision: wide kernels, 16-bit
//! samples, colour weighted by its alpha, and the small pictures of wide kernels.

use std::marker::PhantomData;

use crate::simd::{Level, RUN};

/// How rows of samples become numbers to add up, and rows of samples again.
pub(super) trait Arithmetic {
    /// What the picture is made of.
    type Sample: Copy + Default;
    /// What is added up.
    type Number: Copy + Default;
    type Weight: Copy;

    /// The weights, centre first, as [`super::kernel::gaussian_weights`] gives them.
    fn weights(exact: &[f64]) -> Vec<Self::Weight>;

    /// Adds up a run of neighbouring numbers: the centres, which begin at `centre`, and for each further weight the two
    /// runs that `pair_at` places, nearest first.
    fn add_up(
        level: impl Level,
        weights: &[Self::Weight],
        numbers: &[Self::Number],
        centre: usize,
        sums: &mut [Self::Number; RUN],
        pair_at: impl Fn(usize) -> (usize, usize),
    );

    /// Turns a row of samples into numbers.
    fn widen(&self, samples: &[Self::Sample], numbers: &mut [Self::Number]);

    /// Turns a row of numbers into samples.
    fn narrow(&self, numbers: &[Self::Number], samples: &mut [Self::Sample]);
}

/// 8-bit samples in 128ths of a level; weights in 65,536ths.
///
/// A product is cut off below 1/128, half of that too low on average, which is made up for. White is
/// 32,640 and at most 20 of making up, so two numbers fit into 16 bits.
pub(super) struct Fixed;

impl Fixed {
    /// Most weights with which black, where nothing is cut off, is still made up for by less than half a level: sigma
    /// 10 has 39.
    pub(super) const MAX_WEIGHTS: usize = 40;
}

impl Arithmetic for Fixed {
    type Sample = u8;
    type Number = u16;
    type Weight = u16;

    fn weights(exact: &[f64]) -> Vec<u16> {
        let mut weights: Vec<u16> = exact.iter().map(|weight| (weight * 65_536.0).round() as u16).collect();
        // The centre takes what rounding left over, so that a flat picture stays as it is.
        if let [centre, sides @ ..] = &mut weights[..] {
            let sides: u32 = sides.iter().map(|weight| 2 * u32::from(*weight)).sum();
            *centre = u16::try_from(65_536_u32.saturating_sub(sides)).unwrap_or(u16::MAX);
        }
        weights
    }

    #[inline(always)]
    fn add_up(
        level: impl Level,
        weights: &[u16],
        numbers: &[u16],
        centre: usize,
        sums: &mut [u16; RUN],
        pair_at: impl Fn(usize) -> (usize, usize),
    ) {
        let made_up_for = (weights.len() as u16).div_ceil(2);
        for (sum, number) in sums.iter_mut().zip(&numbers[centre..][..RUN]) {
            *sum = made_up_for + ((u32::from(*number) * u32::from(weights[0])) >> 16) as u16;
        }
        level.add_weighted_pairs(sums, numbers, &weights[1..], pair_at);
    }

    #[inline(always)]
    fn widen(&self, samples: &[u8], numbers: &mut [u16]) {
        for (number, sample) in numbers.iter_mut().zip(samples) {
            *number = u16::from(*sample) << 7;
        }
    }

    #[inline(always)]
    fn narrow(&self, numbers: &[u16], samples: &mut [u8]) {
        for (sample, number) in samples.iter_mut().zip(numbers) {
            *sample = ((number + 64) >> 7).min(255) as u8;
        }
    }
}

/// Samples as they are, in single precision.
pub(super) struct Float<S>(PhantomData<S>);

impl<S> Float<S> {
    pub(super) const fn new() -> Self {
        Self(PhantomData)
    }
}

/// Colour weighted by the alpha behind it, in single precision; pixels of this many samples.
pub(super) struct Weighted<S> {
    channels: usize,
    samples: PhantomData<S>,
}

impl<S> Weighted<S> {
    pub(super) const fn new(channels: usize) -> Self {
        Self {
            channels,
            samples: PhantomData,
        }
    }
}

/// What single precision can hold exactly.
pub(super) trait Sample: Copy + Default + Into<f32> {
    const MAX: f32;

    /// The nearest sample.
    fn nearest(number: f32) -> Self;
}

impl Sample for u8 {
    const MAX: f32 = 255.0;

    #[inline(always)]
    fn nearest(number: f32) -> Self {
        // A cast keeps within the range.
        (number + 0.5) as Self
    }
}

impl Sample for u16 {
    const MAX: f32 = 65_535.0;

    #[inline(always)]
    fn nearest(number: f32) -> Self {
        (number + 0.5) as Self
    }
}

/// A number on its way between two kernels.
impl Sample for f32 {
    const MAX: f32 = 1.0;

    #[inline(always)]
    fn nearest(number: f32) -> Self {
        number
    }
}

macro_rules! single_precision {
    () => {
        type Sample = S;
        type Number = f32;
        type Weight = f32;

        fn weights(exact: &[f64]) -> Vec<f32> {
            exact.iter().map(|weight| *weight as f32).collect()
        }

        #[inline(always)]
        fn add_up(
            _level: impl Level,
            weights: &[f32],
            numbers: &[f32],
            centre: usize,
            sums: &mut [f32; RUN],
            pair_at: impl Fn(usize) -> (usize, usize),
        ) {
            for (sum, number) in sums.iter_mut().zip(&numbers[centre..][..RUN]) {
                *sum = *number * weights[0];
            }
            for (pair, weight) in weights[1..].iter().enumerate() {
                let (one, other) = pair_at(pair);
                let (ones, others) = (&numbers[one..][..RUN], &numbers[other..][..RUN]);
                for ((sum, one), other) in sums.iter_mut().zip(ones).zip(others) {
                    *sum += (*one + *other) * *weight;
                }
            }
        }
    };
}

impl<S: Sample> Arithmetic for Float<S> {
    single_precision!();

    #[inline(always)]
    fn widen(&self, samples: &[S], numbers: &mut [f32]) {
        for (number, sample) in numbers.iter_mut().zip(samples) {
            *number = (*sample).into();
        }
    }

    #[inline(always)]
    fn narrow(&self, numbers: &[f32], samples: &mut [S]) {
        for (sample, number) in samples.iter_mut().zip(numbers) {
            *sample = S::nearest(*number);
        }
    }
}

impl<S: Sample> Arithmetic for Weighted<S> {
    single_precision!();

    #[inline(always)]
    fn widen(&self, samples: &[S], numbers: &mut [f32]) {
        let pixels = samples.chunks_exact(self.channels);
        for (numbers, pixel) in numbers.chunks_exact_mut(self.channels).zip(pixels) {
            let ([colors @ .., alpha], [color_numbers @ .., alpha_number]) = (pixel, numbers) else {
                continue;
            };
            *alpha_number = (*alpha).into();
            let share = *alpha_number / S::MAX;
            for (number, color) in color_numbers.iter_mut().zip(colors) {
                *number = (*color).into() * share;
            }
        }
    }

    #[inline(always)]
    fn narrow(&self, numbers: &[f32], samples: &mut [S]) {
        let pixels = samples.chunks_exact_mut(self.channels);
        for (numbers, pixel) in numbers.chunks_exact(self.channels).zip(pixels) {
            let ([color_numbers @ .., alpha_number], [colors @ .., alpha]) = (numbers, pixel) else {
                continue;
            };
            *alpha = S::nearest(*alpha_number);
            // What nothing shows through has no colour.
            let share = if *alpha_number > 0.0 {
                S::MAX / *alpha_number
            } else {
                0.0
            };
            for (color, number) in colors.iter_mut().zip(color_numbers) {
                *color = S::nearest((*number * share).min(S::MAX));
            }
        }
    }
}
