//! The inverse DCT of sixteen blocks side by side, to all of their size or a half, a quarter, an eighth of it.
//!
//! A smaller picture is made of the lowest frequencies alone: what a DCT of a half, a quarter or an eighth of the points
//! would hold is, up to scale, that corner of the block (Dugad and Ahuja, 2001). Coefficients are worked on in 16ths,
//! and each direction doubles that, so samples come out in 64ths; rounding stays below a tenth of a level.

use super::BLOCK;
use super::entropy::Group;
use super::forward::Lanes;
use crate::simd::{LANES, Level, ROW};

/// Largest magnitude of a coefficient; those of 8-bit samples are below 1,200 (ISO/IEC 10918-1, F.1.1.3).
const MAX_COEFFICIENT: i16 = 2_047;
/// Half of the range, and all of it, in 64ths.
const MIDDLE: i16 = 128 << 6;
const WHITE: i16 = 255 << 6;

/// cos(k pi / 16) in 32,768ths.
const COS_1: i16 = 32_138;
const COS_2: i16 = 30_274;
const COS_3: i16 = 27_246;
const COS_4: i16 = 23_170;
const COS_5: i16 = 18_205;
const COS_6: i16 = 12_540;
const COS_7: i16 = 6_393;

/// Samples along each side of what a block becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    One,
    Two,
    Four,
    Eight,
}

impl Side {
    pub(super) const fn samples(self) -> usize {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Four => 4,
            Self::Eight => 8,
        }
    }

    /// Twice of it, for a component that is stored at half the size; there is none above eight.
    pub(super) const fn doubled(self) -> Self {
        match self {
            Self::One => Self::Two,
            Self::Two => Self::Four,
            Self::Four | Self::Eight => Self::Eight,
        }
    }

    /// The last coefficient in zigzag order that a block of this side needs.
    pub(super) const fn last_coefficient(self) -> usize {
        match self {
            Self::One => 0,
            Self::Two => 4,
            Self::Four => 24,
            Self::Eight => BLOCK - 1,
        }
    }
}

/// A quantization table, frequencies row by row.
#[derive(Debug, Clone)]
pub(super) struct Quantizer([i16; BLOCK]);

impl Quantizer {
    /// From zigzag order.
    pub(super) fn new(zigzag: &[u16; BLOCK]) -> Self {
        let mut steps = [0; BLOCK];
        for (place, step) in super::ZIGZAG.iter().zip(zigzag) {
            steps[usize::from(*place)] = i16::try_from(*step).unwrap_or(i16::MAX);
        }
        Self(steps)
    }

    /// The step of a frequency, counted row by row.
    pub(super) fn step(&self, frequency: usize) -> i16 {
        self.0[frequency % BLOCK]
    }
}

/// Transforms a group into rows of samples in 128ths of a level, at `rows[begin + row * stride..]`; the group is used up.
#[inline(always)]
pub(super) fn inverse<L: Level>(
    level: L,
    group: &mut Group,
    quantizer: &Quantizer,
    side: Side,
    rows: &mut [u16],
    begin: usize,
    stride: usize,
) {
    match side {
        Side::Eight => whole(level, group, quantizer, rows, begin, stride),
        Side::Four => scaled::<L, 4>(level, group, quantizer, rows, begin, stride),
        Side::Two => scaled::<L, 2>(level, group, quantizer, rows, begin, stride),
        Side::One => scaled::<L, 1>(level, group, quantizer, rows, begin, stride),
    }
}

/// Transforms coefficients in their place into samples in 64ths around the middle, which may be beyond black and white, and
/// returns the darkest and the brightest of each block.
#[inline(always)]
pub(super) fn inverse_lanes<L: Level>(level: L, lanes: &mut Lanes, quantizer: &Quantizer) -> (L::Lanes, L::Lanes) {
    inverse_columns(level, lanes, quantizer);
    let (mut darkest, mut brightest) = (level.splat(i16::MAX), level.splat(i16::MIN));
    for row in lanes.as_chunks_mut::<8>().0 {
        let mut numbers = [level.splat(0); 8];
        for (column, number) in numbers.iter_mut().enumerate() {
            *number = level.load(&row[column]);
        }
        for (column, sample) in inverse_8(level, numbers).into_iter().enumerate() {
            level.store(sample, &mut row[column]);
            darkest = level.min(darkest, sample);
            brightest = level.max(brightest, sample);
        }
    }
    (darkest, brightest)
}

/// The first half of a transform.
#[inline(always)]
fn inverse_columns<L: Level>(level: L, lanes: &mut [[i16; LANES]], quantizer: &Quantizer) {
    for column in 0..8 {
        let mut numbers = [level.splat(0); 8];
        for (row, number) in numbers.iter_mut().enumerate() {
            *number = dequantized(level, &lanes[row * 8 + column], quantizer.0[row * 8 + column]);
        }
        for (row, sample) in inverse_8(level, numbers).into_iter().enumerate() {
            level.store(sample, &mut lanes[row * 8 + column]);
        }
    }
}

#[inline(always)]
fn whole<L: Level>(level: L, group: &mut Group, quantizer: &Quantizer, rows: &mut [u16], begin: usize, stride: usize) {
    let lanes = group.as_chunks_mut::<LANES>().0;
    inverse_columns(level, lanes, quantizer);
    for row in 0..8 {
        let mut numbers = [level.splat(0); 8];
        for (column, number) in numbers.iter_mut().enumerate() {
            *number = level.load(&lanes[row * 8 + column]);
        }
        let mut samples = inverse_8(level, numbers);
        for sample in &mut samples {
            *sample = to_level(level, *sample);
        }
        if let Some(into) = rows[begin + row * stride..].first_chunk_mut::<ROW>() {
            level.columns_to_row(samples, into);
        }
    }
}

#[inline(always)]
fn scaled<L: Level, const SIDE: usize>(
    level: L,
    group: &mut Group,
    quantizer: &Quantizer,
    rows: &mut [u16],
    begin: usize,
    stride: usize,
) {
    let lanes = group.as_chunks_mut::<LANES>().0;
    for column in 0..SIDE {
        let mut numbers = [level.splat(0); SIDE];
        for (row, number) in numbers.iter_mut().enumerate() {
            *number = dequantized(level, &lanes[row * 8 + column], quantizer.0[row * 8 + column]);
        }
        for (row, sample) in inverse_low(level, numbers).into_iter().enumerate() {
            level.store(sample, &mut lanes[row * 8 + column]);
        }
    }
    // Rows are laid out eight columns at a time, so that several rows of a block lie side by side until they are copied.
    let mut columns = [level.splat(0); 8];
    for row in 0..SIDE {
        let mut numbers = [level.splat(0); SIDE];
        for (column, number) in numbers.iter_mut().enumerate() {
            *number = level.load(&lanes[row * 8 + column]);
        }
        for (column, sample) in inverse_low(level, numbers).into_iter().enumerate() {
            columns[(row * SIDE + column) % 8] = to_level(level, sample);
        }
        let rows_together = (8 / SIDE).min(SIDE);
        if (row + 1) % rows_together == 0 {
            let mut together = [0; ROW];
            level.columns_to_row(columns, &mut together);
            let blocks = together.as_chunks::<8>().0;
            for part in 0..rows_together {
                let row = row + 1 - rows_together + part;
                let into = &mut rows[begin + row * stride..][..LANES * SIDE];
                for (into, block) in into.as_chunks_mut::<SIDE>().0.iter_mut().zip(blocks) {
                    into.copy_from_slice(&block[part * SIDE..][..SIDE]);
                }
            }
        }
    }
}

/// A coefficient in 16ths.
#[inline(always)]
fn dequantized<L: Level>(level: L, quantized: &[i16; LANES], step: i16) -> L::Lanes {
    let whole = level.multiply(level.load(quantized), level.splat(step));
    let within = level.max(
        level.min(whole, level.splat(MAX_COEFFICIENT)),
        level.splat(-MAX_COEFFICIENT),
    );
    level.shift_left::<4>(within)
}

/// From 64ths around the middle to 128ths above black.
#[inline(always)]
fn to_level<L: Level>(level: L, sample: L::Lanes) -> L::Lanes {
    let within = level.max(level.min(sample, level.splat(WHITE - MIDDLE)), level.splat(-MIDDLE));
    level.shift_left::<1>(level.add(within, level.splat(MIDDLE)))
}

/// Twice the orthonormal inverse DCT of eight points.
#[inline(always)]
fn inverse_8<L: Level>(level: L, x: [L::Lanes; 8]) -> [L::Lanes; 8] {
    let part = |number, fraction| level.multiply_fraction(number, fraction);
    let (plus, minus) = (
        |one, other| level.add(one, other),
        |one, other| level.subtract(one, other),
    );
    let sum = part(plus(x[0], x[4]), COS_4);
    let difference = part(minus(x[0], x[4]), COS_4);
    let wide = plus(part(x[2], COS_2), part(x[6], COS_6));
    let narrow = minus(part(x[2], COS_6), part(x[6], COS_2));
    let even = [
        plus(sum, wide),
        plus(difference, narrow),
        minus(difference, narrow),
        minus(sum, wide),
    ];
    let odd = [
        plus(
            plus(part(x[1], COS_1), part(x[3], COS_3)),
            plus(part(x[5], COS_5), part(x[7], COS_7)),
        ),
        minus(
            minus(part(x[1], COS_3), part(x[3], COS_7)),
            plus(part(x[5], COS_1), part(x[7], COS_5)),
        ),
        plus(
            minus(part(x[1], COS_5), part(x[3], COS_1)),
            plus(part(x[5], COS_7), part(x[7], COS_3)),
        ),
        plus(
            minus(part(x[1], COS_7), part(x[3], COS_5)),
            minus(part(x[5], COS_3), part(x[7], COS_1)),
        ),
    ];
    [
        plus(even[0], odd[0]),
        plus(even[1], odd[1]),
        plus(even[2], odd[2]),
        plus(even[3], odd[3]),
        minus(even[3], odd[3]),
        minus(even[2], odd[2]),
        minus(even[1], odd[1]),
        minus(even[0], odd[0]),
    ]
}

/// The same of the lowest 4, 2 or 1 frequencies, to as many points; the scale is that of [`inverse_8`].
#[inline(always)]
fn inverse_low<L: Level, const SIDE: usize>(level: L, x: [L::Lanes; SIDE]) -> [L::Lanes; SIDE] {
    let part = |number, fraction| level.multiply_fraction(number, fraction);
    let (plus, minus) = (
        |one, other| level.add(one, other),
        |one, other| level.subtract(one, other),
    );
    let mut samples = x;
    match (&x[..], &mut samples[..]) {
        ([x0, x1, x2, x3], [first, second, third, fourth]) => {
            let sum = part(plus(*x0, *x2), COS_4);
            let difference = part(minus(*x0, *x2), COS_4);
            let wide = plus(part(*x1, COS_2), part(*x3, COS_6));
            let narrow = minus(part(*x1, COS_6), part(*x3, COS_2));
            (*first, *second) = (plus(sum, wide), plus(difference, narrow));
            (*third, *fourth) = (minus(difference, narrow), minus(sum, wide));
        }
        ([x0, x1], [first, second]) => {
            *first = part(plus(*x0, *x1), COS_4);
            *second = part(minus(*x0, *x1), COS_4);
        }
        _ => samples = x.map(|number| part(number, COS_4)),
    }
    samples
}
