//! Medians of larger squares of 8-bit levels, in a time that does not grow with the square: every column counts the levels of
//! it that are under the window, and what the window counts is the sum of its columns (Perreault and Hébert, 2007).

use super::super::window::{Layout, Window};
use super::Counted;
use crate::EngineError;
use crate::pixels::zeros;
use crate::simd::{self, Kernel, Level};

/// Upper halves of levels, and as many lower ones of each.
const BINS: usize = 16;

/// What the columns of a row of windows hold. A column has no more rows than fit a byte.
pub(super) struct Columns {
    /// How often each level is in the column, by its upper half and by its lower.
    fine: Vec<[[u8; BINS]; BINS]>,
    /// How often each upper half is.
    coarse: Vec<[u8; BINS]>,
    /// The row that leaves the window next; of no account before the first.
    uppermost: Vec<u8>,
    is_begun: bool,
    channels: usize,
    side: usize,
}

impl Counted<u8> for Columns {
    fn new(layout: Layout) -> Result<Self, EngineError> {
        let columns = layout.padded() as u64;
        Ok(Self {
            fine: zeros(columns)?,
            coarse: zeros(columns)?,
            uppermost: zeros(columns)?,
            is_begun: false,
            channels: layout.numbers,
            side: 2 * layout.radius + 1,
        })
    }

    fn medians(&mut self, window: &Window<'_, u8>, made: &mut [u8]) {
        if self.is_begun {
            self.replace(window.row(self.side - 1));
        } else {
            for row in 0..self.side {
                self.add(window.row(row));
            }
            self.is_begun = true;
        }
        self.uppermost.copy_from_slice(window.row(0));
        for channel in 0..self.channels {
            simd::run(Slide {
                columns: self,
                channel,
                made,
            });
        }
    }
}

impl Columns {
    fn add(&mut self, row: &[u8]) {
        for ((level, fine), coarse) in row.iter().zip(&mut self.fine).zip(&mut self.coarse) {
            let (bin, low) = halves(*level);
            fine[bin][low] += 1;
            coarse[bin] += 1;
        }
    }

    /// Has a row enter the columns, and the uppermost leave them.
    fn replace(&mut self, row: &[u8]) {
        let rows = row.iter().zip(&self.uppermost);
        for (((level, leaving), fine), coarse) in rows.zip(&mut self.fine).zip(&mut self.coarse) {
            let ((bin, low), (old_bin, old_low)) = (halves(*level), halves(*leaving));
            fine[bin][low] += 1;
            coarse[bin] += 1;
            fine[old_bin][old_low] -= 1;
            coarse[old_bin] -= 1;
        }
    }
}

const fn halves(level: u8) -> (usize, usize) {
    (level as usize / BINS, level as usize % BINS)
}

/// Finds the medians of one channel of a row.
struct Slide<'a> {
    columns: &'a Columns,
    channel: usize,
    made: &'a mut [u8],
}

impl Kernel for Slide<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self, _: impl Level) {
        let Columns {
            fine,
            coarse,
            channels,
            side,
            ..
        } = self.columns;
        let half = (side * side / 2) as u16;
        let at = |column: usize| column * channels + self.channel;
        let mut window = [0_u16; BINS];
        for column in 0..side - 1 {
            add(&mut window, &coarse[at(column)]);
        }
        // The levels of a bin are counted when they are asked for: those of the columns before the one noted.
        let mut counted = [([0_u16; BINS], 0); BINS];
        let made = self.made[self.channel..].iter_mut().step_by(*channels);
        for (first, made) in made.enumerate() {
            let end = first + side;
            add(&mut window, &coarse[at(end - 1)]);
            let (bin, below) = reaching(&window, half);
            let (levels, until) = &mut counted[bin];
            if 2 * (end - *until) > *side {
                *levels = [0; BINS];
                for column in first..end {
                    add(levels, &fine[at(column)][bin]);
                }
            } else {
                for column in *until..end {
                    add(levels, &fine[at(column)][bin]);
                    subtract(levels, &fine[at(column - side)][bin]);
                }
            }
            *until = end;
            let (low, _) = reaching(levels, half - below);
            *made = (bin * BINS + low) as u8;
            subtract(&mut window, &coarse[at(first)]);
        }
    }
}

#[inline(always)]
fn add(sums: &mut [u16; BINS], counts: &[u8; BINS]) {
    for (sum, count) in sums.iter_mut().zip(counts) {
        *sum += u16::from(*count);
    }
}

#[inline(always)]
fn subtract(sums: &mut [u16; BINS], counts: &[u8; BINS]) {
    for (sum, count) in sums.iter_mut().zip(counts) {
        *sum -= u16::from(*count);
    }
}

/// The first that together with those before it is more than `half`, and how many are before it.
#[inline(always)]
fn reaching(counts: &[u16; BINS], half: u16) -> (usize, u16) {
    let (mut index, mut below, mut sum) = (0, 0, 0);
    // Without branches, which could not be foreseen.
    for count in &counts[..BINS - 1] {
        sum += count;
        let is_below = sum <= half;
        index += usize::from(is_below);
        below = if is_below { sum } else { below };
    }
    (index, below)
}
