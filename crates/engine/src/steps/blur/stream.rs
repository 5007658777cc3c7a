//! The Gaussian over rows that come one after another: convolves each along itself into a ring, and makes rows of the
//! result from the ring as soon as all that they mix are there.
//!
//! The arithmetic is that of [`Fixed`]: the picture and the result are in 128ths of a level.

use super::arithmetic::{Arithmetic, Fixed};
use super::kernel;
use crate::EngineError;
use crate::pixels::zeros;
use crate::simd::{self, Kernel, Level, RUN};

/// A blur underway.
pub(crate) struct RowBlur {
    weights: Vec<u16>,
    radius: usize,
    height: usize,
    /// Numbers in a row of the ring, whole runs of them.
    width: usize,
    ring: Vec<u16>,
    ring_rows: usize,
    /// Where in the ring the rows above and below each row begin, nearest first.
    pairs: Vec<(usize, usize)>,
}

impl RowBlur {
    /// Rows that are made at a time.
    pub(crate) const ROWS: usize = 8;

    /// Whether a kernel of `sigma` pixels is small enough for fixed point.
    pub(crate) fn takes(sigma: f32) -> bool {
        kernel::gaussian_weights(f64::from(sigma)).len() <= Fixed::MAX_WEIGHTS
    }

    /// How far the kernel reaches, pixels.
    pub(crate) fn radius_of(sigma: f32) -> usize {
        kernel::gaussian_weights(f64::from(sigma)).len() - 1
    }

    /// For a picture of `height` rows of at most `width` samples.
    pub(crate) fn new(sigma: f32, width: usize, height: usize) -> Result<Self, EngineError> {
        let exact = kernel::gaussian_weights(f64::from(sigma));
        let radius = exact.len() - 1;
        let ring_rows = 2 * radius + RowBlur::ROWS;
        let width = width.next_multiple_of(RUN);
        Ok(Self {
            weights: Fixed::weights(&exact),
            radius,
            height,
            width,
            ring: zeros((width * ring_rows) as u64)?,
            ring_rows,
            pairs: vec![(0, 0); radius * RowBlur::ROWS],
        })
    }

    /// Rows of the picture that must be there before those from `row` on can be made.
    pub(crate) fn rows_before(&self, row: usize) -> usize {
        (row + RowBlur::ROWS + self.radius).min(self.height)
    }

    /// Takes the row of that number. Its samples begin at `begin`; before and behind them, edges included, is as much as
    /// the kernel reaches.
    pub(crate) fn take(&mut self, row: usize, numbers: &[u16], begin: usize) {
        simd::run(Along {
            blur: self,
            row,
            numbers,
            begin,
        });
    }

    /// Makes up to [`RowBlur::ROWS`] rows from `row` on, as many as the picture still has, at `rows[begin + index * stride..]`.
    pub(crate) fn make(&mut self, row: usize, rows: &mut [u16], begin: usize, stride: usize) {
        simd::run(Across {
            blur: self,
            row,
            rows,
            begin,
            stride,
        });
    }

    /// Notes what the rows from `row` on mix; the first and the last row repeat.
    fn place_pairs(&mut self, row: usize) {
        let rows = (row..).zip(self.pairs.chunks_exact_mut(self.radius));
        for (row, pairs) in rows {
            for (distance, pair) in (1..).zip(pairs) {
                let above = row.saturating_sub(distance);
                let below = (row + distance).min(self.height - 1);
                *pair = (above % self.ring_rows * self.width, below % self.ring_rows * self.width);
            }
        }
    }
}

struct Along<'a> {
    blur: &'a mut RowBlur,
    row: usize,
    numbers: &'a [u16],
    begin: usize,
}

impl Kernel for Along<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self, level: impl Level) {
        let RowBlur {
            weights,
            width,
            ring,
            ring_rows,
            ..
        } = self.blur;
        let into = &mut ring[self.row % *ring_rows * *width..][..*width];
        for (index, sums) in into.as_chunks_mut::<RUN>().0.iter_mut().enumerate() {
            let at = self.begin + index * RUN;
            Fixed::add_up(level, weights, self.numbers, at, sums, |pair| {
                (at - pair - 1, at + pair + 1)
            });
        }
    }
}

struct Across<'a> {
    blur: &'a mut RowBlur,
    row: usize,
    rows: &'a mut [u16],
    begin: usize,
    stride: usize,
}

impl Kernel for Across<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self, level: impl Level) {
        let blur = self.blur;
        blur.place_pairs(self.row);
        let rows = RowBlur::ROWS.min(blur.height - self.row);
        // Column by column, so that what the rows have in common is in the nearest cache.
        for offset in (0..blur.width).step_by(RUN) {
            for (index, pairs) in blur.pairs.chunks_exact(blur.radius).take(rows).enumerate() {
                let centre = (self.row + index) % blur.ring_rows * blur.width + offset;
                let at = self.begin + index * self.stride + offset;
                if let Some(sums) = self.rows[at..].first_chunk_mut::<RUN>() {
                    Fixed::add_up(level, &blur.weights, &blur.ring, centre, sums, |pair| {
                        let (above, below) = pairs[pair];
                        (above + offset, below + offset)
                    });
                }
            }
        }
    }
}

/// Turns a row of 128ths into 8-bit samples.
pub(crate) fn narrow(numbers: &[u16], samples: &mut [u8]) {
    simd::run(Narrow { numbers, samples });
}

struct Narrow<'a> {
    numbers: &'a [u16],
    samples: &'a mut [u8],
}

impl Kernel for Narrow<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self, _level: impl Level) {
        Fixed.narrow(self.numbers, self.samples);
    }
}

/// Turns a row of 8-bit samples into 128ths.
pub(crate) fn widen(samples: &[u8], numbers: &mut [u16]) {
    simd::run(Widen { samples, numbers });
}

struct Widen<'a> {
    samples: &'a [u8],
    numbers: &'a mut [u16],
}

impl Kernel for Widen<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self, _level: impl Level) {
        Fixed.widen(self.samples, self.numbers);
    }
}
