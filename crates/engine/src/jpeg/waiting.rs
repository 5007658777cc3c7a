//! Quantized blocks of one component that wait until the picture is whole: to be written upright, or with tables that fit
//! them, or in several scans.

use super::forward::Quantized;
use super::turn::Turn;
use super::{BLOCK, EngineError};
use crate::simd::LANES;

/// The blocks of a component: their coefficients are upright, their order is that in which the rows come.
pub(super) struct Waiting {
    turn: Turn,
    /// Blocks in a row.
    across: usize,
    blocks: Vec<Block>,
    /// The AC coefficients that are not zero, block by block.
    values: Vec<i16>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Block {
    nonzero: u64,
    first_value: u32,
    dc: i16,
}

/// The DC coefficient of a block, which AC coefficients are not zero, and those.
pub(super) type Coefficients<'w> = (i16, u64, &'w [i16]);

impl Waiting {
    /// For a component of so many blocks, before it is turned.
    pub(super) fn new(turn: Turn, across: usize, down: usize) -> Result<Self, EngineError> {
        let mut blocks = Vec::new();
        blocks.try_reserve_exact(across * down).map_err(|_| out_of_memory())?;
        blocks.resize(across * down, Block::default());
        Ok(Self {
            turn,
            across,
            blocks,
            values: Vec::new(),
        })
    }

    /// Takes the first lanes as the blocks from `first` of a row on, as many as it has.
    pub(super) fn take(&mut self, row: usize, first: usize, quantized: &Quantized) -> Result<(), EngineError> {
        self.values.try_reserve(BLOCK * LANES).map_err(|_| out_of_memory())?;
        let Some(blocks) = self.blocks.chunks_exact_mut(self.across).nth(row) else {
            return Ok(());
        };
        let blocks = blocks.iter_mut().skip(first);
        for ((lane, nonzero), block) in quantized.nonzero.iter().enumerate().zip(blocks) {
            *block = Block {
                nonzero: *nonzero,
                // At most as many as a picture has pixels.
                first_value: self.values.len() as u32,
                dc: quantized.group[lane],
            };
            let mut left = *nonzero;
            while left != 0 {
                let index = left.trailing_zeros() as usize % BLOCK;
                left &= left - 1;
                self.values.push(quantized.group[index * LANES + lane]);
            }
        }
        Ok(())
    }

    /// Blocks along each direction of the upright component.
    pub(super) fn sides(&self) -> (usize, usize) {
        let down = self.blocks.len() / self.across;
        if self.turn.transposes {
            (down, self.across)
        } else {
            (self.across, down)
        }
    }

    /// A block of the upright component; `None` beyond its edges.
    #[inline]
    pub(super) fn at(&self, row: usize, column: usize) -> Option<Coefficients<'_>> {
        let (across, down) = self.sides();
        if row >= down || column >= across {
            return None;
        }
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
        let rows = self.blocks.len() / self.across;
        let y = if self.turn.mirrors_down { rows - 1 - y } else { y };
        let block = self.blocks.get(y * self.across + x)?;
        let values = self.values[block.first_value as usize..].get(..block.nonzero.count_ones() as usize)?;
        Some((block.dc, block.nonzero, values))
    }

    /// All blocks of the upright component, row by row.
    pub(super) fn all(&self) -> impl Iterator<Item = Coefficients<'_>> {
        let (across, down) = self.sides();
        (0..down)
            .flat_map(move |row| (0..across).map(move |column| (row, column)))
            .filter_map(|(row, column)| self.at(row, column))
    }
}

fn out_of_memory() -> EngineError {
    EngineError::Internal("no memory for the blocks of a picture".into())
}
