//! How far two blocks are apart.

use crate::simd::{self, Kernel, LANES, Level, ROW};

/// Pixels of a piece in each direction.
pub(super) const PIECE: usize = 8;

/// The variance of the upper left piece.
pub(super) fn variance(samples: &[u16], stride: usize) -> f32 {
    let mut sum = 0;
    let mut squares = 0;
    for row in samples.chunks(stride).take(PIECE) {
        for &sample in &row[..PIECE] {
            sum += u32::from(sample);
            squares += u32::from(sample) * u32::from(sample);
        }
    }
    let count = (PIECE * PIECE) as f32;
    let mean = sum as f32 / count;
    (squares as f32 / count - mean * mean).max(0.0)
}

/// The sum of squares of a residual.
pub(super) fn energy(residual: &[i16]) -> f32 {
    simd::run(Energy { residual })
}

struct Energy<'a> {
    residual: &'a [i16],
}

impl Kernel for Energy<'_> {
    type Output = f32;

    #[inline(always)]
    fn run(self, _: impl Level) -> f32 {
        // A row of 64 samples of 10 bits stays below 2^31.
        self.residual
            .chunks(64)
            .map(|row| {
                row.iter()
                    .map(|&value| i32::from(value) * i32::from(value))
                    .sum::<i32>() as f32
            })
            .sum()
    }
}

/// The samples of a block, less those of its prediction.
pub(super) fn residual(source: &[u16], stride: usize, predicted: &[u16], side: usize, into: &mut [i16]) {
    simd::run(Residual {
        source,
        stride,
        predicted,
        side,
        into,
    });
}

struct Residual<'a> {
    source: &'a [u16],
    stride: usize,
    predicted: &'a [u16],
    side: usize,
    into: &'a mut [i16],
}

impl Kernel for Residual<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self, _: impl Level) {
        let rows = self
            .source
            .chunks(self.stride)
            .zip(self.predicted.chunks_exact(self.side));
        for (into, (source, predicted)) in self.into.chunks_exact_mut(self.side).zip(rows) {
            for ((into, source), predicted) in into.iter_mut().zip(source).zip(predicted) {
                *into = source.wrapping_sub(*predicted).cast_signed();
            }
        }
    }
}

/// The sum of magnitudes of what the differences of a block are by Hadamard's transform, about as the sum of magnitudes of its
/// coefficients: by pieces of 8 pixels, of 4 where the block has no more.
pub(super) fn difference(source: &[u16], stride: usize, predicted: &[u16], side: usize) -> u32 {
    simd::run(Difference {
        source,
        stride,
        predicted,
        side,
    })
}

pub(super) struct Difference<'a> {
    pub(super) source: &'a [u16],
    pub(super) stride: usize,
    pub(super) predicted: &'a [u16],
    pub(super) side: usize,
}

impl Kernel for Difference<'_> {
    type Output = u32;

    #[inline(always)]
    fn run(self, level: impl Level) -> u32 {
        match self.side {
            4 => self.pieces::<4>() / 2,
            8 => self.pieces::<8>() / 4,
            _ => self.wide_pieces(level) / 4,
        }
    }
}

impl Difference<'_> {
    /// Two pieces of 8 x 8 at a time.
    #[inline(always)]
    fn wide_pieces<L: Level>(self, level: L) -> u32 {
        let mut sums = [0_u32; 8];
        for row in (0..self.side).step_by(8) {
            for column in (0..self.side).step_by(LANES) {
                let mut values = [level.splat(0); 8];
                for (line, value) in values.iter_mut().enumerate() {
                    let source = sixteen(&self.source[(row + line) * self.stride + column..]);
                    let predicted = sixteen(&self.predicted[(row + line) * self.side + column..]);
                    *value = level.subtract(level.load(&source), level.load(&predicted));
                }
                let values = butterflies(level, values, [4, 2, 1]);
                let mut turned = [0; ROW];
                level.columns_to_row(values, &mut turned);
                // Each has two columns of eight, neighbours, which the last butterflies would put together.
                let columns: [L::Lanes; 8] = eight(|index| level.load(&sixteen(&turned[index * LANES..])));
                let columns = butterflies(level, columns, [2, 1, 0]);
                for columns in columns {
                    let mut magnitudes = [0; LANES];
                    level.store(level.magnitude(columns), &mut magnitudes);
                    let (one, other) = magnitudes.split_at(8);
                    for ((sum, one), other) in sums.iter_mut().zip(one).zip(other) {
                        *sum += u32::from((*one).max(*other).cast_unsigned());
                    }
                }
            }
        }
        sums.iter().sum()
    }

    #[inline(always)]
    fn pieces<const PIECE: usize>(self) -> u32 {
        let mut sum = 0;
        for row in (0..self.side).step_by(PIECE) {
            for column in (0..self.side).step_by(PIECE) {
                let mut values = [[0_i16; PIECE]; PIECE];
                for (line, values) in values.iter_mut().enumerate() {
                    let source = &self.source[(row + line) * self.stride + column..][..PIECE];
                    let predicted = &self.predicted[(row + line) * self.side + column..][..PIECE];
                    for ((value, source), predicted) in values.iter_mut().zip(source).zip(predicted) {
                        *value = source.wrapping_sub(*predicted).cast_signed();
                    }
                }
                sum += hadamard(values);
            }
        }
        sum
    }
}

#[inline(always)]
fn sixteen(numbers: &[u16]) -> [i16; LANES] {
    let mut sixteen = [0; LANES];
    for (into, number) in sixteen.iter_mut().zip(&numbers[..LANES]) {
        *into = number.cast_signed();
    }
    sixteen
}

#[inline(always)]
fn eight<T>(each: impl Fn(usize) -> T) -> [T; 8] {
    [each(0), each(1), each(2), each(3), each(4), each(5), each(6), each(7)]
}

/// Sums and differences of what is so far apart, one after the other; none for 0.
#[inline(always)]
fn butterflies<L: Level>(level: L, mut values: [L::Lanes; 8], distances: [usize; 3]) -> [L::Lanes; 8] {
    for distance in distances {
        for first in 0..8 {
            if distance > 0 && first & distance == 0 {
                let (one, other) = (values[first], values[first + distance]);
                values[first] = level.add(one, other);
                values[first + distance] = level.subtract(one, other);
            }
        }
    }
    values
}

/// The sum of magnitudes of the two-dimensional transform, but for a factor of two: of the last sums and differences it is
/// |a + b| + |a - b| = 2 max(|a|, |b|), so that numbers of 16 bits do for samples of 10.
#[inline(always)]
fn hadamard<const PIECE: usize>(values: [[i16; PIECE]; PIECE]) -> u32 {
    let values = down_columns(values, PIECE, 1);
    let mut turned = [[0_i16; PIECE]; PIECE];
    for (row, values) in values.iter().enumerate() {
        for (turned, value) in turned.iter_mut().zip(values) {
            turned[row] = *value;
        }
    }
    let turned = down_columns(turned, PIECE, 2);
    let mut sums = [0_u32; PIECE];
    for pair in turned.chunks_exact(2) {
        for (sum, (one, other)) in sums.iter_mut().zip(pair[0].iter().zip(&pair[1])) {
            *sum += u32::from(one.unsigned_abs().max(other.unsigned_abs()));
        }
    }
    sums.iter().sum()
}

/// Sums and differences of rows that are half of `from` apart, and half of that, down to `to`; all columns side by side.
#[inline(always)]
fn down_columns<const PIECE: usize>(
    mut values: [[i16; PIECE]; PIECE],
    from: usize,
    to: usize,
) -> [[i16; PIECE]; PIECE] {
    let mut distance = from / 2;
    while distance >= to {
        for first in 0..PIECE {
            if first & distance == 0 {
                let (one, other) = (values[first], values[first + distance]);
                for (column, (one, other)) in one.into_iter().zip(other).enumerate() {
                    values[first][column] = one + other;
                    values[first + distance][column] = one - other;
                }
            }
        }
        distance /= 2;
    }
    values
}
