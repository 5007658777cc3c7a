//! Convolves a picture with a symmetrical kernel, first along rows, then along columns, in place.
//!
//! Works down the picture with a ring of as many rows as the kernel is high, so that memory does not grow with the height
//! and the rows are still in the cache when their columns are added up. Beyond the edges the edge pixel repeats.

use super::arithmetic::Arithmetic;
use crate::EngineError;
use crate::mill::Control;
use crate::pixels::zeros;
use crate::simd::{self, Kernel};

/// Numbers that are added up side by side: four registers of 16-bit numbers.
const LANES: usize = 64;
/// Rows between two looks at whether to go on.
const ROWS_BETWEEN_CHECKS: usize = 16;

/// Convolves rows of `row_samples` samples, `channels` to a pixel, along both directions with the kernel of `exact`
/// weights, centre first.
pub(super) fn convolve<A: Arithmetic>(
    arithmetic: &A,
    exact: &[f64],
    samples: &mut [A::Sample],
    row_samples: usize,
    channels: usize,
    control: &dyn Control,
) -> Result<(), EngineError> {
    let height = samples.len() / row_samples;
    let mut window = Window::<A>::new(exact, row_samples, channels, height)?;
    for row in 0..height + window.radius {
        if row % ROWS_BETWEEN_CHECKS == 0 && control.should_stop() {
            return Err(EngineError::Stopped);
        }
        if row < height {
            let taken = &samples[row * row_samples..][..row_samples];
            simd::run(AlongRow {
                arithmetic,
                window: &mut window,
                row,
                samples: taken,
            });
        }
        // A row is final once the last row that it mixes with was taken; until then it was only read.
        if let Some(done) = row.checked_sub(window.radius) {
            simd::run(AlongColumns {
                arithmetic,
                window: &mut window,
                row: done,
                samples: &mut samples[done * row_samples..][..row_samples],
            });
        }
    }
    Ok(())
}

/// The rows under the kernel, convolved along themselves already.
struct Window<A: Arithmetic> {
    weights: Vec<A::Weight>,
    radius: usize,
    channels: usize,
    height: usize,
    /// One row widened, with the edges repeated on both sides.
    padded: Vec<A::Number>,
    /// The rows of the ring, each rounded up to whole lanes.
    ring: Vec<A::Number>,
    /// Numbers in a row of the ring.
    stride: usize,
    /// Rows in the ring.
    rows: usize,
    /// A finished row, before it is narrowed.
    finished: Vec<A::Number>,
    /// Where in the ring the rows above and below begin, nearest first.
    pairs: Vec<(usize, usize)>,
}

impl<A: Arithmetic> Window<A> {
    fn new(exact: &[f64], row_samples: usize, channels: usize, height: usize) -> Result<Self, EngineError> {
        let radius = exact.len() - 1;
        let stride = row_samples.next_multiple_of(LANES);
        let rows = (2 * radius + 1).min(height);
        Ok(Self {
            weights: A::weights(exact),
            radius,
            channels,
            height,
            padded: zeros((stride + 2 * radius * channels) as u64)?,
            ring: zeros(stride as u64 * rows as u64)?,
            stride,
            rows,
            finished: zeros(stride as u64)?,
            pairs: vec![(0, 0); radius],
        })
    }

    /// Where in the ring a row of the picture begins.
    fn begin_of(&self, row: usize) -> usize {
        row % self.rows * self.stride
    }
}

struct AlongRow<'a, A: Arithmetic> {
    arithmetic: &'a A,
    window: &'a mut Window<A>,
    row: usize,
    samples: &'a [A::Sample],
}

impl<A: Arithmetic> Kernel for AlongRow<'_, A> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let window = self.window;
        let (channels, radius) = (window.channels, window.radius);
        let edge = radius * channels;
        let length = self.samples.len();
        self.arithmetic
            .widen(self.samples, &mut window.padded[edge..][..length]);
        for distance in 0..radius {
            window.padded.copy_within(edge..edge + channels, distance * channels);
            let last = edge + length - channels;
            window
                .padded
                .copy_within(last..last + channels, edge + length + distance * channels);
        }
        let begin = window.begin_of(self.row);
        let (to, _) = window.ring[begin..][..window.stride].as_chunks_mut::<LANES>();
        for (index, sums) in to.iter_mut().enumerate() {
            let at = edge + index * LANES;
            *sums = add_up::<A>(&window.weights, &window.padded, at, |pair| {
                (at - pair * channels, at + pair * channels)
            });
        }
    }
}

struct AlongColumns<'a, A: Arithmetic> {
    arithmetic: &'a A,
    window: &'a mut Window<A>,
    row: usize,
    samples: &'a mut [A::Sample],
}

impl<A: Arithmetic> Kernel for AlongColumns<'_, A> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let window = self.window;
        for distance in 1..=window.radius {
            let above = window.begin_of(self.row.saturating_sub(distance));
            let below = window.begin_of((self.row + distance).min(window.height - 1));
            window.pairs[distance - 1] = (above, below);
        }
        let centre = window.begin_of(self.row);
        let (to, _) = window.finished.as_chunks_mut::<LANES>();
        for (index, sums) in to.iter_mut().enumerate() {
            let offset = index * LANES;
            *sums = add_up::<A>(&window.weights, &window.ring, centre + offset, |pair| {
                let (above, below) = window.pairs[pair - 1];
                (above + offset, below + offset)
            });
        }
        self.arithmetic.narrow(&window.finished, self.samples);
    }
}

/// Adds up, for a run of neighbouring numbers at once, the centre at `centre` and the pairs that `pair_at` places.
#[inline(always)]
fn add_up<A: Arithmetic>(
    weights: &[A::Weight],
    numbers: &[A::Number],
    centre: usize,
    pair_at: impl Fn(usize) -> (usize, usize),
) -> [A::Number; LANES] {
    let mut sums = [A::start(weights.len() - 1); LANES];
    for (sum, number) in sums.iter_mut().zip(&numbers[centre..][..LANES]) {
        *sum = A::add_centre(*sum, *number, weights[0]);
    }
    for (pair, weight) in weights.iter().enumerate().skip(1) {
        let (one, other) = pair_at(pair);
        let (ones, others) = (&numbers[one..][..LANES], &numbers[other..][..LANES]);
        for ((sum, one), other) in sums.iter_mut().zip(ones).zip(others) {
            *sum = A::add_pair(*sum, *one, *other, *weight);
        }
    }
    sums
}
