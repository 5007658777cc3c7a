//! What a prediction leaves of a block: transformed, quantized, counted in bits, and put back.

use super::coefficients::{self, Levels, Place};
use super::costs::{BIT, CoefficientCosts, Sum};
use super::measure;
use super::quantizer::{Quantizer, Steps};
use super::transform::{self, Kind, Side};
use crate::simd::{self, Kernel, Level};

/// What a way of coding a block costs.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cost {
    /// Squared error, in samples.
    pub(super) distortion: f32,
    /// In [`BIT`]s.
    pub(super) rate: u32,
}

impl Cost {
    /// Both in one number.
    pub(super) fn total(self, quantizer: &Quantizer) -> f32 {
        self.distortion + quantizer.lambda * (self.rate as f32 / BIT as f32)
    }

    pub(super) fn add(&mut self, other: Self) {
        self.distortion += other.distortion;
        self.rate += other.rate;
    }
}

/// One transform of a block, coded in one way.
#[derive(Debug, Clone)]
pub(super) struct Trial {
    pub(super) kind: Kind,
    /// How many coefficients there are up to the last that is not zero.
    pub(super) end: usize,
    pub(super) cost: Cost,
    pub(super) levels: [i16; coefficients::MOST],
    transformed: [i32; coefficients::MOST],
    dequantized: [i32; coefficients::MOST],
    /// The sum of squares of the residual.
    energy: f32,
}

impl Trial {
    pub(super) const fn new() -> Self {
        Self {
            kind: Kind::DctDct,
            end: 0,
            cost: Cost {
                distortion: 0.0,
                rate: 0,
            },
            levels: [0; coefficients::MOST],
            transformed: [0; coefficients::MOST],
            dequantized: [0; coefficients::MOST],
            energy: 0.0,
        }
    }

    /// Adds what is left of the residual to the prediction.
    pub(super) fn reconstruct(&self, side: usize, pixels: &mut [u16], stride: usize, bits: u8) {
        if self.end > 0 {
            let reach = coefficients::reach(side, self.end);
            transform::inverse_add(
                SIDES[side],
                self.kind,
                &self.dequantized,
                (reach, reach),
                pixels,
                stride,
                bits,
            );
        }
    }
}

const SIDES: [Side; 5] = [Side::Four, Side::Eight, Side::Sixteen, Side::ThirtyTwo, Side::SixtyFour];

/// What the coefficients of a transform are in samples: the root of what their squares are divided by.
const GAINS: [f32; 5] = [8.0, 8.0, 8.0, 4.0, 2.0];

/// How a transform is to be tried.
#[derive(Debug, Clone, Copy)]
pub(super) struct Task<'a> {
    pub(super) quantizer: &'a Quantizer,
    pub(super) costs: &'a CoefficientCosts,
    pub(super) place: Place,
    pub(super) all_zero_context: usize,
    /// What it costs to say which kind it is.
    pub(super) kind_cost: u16,
}

/// Tries a kind of transform on a residual whose sum of squares is `energy`.
pub(super) fn tried(
    task: &Task<'_>,
    residual: &[i16],
    energy: f32,
    kind: Kind,
    levels: &mut Levels,
    trial: &mut Trial,
) {
    let side = task.place.side;
    let count = coefficients::MOST.min(residual.len());
    transform::forward(SIDES[side], kind, residual, &mut trial.transformed[..count]);
    let quantized = simd::run(Quantize {
        coefficients: &trial.transformed[..count],
        places: coefficients::places(side),
        steps: task.quantizer.steps(side),
        levels: &mut trial.levels[..count],
        dequantized: &mut trial.dequantized[..count],
    });
    trial.kind = kind;
    trial.energy = energy;
    trial.end = quantized.end;
    trial.count(task, levels, quantized.saved / (GAINS[side] * GAINS[side]));
}

impl Trial {
    /// Works out the cost of the levels, which take `saved` off the energy.
    fn count(&mut self, task: &Task<'_>, levels: &mut Levels, saved: f32) {
        let Place { side, .. } = task.place;
        let all_zero = task.costs.all_zero[side][task.all_zero_context];
        if self.end == 0 {
            self.cost = Cost {
                distortion: self.energy,
                rate: all_zero[1].into(),
            };
            return;
        }
        let mut sum = Sum {
            costs: task.costs,
            total: u32::from(all_zero[0]) + u32::from(task.kind_cost),
        };
        levels.code(task.place, &self.levels, self.end, &mut sum);
        self.cost = Cost {
            distortion: (self.energy - saved).max(0.0),
            rate: sum.total,
        };
    }

    /// Lowers levels where what it saves in bits is worth more than the error it makes.
    pub(super) fn refine(&mut self, task: &Task<'_>, levels: &mut Levels) {
        if self.end == 0 {
            return;
        }
        let Place { side, .. } = task.place;
        let steps = task.quantizer.steps(side);
        let step_of = |index: usize| if index == 0 { steps.dc } else { steps.ac };
        let scale = 1.0 / (GAINS[side] * GAINS[side]);
        let bit = task.quantizer.lambda / BIT as f32;
        // What is saved by all before the last, against zeros that cost nothing, for each that might be the last.
        let mut above = 0.0;
        let mut best = (f32::INFINITY, 0);
        levels.choose(side, self.end, |index, position, contexts| {
            let coefficient = self.transformed[position];
            let magnitude = coefficient.abs();
            let step = step_of(index);
            let nothing = magnitude as f32 * magnitude as f32 * scale;
            let error = |level: i32| {
                let error = (coefficient - steps.restored(level, step, coefficient >> 31)) as f32;
                error * error * scale
            };
            let cost = |level: i32| error(level) + bit * task.costs.level(task.place, contexts, level as u16) as f32;
            let nearest = (((magnitude << steps.shift) + step / 2) / step).min(i16::MAX.into());
            let mut level = nearest;
            let mut least = cost(nearest);
            if nearest > 0 {
                let lower = cost(nearest - 1);
                if lower < least {
                    (level, least) = (nearest - 1, lower);
                }
            }
            if level > 0 {
                let context = coefficients::last_context(side, index);
                let rate = task.costs.last(task.place, context, contexts[1], level as u16)
                    + task.costs.end(task.place, index + 1);
                let as_last = above + error(level) + bit * rate as f32 - least;
                if as_last < best.0 {
                    best = (as_last, index + 1);
                }
            }
            above += nothing - least;
            self.levels[position] = (level * coefficient.signum()) as i16;
            level as u16
        });
        let before = self.end;
        self.end = best.1;
        let mut saved = 0.0;
        for (index, position) in coefficients::positions(side, before).enumerate() {
            if index >= self.end {
                self.levels[position] = 0;
            }
            let level = i32::from(self.levels[position]);
            let value = steps.restored(level.abs(), step_of(index), level >> 31);
            self.dequantized[position] = value;
            let (nothing, error) = (
                self.transformed[position] as f32,
                (self.transformed[position] - value) as f32,
            );
            saved += nothing * nothing - error * error;
        }
        self.count(task, levels, saved * scale);
    }
}

/// Finds levels, and what they are once they are multiplied again.
struct Quantize<'a> {
    coefficients: &'a [i32],
    /// Of each in the order of coding, from 1.
    places: &'a [i16],
    steps: Steps,
    levels: &'a mut [i16],
    dequantized: &'a mut [i32],
}

/// What comes of it.
struct Quantized {
    /// How many there are up to the last that is not zero.
    end: usize,
    /// What the sum of squares of errors is less than with zeros.
    saved: f32,
}

/// Of a step: what is above is rounded up.
const ROUNDING_DC: f32 = 0.45;
const ROUNDING_AC: f32 = 0.35;

impl Kernel for Quantize<'_> {
    type Output = Quantized;

    #[inline(always)]
    fn run(self, _: impl Level) -> Quantized {
        let Steps { dc, ac, shift, .. } = self.steps;
        let highest = i32::from(i16::MAX);
        // To the nearest whole number by what a float of this size has no bits for: conversions of floats have to care for what
        // no level is, above 2^23.
        const WHOLE: f32 = 8_388_608.0;
        let level_of = |coefficient: i32, inverse: f32, rounding: f32| {
            let level = coefficient.abs() as f32 * inverse + (rounding - 0.5);
            let level = if level > 0.0 { level } else { 0.0 };
            (((level + WHOLE).to_bits() - WHOLE.to_bits()) as i32).min(highest)
        };
        let gain = |coefficient: i32, value: i32| {
            // c^2 - (c - v)^2.
            (2 * coefficient - value) as f32 * value as f32
        };
        let inverse = (1 << shift) as f32 / ac as f32;
        let mut saved = [0.0_f32; 8];
        let mut ends = [0_i16; 8];
        let inputs = self.coefficients.chunks_exact(8).zip(self.places.chunks_exact(8));
        let results = self
            .levels
            .chunks_exact_mut(8)
            .zip(self.dequantized.chunks_exact_mut(8));
        for ((levels, dequantized), (coefficients, places)) in results.zip(inputs) {
            for lane in 0..8 {
                let coefficient = coefficients[lane];
                let magnitude = level_of(coefficient, inverse, ROUNDING_AC);
                let sign = coefficient >> 31;
                let value = self.steps.restored(magnitude, ac, sign);
                levels[lane] = ((magnitude ^ sign) - sign) as i16;
                dequantized[lane] = value;
                saved[lane] += gain(coefficient, value);
                ends[lane] = ends[lane].max(if magnitude == 0 { 0 } else { places[lane] });
            }
        }
        // The mean has a step of its own.
        let mean = self.coefficients[0];
        let level = level_of(mean, (1 << shift) as f32 / dc as f32, ROUNDING_DC);
        let value = self.steps.restored(level, dc, mean >> 31);
        let saved = saved.iter().sum::<f32>() + gain(mean, value) - gain(mean, self.dequantized[0]);
        self.levels[0] = (level * mean.signum()) as i16;
        self.dequantized[0] = value;
        let end = match ends.iter().fold(0, |most, &end| most.max(end)) {
            0 | 1 => usize::from(level != 0),
            end => end as usize,
        };
        Quantized { end, saved }
    }
}

/// The residual of a block and its sum of squares.
pub(super) fn of(source: &[u16], stride: usize, predicted: &[u16], side: usize, into: &mut [i16]) -> f32 {
    measure::residual(source, stride, predicted, side, into);
    measure::energy(into)
}
