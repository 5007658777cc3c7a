//! Rows of luma on their way: samples in 128ths of a level, with room on both sides for what an edge repeats.

use crate::EngineError;
use crate::pixels::zeros;
use crate::simd::ROW;

/// Numbers before the first sample and behind the last: more than any kernel in fixed point reaches.
const MARGIN: usize = 64;

/// A few rows of a picture.
#[derive(Debug)]
pub(super) struct Strip {
    pub(super) numbers: Vec<u16>,
    /// Numbers from one row to the next.
    pub(super) stride: usize,
    /// Samples in a row.
    pub(super) width: usize,
}

impl Strip {
    pub(super) fn new(width: usize, rows: usize) -> Result<Self, EngineError> {
        let stride = width.next_multiple_of(ROW) + 2 * MARGIN;
        Ok(Self {
            numbers: zeros((stride * rows) as u64)?,
            stride,
            width,
        })
    }

    /// Where the samples of a row begin.
    pub(super) fn begin_of(&self, row: usize) -> usize {
        row * self.stride + MARGIN
    }

    /// Puts what is `beyond` the left and the right edge of each of the first rows into their margins.
    pub(super) fn put_beyond(&mut self, beyond: impl Iterator<Item = (u16, u16)>) {
        for (row, (left, right)) in self.numbers.chunks_exact_mut(self.stride).zip(beyond) {
            row[..MARGIN].fill(left);
            row[MARGIN + self.width..].fill(right);
        }
    }

    /// Repeats the first and the last sample of the first `count` rows into their margins, and the last of those rows
    /// into the others.
    pub(super) fn repeat_edges(&mut self, count: usize) {
        for row in self.numbers.chunks_exact_mut(self.stride).take(count) {
            let (first, last) = (row[MARGIN], row[MARGIN + self.width - 1]);
            row[..MARGIN].fill(first);
            row[MARGIN + self.width..].fill(last);
        }
        let Some(last) = count.checked_sub(1) else {
            return;
        };
        let from = last * self.stride..count * self.stride;
        for begin in (from.end..self.numbers.len()).step_by(self.stride) {
            self.numbers.copy_within(from.clone(), begin);
        }
    }
}
