//! The transforms against their definition, and compiled for wide instructions against compiled for any.

use super::entropy::Group;
use super::forward::{Divisors, Quantized, forward, forward_half, quantize};
use super::inverse::{Quantizer, Side, inverse};
use super::turn::Turn;
use super::{BLOCK, ZIGZAG};
use crate::exif::Orientation;
use crate::simd::{self, Kernel, LANES, Level, ROW};

/// Numbers that look random, the same ones every time.
fn numbers(seed: u32) -> impl FnMut(u32) -> u32 {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    move |end| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state % end
    }
}

/// The cosine of the DCT of `size` points.
fn cosine(size: usize, point: usize, frequency: usize) -> f64 {
    let scale = if frequency == 0 {
        (1.0 / size as f64).sqrt()
    } else {
        (2.0 / size as f64).sqrt()
    };
    scale * (((2 * point + 1) * frequency) as f64 * std::f64::consts::PI / (2 * size) as f64).cos()
}

/// The inverse DCT of the lowest frequencies of a block, by its definition.
fn inverse_by_definition(coefficients: &[f64; BLOCK], size: usize) -> Vec<f64> {
    let mut samples = Vec::new();
    for (row, column) in (0..size).flat_map(|row| (0..size).map(move |column| (row, column))) {
        let sum: f64 = (0..size * size)
            .map(|index| {
                let (down, across) = (index / size, index % size);
                coefficients[down * 8 + across] * cosine(size, row, down) * cosine(size, column, across)
            })
            .sum();
        samples.push((sum * size as f64 / 8.0 + 128.0).clamp(0.0, 255.0));
    }
    samples
}

/// Coefficients of a picture: fewer and smaller the higher their frequency.
fn group(seed: u32) -> Group {
    let mut next = numbers(seed);
    let mut group = [0; BLOCK * LANES];
    for (index, place) in ZIGZAG.iter().enumerate() {
        for lane in 0..LANES {
            let reach = if index == 0 { 120 } else { 60 / (index as u32 + 1) };
            group[usize::from(*place) * LANES + lane] = next(2 * reach + 1) as i16 - reach as i16;
        }
    }
    group
}

struct Inverse(Group, Side, [u16; BLOCK]);

impl Kernel for Inverse {
    type Output = Vec<u16>;

    #[inline(always)]
    fn run(mut self, level: impl Level) -> Vec<u16> {
        let mut rows = vec![0; 8 * ROW];
        inverse(level, &mut self.0, &Quantizer::new(&self.2), self.1, &mut rows, 0, ROW);
        rows
    }
}

#[test]
fn the_inverse_transform_is_within_a_tenth_of_a_level() {
    for (seed, side) in [Side::One, Side::Two, Side::Four, Side::Eight]
        .into_iter()
        .cycle()
        .take(40)
        .enumerate()
    {
        let (group, size) = (group(seed as u32), side.samples());
        let steps: [u16; BLOCK] = std::array::from_fn(|index| 8 + index as u16 % 5);
        let rows = simd::run(Inverse(group, side, steps));
        assert_eq!(rows, simd::run_portable(Inverse(group, side, steps)), "{side:?}");
        for lane in 0..LANES {
            let mut coefficients = [0.0; BLOCK];
            for (place, step) in ZIGZAG.iter().zip(steps) {
                let place = usize::from(*place);
                coefficients[place] = f64::from(group[place * LANES + lane]) * f64::from(step);
            }
            for (index, expected) in inverse_by_definition(&coefficients, size).into_iter().enumerate() {
                let found = f64::from(rows[index / size * ROW + lane * size + index % size]) / 128.0;
                assert!(
                    (found - expected).abs() < 0.1,
                    "{side:?}, lane {lane}: {found}, not {expected}"
                );
            }
        }
    }
}

struct Forward<'a> {
    rows: &'a [u16],
    steps: [u16; BLOCK],
    is_half: bool,
}

impl Kernel for Forward<'_> {
    type Output = (Group, [u64; LANES]);

    #[inline(always)]
    fn run(self, level: impl Level) -> Self::Output {
        let mut quantized = Quantized::new();
        let divisors = Divisors::new(&self.steps, Turn::new(Orientation::UPRIGHT));
        let mut lanes = [[0; LANES]; BLOCK];
        if self.is_half {
            forward_half(level, self.rows, 0, ROW, &mut lanes);
            quantize(level, &lanes, 4, &divisors, &mut quantized);
        } else {
            forward(level, self.rows, 0, ROW, &mut lanes);
            quantize(level, &lanes, 8, &divisors, &mut quantized);
        }
        (quantized.group, quantized.nonzero)
    }
}

#[test]
fn the_transform_and_its_quantization_are_nearest_to_exact() {
    for (seed, is_half) in [false, true].into_iter().cycle().take(20).enumerate() {
        let mut next = numbers(seed as u32 + 1);
        let rows: Vec<u16> = (0..8 * ROW).map(|_| next(32_641) as u16).collect();
        let steps: [u16; BLOCK] = std::array::from_fn(|index| [1, 2, 3, 7, 16, 99, 255][(index + seed) % 7]);
        let kernel = || Forward {
            rows: &rows,
            steps,
            is_half,
        };
        let (group, nonzero) = simd::run(kernel());
        assert_eq!((group, nonzero), simd::run_portable(kernel()));
        let size = if is_half { 4 } else { 8 };
        for lane in 0..LANES {
            for (index, place) in ZIGZAG.iter().enumerate() {
                let (down, across) = (usize::from(*place) / 8, usize::from(*place) % 8);
                let mut exact: f64 = (0..size * size)
                    .map(|at| {
                        let sample = f64::from(rows[at / size * ROW + lane * size + at % size]) / 128.0 - 128.0;
                        sample * cosine(size, at / size, down) * cosine(size, at % size, across)
                    })
                    .sum();
                exact *= 8.0 / size as f64;
                if down.max(across) >= size {
                    exact = 0.0;
                }
                let found = group[index * LANES + lane];
                let steps_off = (exact / f64::from(steps[index]) - f64::from(found)).abs();
                // A rounding may go either way when the exact number is close to the middle.
                let most = 0.5 + 0.4 / f64::from(steps[index]);
                assert!(
                    steps_off <= most,
                    "coefficient {index}: {found}, off by {steps_off} steps"
                );
                let is_marked = nonzero[lane] >> index & 1 == 1;
                assert_eq!(is_marked, index > 0 && found != 0, "coefficient {index}");
            }
        }
    }
}
