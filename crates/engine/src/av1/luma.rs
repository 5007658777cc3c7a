//! How luma of a block is predicted and transformed: what costs least of what is tried.

use super::contexts::Square;
use super::costs::BIT;
use super::measure::Difference;
use super::predict::{self, Edges, Mode, Prediction};
use super::residual::{self, Cost, Task};
use super::stream::{Block, NO_TURN, kind_symbols, sum_and_sign};
use super::tile::{Scratch, Tile};
use super::transform::Kind;
use super::{Search, coefficients};
use crate::simd::{self, Kernel, Level};

/// Ways to predict luma that are looked at: modes, and turns of three directions.
const MOST_WAYS: usize = 13 + 3 * 6;

/// A way to predict luma, and what it seems to cost.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    mode: Mode,
    angle: i8,
    /// Of saying so, in [`BIT`]s.
    rate: u32,
    estimate: f32,
}

/// Candidates, the most promising first.
#[derive(Debug)]
struct Candidates {
    all: [Candidate; MOST_WAYS],
    count: usize,
}

impl Candidates {
    const fn new() -> Self {
        const NONE: Candidate = Candidate {
            mode: Mode::Dc,
            angle: 0,
            rate: 0,
            estimate: f32::INFINITY,
        };
        Self {
            all: [NONE; MOST_WAYS],
            count: 0,
        }
    }

    fn add(&mut self, candidate: Candidate) {
        let mut at = self.count;
        while at > 0 && self.all[at - 1].estimate > candidate.estimate {
            self.all[at] = self.all[at - 1];
            at -= 1;
        }
        self.all[at] = candidate;
        self.count += 1;
    }

    fn first(&self, count: usize) -> &[Candidate] {
        &self.all[..count.min(self.count)]
    }
}

/// The transform that goes with a mode (Mode_To_Txfm).
pub(super) fn usual_kind(mode: Mode) -> Kind {
    match mode {
        Mode::Dc | Mode::D45 => Kind::DctDct,
        Mode::Vertical | Mode::D113 | Mode::D67 | Mode::SmoothVertical => Kind::AdstDct,
        Mode::Horizontal | Mode::D157 | Mode::D203 | Mode::SmoothHorizontal => Kind::DctAdst,
        Mode::D135 | Mode::Smooth | Mode::Paeth => Kind::AdstAdst,
    }
}

impl Tile<'_> {
    /// Chooses, decodes and counts luma of a block.
    pub(super) fn choose_luma(&mut self, block: &mut Block) -> Cost {
        let square = block.square;
        let candidates = self.candidates(square);
        let tried = candidates.first(self.search.tried);
        let mut least = f32::INFINITY;
        let mut chosen = tried[0];
        let mut predicted = chosen;
        for &candidate in tried {
            predicted = candidate;
            let energy = self.residual_of(square, 0, candidate.mode, candidate.angle);
            for kind in self.kinds(square, candidate.mode) {
                let kind_cost = self.kind_cost(square, candidate.mode, kind);
                self.try_transform(square, 0, kind, kind_cost, energy);
                let mut cost = self.scratch.trial.cost;
                cost.rate += candidate.rate;
                let total = cost.total(&self.quantizer);
                if total < least {
                    (least, chosen) = (total, candidate);
                    let scratch = &mut *self.scratch;
                    std::mem::swap(&mut scratch.trial, &mut scratch.best);
                }
            }
        }
        if (predicted.mode, predicted.angle) != (chosen.mode, chosen.angle) {
            self.predict(square, 0, chosen.mode, chosen.angle);
        }
        block.luma_mode = chosen.mode;
        block.luma_angle = chosen.angle;
        block.kind = self.scratch.best.kind;
        block.levels_at = self.levels.len();
        let kind_cost = self.kind_cost(square, chosen.mode, block.kind);
        self.refine(square, 0, kind_cost);
        self.keep(block, 0);
        let mut cost = self.scratch.best.cost;
        cost.rate += chosen.rate;
        cost
    }

    /// Puts prediction and residual of the best trial into what is decoded, and its levels where they are kept.
    pub(super) fn keep(&mut self, block: &mut Block, plane: usize) {
        let side = block.square.side() >> self.shift(plane);
        let stride = self.decoded.strides[plane];
        let [_, at] = self.at(block.square, plane);
        let pixels = &mut self.decoded.samples[plane][at..];
        let rows = pixels.chunks_mut(stride).zip(self.scratch.predicted.chunks_exact(side));
        for (row, predicted) in rows.take(side) {
            row[..side].copy_from_slice(predicted);
        }
        let best = &self.scratch.best;
        let log2 = side.ilog2() as usize - 2;
        best.reconstruct(log2, pixels, stride, self.settings.format.bits);
        let from = self.levels.len();
        self.levels.extend(coefficients::in_order(log2, &best.levels, best.end));
        block.ends[plane] = best.end;
        (block.sums[plane], block.signs[plane]) = sum_and_sign(&self.levels[from..]);
    }

    /// Predicts a plane of a block; the sum of squares of what is left.
    pub(super) fn residual_of(&mut self, square: Square, plane: usize, mode: Mode, angle: i8) -> f32 {
        self.predict(square, plane, mode, angle);
        self.left_over(square, plane)
    }

    /// The residual of what is predicted of a plane of a block.
    pub(super) fn left_over(&mut self, square: Square, plane: usize) -> f32 {
        let side = square.side() >> self.shift(plane);
        let [at, _] = self.at(square, plane);
        let scratch = &mut *self.scratch;
        residual::of(
            &self.source.samples[plane][at..],
            self.source.strides[plane],
            &scratch.predicted[..side * side],
            side,
            &mut scratch.residual[..side * side],
        )
    }

    /// Predicts from the edges that were gathered last.
    pub(super) fn predict(&mut self, square: Square, plane: usize, mode: Mode, angle: i8) {
        let side = square.side() >> self.shift(plane);
        let is_smooth = self.contexts.is_smooth(square, plane);
        let scratch = &mut *self.scratch;
        let into = &mut scratch.predicted[..side * side];
        predict::predict(mode, angle, &scratch.edges, Some(is_smooth), into);
    }

    /// Gathers what is decoded around a plane of a block.
    pub(super) fn gather(&mut self, square: Square, plane: usize) {
        let available = self.available(square, plane);
        let [_, at] = self.at(square, plane);
        let side = square.side() >> self.shift(plane);
        let (samples, stride) = (&self.decoded.samples[plane], self.decoded.strides[plane]);
        let bits = self.settings.format.bits;
        self.scratch.edges.gather(samples, stride, at, side, available, bits);
    }

    /// What it costs to say the kind of a transform of luma.
    fn kind_cost(&self, square: Square, mode: Mode, kind: Kind) -> u16 {
        let [of_7, of_5] = kind_symbols(kind);
        match square.log2 - 2 {
            side @ 0..2 => self.costs.kind_of_7[side][mode as usize][of_7],
            2 => self.costs.kind_of_5[2][mode as usize][of_5],
            _ => 0,
        }
    }

    /// Tries a transform of what is left of a plane.
    pub(super) fn try_transform(&mut self, square: Square, plane: usize, kind: Kind, kind_cost: u16, energy: f32) {
        let side = square.side() >> self.shift(plane);
        self.with_task(square, plane, kind_cost, |task, scratch| {
            let residual = &scratch.residual[..side * side];
            residual::tried(task, residual, energy, kind, &mut scratch.levels, &mut scratch.trial);
        });
    }

    /// Lowers levels of the best trial of a plane where that costs less.
    pub(super) fn refine(&mut self, square: Square, plane: usize, kind_cost: u16) {
        if self.search.refines {
            self.with_task(square, plane, kind_cost, |task, scratch| {
                scratch.best.refine(task, &mut scratch.levels);
            });
        }
    }

    fn with_task(&mut self, square: Square, plane: usize, kind_cost: u16, run: impl FnOnce(&Task<'_>, &mut Scratch)) {
        let task = Task {
            quantizer: &self.quantizer,
            place: self.place(square, plane),
            all_zero_context: self.contexts.all_zero(square, plane),
            kind_cost,
            costs: &self.costs.coefficients,
        };
        run(&task, &mut self.scratch);
    }

    /// Kinds of transform that are worth a trial.
    fn kinds(&self, square: Square, mode: Mode) -> impl Iterator<Item = Kind> + use<> {
        let usual = usual_kind(mode);
        let has_other = self.search.kinds && square.log2 <= 4 && usual != Kind::DctDct;
        std::iter::once(Kind::DctDct).chain(has_other.then_some(usual))
    }

    fn candidates(&mut self, square: Square) -> Candidates {
        self.gather(square, 0);
        let [above, left] = self.contexts.luma_mode(square);
        let [at, _] = self.at(square, 0);
        let side = square.side();
        simd::run(Look {
            edges: &self.scratch.edges,
            is_smooth: self.contexts.is_smooth(square, 0),
            source: &self.source.samples[0][at..],
            stride: self.source.strides[0],
            side,
            predicted: &mut self.scratch.predicted[..side * side],
            search: self.search,
            modes: &self.costs.luma_mode[above][left],
            turns: &self.costs.angle,
            root: self.quantizer.lambda.sqrt(),
        })
    }
}

/// Looks at ways to predict luma of a block.
struct Look<'a> {
    edges: &'a Edges,
    is_smooth: bool,
    source: &'a [u16],
    stride: usize,
    side: usize,
    predicted: &'a mut [u16],
    search: Search,
    /// What it costs to say a mode, and its turn.
    modes: &'a [u16; 13],
    turns: &'a [[u16; 7]; 8],
    /// What a bit is worth in magnitudes: the root of what it is in squares.
    root: f32,
}

impl Kernel for Look<'_> {
    type Output = Candidates;

    #[inline(always)]
    fn run(self, level: impl Level) -> Candidates {
        let mut candidates = Candidates::new();
        let mut ways = [(Mode::Dc, 0); MOST_WAYS];
        let mut count = 0;
        for mode in Mode::ALL {
            // Over a large block hardly anything goes on in a direction that is neither of the two.
            let is_rare = self.side == 64 && mode.is_directional();
            if !is_rare || matches!(mode, Mode::Vertical | Mode::Horizontal) {
                ways[count] = (mode, 0);
                count += 1;
            }
        }
        let modes = count;
        let mut next = 0;
        // One loop for both, so that the code of all predictions is there once.
        while next < count {
            let (mode, angle) = ways[next];
            next += 1;
            let mut rate = u32::from(self.modes[mode as usize]);
            if mode.is_directional() {
                rate += u32::from(self.turns[mode as usize - 1][(angle + NO_TURN) as usize]);
            }
            Prediction {
                mode,
                angle_delta: angle,
                edges: self.edges,
                filter: Some(self.is_smooth),
                into: self.predicted,
            }
            .run(level);
            let difference = Difference {
                source: self.source,
                stride: self.stride,
                predicted: self.predicted,
                side: self.side,
            };
            candidates.add(Candidate {
                mode,
                angle,
                rate,
                // A sum of magnitudes is to bits as the root of one of squares.
                estimate: difference.run(level) as f32 + self.root * (rate as f32 / BIT as f32),
            });
            if next == modes && self.side <= self.search.largest_turned {
                for candidate in candidates.first(self.search.turned) {
                    if candidate.mode.is_directional() {
                        for angle in [-3, -2, -1, 1, 2, 3] {
                            ways[count] = (candidate.mode, angle);
                            count += 1;
                        }
                    }
                }
            }
        }
        candidates
    }
}
