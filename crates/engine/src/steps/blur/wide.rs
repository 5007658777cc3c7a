//! Wide Gaussians, worked out on a picture that is a fraction of the size.
//!
//! Every so many rows and columns a weighted mean of the picture is taken, that small picture is convolved with a Gaussian,
//! and what lies between its pixels is interpolated. Both the mean and the interpolation have the weights of a cubic
//! B-spline: a box as long as the step `f`, convolved with itself three times, of the variance (f² - 1) / 3. The Gaussian
//! between them has the variance that is left of sigma². With the step at a quarter of sigma, what the small picture cannot
//! hold is gone, and the whole differs from the Gaussian by an excess kurtosis of -2.6e-4, less than the ends that every
//! kernel here is cut off at. The time a pixel takes does not depend on sigma, and little more than the small picture is
//! held.

use super::arithmetic::{Arithmetic, Float};
use super::kernel;
use super::separable::{self, Plane};
use crate::EngineError;
use crate::mill::Control;
use crate::pixels::zeros;
use crate::simd::{self, Kernel, Level};

/// Pixels of standard deviation from which on a Gaussian counts as wide.
const LEAST_SIGMA: f32 = 10.0;
/// Standard deviation of the Gaussian in the small picture, its pixels, at least about that.
const SIGMA_WITHIN: f32 = 4.0;
/// Pixels of the small picture that one of the picture is interpolated from, along each direction.
const TAPS: usize = 4;
/// Pixels of the small picture beyond each edge: what lies further out is as the outermost.
const BEYOND: usize = 2;

/// Whether a Gaussian of standard deviation `sigma` pixels is better worked out on a smaller picture.
pub(super) fn is_wide(sigma: f32) -> bool {
    sigma > LEAST_SIGMA
}

/// The Gaussian that a small picture is convolved with instead of a picture of `width` x `height` pixels, and the sides of
/// the small one; `None` where the picture itself is.
pub(crate) fn in_small(sigma: f32, width: u32, height: u32) -> Option<(f32, [u32; 2])> {
    let side = |side: u32| small(side.max(1) as usize, step(sigma)) as u32;
    is_wide(sigma).then(|| (sigma_within(sigma), [side(width), side(height)]))
}

/// Pixels of the picture from one of the small picture to the next.
fn step(sigma: f32) -> usize {
    (sigma / SIGMA_WITHIN) as usize
}

/// Pixels of the small picture along a side of `side` pixels.
fn small(side: usize, step: usize) -> usize {
    (side - 1).div_ceil(step) + 1 + 2 * BEYOND
}

/// Standard deviation of the Gaussian in the small picture, its pixels.
fn sigma_within(sigma: f32) -> f32 {
    let step = step(sigma) as f32;
    (sigma * sigma - 2.0 * (step * step - 1.0) / 3.0).sqrt() / step
}

/// The weights of the mean, and of the interpolation.
struct Spline {
    step: usize,
    /// From one end to the other; they add up to 1.
    weights: Vec<f32>,
}

impl Spline {
    fn new(step: usize) -> Self {
        let mut weights = vec![1.0_f64];
        for _ in 0..TAPS {
            let mut wider = vec![0.0; weights.len() + step - 1];
            for (begin, weight) in weights.iter().enumerate() {
                for sum in &mut wider[begin..begin + step] {
                    *sum += weight / step as f64;
                }
            }
            weights = wider;
        }
        Self {
            step,
            weights: weights.into_iter().map(|weight| weight as f32).collect(),
        }
    }

    /// What the mean number `index` is made of: weights, and which pixel of a side that ends with `last` each is for; edges
    /// repeat. The centre of the first mean lies [`BEYOND`] steps before the picture.
    fn means(&self, index: usize, last: usize) -> impl Iterator<Item = (f32, usize)> {
        let before = BEYOND * self.step + self.weights.len() / 2;
        let begin = index * self.step;
        (begin..)
            .zip(&self.weights)
            .map(move |(at, weight)| (*weight, at.saturating_sub(before).min(last)))
    }

    /// How much each of the small pixels counts around one that lies `phase` pixels behind the second of them.
    fn taps(&self, phase: usize) -> [f32; TAPS] {
        let centre = self.weights.len() / 2;
        let mut taps = [0.0; TAPS];
        for (index, tap) in taps.iter_mut().enumerate() {
            let weight = (centre + phase + self.step).checked_sub(index * self.step);
            let weight = weight.and_then(|at| self.weights.get(at)).copied();
            *tap = weight.unwrap_or_default() * self.step as f32;
        }
        taps
    }

    /// Takes the means of a row.
    fn shrink(&self, row: &[f32], channels: usize, into: &mut [f32]) {
        let last = row.len() / channels - 1;
        for (index, into) in into.chunks_exact_mut(channels).enumerate() {
            into.fill(0.0);
            for (weight, at) in self.means(index, last) {
                for (sum, number) in into.iter_mut().zip(&row[at * channels..]) {
                    *sum += number * weight;
                }
            }
        }
    }

    /// Interpolates a row of the small picture.
    fn widen(&self, small: &[f32], channels: usize, taps: &[[f32; TAPS]], into: &mut [f32]) {
        let around = small[(BEYOND - 1) * channels..]
            .windows(TAPS * channels)
            .step_by(channels);
        for (around, into) in around.zip(into.chunks_mut(self.step * channels)) {
            for (taps, pixel) in taps.iter().zip(into.chunks_exact_mut(channels)) {
                for (channel, number) in pixel.iter_mut().enumerate() {
                    let weighted = |tap: usize| taps[tap] * around[tap * channels + channel];
                    *number = weighted(0) + weighted(1) + weighted(2) + weighted(3);
                }
            }
        }
    }
}

/// Blurs a picture in place with a Gaussian of standard deviation `sigma` pixels, which [`is_wide`].
pub(super) fn blur<A: Arithmetic<Number = f32>>(
    arithmetic: &A,
    sigma: f32,
    plane: &mut Plane<'_, A::Sample>,
    control: &dyn Control,
) -> Result<(), EngineError> {
    let spline = Spline::new(step(sigma));
    let (row, channels) = (plane.row, plane.channels);
    let height = plane.samples.len() / row;
    let small_row = small(row / channels, spline.step) * channels;
    let small_height = small(height, spline.step);
    let mut taken = zeros::<f32>(small_row as u64 * small_height as u64)?;
    let mut numbers = zeros::<f32>(row as u64)?;
    let mut sums = zeros::<f32>(row as u64)?;
    for (index, into) in taken.chunks_exact_mut(small_row).enumerate() {
        check(control)?;
        sums.fill(0.0);
        for (weight, at) in spline.means(index, height - 1) {
            simd::run(AddRow {
                arithmetic,
                samples: &plane.samples[at * row..][..row],
                numbers: &mut numbers,
                weight,
                sums: &mut sums,
            });
        }
        spline.shrink(&sums, channels, into);
    }

    let weights = kernel::gaussian_weights(f64::from(sigma_within(sigma)));
    let mut small_plane = Plane {
        samples: &mut taken[..],
        row: small_row,
        channels,
    };
    separable::convolve(&Float::new(), &weights, &mut small_plane, control)?;

    // Rows of the small picture at their full width, as many as a row of the picture is made of, and the next of them.
    let mut around = Vec::with_capacity(TAPS);
    for _ in 0..TAPS {
        around.push(zeros::<f32>(row as u64)?);
    }
    let widened: Vec<_> = (0..spline.step).map(|phase| spline.taps(phase)).collect();
    for (index, small) in taken.chunks_exact(small_row).enumerate().skip(BEYOND - 1) {
        check(control)?;
        around.rotate_left(1);
        spline.widen(small, channels, &widened, &mut around[TAPS - 1]);
        // The second of them is where the rows begin that are made of all.
        let Some(first) = (index + 1).checked_sub(BEYOND - 1 + TAPS) else {
            continue;
        };
        let rows = plane.samples.chunks_exact_mut(row).skip(first * spline.step);
        for (samples, taps) in rows.zip(&widened) {
            simd::run(MixRows {
                arithmetic,
                rows: [0, 1, 2, 3].map(|index| &around[index][..]),
                taps: *taps,
                numbers: &mut numbers,
                samples,
            });
        }
    }
    Ok(())
}

fn check(control: &dyn Control) -> Result<(), EngineError> {
    if control.should_stop() {
        return Err(EngineError::Stopped);
    }
    Ok(())
}

/// Adds so much of a row of samples to the sums.
struct AddRow<'r, A: Arithmetic> {
    arithmetic: &'r A,
    samples: &'r [A::Sample],
    numbers: &'r mut [f32],
    weight: f32,
    sums: &'r mut [f32],
}

impl<A: Arithmetic<Number = f32>> Kernel for AddRow<'_, A> {
    type Output = ();

    #[inline(always)]
    fn run(self, _level: impl Level) {
        self.arithmetic.widen(self.samples, self.numbers);
        for (sum, number) in self.sums.iter_mut().zip(self.numbers) {
            *sum += *number * self.weight;
        }
    }
}

/// Makes a row of samples of those around it.
struct MixRows<'r, A: Arithmetic> {
    arithmetic: &'r A,
    rows: [&'r [f32]; TAPS],
    /// How much each counts.
    taps: [f32; TAPS],
    numbers: &'r mut [f32],
    samples: &'r mut [A::Sample],
}

impl<A: Arithmetic<Number = f32>> Kernel for MixRows<'_, A> {
    type Output = ();

    #[inline(always)]
    fn run(self, _level: impl Level) {
        let [first, second, third, fourth] = self.rows;
        let pairs = first.iter().zip(second).zip(third.iter().zip(fourth));
        for (number, ((first, second), (third, fourth))) in self.numbers.iter_mut().zip(pairs) {
            *number = first * self.taps[0] + second * self.taps[1] + third * self.taps[2] + fourth * self.taps[3];
        }
        self.arithmetic.narrow(self.numbers, self.samples);
    }
}
