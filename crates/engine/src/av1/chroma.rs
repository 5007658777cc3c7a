//! How chroma of a block is predicted: what costs least of what is tried.

use super::contexts::Square;
use super::costs::BIT;
use super::headers::SUPERBLOCK;
use super::luma::usual_kind;
use super::measure;
use super::predict::{self, Mode};
use super::residual::Cost;
use super::stream::{Block, ChromaMode, FROM_LUMA, LARGEST_FROM_LUMA, NO_TURN, shares};
use super::tile::Tile;
use super::transform::Kind;

/// Samples of a block of chroma that may be taken from luma.
const MOST: usize = 32 * 32;

impl Tile<'_> {
    /// Chooses, decodes and counts blue and red of a block whose luma is decoded.
    pub(super) fn choose_chroma(&mut self, block: &mut Block) -> Cost {
        let square = block.square;
        let mut luma = [0; MOST];
        if square.log2 <= LARGEST_FROM_LUMA {
            self.luma_around_mean(square, &mut luma);
        }
        let (mode, rate) = self.likeliest(block, &luma);
        block.chroma = mode;
        let mut cost = Cost { distortion: 0.0, rate };
        for plane in 1..3 {
            self.gather(square, plane);
            self.predict_chroma(square, plane, mode, &luma);
            let energy = self.left_over(square, plane);
            self.try_transform(square, plane, self.chroma_kind(square, mode), 0, energy);
            let scratch = &mut *self.scratch;
            std::mem::swap(&mut scratch.trial, &mut scratch.best);
            self.refine(square, plane, 0);
            cost.add(self.scratch.best.cost);
            self.keep(block, plane);
        }
        cost
    }

    /// The transform of chroma, which is not said (compute_tx_type of 5.11.40).
    fn chroma_kind(&self, square: Square, mode: ChromaMode) -> Kind {
        if square.log2 - self.shift(1) > 4 {
            Kind::DctDct
        } else {
            usual_kind(mode.mode())
        }
    }

    /// The mode whose predictions of both planes are nearest, and what it costs to say it.
    fn likeliest(&mut self, block: &Block, luma: &[i16; MOST]) -> (ChromaMode, u32) {
        let square = block.square;
        let costs = if square.log2 <= LARGEST_FROM_LUMA {
            self.costs.chroma_mode_or_luma[block.luma_mode as usize]
        } else {
            let costs = self.costs.chroma_mode[block.luma_mode as usize];
            std::array::from_fn(|mode| costs.get(mode).copied().unwrap_or(0))
        };
        let mut ways = vec![ChromaMode::Edges {
            mode: block.luma_mode,
            angle: block.luma_angle,
        }];
        for mode in [Mode::Dc, Mode::Vertical, Mode::Horizontal, Mode::Smooth, Mode::Paeth] {
            if mode != block.luma_mode || block.luma_angle != 0 {
                ways.push(ChromaMode::Edges { mode, angle: 0 });
            }
        }
        if square.log2 <= LARGEST_FROM_LUMA {
            let eighths = [1, 2].map(|plane| self.share_of_luma(square, plane, luma));
            if eighths != [0; 2] {
                ways.push(ChromaMode::FromLuma { eighths });
            }
        }
        let mut estimates = vec![0.0; ways.len()];
        for plane in 1..3 {
            self.gather(square, plane);
            for (way, estimate) in ways.iter().zip(&mut estimates) {
                *estimate += self.chroma_difference(square, plane, *way, luma) as f32;
            }
        }
        let root = self.quantizer.lambda.sqrt();
        let mut best = (f32::INFINITY, ways[0], 0);
        for (way, estimate) in ways.into_iter().zip(estimates) {
            let rate = self.chroma_rate(&costs, way);
            let total = estimate + root * (rate as f32 / BIT as f32);
            if total < best.0 {
                best = (total, way, rate);
            }
        }
        (best.1, best.2)
    }

    fn chroma_rate(&self, costs: &[u16; 14], way: ChromaMode) -> u32 {
        match way {
            ChromaMode::Edges { mode, angle } => {
                let turn = if mode.is_directional() {
                    self.costs.angle[mode as usize - 1][(angle + NO_TURN) as usize]
                } else {
                    0
                };
                u32::from(costs[mode as usize]) + u32::from(turn)
            }
            ChromaMode::FromLuma { eighths } => {
                let (signs, shares) = shares(eighths);
                let magnitudes: u32 = shares
                    .into_iter()
                    .flatten()
                    .map(|(context, magnitude)| u32::from(self.costs.chroma_alpha[context][magnitude]))
                    .sum();
                u32::from(costs[FROM_LUMA]) + u32::from(self.costs.chroma_signs[signs]) + magnitudes
            }
        }
    }

    fn chroma_difference(&mut self, square: Square, plane: usize, way: ChromaMode, luma: &[i16; MOST]) -> u32 {
        self.predict_chroma(square, plane, way, luma);
        let side = square.side() >> self.shift(plane);
        let [at, _] = self.at(square, plane);
        let (samples, stride) = (&self.source.samples[plane][at..], self.source.strides[plane]);
        measure::difference(samples, stride, &self.scratch.predicted[..side * side], side)
    }

    /// Predicts from the edges that were gathered last.
    fn predict_chroma(&mut self, square: Square, plane: usize, way: ChromaMode, luma: &[i16; MOST]) {
        match way {
            ChromaMode::Edges { mode, angle } => self.predict(square, plane, mode, angle),
            ChromaMode::FromLuma { eighths } => {
                self.predict(square, plane, Mode::Dc, 0);
                let side = square.side() >> self.shift(plane);
                let eighths = i32::from(eighths[plane - 1]);
                let bits = self.settings.format.bits;
                let mut mean = [0; MOST];
                let mean = &mut mean[..side * side];
                let predicted = &mut self.scratch.predicted[..side * side];
                mean.copy_from_slice(predicted);
                predict::chroma_from_luma(mean, &luma[..side * side], eighths, bits, predicted);
            }
        }
    }

    /// How decoded luma differs from its mean, in eighths, with as many samples as chroma has.
    fn luma_around_mean(&self, square: Square, into: &mut [i16; MOST]) {
        let side = square.side() >> self.shift(1);
        let [_, at] = self.at(square, 0);
        let stride = self.decoded.strides[0];
        predict::luma_ac(
            &self.decoded.samples[0],
            stride,
            at,
            self.is_halved() == 1,
            side,
            &mut into[..side * side],
        );
    }

    /// The share of luma that is nearest to a plane, by least squares, in eighths.
    fn share_of_luma(&mut self, square: Square, plane: usize, luma: &[i16; MOST]) -> i8 {
        let side = square.side() >> self.shift(plane);
        self.gather(square, plane);
        self.residual_of(square, plane, Mode::Dc, 0);
        let mut products = 0;
        let mut squares = 0;
        for (luma, left) in luma[..side * side].iter().zip(&self.scratch.residual) {
            products += i64::from(*luma) * i64::from(*left);
            squares += i64::from(*luma) * i64::from(*luma);
        }
        if squares == 0 {
            return 0;
        }
        // Eighths of luma times eighths.
        (64.0 * products as f32 / squares as f32).round().clamp(-16.0, 16.0) as i8
    }
}

const _: () = assert!(MOST * 4 == SUPERBLOCK * SUPERBLOCK);
