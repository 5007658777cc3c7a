//! Turns a picture by turning its blocks: a DCT is transposed with its block, and mirroring negates the odd frequencies of
//! one direction. Exact for pictures of whole blocks, and for those alone.

use super::forward::Quantized;
use super::{BLOCK, ZIGZAG};
use crate::EngineError;
use crate::exif::Orientation;
use crate::simd::LANES;

/// How a stored picture becomes an upright one (CIPA DC-008, 4.6.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn {
    /// Columns of the stored picture become rows.
    transposes: bool,
    /// Columns of the stored picture are taken from its right, rows from below.
    mirrors_across: bool,
    mirrors_down: bool,
}

impl Turn {
    pub(super) const fn new(orientation: Orientation) -> Self {
        let (transposes, mirrors_across, mirrors_down) = match orientation.as_exif() {
            2 => (false, true, false),
            3 => (false, true, true),
            4 => (false, false, true),
            5 => (true, false, false),
            6 => (true, false, true),
            7 => (true, true, true),
            8 => (true, true, false),
            _ => (false, false, false),
        };
        Self {
            transposes,
            mirrors_across,
            mirrors_down,
        }
    }

    /// For each coefficient of an upright block in zigzag order, where in the stored block it comes from, counted row by
    /// row, and the sign it gets.
    pub(super) fn sources(self) -> [(u8, i16); BLOCK] {
        ZIGZAG.map(|place| {
            let (down, across) = (place / 8, place % 8);
            let (down, across) = if self.transposes {
                (across, down)
            } else {
                (down, across)
            };
            let is_odd = |frequency: u8, mirrors: bool| mirrors && frequency % 2 == 1;
            let is_negated = is_odd(across, self.mirrors_across) != is_odd(down, self.mirrors_down);
            (down * 8 + across, if is_negated { -1 } else { 1 })
        })
    }
}

/// Blocks that wait until the picture is whole: their coefficients are upright, their order is the stored one.
pub(super) struct Waiting {
    turn: Turn,
    /// Blocks in a row.
    across: usize,
    blocks: Vec<Block>,
    /// The AC coefficients that are not zero, block by block.
    values: Vec<i16>,
}

#[derive(Debug, Clone, Copy)]
struct Block {
    nonzero: u64,
    first_value: u32,
    dc: i16,
}

impl Waiting {
    /// For a picture of so many blocks, as it is stored.
    pub(super) fn new(turn: Turn, across: usize, down: usize) -> Result<Self, EngineError> {
        let mut blocks = Vec::new();
        blocks.try_reserve_exact(across * down).map_err(|_| out_of_memory())?;
        Ok(Self {
            turn,
            across,
            blocks,
            values: Vec::new(),
        })
    }

    /// Takes the next blocks, the first `count` lanes.
    pub(super) fn take(&mut self, quantized: &Quantized, count: usize) -> Result<(), EngineError> {
        self.values.try_reserve(BLOCK * LANES).map_err(|_| out_of_memory())?;
        for (lane, nonzero) in quantized.nonzero.iter().enumerate().take(count) {
            self.blocks.push(Block {
                nonzero: *nonzero,
                // At most as many as a picture has pixels.
                first_value: self.values.len() as u32,
                dc: quantized.group[lane],
            });
            let mut left = *nonzero;
            while left != 0 {
                let index = left.trailing_zeros() as usize % BLOCK;
                left &= left - 1;
                self.values.push(quantized.group[index * LANES + lane]);
            }
        }
        Ok(())
    }

    /// The blocks in upright order: the DC coefficient, which AC coefficients are not zero, and those.
    pub(super) fn upright(&self) -> impl Iterator<Item = (i16, u64, &[i16])> {
        let down = self.blocks.len() / self.across;
        let (rows, columns) = if self.turn.transposes {
            (self.across, down)
        } else {
            (down, self.across)
        };
        (0..rows)
            .flat_map(move |row| (0..columns).map(move |column| (row, column)))
            .map(move |(row, column)| {
                let (y, x) = if self.turn.transposes {
                    (column, row)
                } else {
                    (row, column)
                };
                let x = if self.turn.mirrors_across {
                    self.across - 1 - x
                } else {
                    x
                };
                let y = if self.turn.mirrors_down { down - 1 - y } else { y };
                let block = &self.blocks[y * self.across + x];
                let values = &self.values[block.first_value as usize..][..block.nonzero.count_ones() as usize];
                (block.dc, block.nonzero, values)
            })
    }
}

fn out_of_memory() -> EngineError {
    EngineError::Internal("no memory for the blocks of a picture".into())
}
