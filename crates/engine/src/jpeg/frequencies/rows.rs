//! The coefficients of a picture in rows of blocks, as the blur wants them.

use super::{BlockRow, MAX_REACH};
use crate::EngineError;
use crate::jpeg::entropy::{Entropy, Group};
use crate::jpeg::forward::{Lanes, forward_lanes};
use crate::jpeg::inverse::{Quantizer, inverse_lanes};
use crate::jpeg::markers::Sequential;
use crate::jpeg::{BLOCK, corrupt};
use crate::pixels::zeros;
use crate::simd::{Kernel, LANES, Level};

/// Numbers before the first block of a row and behind the last.
pub(super) const MARGIN: usize = LANES;
/// Half of the range in 64ths, and one level.
const MIDDLE: i16 = 128 << 6;
const LEVEL: i16 = 1 << 6;
/// Coefficients from here on are counted as this.
const LARGE: i16 = 511;
/// As much as the magnitudes of a block's coefficients may add up to before a sample can be beyond black or white: four
/// times half of the range, since a coefficient adds a quarter of itself to a sample at the most.
const WITHIN_RANGE: i16 = 510;

/// Decodes the blocks of luma, one row of MCUs at a time.
pub(super) struct BlockRows<'a, const N: usize> {
    pub(super) entropy: Entropy<'a>,
    quantizer: Quantizer,
    /// Blocks in an MCU along each direction.
    across: usize,
    pub(super) down: usize,
    /// Blocks that the picture has along each direction, and samples of the last of them.
    blocks_across: usize,
    pub(super) blocks_down: usize,
    last_across: usize,
    last_down: usize,
    /// For every row of blocks in an MCU, and for each of its frequencies, those of one block behind those of another.
    plane: Vec<i16>,
    pub(super) stride: usize,
}

impl<'a, const N: usize> BlockRows<'a, N> {
    pub(super) fn new(file: &Sequential<'a>) -> Result<Self, EngineError> {
        let luma = file.components.first().ok_or_else(|| corrupt("has no components"))?;
        let wanted: Vec<_> = (0..file.components.len())
            .map(|index| (index == 0).then_some(BLOCK - 1))
            .collect();
        let (blocks_across, blocks_down) = (file.width.div_ceil(8), file.height.div_ceil(8));
        // A group of MCUs may have more blocks than the picture.
        let stride = (blocks_across + luma.across * LANES).next_multiple_of(LANES) + 2 * MARGIN;
        Ok(Self {
            entropy: Entropy::new(file, &wanted)?,
            quantizer: Quantizer::new(&luma.quantizer),
            across: luma.across,
            down: luma.down,
            blocks_across,
            blocks_down,
            last_across: file.width - 8 * (blocks_across - 1),
            last_down: file.height - 8 * (blocks_down - 1),
            plane: zeros((luma.down * N * N * stride) as u64)?,
            stride,
        })
    }

    /// Room for a row of blocks.
    pub(super) fn row(&self) -> Result<BlockRow, EngineError> {
        let groups = self.blocks_across.div_ceil(LANES);
        let mut row = Vec::new();
        row.try_reserve_exact(groups * N * N)
            .map_err(|_| EngineError::Internal("there is no memory for a row of blocks".into()))?;
        row.resize(groups * N * N, [0; LANES]);
        Ok(row)
    }

    pub(super) fn plane_of(&self, row: usize) -> &[i16] {
        &self.plane[row * N * N * self.stride..][..N * N * self.stride]
    }

    /// Puts blocks that repeat the edge before the first one of a row and behind the last.
    pub(super) fn repeat_edges(plane: &mut [i16], stride: usize, blocks: usize) {
        for frequencies in plane.chunks_exact_mut(N * stride) {
            for (at, beyond, is_end) in [
                (MARGIN, MARGIN - MAX_REACH, false),
                (MARGIN + blocks - 1, MARGIN + blocks, true),
            ] {
                let edge = edge_of(
                    std::array::from_fn::<i16, N, _>(|from| frequencies[from * stride + at]),
                    is_end,
                );
                for (from, numbers) in frequencies.chunks_exact_mut(stride).enumerate() {
                    numbers[beyond..][..MAX_REACH].fill(if from == 0 { edge } else { 0 });
                }
            }
        }
    }
}

/// The lowest frequency, along one direction, of a block that repeats the first or the last sample of another.
#[inline(always)]
fn edge_of<const N: usize>(frequencies: [i16; N], is_end: bool) -> i16 {
    /// The square root of 8 times [`COSINES`] of the first sample, in 16,384ths.
    const SHARES: [i64; 8] = [16_384, 22_725, 21_407, 19_266, 16_384, 12_873, 8_867, 4_520];
    let mut sum = 1_i64 << 13;
    for (from, frequency) in frequencies.into_iter().enumerate() {
        let share = SHARES[from % 8] * i64::from(frequency);
        sum += if is_end && from % 2 == 1 { -share } else { share };
    }
    (sum >> 14).clamp(i64::from(i16::MIN), i64::from(i16::MAX)) as i16
}

/// Makes a row of blocks that repeats the first or the last line of another.
pub(super) fn repeat_edge<const N: usize>(row: &[[i16; LANES]], beyond: &mut [[i16; LANES]], is_end: bool) {
    for (row, beyond) in row.chunks_exact(N * N).zip(beyond.chunks_exact_mut(N * N)) {
        let (lowest, others) = beyond.split_at_mut(N);
        others.fill([0; LANES]);
        for (across, edge) in lowest.iter_mut().enumerate() {
            for (lane, edge) in edge.iter_mut().enumerate() {
                *edge = edge_of(
                    std::array::from_fn::<i16, N, _>(|down| row[down * N + across][lane]),
                    is_end,
                );
            }
        }
    }
}

/// Decodes the next row of MCUs, whose first row of blocks is `first` in the picture, into the planes.
pub(super) struct Decode<'r, 'a, const N: usize> {
    pub(super) rows: &'r mut BlockRows<'a, N>,
    pub(super) first: usize,
}

impl<const N: usize> Kernel for Decode<'_, '_, N> {
    type Output = Result<(), EngineError>;

    #[inline(always)]
    fn run(self, level: impl Level) -> Result<(), EngineError> {
        let BlockRows {
            entropy,
            quantizer,
            across,
            down,
            blocks_across,
            blocks_down,
            last_across,
            last_down,
            plane,
            stride,
        } = self.rows;
        let mcus = entropy.mcus_in_row();
        for first in (0..mcus).step_by(LANES) {
            let count = LANES.min(mcus - first);
            entropy.mcus(count)?;
            for (row, block, group) in entropy.groups(0, count) {
                let block = first * *across + block;
                let mut edges = Edges::default();
                if self.first + row + 1 == *blocks_down {
                    edges.rows = *last_down;
                }
                if let Some(lane) = (*blocks_across - 1).checked_sub(block) {
                    edges.lane = lane;
                    edges.columns = if lane < LANES { *last_across } else { 8 };
                }
                let at = row * N * N * *stride + MARGIN + block;
                let place = Place {
                    plane: &mut plane[at..],
                    stride: *stride,
                };
                take::<_, N>(level, group, quantizer, &edges, place);
            }
        }
        for row in 0..*down {
            let plane = &mut plane[row * N * N * *stride..][..N * N * *stride];
            BlockRows::<N>::repeat_edges(plane, *stride, *blocks_across);
        }
        Ok(())
    }
}

/// Where the blocks of a group end within the picture.
pub(super) struct Edges {
    /// Rows of samples that the picture has of them.
    pub(super) rows: usize,
    /// The block that has no more than `columns` columns of samples.
    pub(super) lane: usize,
    pub(super) columns: usize,
}

impl Default for Edges {
    fn default() -> Self {
        Self {
            rows: 8,
            lane: 0,
            columns: 8,
        }
    }
}

/// Where the frequencies of a group go: into a plane that begins with its first block.
pub(super) struct Place<'p> {
    pub(super) plane: &'p mut [i16],
    pub(super) stride: usize,
}

impl Place<'_> {
    /// The place of one of `N` x `N` frequencies.
    #[inline(always)]
    fn of<const N: usize>(&mut self, down: usize, across: usize) -> Option<&mut [i16; LANES]> {
        self.plane[(down * N + across) * self.stride..].first_chunk_mut::<LANES>()
    }
}

/// Puts a group, which is used up, in its place.
#[inline(always)]
pub(super) fn take<L: Level, const N: usize>(
    level: L,
    group: &mut Group,
    quantizer: &Quantizer,
    edges: &Edges,
    mut place: Place<'_>,
) {
    let lanes = group.as_chunks_mut::<LANES>().0;
    // What the lowest frequency and those of one direction add to a sample at the most is less than what others do.
    let (mut lowest, mut edge, mut inner) = (level.splat(0), level.splat(0), level.splat(0));
    for (down, row) in lanes.as_chunks::<8>().0.iter().enumerate() {
        let mut sum = level.splat(0);
        for (across, quantized) in row.iter().enumerate() {
            let step = level.splat(quantizer.step(down * 8 + across));
            let coefficient = level.multiply(level.load(quantized), step);
            if down < N
                && across < N
                && let Some(into) = place.of::<N>(down, across)
            {
                level.store(level.shift_left::<3>(coefficient), into);
            }
            let magnitude = level.magnitude(coefficient);
            let bound = level.min(magnitude, level.splat(LARGE));
            match (down, across) {
                (0, 0) => lowest = level.shift_right::<1>(level.min(magnitude, level.splat(4 * LARGE))),
                (_, 0) => edge = level.add(edge, bound),
                _ => sum = level.add(sum, bound),
            }
        }
        let all = if down == 0 { &mut edge } else { &mut inner };
        *all = level.add(*all, sum);
    }
    // The cosine of a quarter of pi.
    let bound = level.add(level.add(lowest, inner), level.multiply_fraction(edge, 23_170));
    let is_whole = edges.rows == 8 && edges.columns == 8;
    if (!is_whole || largest(level, bound) > WITHIN_RANGE)
        && let Ok(lanes) = <&mut Lanes>::try_from(lanes)
        && cut_off(level, lanes, quantizer, edges, is_whole)
    {
        for (down, row) in lanes.as_chunks::<8>().0.iter().enumerate().take(N) {
            for (across, coefficient) in row.iter().enumerate().take(N) {
                if let Some(into) = place.of::<N>(down, across) {
                    // From 16ths to 8ths.
                    let rounded = level.add(level.load(coefficient), level.splat(1));
                    level.store(level.shift_right::<1>(rounded), into);
                }
            }
        }
    }
}

#[inline(always)]
fn largest<L: Level>(level: L, lanes: L::Lanes) -> i16 {
    let mut numbers = [0; LANES];
    level.store(lanes, &mut numbers);
    let mut most = numbers[0];
    for number in numbers {
        most = most.max(number);
    }
    most
}

/// Cuts off what is beyond black and white, repeats what is at the edge of the picture, and makes coefficients in 16ths of
/// it; not where blocks are `whole` and no sample is more than a level beyond.
#[inline(always)]
fn cut_off<L: Level>(level: L, lanes: &mut Lanes, quantizer: &Quantizer, edges: &Edges, is_whole: bool) -> bool {
    let (darkest, brightest) = inverse_lanes(level, lanes, quantizer);
    // One less than the magnitude where it is negative, which is as good.
    let (below, above) = (level.subtract(level.splat(-1), darkest), brightest);
    if is_whole && largest(level, below) <= MIDDLE + LEVEL && largest(level, above) <= MIDDLE {
        return false;
    }
    let (black, white) = (level.splat(-MIDDLE), level.splat(MIDDLE - LEVEL));
    for samples in lanes.iter_mut() {
        let within = level.max(level.min(level.load(samples), white), black);
        // From 64ths to 16ths.
        level.store(level.shift_right::<2>(level.add(within, level.splat(2))), samples);
    }
    for row in 0..8 {
        for column in edges.columns..8 {
            lanes[row * 8 + column][edges.lane % LANES] = lanes[row * 8 + edges.columns - 1][edges.lane % LANES];
        }
    }
    for row in edges.rows..8 {
        for column in 0..8 {
            lanes[row * 8 + column] = lanes[(edges.rows - 1) * 8 + column];
        }
    }
    forward_lanes(level, lanes);
    true
}

#[cfg(test)]
mod tests {
    use super::super::weights::COSINES;
    use super::*;

    #[test]
    fn an_edge_is_repeated() {
        let cosines = &*COSINES;
        for at in [0, 7] {
            // A block that is bright at one end.
            let frequencies: [i16; 8] =
                std::array::from_fn(|frequency| (cosines[frequency][at] * 1_000.0).round() as i16);
            let found = f64::from(edge_of(frequencies, at == 7));
            assert!((found - 1_000.0 * 8.0_f64.sqrt()).abs() < 8.0, "sample {at}: {found}");
            assert!(edge_of(frequencies, at == 0).abs() < 8, "sample {at}");
        }
    }
}
