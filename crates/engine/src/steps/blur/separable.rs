//! Convolves a picture with a symmetrical kernel, first along rows, then along columns, in place.
//!
//! Works down strips of columns with a ring of as many rows as the kernel is high: memory does not grow with the height,
//! and the ring of a strip stays in the nearest cache. Beyond the edges the edge pixel repeats.

use super::arithmetic::Arithmetic;
use crate::EngineError;
use crate::mill::Control;
use crate::pixels::zeros;
use crate::simd::{self, Kernel, Level, RUN};

/// What the ring of a strip may take, three quarters of a usual first-level cache, bytes.
const RING_BYTES: usize = 24 * 1024;
/// A strip is at least this many times as wide as what the kernel reaches into its neighbours.
const LEAST_REACHES: usize = 8;
/// Samples that make whole runs and whole pixels, of whatever channels.
const STRIP_UNIT: usize = RUN * 3;
/// Rows between two looks at whether to go on.
const ROWS_BETWEEN_CHECKS: usize = 16;

/// The samples of a picture, and how they are laid out.
pub(super) struct Plane<'a, S> {
    pub(super) samples: &'a mut [S],
    /// Samples in a row.
    pub(super) row: usize,
    /// Samples in a pixel.
    pub(super) channels: usize,
}

/// Convolves a picture along both directions with the kernel of `exact` weights, centre first.
pub(super) fn convolve<A: Arithmetic>(
    arithmetic: &A,
    exact: &[f64],
    plane: &mut Plane<'_, A::Sample>,
    control: &dyn Control,
) -> Result<(), EngineError> {
    let height = plane.samples.len() / plane.row;
    let radius = exact.len() - 1;
    let edge = radius * plane.channels;
    let width = strip_width::<A>(radius, edge, plane.row);
    let mut window = Window::<A>::new(exact, width, plane.channels, height)?;
    // What the strip before was made of at its right end, row by row: it is overwritten, and is the left edge of this one.
    let mut left = match plane.row > width {
        true => zeros(height as u64 * edge as u64)?,
        false => Vec::new(),
    };
    for begin in (0..plane.row).step_by(width) {
        let end = (begin + width).min(plane.row);
        for step in 0..height + radius {
            if step % ROWS_BETWEEN_CHECKS == 0 && control.should_stop() {
                return Err(EngineError::Stopped);
            }
            if step < height {
                let row = &plane.samples[step * plane.row..][..plane.row];
                let is_first = begin == 0;
                simd::run(AlongRow {
                    arithmetic,
                    window: &mut window,
                    row: step,
                    left: (!is_first).then(|| &left[step * edge..][..edge]),
                    samples: &row[begin..(end + edge).min(plane.row)],
                });
                if end < plane.row {
                    left[step * edge..][..edge].copy_from_slice(&row[end - edge..end]);
                }
            }
            // A row is final once the last row that it mixes with was taken; until then it was only read.
            if let Some(row) = step.checked_sub(radius) {
                simd::run(AlongColumns {
                    arithmetic,
                    window: &mut window,
                    row,
                    samples: &mut plane.samples[row * plane.row..][begin..end],
                });
            }
        }
    }
    Ok(())
}

/// Samples in a strip: so many that its ring fits the cache, unless that makes too much of its edges.
fn strip_width<A: Arithmetic>(radius: usize, edge: usize, row: usize) -> usize {
    let fitting = RING_BYTES / size_of::<A::Number>() / (2 * radius + 1);
    let width = (fitting / STRIP_UNIT * STRIP_UNIT).max((edge * LEAST_REACHES).next_multiple_of(STRIP_UNIT));
    width.clamp(STRIP_UNIT, row.next_multiple_of(STRIP_UNIT))
}

/// The rows of a strip under the kernel, convolved along themselves already.
struct Window<A: Arithmetic> {
    weights: Vec<A::Weight>,
    radius: usize,
    channels: usize,
    height: usize,
    /// One row widened, with its edges on both sides.
    padded: Vec<A::Number>,
    /// The rows of the ring.
    ring: Vec<A::Number>,
    /// Numbers in a row of the ring, whole runs of them.
    width: usize,
    /// Rows in the ring.
    rows: usize,
    /// A finished row, before it is narrowed.
    finished: Vec<A::Number>,
    /// Where in the ring the rows above and below begin, nearest first.
    pairs: Vec<(usize, usize)>,
}

impl<A: Arithmetic> Window<A> {
    fn new(exact: &[f64], width: usize, channels: usize, height: usize) -> Result<Self, EngineError> {
        let radius = exact.len() - 1;
        let rows = (2 * radius + 1).min(height);
        Ok(Self {
            weights: A::weights(exact),
            radius,
            channels,
            height,
            padded: zeros((width + 2 * radius * channels) as u64)?,
            ring: zeros(width as u64 * rows as u64)?,
            width,
            rows,
            finished: zeros(width as u64)?,
            pairs: vec![(0, 0); radius],
        })
    }

    /// Where in the ring a row of the picture begins.
    fn begin_of(&self, row: usize) -> usize {
        row % self.rows * self.width
    }

    /// Notes where the rows around `row`, which begins at `centre`, begin; the first and the last row repeat.
    #[inline(always)]
    fn place_pairs(&mut self, row: usize, centre: usize) {
        let end = self.rows * self.width;
        let (mut above, mut below) = (centre, centre);
        for (index, pair) in self.pairs.iter_mut().enumerate() {
            if index < row {
                above = if above == 0 { end } else { above } - self.width;
            }
            if row + index + 1 < self.height {
                below += self.width;
                below = if below == end { 0 } else { below };
            }
            *pair = (above, below);
        }
    }

    /// Repeats the pixel at `pixel` of the padded row from `begin` to `end`.
    #[inline(always)]
    fn repeat(&mut self, pixel: usize, begin: usize, end: usize) {
        for at in (begin..end).step_by(self.channels) {
            self.padded.copy_within(pixel..pixel + self.channels, at);
        }
    }
}

/// Takes a row of a strip into the ring.
struct AlongRow<'a, A: Arithmetic> {
    arithmetic: &'a A,
    window: &'a mut Window<A>,
    row: usize,
    /// What lies to the left; nothing at the edge of the picture.
    left: Option<&'a [A::Sample]>,
    /// The strip and what lies to its right; less or nothing at the edge of the picture.
    samples: &'a [A::Sample],
}

impl<A: Arithmetic> Kernel for AlongRow<'_, A> {
    type Output = ();

    #[inline(always)]
    fn run(self, level: impl Level) {
        let window = self.window;
        let channels = window.channels;
        let edge = window.radius * channels;
        let taken = edge + self.samples.len();
        self.arithmetic.widen(self.samples, &mut window.padded[edge..taken]);
        match self.left {
            Some(left) => self.arithmetic.widen(left, &mut window.padded[..edge]),
            None => window.repeat(edge, 0, edge),
        }
        window.repeat(
            taken - channels,
            taken,
            (taken + edge).min(window.padded.len() / channels * channels),
        );
        let begin = window.begin_of(self.row);
        let (to, _) = window.ring[begin..][..window.width].as_chunks_mut::<RUN>();
        for (index, sums) in to.iter_mut().enumerate() {
            let at = edge + index * RUN;
            A::add_up(level, &window.weights, &window.padded, at, sums, |pair| {
                let distance = (pair + 1) * channels;
                (at - distance, at + distance)
            });
        }
    }
}

/// Makes a row of a strip from the ring.
struct AlongColumns<'a, A: Arithmetic> {
    arithmetic: &'a A,
    window: &'a mut Window<A>,
    row: usize,
    samples: &'a mut [A::Sample],
}

impl<A: Arithmetic> Kernel for AlongColumns<'_, A> {
    type Output = ();

    #[inline(always)]
    fn run(self, level: impl Level) {
        let window = self.window;
        let centre = window.begin_of(self.row);
        window.place_pairs(self.row, centre);
        let pairs = &window.pairs[..];
        let (to, _) = window.finished.as_chunks_mut::<RUN>();
        for (index, sums) in to.iter_mut().enumerate() {
            let offset = index * RUN;
            A::add_up(level, &window.weights, &window.ring, centre + offset, sums, |pair| {
                let (above, below) = pairs[pair];
                (above + offset, below + offset)
            });
        }
        self.arithmetic.narrow(&window.finished, self.samples);
    }
}
