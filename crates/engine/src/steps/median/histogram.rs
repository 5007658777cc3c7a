//! Medians of larger squares by a histogram that slides along the row (Huang, Yang and Tang, 1979).

use super::super::window::{Layout, Window};
use super::{Counted, Number};
use crate::EngineError;
use crate::pixels::zeros;

/// How often each level, and each upper half of levels, is under the window.
pub(super) struct Histogram {
    coarse: Vec<u16>,
    fine: Vec<u16>,
    channels: usize,
    radius: usize,
    /// A coarse bin, and the levels counted in those below it: where the last median was, the next is near.
    bin: usize,
    below: u32,
}

/// The most rows there are in a window, those of radius 20.
const MOST_ROWS: usize = 41;
/// The most levels that are counted, those of 16 bits.
const LEVELS: u64 = 1 << 16;
const COARSE_LEVELS: u64 = 1 << 8;

impl<N: Number> Counted<N> for Histogram {
    fn new(layout: Layout) -> Result<Self, EngineError> {
        Ok(Self {
            coarse: zeros(COARSE_LEVELS)?,
            fine: zeros(LEVELS)?,
            channels: layout.numbers,
            radius: layout.radius,
            bin: 0,
            below: 0,
        })
    }

    fn medians(&mut self, window: &Window<'_, N>, made: &mut [N]) {
        let side = 2 * self.radius + 1;
        let rows: [&[N]; MOST_ROWS] = std::array::from_fn(|index| window.row(index.min(side - 1)));
        let window = &rows[..side.min(MOST_ROWS)];
        let (channels, pixels) = (self.channels, made.len() / self.channels);
        for channel in 0..channels {
            for column in 0..side {
                self.add_column(window, column * channels + channel);
            }
            made[channel] = self.median(side);
            for pixel in 1..pixels {
                self.remove_column(window, (pixel - 1) * channels + channel);
                self.add_column(window, (pixel - 1 + side) * channels + channel);
                made[pixel * channels + channel] = self.median(side);
            }
            for column in pixels - 1..pixels - 1 + side {
                self.remove_column(window, column * channels + channel);
            }
        }
    }
}

impl Histogram {
    #[inline(always)]
    fn add_column<N: Number>(&mut self, window: &[&[N]], at: usize) {
        for row in window {
            let level: usize = row[at].into();
            self.fine[level] += 1;
            self.coarse[level >> N::HALF] += 1;
            self.below += u32::from(level >> N::HALF < self.bin);
        }
    }

    #[inline(always)]
    fn remove_column<N: Number>(&mut self, window: &[&[N]], at: usize) {
        for row in window {
            let level: usize = row[at].into();
            self.fine[level] -= 1;
            self.coarse[level >> N::HALF] -= 1;
            self.below -= u32::from(level >> N::HALF < self.bin);
        }
    }

    /// The level that half of those under the window are below.
    #[inline(always)]
    fn median<N: Number>(&mut self, side: usize) -> N {
        let half = (side * side / 2) as u32;
        while self.below > half {
            self.bin -= 1;
            self.below -= u32::from(self.coarse[self.bin]);
        }
        while self.below + u32::from(self.coarse[self.bin]) <= half {
            self.below += u32::from(self.coarse[self.bin]);
            self.bin += 1;
        }
        let mut left = half - self.below;
        let first = self.bin << N::HALF;
        for (level, count) in (first..).zip(&self.fine[first..][..1 << N::HALF]) {
            match left.checked_sub(u32::from(*count)) {
                Some(rest) => left = rest,
                None => return N::whole(level as u32),
            }
        }
        // Unreached: the bin holds more than was left.
        N::default()
    }
}
