//! The DCT and the quantization of sixteen blocks side by side, from all samples or from half of them in each direction.
//!
//! Samples are worked on in 16ths of a level around the middle, and coefficients come out in 16ths, frequencies row by row.
//! Quantization rounds to the nearest step, exactly.

use super::BLOCK;
use super::entropy::Group;
use super::turn::Turn;
use crate::simd::{LANES, Level, ROW};

/// Coefficients in 16ths, sixteen blocks side by side, frequencies row by row.
pub(super) type Lanes = [[i16; LANES]; BLOCK];

/// Half of the range in 16ths.
const MIDDLE: i16 = 128 << 4;
/// Largest magnitude of a quantized AC coefficient that baseline can code (ISO/IEC 10918-1, F.1.2.2).
const MAX_AC: i16 = 1_023;

/// cos(k pi / 16) in 32,768ths.
const COS_2: i16 = 30_274;
const COS_4: i16 = 23_170;
const COS_6: i16 = 12_540;
/// Halves of them.
const HALF_COS_1: i16 = 16_069;
const HALF_COS_2: i16 = 15_137;
const HALF_COS_3: i16 = 13_623;
const HALF_COS_4: i16 = 11_585;
const HALF_COS_5: i16 = 9_102;
const HALF_COS_6: i16 = 6_270;
const HALF_COS_7: i16 = 3_196;

/// What dividing by a quantization step takes, frequencies in zigzag order.
#[derive(Debug)]
pub(super) struct Divisors([Divisor; BLOCK]);

/// Division of 16ths by a step: `(n + half) * factor >> 16 >> shift`.
#[derive(Debug, Clone, Copy)]
struct Divisor {
    half: i16,
    factor: i16,
    shift: u16,
    /// Where the coefficient lies in the block, counted row by row, and the sign it gets.
    source: u8,
    sign: i16,
}

impl Divisors {
    /// From steps in zigzag order, for blocks that are turned on the way.
    pub(super) fn new(steps: &[u16; BLOCK], turn: Turn) -> Self {
        let sources = turn.sources();
        Self(std::array::from_fn(|index| {
            let (step, (source, sign)) = (steps[index], sources[index]);
            let divisor = u32::from(step) << 4;
            // The largest shift with which the factor fits into sixteen bits.
            let mut shift = divisor.ilog2();
            let mut factor = (1_u32 << (16 + shift)).div_ceil(divisor);
            if factor > u32::from(u16::MAX) {
                shift -= 1;
                factor = (1_u32 << (16 + shift)).div_ceil(divisor);
            }
            Divisor {
                half: (divisor / 2) as i16,
                factor: (factor as u16).cast_signed(),
                shift: shift as u16,
                source,
                sign,
            }
        }))
    }
}

/// Quantized coefficients in zigzag order, side by side, and for each block which AC coefficients are not zero.
pub(super) struct Quantized {
    pub(super) group: Group,
    pub(super) nonzero: [u64; LANES],
}

impl Quantized {
    pub(super) fn new() -> Self {
        Self {
            group: [0; BLOCK * LANES],
            nonzero: [0; LANES],
        }
    }
}

/// Transforms the blocks of eight rows of samples in 128ths, at `rows[begin + row * stride..]`.
#[inline(always)]
pub(super) fn forward<L: Level>(level: L, rows: &[u16], begin: usize, stride: usize, lanes: &mut Lanes) {
    for row in 0..8 {
        let Some(samples) = rows[begin + row * stride..].first_chunk::<ROW>() else {
            continue;
        };
        let mut samples = level.row_to_columns(samples);
        for sample in &mut samples {
            *sample = around_middle(level, *sample);
        }
        for (column, coefficient) in forward_8(level, samples).into_iter().enumerate() {
            level.store(coefficient, &mut lanes[row * 8 + column]);
        }
    }
    forward_columns(level, lanes);
}

/// Transforms blocks of samples in 16ths around the middle, row by row.
#[inline(always)]
pub(super) fn forward_lanes<L: Level>(level: L, lanes: &mut Lanes) {
    for row in lanes.as_chunks_mut::<8>().0 {
        let mut samples = [level.splat(0); 8];
        for (column, sample) in samples.iter_mut().enumerate() {
            *sample = level.load(&row[column]);
        }
        for (column, coefficient) in forward_8(level, samples).into_iter().enumerate() {
            level.store(coefficient, &mut row[column]);
        }
    }
    forward_columns(level, lanes);
}

/// The second half of a transform.
#[inline(always)]
fn forward_columns<L: Level>(level: L, lanes: &mut Lanes) {
    for column in 0..8 {
        let mut samples = [level.splat(0); 8];
        for (row, sample) in samples.iter_mut().enumerate() {
            *sample = level.load(&lanes[row * 8 + column]);
        }
        for (row, coefficient) in forward_8(level, samples).into_iter().enumerate() {
            level.store(coefficient, &mut lanes[row * 8 + column]);
        }
    }
}

/// The same of four rows of a picture of half the size: blocks of four samples a side, the lowest four frequencies.
#[inline(always)]
pub(super) fn forward_half<L: Level>(level: L, rows: &[u16], begin: usize, stride: usize, lanes: &mut Lanes) {
    for pair in 0..2 {
        // Two rows of four samples make a row of eight.
        let mut together = [0; ROW];
        for row in 0..2 {
            let samples = &rows[begin + (pair * 2 + row) * stride..][..ROW / 2];
            for (into, four) in together
                .as_chunks_mut::<8>()
                .0
                .iter_mut()
                .zip(samples.as_chunks::<4>().0)
            {
                into[row * 4..][..4].copy_from_slice(four);
            }
        }
        let mut samples = level.row_to_columns(&together);
        for sample in &mut samples {
            *sample = around_middle(level, *sample);
        }
        for (half, samples) in samples.as_chunks::<4>().0.iter().enumerate() {
            for (column, coefficient) in forward_4(level, *samples).into_iter().enumerate() {
                level.store(coefficient, &mut lanes[(pair * 2 + half) * 8 + column]);
            }
        }
    }
    for column in 0..4 {
        let mut samples = [level.splat(0); 4];
        for (row, sample) in samples.iter_mut().enumerate() {
            *sample = level.load(&lanes[row * 8 + column]);
        }
        for (row, coefficient) in forward_4(level, samples).into_iter().enumerate() {
            level.store(coefficient, &mut lanes[row * 8 + column]);
        }
    }
}

/// Quantizes the lowest `side` x `side` frequencies of the blocks. The others stay as they are, which is zero where `side` is
/// always the same.
#[inline(always)]
pub(super) fn quantize<L: Level>(level: L, lanes: &Lanes, side: usize, divisors: &Divisors, quantized: &mut Quantized) {
    // The last coefficient of a zigzag that may not be zero.
    let last = match side {
        4 => 24,
        6 => 60,
        7 => 62,
        _ => BLOCK - 1,
    };
    let mut marks = [level.splat(0); 4];
    let into = quantized.group.as_chunks_mut::<LANES>().0;
    let groups = into.chunks_mut(16).zip(divisors.0.chunks(16));
    for ((word, (into, divisors)), marks) in groups.enumerate().zip(&mut marks) {
        let mut mark = level.splat(1);
        for (index, (into, divisor)) in into.iter_mut().zip(divisors).enumerate() {
            if word * 16 + index > last {
                break;
            }
            let source = usize::from(divisor.source) % BLOCK;
            if source / 8 >= side || source % 8 >= side {
                mark = level.add(mark, mark);
                continue;
            }
            let coefficient = level.with_sign(level.load(&lanes[source]), level.splat(divisor.sign));
            let rounded = level.add(level.magnitude(coefficient), level.splat(divisor.half));
            let steps = level.multiply_high(rounded, level.splat(divisor.factor));
            let steps = level.shift_right_by(steps, divisor.shift);
            let is_dc = word == 0 && index == 0;
            let steps = if is_dc {
                steps
            } else {
                level.min(steps, level.splat(MAX_AC))
            };
            let steps = level.with_sign(steps, coefficient);
            level.store(steps, into);
            if !is_dc {
                *marks = level.mark_nonzero(*marks, steps, mark);
            }
            mark = level.add(mark, mark);
        }
    }
    level.columns_to_words(marks, &mut quantized.nonzero);
}

/// From 128ths above black to 16ths around the middle.
#[inline(always)]
fn around_middle<L: Level>(level: L, sample: L::Lanes) -> L::Lanes {
    let rounded = level.shift_right::<3>(level.add(sample, level.splat(4)));
    level.subtract(rounded, level.splat(MIDDLE))
}

/// The orthonormal DCT of eight points.
#[inline(always)]
fn forward_8<L: Level>(level: L, x: [L::Lanes; 8]) -> [L::Lanes; 8] {
    let part = |number, fraction| level.multiply_fraction(number, fraction);
    let (plus, minus) = (
        |one, other| level.add(one, other),
        |one, other| level.subtract(one, other),
    );
    let sums = [plus(x[0], x[7]), plus(x[1], x[6]), plus(x[2], x[5]), plus(x[3], x[4])];
    let d = [
        minus(x[0], x[7]),
        minus(x[1], x[6]),
        minus(x[2], x[5]),
        minus(x[3], x[4]),
    ];
    let (outer, inner) = (
        part(plus(sums[0], sums[3]), HALF_COS_4),
        part(plus(sums[1], sums[2]), HALF_COS_4),
    );
    let (outer_difference, inner_difference) = (minus(sums[0], sums[3]), minus(sums[1], sums[2]));
    [
        plus(outer, inner),
        plus(
            plus(part(d[0], HALF_COS_1), part(d[1], HALF_COS_3)),
            plus(part(d[2], HALF_COS_5), part(d[3], HALF_COS_7)),
        ),
        plus(part(outer_difference, HALF_COS_2), part(inner_difference, HALF_COS_6)),
        minus(
            minus(part(d[0], HALF_COS_3), part(d[1], HALF_COS_7)),
            plus(part(d[2], HALF_COS_1), part(d[3], HALF_COS_5)),
        ),
        minus(outer, inner),
        plus(
            minus(part(d[0], HALF_COS_5), part(d[1], HALF_COS_1)),
            plus(part(d[2], HALF_COS_7), part(d[3], HALF_COS_3)),
        ),
        minus(part(outer_difference, HALF_COS_6), part(inner_difference, HALF_COS_2)),
        plus(
            minus(part(d[0], HALF_COS_7), part(d[1], HALF_COS_5)),
            minus(part(d[2], HALF_COS_3), part(d[3], HALF_COS_1)),
        ),
    ]
}

/// The DCT of four points, scaled as the lowest frequencies of [`forward_8`] are.
#[inline(always)]
fn forward_4<L: Level>(level: L, x: [L::Lanes; 4]) -> [L::Lanes; 4] {
    let part = |number, fraction| level.multiply_fraction(number, fraction);
    let (plus, minus) = (
        |one, other| level.add(one, other),
        |one, other| level.subtract(one, other),
    );
    let (outer, inner) = (part(plus(x[0], x[3]), COS_4), part(plus(x[1], x[2]), COS_4));
    let (wide, narrow) = (minus(x[0], x[3]), minus(x[1], x[2]));
    [
        plus(outer, inner),
        plus(part(wide, COS_2), part(narrow, COS_6)),
        minus(outer, inner),
        minus(part(wide, COS_6), part(narrow, COS_2)),
    ]
}
