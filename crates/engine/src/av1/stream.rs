//! What was decided of a block, and how it is written (AV1 specification, 5.11).

use super::arithmetic::Writer;
use super::coefficients::{self, Levels, MOST, Place, Stream};
use super::contexts::Square;
use super::division::{QUARTERS, WHOLE};
use super::headers::SUPERBLOCK;
use super::predict::Mode;
use super::tile::Tile;
use super::transform::Kind;

/// A block whose modes and coefficients are known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block {
    pub(super) square: Square,
    pub(super) luma_mode: Mode,
    /// Steps of 3 degrees from the direction of the mode, -3 to 3.
    pub(super) luma_angle: i8,
    /// Of the transform of luma.
    pub(super) kind: Kind,
    pub(super) chroma: ChromaMode,
    /// Where its levels begin, in those of the superblock.
    pub(super) levels_at: usize,
    /// How many there are of each plane.
    pub(super) ends: [usize; 3],
    /// What is remembered of the levels of each plane.
    pub(super) sums: [u8; 3],
    pub(super) signs: [i8; 3],
}

/// How chroma is predicted.
#[derive(Debug, Clone, Copy)]
pub(super) enum ChromaMode {
    /// Like luma, from its edges.
    Edges { mode: Mode, angle: i8 },
    /// The mean of its edges and so many eighths of how luma differs from its own mean, -16 to 16, for blue and red; not both 0.
    FromLuma { eighths: [i8; 2] },
}

impl ChromaMode {
    pub(super) fn mode(self) -> Mode {
        match self {
            Self::Edges { mode, .. } => mode,
            Self::FromLuma { .. } => Mode::Dc,
        }
    }
}

/// The number of the mode that takes chroma from luma (UV_CFL_PRED).
pub(super) const FROM_LUMA: usize = 13;
/// The greatest logarithm of the side of blocks whose chroma may be taken from luma.
pub(super) const LARGEST_FROM_LUMA: usize = 5;
/// What an angle is counted from.
pub(super) const NO_TURN: i8 = 3;

impl Block {
    pub(super) fn new(square: Square) -> Self {
        Self {
            square,
            luma_mode: Mode::Dc,
            luma_angle: 0,
            kind: Kind::DctDct,
            chroma: ChromaMode::Edges {
                mode: Mode::Dc,
                angle: 0,
            },
            levels_at: 0,
            ends: [0; 3],
            sums: [0; 3],
            signs: [0; 3],
        }
    }

    /// Whether nothing is left of it.
    pub(super) fn is_skipped(&self) -> bool {
        self.ends == [0; 3]
    }
}

/// The signs of two shares as one symbol, and the context and the symbol of each that is not zero (5.11.45 and 8.3.2).
pub(super) fn shares(eighths: [i8; 2]) -> (usize, [Option<(usize, usize)>; 2]) {
    let [blue, red] = eighths.map(|share| match share {
        0 => 0,
        ..0 => 1,
        1.. => 2,
    });
    let magnitude = |share: i8| usize::from(share.unsigned_abs()) - 1;
    (
        3 * blue + red - 1,
        [
            (blue > 0).then(|| ((blue - 1) * 3 + red, magnitude(eighths[0]))),
            (red > 0).then(|| ((red - 1) * 3 + blue, magnitude(eighths[1]))),
        ],
    )
}

/// The symbol of a kind of transform where there are 7, and where there are 5.
pub(super) fn kind_symbols(kind: Kind) -> [usize; 2] {
    match kind {
        Kind::DctDct => [1, 1],
        Kind::AdstAdst => [4, 2],
        Kind::AdstDct => [5, 3],
        Kind::DctAdst => [6, 4],
    }
}

impl Tile<'_> {
    /// Writes the blocks of a superblock.
    pub(super) fn write(&mut self, square: Square) {
        self.says_quantizer = true;
        let blocks = std::mem::take(&mut self.blocks);
        self.write_division(square, &mut blocks.iter());
        self.blocks = blocks;
    }

    fn write_division(&mut self, square: Square, blocks: &mut std::slice::Iter<'_, Block>) {
        if !self.begins_inside(square) {
            return;
        }
        let is_whole = blocks
            .as_slice()
            .first()
            .is_some_and(|block| block.square.log2 == square.log2);
        self.write_partition(square, is_whole);
        if is_whole {
            if let Some(block) = blocks.next() {
                self.write_block(block);
                self.remember(block);
            }
        } else {
            for index in 0..4 {
                self.write_division(square.quarter(index), blocks);
            }
        }
    }

    fn write_partition(&mut self, square: Square, is_whole: bool) {
        let context = self.contexts.partition(square);
        let way = if is_whole { WHOLE } else { QUARTERS };
        if square.log2 == 3 {
            self.writer.symbol(way, &mut self.probabilities.partition_8[context]);
            return;
        }
        let inside = self.is_inside(square);
        let cumulative = &mut self.probabilities.partition[square.log2 - 4][context];
        // What would be ways to cut across the edge count as quarters (8.3.2): in both directions, then those of each.
        let ways: [usize; 6] = match inside {
            [true, true] => {
                self.writer.symbol(way, cumulative);
                return;
            }
            [true, false] => [2, 3, 4, 6, 7, 9],
            [false, true] => [1, 3, 4, 5, 6, 8],
            [false, false] => return,
        };
        let quarters: u16 = ways.iter().map(|&way| cumulative[way] - cumulative[way - 1]).sum();
        self.writer.fixed(1, &[(1 << 15) - quarters, 1 << 15]);
    }

    fn write_block(&mut self, block: &Block) {
        let square = block.square;
        let (writer, probabilities) = (&mut self.writer, &mut *self.probabilities);
        let is_skipped = block.is_skipped();
        writer.symbol(is_skipped.into(), &mut probabilities.skip[self.contexts.skip(square)]);
        self.write_quantizer(block);
        let (writer, probabilities) = (&mut self.writer, &mut *self.probabilities);
        let [above, left] = self.contexts.luma_mode(square);
        let luma = block.luma_mode as usize;
        writer.symbol(luma, &mut probabilities.luma_mode[above][left]);
        let mut angle = |mode: Mode, angle: i8, writer: &mut Writer| {
            if mode.is_directional() {
                writer.symbol((angle + NO_TURN) as usize, &mut probabilities.angle[mode as usize - 1]);
            }
        };
        angle(block.luma_mode, block.luma_angle, writer);
        if self.settings.format.chroma != super::Chroma::None {
            let mode = match block.chroma {
                ChromaMode::Edges { mode, .. } => mode as usize,
                ChromaMode::FromLuma { .. } => FROM_LUMA,
            };
            if square.log2 <= LARGEST_FROM_LUMA {
                writer.symbol(mode, &mut probabilities.chroma_mode_or_luma[luma]);
            } else {
                writer.symbol(mode, &mut probabilities.chroma_mode[luma]);
            }
            match block.chroma {
                ChromaMode::Edges { mode, angle: turn } => angle(mode, turn, writer),
                ChromaMode::FromLuma { eighths } => {
                    let (signs, shares) = shares(eighths);
                    writer.symbol(signs, &mut probabilities.chroma_signs);
                    for (context, magnitude) in shares.into_iter().flatten() {
                        writer.symbol(magnitude, &mut probabilities.chroma_alpha[context]);
                    }
                }
            }
        }
        if !is_skipped {
            self.write_coefficients(block);
        }
    }

    /// How the quantizer changes, which the first block of a superblock says unless there is nothing else (5.11.12).
    fn write_quantizer(&mut self, block: &Block) {
        let is_first = std::mem::take(&mut self.says_quantizer);
        if !is_first || block.square.side() == SUPERBLOCK && block.is_skipped() {
            return;
        }
        let turns = self.said.turns_to(&self.quantizer);
        self.said = self.quantizer;
        let most = turns.unsigned_abs().min(3);
        self.writer.symbol(most as usize, &mut self.probabilities.quantizer);
        if most == 3 {
            let rest = turns.unsigned_abs() - 1;
            self.writer.literal(rest.ilog2() - 1, 3);
            self.writer.literal(rest, rest.ilog2());
        }
        if turns != 0 {
            self.writer.literal(u32::from(turns < 0), 1);
        }
    }

    fn write_coefficients(&mut self, block: &Block) {
        let mut levels = [0; MOST];
        let mut in_context = Levels::new();
        let mut at = block.levels_at;
        for plane in 0..self.planes() {
            let end = block.ends[plane];
            let place = self.place(block.square, plane);
            let context = self.contexts.all_zero(block.square, plane);
            let probabilities = &mut *self.probabilities;
            let all_zero = &mut probabilities.coefficients.all_zero[place.side][context];
            self.writer.symbol(usize::from(end == 0), all_zero);
            if end == 0 {
                continue;
            }
            let [of_7, of_5] = kind_symbols(block.kind);
            let mode = block.luma_mode as usize;
            match (plane, place.side) {
                (0, side @ 0..2) => self.writer.symbol(of_7, &mut probabilities.kind_of_7[side][mode]),
                (0, 2) => self.writer.symbol(of_5, &mut probabilities.kind_of_5[2][mode]),
                _ => {}
            }
            coefficients::spread(place.side, &self.levels[at..at + end], &mut levels);
            let mut stream = Stream {
                writer: &mut self.writer,
                probabilities: &mut probabilities.coefficients,
            };
            in_context.code(place, &levels, end, &mut stream);
            at += end;
        }
    }

    pub(super) fn place(&self, square: Square, plane: usize) -> Place {
        Place {
            side: square.log2 - 2 - self.shift(plane),
            plane: plane.min(1),
            dc_sign_context: self.contexts.dc_sign(square, plane),
        }
    }
}

/// What is remembered of levels: their sum, up to 63, and the sign of the first (5.11.39).
pub(super) fn sum_and_sign(in_order: &[i16]) -> (u8, i8) {
    let sum = in_order
        .iter()
        .fold(0_u32, |sum, level| sum + u32::from(level.unsigned_abs()));
    let sign = in_order.first().map_or(0, |level| level.signum());
    (sum.min(63) as u8, sign as i8)
}
