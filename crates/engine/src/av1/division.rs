//! How a superblock is divided into blocks: whatever costs least, from the largest down.

use super::Chroma;
use super::contexts::{Near, Square};
use super::residual::Cost;
use super::stream::Block;
use super::tile::Tile;

/// The logarithm of the side of the smallest blocks.
const SMALLEST: usize = 3;
/// What a pixel of a block of 8 to 64 costs where its quarters hardly ever cost less, in bits: three photos at indices 60, 107 and
/// 160 come out within a thousandth of the size that they have when all quarters are tried.
const PLAIN: [f32; 4] = [f32::INFINITY, 0.8, 0.25, 0.12];
/// Of the ways to divide a block.
pub(super) const WHOLE: usize = 0;
pub(super) const QUARTERS: usize = 3;

impl Tile<'_> {
    /// Decides what becomes of a block, decodes it, and remembers it in the contexts. `limit` is what it may cost at the most;
    /// above it, whatever is found is returned as infinite.
    pub(super) fn divide(&mut self, square: Square, limit: f32) -> f32 {
        if !self.begins_inside(square) {
            return 0.0;
        }
        if self.is_inside(square) != [true; 2] {
            return self.quartered(square, 0.0, limit);
        }
        let costs = self.costs.partition[square.log2 - SMALLEST][self.contexts.partition(square)];
        let [whole_rate, quarters_rate] = [WHOLE, QUARTERS].map(|way| self.rate(costs[way]));
        // Transforms of chroma have 32 samples at the most.
        if square.log2 == 6 && self.settings.format.chroma == Chroma::Full {
            return self.quartered(square, quarters_rate, limit);
        }
        let before = self.contexts.remembered(square);
        let first_block = self.blocks.len();
        let (block, cost) = self.whole(square);
        let whole = cost.total(&self.quantizer) + whole_rate;
        self.remember(&block);
        self.blocks.push(block);
        if square.log2 == SMALLEST || self.is_plain(square, whole) {
            return whole;
        }
        let after = self.contexts.remembered(square);
        self.keep_pixels(square);
        // Its levels stay until it is known which are taken: those of the quarters come behind them.
        let last_level = self.levels.len();
        self.blocks.truncate(first_block);
        self.contexts.restore(square, &before);
        let quarters = self.quartered(square, quarters_rate, limit.min(whole));
        if quarters < whole {
            return quarters;
        }
        self.blocks.truncate(first_block);
        self.blocks.push(block);
        self.levels.truncate(last_level);
        self.contexts.restore(square, &after);
        self.put_back(square);
        whole
    }

    fn quartered(&mut self, square: Square, rate: f32, limit: f32) -> f32 {
        let mut sum = rate;
        for index in 0..4 {
            sum += self.divide(square.quarter(index), limit - sum);
            if sum >= limit {
                return f32::INFINITY;
            }
        }
        sum
    }

    /// Whether quarters could hardly cost less than what the whole block does.
    fn is_plain(&self, square: Square, whole: f32) -> bool {
        let pixels = (square.side() * square.side()) as f32;
        self.search.prunes && whole < PLAIN[square.log2 - SMALLEST] * self.quantizer.lambda * pixels
    }

    /// What bits cost.
    pub(super) fn rate(&self, cost: u16) -> f32 {
        Cost {
            distortion: 0.0,
            rate: cost.into(),
        }
        .total(&self.quantizer)
    }

    /// The whole block with the modes that cost least, decoded.
    fn whole(&mut self, square: Square) -> (Block, Cost) {
        let mut block = Block::new(square);
        let mut cost = self.choose_luma(&mut block);
        if self.planes() > 1 {
            cost.add(self.choose_chroma(&mut block));
        }
        let skip = self.costs.skip[self.contexts.skip(square)];
        cost.rate += u32::from(skip[usize::from(block.is_skipped())]);
        (block, cost)
    }

    /// Puts a block into the contexts.
    pub(super) fn remember(&mut self, block: &Block) {
        let near = Near {
            log2: block.square.log2 as u8,
            luma_mode: block.luma_mode,
            chroma_mode: block.chroma.mode(),
            is_skipped: block.is_skipped(),
            levels: block.sums,
            signs: block.signs,
        };
        self.contexts.set(block.square, |into| *into = near);
    }

    /// Keeps what is decoded of a block.
    fn keep_pixels(&mut self, square: Square) {
        for plane in 0..self.planes() {
            let side = square.side() >> self.shift(plane);
            let [_, at] = self.at(square, plane);
            let rows = self.decoded.samples[plane][at..].chunks(self.decoded.strides[plane]);
            let kept = &mut self.scratch.kept[square.log2 - SMALLEST][plane];
            for (row, kept) in rows.zip(kept.chunks_exact_mut(side)).take(side) {
                kept.copy_from_slice(&row[..side]);
            }
        }
    }

    /// Puts back what was kept of it.
    fn put_back(&mut self, square: Square) {
        for plane in 0..self.planes() {
            let side = square.side() >> self.shift(plane);
            let [_, at] = self.at(square, plane);
            let rows = self.decoded.samples[plane][at..].chunks_mut(self.decoded.strides[plane]);
            let kept = &self.scratch.kept[square.log2 - SMALLEST][plane];
            for (row, kept) in rows.zip(kept.chunks_exact(side)).take(side) {
                row[..side].copy_from_slice(kept);
            }
        }
    }
}
