//! Directional prediction (7.11.2.4) at angles other than straight up and straight left.
//!
//! Knows nothing of modes, only of angles: those below 90 degrees predict from the row above, those over 180 from the
//! column to the left, and those between from both.
//!
//! A row that is predicted from above lies at one distance from the pixels of the edge, so that it is an interpolation
//! of two runs of them. So does a column that is predicted from the left: such columns are made like rows, eight at a
//! time, then transposed.

use super::edge_filter::{self, HALVES};
use super::edges::{Edges, OFFSET};
use super::{LANES, Level, run_of, sixteen, store_pixels};
use crate::simd::ROW;

/// Columns that are transposed together.
const EIGHT: usize = 8;

/// `Dr_Intra_Derivative`, in 64ths of a pixel, of every third degree: no two angles that occur share an entry.
const DERIVATIVES: [i32; 30] = [
    0, 1023, 547, 372, 273, 215, 178, 151, 132, 116, 102, 0, 90, 80, 71, 64, 57, 51, 45, 40, 35, 31, 27, 23, 19, 15, 0,
    11, 7, 3,
];

#[inline(always)]
fn derivative(angle: i32) -> i32 {
    DERIVATIVES[(angle / 3).unsigned_abs() as usize % DERIVATIVES.len()]
}

/// Predicts at an angle in degrees that is neither 90 nor 180. `filter` is as in [`super::predict`].
#[inline(always)]
pub(super) fn predict<const SIDE: usize, const LENGTH: usize>(
    level: impl Level,
    angle: i32,
    edges: &Edges,
    filter: Option<bool>,
    into: &mut [u16],
) {
    if angle < 90 {
        let above = Sampled::<LENGTH>::above::<SIDE>(level, angle, edges, edges.above[OFFSET - 1], filter);
        from_above::<SIDE, LENGTH>(level, &above, derivative(angle), into);
    } else if angle > 180 {
        let left = Sampled::<LENGTH>::left::<SIDE>(level, angle, edges, edges.left[OFFSET - 1], filter);
        from_left::<SIDE, LENGTH>(level, &left, derivative(270 - angle), into);
    } else {
        let corner = if filter.is_some() && SIDE >= 12 {
            edge_filter::corner(&edges.above, &edges.left)
        } else {
            edges.above[OFFSET - 1]
        };
        let above = Sampled::<LENGTH>::above::<SIDE>(level, angle, edges, corner, filter);
        let left = Sampled::<LENGTH>::left::<SIDE>(level, angle, edges, corner, filter);
        from_both::<SIDE, LENGTH>(
            level,
            [&above, &left],
            [derivative(180 - angle), derivative(angle - 90)],
            into,
        );
    }
}

/// An edge that may be sampled between its pixels.
struct Sampled<const LENGTH: usize> {
    pixels: [i16; LENGTH],
    /// What is halfway between the pixels of an upsampled edge.
    halves: Option<[i16; HALVES]>,
}

impl<const LENGTH: usize> Sampled<LENGTH> {
    #[inline(always)]
    fn above<const SIDE: usize>(
        level: impl Level,
        angle: i32,
        edges: &Edges,
        corner: i16,
        filter: Option<bool>,
    ) -> Self {
        let beyond = if angle < 90 { SIDE } else { 0 };
        let smoothed = edges.available.above.then_some(edges.available.columns_inside + beyond);
        let mut sampled = Self::new::<SIDE>(
            level,
            (&edges.above, corner, edges.bits),
            smoothed,
            SIDE + beyond,
            filter.map(|is_smooth| (is_smooth, angle - 90)),
        );
        if beyond > 0 {
            // From `maxBaseX` on, the last pixel counts. Angles of upsampled edges do not get there.
            let last = sampled.pixels[OFFSET + 2 * SIDE - 1];
            sampled.pixels[OFFSET + 2 * SIDE..][..SIDE / 2].fill(last);
        }
        sampled
    }

    #[inline(always)]
    fn left<const SIDE: usize>(
        level: impl Level,
        angle: i32,
        edges: &Edges,
        corner: i16,
        filter: Option<bool>,
    ) -> Self {
        let beyond = if angle > 180 { SIDE } else { 0 };
        let smoothed = edges.available.left.then_some(edges.available.rows_inside + beyond);
        Self::new::<SIDE>(
            level,
            (&edges.left, corner, edges.bits),
            smoothed,
            SIDE + beyond,
            filter.map(|is_smooth| (is_smooth, angle - 180)),
        )
    }

    /// A copy of an edge, filtered where `filter` is given: whether a neighbour is smooth, and how many degrees the
    /// angle is away from the edge's own. `smoothed` pixels are smoothed, if any, and `upsampled` ones upsampled.
    #[inline(always)]
    fn new<const SIDE: usize>(
        level: impl Level,
        (edge, corner, bits): (&[i16], i16, u8),
        smoothed: Option<usize>,
        upsampled: usize,
        filter: Option<(bool, i32)>,
    ) -> Self {
        let mut pixels = [0; LENGTH];
        pixels.copy_from_slice(&edge[..LENGTH]);
        pixels[OFFSET - 1] = corner;
        let mut halves = None;
        if let Some((is_smooth, away)) = filter {
            if let Some(count) = smoothed {
                let strength = edge_filter::strength::<SIDE>(is_smooth, away);
                edge_filter::smooth(level, &mut pixels, count, strength);
            }
            if edge_filter::is_upsampled::<SIDE>(is_smooth, away) {
                halves = Some(edge_filter::upsample(level, &mut pixels, upsampled, bits));
            }
        }
        Self { pixels, halves }
    }

    /// Sixteen samples, a pixel apart, from `position` on, which counts 64ths of a pixel from pixel 0 of the edge and
    /// is not below -16 pixels.
    #[inline(always)]
    fn sample<const SIDE: usize, L: Level>(&self, level: L, position: i32) -> L::Lanes {
        let at = ((position >> 6) + OFFSET as i32) as usize;
        let (one, other, share) = match &self.halves {
            Some(halves) if SIDE <= 8 => {
                let share = position & 31;
                if position & 32 == 0 {
                    (sixteen(&self.pixels, at), sixteen(halves, at), share)
                } else {
                    (sixteen(halves, at), sixteen(&self.pixels, at + 1), share)
                }
            }
            _ => (
                sixteen(&self.pixels, at),
                sixteen(&self.pixels, at + 1),
                (position >> 1) & 31,
            ),
        };
        let (one, other) = (level.load(one), level.load(other));
        let share = level.multiply(level.subtract(other, one), level.splat(share as i16));
        // The sum is 1023 x 32 + 16 at most, which is within 16 bits with sign.
        let sum = level.add(level.add(level.shift_left::<5>(one), level.splat(16)), share);
        level.shift_right::<5>(sum)
    }
}

/// Position, in 64ths, of the first of the pixels of a register.
const fn register(part: usize) -> i32 {
    (part * LANES * 64) as i32
}

#[inline(always)]
fn from_above<const SIDE: usize, const LENGTH: usize>(
    level: impl Level,
    above: &Sampled<LENGTH>,
    dx: i32,
    into: &mut [u16],
) {
    let mut position = 0;
    for row in into.chunks_exact_mut(SIDE) {
        position += dx;
        for (part, pixels) in row.chunks_exact_mut(run_of(SIDE)).enumerate() {
            let samples = above.sample::<SIDE, _>(level, position + register(part));
            store_pixels(level, samples, pixels);
        }
    }
}

#[inline(always)]
fn from_left<const SIDE: usize, const LENGTH: usize>(
    level: impl Level,
    left: &Sampled<LENGTH>,
    dy: i32,
    into: &mut [u16],
) {
    for (part, rows) in into.chunks_exact_mut(SIDE * run_of(SIDE)).enumerate() {
        for first in (0..SIDE).step_by(EIGHT) {
            let position = register(part) + first as i32 * dy;
            columns_from_left::<SIDE, LENGTH>(level, left, position, dy, &mut rows[first..]);
        }
    }
}

/// Eight columns of up to sixteen rows, where the first column is a `step` after `position`. `rows` begin with the
/// first of these columns.
#[inline(always)]
fn columns_from_left<const SIDE: usize, const LENGTH: usize>(
    level: impl Level,
    left: &Sampled<LENGTH>,
    position: i32,
    step: i32,
    rows: &mut [u16],
) {
    let mut columns = [level.splat(0); EIGHT];
    let mut position = position;
    for column in &mut columns[..SIDE.min(EIGHT)] {
        position += step;
        // Columns that begin further out have no pixel from the left within these rows.
        *column = left.sample::<SIDE, _>(level, position.max(-register(1)));
    }
    let mut transposed = [0; ROW];
    level.columns_to_row(columns, &mut transposed);
    for (row, pixels) in rows.chunks_mut(SIDE).zip(transposed.as_chunks::<EIGHT>().0) {
        row[..SIDE.min(EIGHT)].copy_from_slice(&pixels[..SIDE.min(EIGHT)]);
    }
}

#[inline(always)]
fn from_both<const SIDE: usize, const LENGTH: usize>(
    level: impl Level,
    [above, left]: [&Sampled<LENGTH>; 2],
    [dx, dy]: [i32; 2],
    into: &mut [u16],
) {
    for (part, rows) in into.chunks_exact_mut(SIDE * run_of(SIDE)).enumerate() {
        let most = left_pixels(part * LANES + run_of(SIDE) - 1, dx).min(SIDE);
        for first in (0..most).step_by(EIGHT) {
            let position = register(part) - first as i32 * dy;
            columns_from_left::<SIDE, LENGTH>(level, left, position, -dy, &mut rows[first..]);
        }
    }
    for (number, row) in into.chunks_exact_mut(SIDE).enumerate() {
        let from_left = left_pixels(number, dx);
        let position = -(number as i32 + 1) * dx;
        for (part, pixels) in row.chunks_exact_mut(run_of(SIDE)).enumerate() {
            let start = part * LANES;
            if start + run_of(SIDE) <= from_left {
                continue;
            }
            let samples = above.sample::<SIDE, _>(level, position + register(part));
            if from_left <= start {
                store_pixels(level, samples, pixels);
                continue;
            }
            let mut numbers = [0; LANES];
            level.store(samples, &mut numbers);
            let kept = (from_left - start) as i16;
            for ((lane, pixel), number) in (0..).zip(pixels).zip(numbers) {
                *pixel = if lane < kept { *pixel } else { number.cast_unsigned() };
            }
        }
    }
}

/// Pixels of a row that are predicted from the left: those for which the row above would be met left of its pixel -1.
#[inline(always)]
fn left_pixels(row: usize, dx: i32) -> usize {
    (-1 - ((-(row as i32 + 1) * dx) >> 6)).max(0) as usize
}
