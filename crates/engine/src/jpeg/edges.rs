//! The outermost samples of a picture that is worked on at half its size.
//!
//! A blur repeats the edge beyond itself. At half the size the outermost sample is the mean of two of the picture, of which the
//! inner one has no place there; so the outer one is worked out of all frequencies, of the blocks at the edge alone.

use std::f32::consts::{FRAC_1_SQRT_2, PI};

use super::BLOCK;
use super::entropy::Group;
use super::inverse::{Quantizer, Side};
use crate::EngineError;
use crate::pixels::zeros;
use crate::simd::LANES;

/// Samples of a block along each direction at half the size.
const HALF: usize = Side::Four.samples();
const WHITE: f32 = 255.0;
const MIDDLE: f32 = 128.0;
/// Of a level.
const PARTS: f32 = 128.0;

/// The outermost samples along each side, in 128ths of a level.
pub(super) struct Edges {
    /// Of the rows of the strip at hand.
    pub(super) left: Vec<u16>,
    pub(super) right: Vec<u16>,
    /// Of all columns, and the corners on the left and the right.
    pub(super) top: (Vec<u16>, (u16, u16)),
    pub(super) bottom: (Vec<u16>, (u16, u16)),
    /// Blocks of the picture along each direction.
    across: usize,
    down: usize,
    basis: Basis,
}

/// What the frequencies of a block are at an edge.
struct Basis {
    /// At the first of eight samples; at the last every other one is negative.
    outermost: [f32; 8],
    /// Of the lowest frequencies at each of four samples.
    halves: [[f32; HALF]; HALF],
}

impl Edges {
    /// For a picture of so many blocks, all of them whole, of which a strip has `rows` at half the size.
    pub(super) fn new((across, down): (usize, usize), rows: usize) -> Result<Self, EngineError> {
        // ISO/IEC 10918-1, A.3.3; half of it for each direction.
        let norm = |frequency: usize| 0.5 * if frequency == 0 { FRAC_1_SQRT_2 } else { 1.0 };
        let cosine = |frequency: usize, place: usize, places: usize| {
            norm(frequency) * ((2 * place + 1) as f32 * frequency as f32 * PI / (2 * places) as f32).cos()
        };
        Ok(Self {
            left: zeros(rows as u64)?,
            right: zeros(rows as u64)?,
            top: (zeros((across * HALF) as u64)?, (0, 0)),
            bottom: (zeros((across * HALF) as u64)?, (0, 0)),
            across,
            down,
            basis: Basis {
                outermost: std::array::from_fn(|frequency| cosine(frequency, 0, 8)),
                halves: std::array::from_fn(|place| std::array::from_fn(|frequency| cosine(frequency, place, HALF))),
            },
        })
    }

    /// Whether blocks from `first` on, `count` in each of `rows`, touch an edge of the picture.
    pub(super) fn touch(&self, rows: std::ops::Range<usize>, first: usize, count: usize) -> bool {
        let beside = first == 0 || (first..first + count).contains(&(self.across - 1));
        beside || rows.start == 0 || rows.contains(&(self.down - 1))
    }

    /// Takes what lies at an edge of a group of blocks, in the row `row` of blocks, `row_in_strip` of the strip, from `first` on.
    pub(super) fn take(
        &mut self,
        group: &Group,
        quantizer: &Quantizer,
        (row, row_in_strip): (usize, usize),
        first: usize,
    ) {
        if row >= self.down {
            return;
        }
        let blocks = first..(first + LANES).min(self.across);
        let into = row_in_strip * HALF..(row_in_strip + 1) * HALF;
        if blocks.contains(&0) {
            let block = Block::new(group, quantizer, 0);
            self.left[into.clone()].copy_from_slice(&self.basis.column(&block, 1.0));
        }
        if blocks.contains(&(self.across - 1)) {
            let block = Block::new(group, quantizer, self.across - 1 - first);
            self.right[into].copy_from_slice(&self.basis.column(&block, -1.0));
        }
        for (is_edge, (edge, corners), sign) in [
            (row == 0, &mut self.top, 1.0),
            (row + 1 == self.down, &mut self.bottom, -1.0),
        ] {
            for block in blocks.clone().filter(|_| is_edge) {
                let taken = Block::new(group, quantizer, block - first).transposed();
                edge[block * HALF..(block + 1) * HALF].copy_from_slice(&self.basis.column(&taken, sign));
                if block == 0 {
                    corners.0 = self.basis.corner(&taken, (sign, 1.0));
                }
                if block + 1 == self.across {
                    corners.1 = self.basis.corner(&taken, (sign, -1.0));
                }
            }
        }
    }
}

/// Coefficients of one block, row by row.
struct Block([f32; BLOCK]);

impl Block {
    fn new(group: &Group, quantizer: &Quantizer, lane: usize) -> Self {
        Self(std::array::from_fn(|frequency| {
            f32::from(group[frequency * LANES + lane]) * f32::from(quantizer.step(frequency))
        }))
    }

    fn transposed(&self) -> Self {
        Self(std::array::from_fn(|index| self.0[index % 8 * 8 + index / 8]))
    }
}

impl Basis {
    /// The first column of a block, or where `sign` is negative the last, at half the height.
    fn column(&self, block: &Block, sign: f32) -> [u16; HALF] {
        let rows: [f32; HALF] = std::array::from_fn(|row| self.outermost(&block.0[row * 8..][..8], sign));
        self.halves.map(|at| {
            let sample: f32 = at.iter().zip(&rows).map(|(at, row)| at * row).sum();
            in_parts(sample)
        })
    }

    /// The sample of a block where that column meets the first row, or where the second sign is negative the last.
    fn corner(&self, block: &Block, (across, down): (f32, f32)) -> u16 {
        let rows: [f32; 8] = std::array::from_fn(|row| self.outermost(&block.0[row * 8..][..8], across));
        in_parts(self.outermost(&rows, down))
    }

    /// The first of eight samples of these frequencies, or where `sign` is negative the last.
    fn outermost(&self, frequencies: &[f32], sign: f32) -> f32 {
        let signs = [1.0, sign].into_iter().cycle();
        let at = frequencies.iter().zip(&self.outermost);
        at.zip(signs).map(|((level, at), sign)| level * at * sign).sum()
    }
}

/// A sample around the middle in parts of a level.
fn in_parts(sample: f32) -> u16 {
    ((sample + MIDDLE).clamp(0.0, WHITE) * PARTS).round() as u16
}
