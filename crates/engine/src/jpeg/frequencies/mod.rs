//! The Gaussian on the frequencies of blocks: from one JPEG to another without making a sample.
//!
//! A blurred block is a sum of what the kernel makes of the block itself and of its neighbours. Each part is linear in the
//! coefficients of its block, and works along one direction after the other, so the frequencies of the blurred block are
//! weighted sums of those of a few blocks in a row, then in a column (Kresch and Merhav, "Fast DCT domain filtering
//! using the DCT and the DST", 1999). A kernel is symmetric, so even frequencies of the block itself make even ones and odd
//! ones odd, and what the neighbours before and behind add is the same but for a sign: half of the products are zero, and
//! others are shared. Of high frequencies a blur leaves nothing that quantization would keep, so they are left out.
//!
//! Samples beyond black and white, which a decoder cuts off, are looked for: a block that may have any is made into samples,
//! cut off and made into frequencies again, and so is one that the picture fills in part, whose samples beyond the edge have
//! to repeat the edge. Coefficients are worked on in 8ths.

mod rows;
mod weights;

use self::rows::{BlockRows, Decode, MARGIN, repeat_edge};
use self::weights::{Around, COSINES, Weights};
use super::forward::Lanes;
use super::markers::Sequential;
use super::quality;
use super::write::{Blocks, Writer};
use crate::EngineError;
use crate::mill::Control;
use crate::simd::{self, Kernel, LANES, Level};
use crate::steps::gaussian_weights;

/// Neighbours to each side that a kernel may reach across.
const MAX_REACH: usize = 2;

/// What a blur among frequencies works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frequencies {
    /// Of each eight, those that are kept.
    pub(crate) kept: usize,
    /// Neighbours of a block that the kernel reaches to each side.
    pub(crate) reach: usize,
}

impl Frequencies {
    /// What a row of so many blocks takes, bytes.
    pub(crate) fn row_bytes(self, blocks: u64) -> u64 {
        let filled_up = (4 * LANES + 2 * MARGIN) as u64;
        (self.kept * self.kept * size_of::<i16>()) as u64 * (blocks + filled_up)
    }

    /// Rows of blocks in memory, at the most: those of an MCU, those under the kernel, and what is beyond both edges.
    pub(crate) fn rows(self) -> u64 {
        4 + 2 * self.reach as u64 + 1 + 2
    }
}

/// What to keep when a blur of `sigma` pixels is written at this quality; `None` where the kernel reaches too far, or where
/// so many frequencies are wanted that it is faster by way of the samples.
///
/// Of any other an edge from black to white leaves at most 0.6 of a quantization step, all of which is rounded to zero but
/// for a tenth of a step.
pub(crate) fn frequencies(sigma: f32, quality: u8) -> Option<Frequencies> {
    const OF_A_STEP: f64 = 0.6;
    /// Fewer are not worth a kernel of their own.
    const FEWEST: usize = 6;
    let kernel = gaussian_weights(f64::from(sigma));
    let reach = reach_of(&kernel);
    if reach > MAX_REACH {
        return None;
    }
    let edge = blurred_edge(&kernel);
    let steps = quality::steps(0, quality);
    let step_of = |down: usize, across: usize| {
        let place = super::ZIGZAG
            .iter()
            .position(|place| usize::from(*place) == down * 8 + across);
        place.map_or(0.0, |index| f64::from(steps[index]))
    };
    let is_needed = |frequency: &usize| {
        let step = step_of(0, *frequency).min(step_of(*frequency, 0));
        edge_response(&edge, *frequency) > OF_A_STEP * step
    };
    let kept = match ((FEWEST..8).rev().find(is_needed), reach) {
        (None, _) => FEWEST,
        (Some(FEWEST), 1) => FEWEST + 1,
        _ => return None,
    };
    Some(Frequencies { kept, reach })
}

/// Neighbours to each side that a kernel reaches.
fn reach_of(kernel: &[f64]) -> usize {
    (kernel.len() - 1).div_ceil(8)
}

/// An edge from black to white, blurred: how white samples are, from the last one that is black all the same to the first
/// one that is white.
fn blurred_edge(kernel: &[f64]) -> Vec<f64> {
    let behind = kernel.iter().rev().chain(&kernel[1..]);
    let whiteness = behind.scan(0.0, |sum, weight| {
        *sum += weight;
        Some(*sum)
    });
    std::iter::once(0.0).chain(whiteness).collect()
}

/// The most that a blurred edge leaves in a frequency of one direction, wherever in a block it is.
fn edge_response(edge: &[f64], frequency: usize) -> f64 {
    /// A block as bright as white has this much of the lowest frequency of one direction.
    const WHITE: f64 = 255.0 * std::f64::consts::SQRT_2 * 2.0;
    let cosines = &COSINES[frequency];
    // Black up to this many samples into the block, white where the edge is over.
    (1 - edge.len() as isize..8)
        .map(|black| {
            let whiteness = |at: isize| edge[(at - black).clamp(0, edge.len() as isize - 1) as usize];
            let found: f64 = (0..).zip(cosines).map(|(at, cosine)| cosine * whiteness(at)).sum();
            found.abs() * WHITE
        })
        .fold(0.0, f64::max)
}

/// Makes a gray JPEG of the luma of another, blurred among what [`frequencies`] says.
pub(super) fn blur_among(
    file: &Sequential<'_>,
    among: Frequencies,
    sigma: f32,
    writer: &mut Writer<'_>,
    control: &dyn Control,
) -> Result<(), EngineError> {
    let kernel = gaussian_weights(f64::from(sigma));
    match (among.kept, among.reach) {
        (6, 1) => blur::<6, 1>(file, &kernel, writer, control),
        (7, 1) => blur::<7, 1>(file, &kernel, writer, control),
        (6, 2) => blur::<6, 2>(file, &kernel, writer, control),
        _ => Err(EngineError::Internal(format!("there is no blur among {among:?}"))),
    }
}

/// Keeps `N` x `N` frequencies, under a kernel that reaches `R` neighbours to each side.
fn blur<const N: usize, const R: usize>(
    file: &Sequential<'_>,
    kernel: &[f64],
    writer: &mut Writer<'_>,
    control: &dyn Control,
) -> Result<(), EngineError> {
    let weights = Weights::<N, R>::new(kernel);
    let mut rows = BlockRows::<N>::new(file)?;
    let mut ring = Ring::<N, R>::new(&rows)?;
    let mut written = 0;
    for mcu_row in 0..rows.blocks_down.div_ceil(rows.down) {
        if control.should_stop() {
            return Err(EngineError::Stopped);
        }
        let first = mcu_row * rows.down;
        simd::run(Decode { rows: &mut rows, first })?;
        for row in first..(first + rows.down).min(rows.blocks_down) {
            simd::run(Along {
                plane: rows.plane_of(row - first),
                stride: rows.stride,
                weights: &weights,
                into: ring.row_mut(row),
            });
            if row == 0 {
                repeat_edge::<N>(&ring.rows[0], &mut ring.above, false);
            }
            if row >= R {
                writer.mcu_row(&[ring.around(written, &weights)])?;
                written += 1;
            }
        }
    }
    rows.entropy.check()?;
    let last = (rows.blocks_down - 1) % ring.rows.len();
    repeat_edge::<N>(&ring.rows[last], &mut ring.below, true);
    while written < rows.blocks_down {
        writer.mcu_row(&[ring.around(written, &weights)])?;
        written += 1;
    }
    Ok(())
}

/// Sixteen blocks side by side of a row: group by group, frequency by frequency.
type BlockRow = Vec<[i16; LANES]>;

/// The last rows of blocks, each mixed along itself.
struct Ring<const N: usize, const R: usize> {
    rows: Vec<BlockRow>,
    blocks_down: usize,
    /// What is above the first row and below the last one.
    above: BlockRow,
    below: BlockRow,
}

impl<const N: usize, const R: usize> Ring<N, R> {
    fn new(rows: &BlockRows<'_, N>) -> Result<Self, EngineError> {
        Ok(Self {
            rows: (0..=2 * R).map(|_| rows.row()).collect::<Result<_, _>>()?,
            blocks_down: rows.blocks_down,
            above: rows.row()?,
            below: rows.row()?,
        })
    }

    fn row_mut(&mut self, row: usize) -> &mut BlockRow {
        let rows = self.rows.len();
        &mut self.rows[row % rows]
    }

    /// A row with those above and below.
    fn around<'r>(&'r self, row: usize, weights: &'r Weights<N, R>) -> Mixed<'r, N, R> {
        let rows = self.rows.len();
        let beside = |distance: usize| {
            let above = match row.checked_sub(distance) {
                Some(above) => &self.rows[above % rows],
                None => &self.above,
            };
            let below = match row + distance {
                below if below < self.blocks_down => &self.rows[below % rows],
                _ => &self.below,
            };
            [&above[..], &below[..]]
        };
        Mixed {
            own: &self.rows[row % rows],
            beside: std::array::from_fn(|index| beside(index + 1)),
            weights,
        }
    }
}

/// Mixes a row of blocks along itself.
struct Along<'r, const N: usize, const R: usize> {
    plane: &'r [i16],
    stride: usize,
    weights: &'r Weights<N, R>,
    into: &'r mut [[i16; LANES]],
}

impl<const N: usize, const R: usize> Kernel for Along<'_, N, R> {
    type Output = ();

    #[inline(always)]
    fn run(self, level: impl Level) {
        for (group, into) in self.into.chunks_exact_mut(N * N).enumerate() {
            for (down, into) in into.as_chunks_mut::<N>().0.iter_mut().enumerate() {
                let mut around = Around::<_, N, R>::new(level);
                for across in 0..N {
                    let at = (down * N + across) * self.stride + MARGIN + group * LANES;
                    around.own[across] = load_at(level, self.plane, at);
                    for index in 0..R {
                        let before = load_at(level, self.plane, at - index - 1);
                        let behind = load_at(level, self.plane, at + index + 1);
                        around.sums[index][across] = level.add(before, behind);
                        around.differences[index][across] = level.subtract(before, behind);
                    }
                }
                let mixed = self.weights.mix(level, &around);
                for across in 0..N {
                    level.store(mixed[across], &mut into[across]);
                }
            }
        }
    }
}

/// Numbers from `at` on, which a margin lies behind.
#[inline(always)]
fn load_at<L: Level>(level: L, numbers: &[i16], at: usize) -> L::Lanes {
    match numbers[at..].first_chunk::<LANES>() {
        Some(numbers) => level.load(numbers),
        None => level.splat(0),
    }
}

/// A row of blocks and its neighbours, each mixed along itself.
struct Mixed<'r, const N: usize, const R: usize> {
    own: &'r [[i16; LANES]],
    /// Those above and below, nearest first.
    beside: [[&'r [[i16; LANES]]; 2]; R],
    weights: &'r Weights<N, R>,
}

impl<const N: usize, const R: usize> Blocks for Mixed<'_, N, R> {
    const SIDE: usize = N;

    #[inline(always)]
    fn transform(&self, level: impl Level, _row: usize, block: usize, lanes: &mut Lanes) {
        let begin = block / LANES * N * N;
        let own = &self.own[begin..][..N * N];
        for across in 0..N {
            let mut around = Around::<_, N, R>::new(level);
            for down in 0..N {
                around.own[down] = level.load(&own[down * N + across]);
            }
            for index in 0..R {
                let [above, below] = self.beside[index];
                let (above, below) = (&above[begin..][..N * N], &below[begin..][..N * N]);
                for down in 0..N {
                    let above = level.load(&above[down * N + across]);
                    let below = level.load(&below[down * N + across]);
                    around.sums[index][down] = level.add(above, below);
                    around.differences[index][down] = level.subtract(above, below);
                }
            }
            let mixed = self.weights.mix(level, &around);
            for down in 0..N {
                // From 8ths to 16ths.
                level.store(level.shift_left::<1>(mixed[down]), &mut lanes[down * 8 + across]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::rows::{Edges, Place, take};
    use super::*;
    use crate::jpeg::BLOCK;
    use crate::jpeg::inverse::Quantizer;

    /// Three rows of two groups, from coefficients to those of the blurred row in the middle.
    struct Whole<'a> {
        coefficients: &'a [i16],
        weights: &'a Weights<6, 1>,
    }

    impl Kernel for Whole<'_> {
        type Output = Vec<Lanes>;

        #[inline(always)]
        fn run(self, level: impl Level) -> Vec<Lanes> {
            const STRIDE: usize = 2 * LANES + 2 * MARGIN;
            let quantizer = Quantizer::new(&[3; BLOCK]);
            let mut rows = vec![vec![[0; LANES]; 2 * 6 * 6]; 3];
            for (row, into) in rows.iter_mut().enumerate() {
                let mut plane = vec![0; 6 * 6 * STRIDE];
                for index in 0..2 {
                    let mut group = [0; BLOCK * LANES];
                    group.copy_from_slice(&self.coefficients[(row * 2 + index) * BLOCK * LANES..][..BLOCK * LANES]);
                    let edges = match (row, index) {
                        (2, 1) => Edges {
                            rows: 5,
                            lane: 7,
                            columns: 3,
                        },
                        _ => Edges::default(),
                    };
                    let place = Place {
                        plane: &mut plane[MARGIN + index * LANES..],
                        stride: STRIDE,
                    };
                    take::<_, 6>(level, &mut group, &quantizer, &edges, place);
                }
                BlockRows::<6>::repeat_edges(&mut plane, STRIDE, 24);
                let along = Along {
                    plane: &plane,
                    stride: STRIDE,
                    weights: self.weights,
                    into,
                };
                along.run(level);
            }
            let mixed = Mixed {
                own: &rows[1],
                beside: [[&rows[0], &rows[2]]],
                weights: self.weights,
            };
            let mut found = vec![[[0; LANES]; BLOCK]; 2];
            for (index, lanes) in found.iter_mut().enumerate() {
                mixed.transform(level, 0, index * LANES, lanes);
            }
            found
        }
    }

    #[test]
    fn wide_instructions_give_what_any_give() {
        let weights = Weights::new(&gaussian_weights(2.0));
        let mut state = 1_u32;
        // Some of small coefficients, some that a decoder cuts off, some that no picture has.
        for most in [2, 60, 300, 32_767] {
            let coefficients: Vec<i16> = (0..6 * BLOCK * LANES)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (i32::from((state >> 16) as i16) % (most + 1)) as i16
                })
                .collect();
            let kernel = || Whole {
                coefficients: &coefficients,
                weights: &weights,
            };
            assert!(simd::run(kernel()) == simd::run_portable(kernel()), "up to {most}");
        }
    }
}
