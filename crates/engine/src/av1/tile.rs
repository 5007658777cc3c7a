//! One tile: what is kept of it while it is coded, superblock by superblock.

use super::arithmetic::Writer;
use super::coefficients::Levels;
use super::contexts::{Contexts, Near, Square, UNIT, UNITS};
use super::costs::Costs;
use super::headers::SUPERBLOCK;
use super::measure::{self, PIECE};
use super::predict::{Available, Edges};
use super::probabilities::Probabilities;
use super::quantizer::Quantizer;
use super::residual::Trial;
use super::stream::Block;
use super::{Area, Chroma, Planes, Search, Settings, Stopped};

/// A tile that is being coded.
#[derive(Debug)]
pub(super) struct Tile<'a> {
    pub(super) settings: &'a Settings,
    /// Of the whole picture, of the superblock, and of the last block that said one.
    base: &'a Quantizer,
    pub(super) quantizer: Quantizer,
    pub(super) said: Quantizer,
    /// Whether no block of the superblock had a chance to say it.
    pub(super) says_quantizer: bool,
    pub(super) search: Search,
    area: Area,
    /// The row of superblocks that is being coded, without what is above it.
    pub(super) source: Planes,
    /// The same as it will be decoded; its first row is the last one above it.
    pub(super) decoded: Planes,
    /// Upper edge of the row, from that of the tile.
    row: usize,
    pub(super) contexts: Contexts,
    pub(super) costs: Box<Costs>,
    pub(super) probabilities: Box<Probabilities>,
    pub(super) writer: Writer,
    /// What was decided of a superblock, in the order of the stream.
    pub(super) blocks: Vec<Block>,
    /// Levels of its blocks, in the order of coding.
    pub(super) levels: Vec<i16>,
    pub(super) scratch: Box<Scratch>,
    /// Takes what is decoded of each row of superblocks, for tests.
    #[cfg(test)]
    pub(super) observer: Option<&'a std::cell::RefCell<Vec<Planes>>>,
}

/// What is used within a block.
#[derive(Debug)]
pub(super) struct Scratch {
    pub(super) edges: Edges,
    pub(super) predicted: [u16; SUPERBLOCK * SUPERBLOCK],
    pub(super) residual: [i16; SUPERBLOCK * SUPERBLOCK],
    pub(super) levels: Levels,
    pub(super) trial: Trial,
    pub(super) best: Trial,
    /// What is decoded of whole blocks of 8 to 64 while their quarters are tried, plane by plane.
    pub(super) kept: [[Vec<u16>; 3]; 4],
}

impl<'a> Tile<'a> {
    pub(super) fn new(settings: &'a Settings, base: &'a Quantizer, area: Area) -> Self {
        let width = area.columns.len().next_multiple_of(SUPERBLOCK);
        let strides = match settings.format.chroma {
            Chroma::None => [width, 0, 0],
            Chroma::Half => [width, width / 2, width / 2],
            Chroma::Full => [width; 3],
        };
        let halved = usize::from(settings.format.chroma == Chroma::Half);
        let rows = [SUPERBLOCK, SUPERBLOCK >> halved, SUPERBLOCK >> halved];
        let planes = |more: usize| Planes {
            samples: std::array::from_fn(|plane| vec![0; (rows[plane] + more) * strides[plane]]),
            strides,
        };
        let probabilities = Box::new(Probabilities::new(base.index));
        Self {
            settings,
            base,
            quantizer: *base,
            said: *base,
            says_quantizer: false,
            search: Search::of(settings.effort),
            source: planes(0),
            decoded: planes(1),
            row: 0,
            contexts: Contexts::new(width / UNIT),
            costs: Box::new(Costs::new(&probabilities)),
            probabilities,
            writer: Writer::new(),
            blocks: Vec::new(),
            levels: Vec::new(),
            scratch: Box::new(Scratch {
                edges: Edges::new(),
                predicted: [0; SUPERBLOCK * SUPERBLOCK],
                residual: [0; SUPERBLOCK * SUPERBLOCK],
                levels: Levels::new(),
                trial: Trial::new(),
                best: Trial::new(),
                kept: std::array::from_fn(|size| std::array::from_fn(|_| vec![0; 64 << (2 * size)])),
            }),
            area,
            #[cfg(test)]
            observer: None,
        }
    }

    /// The bytes of the tile.
    ///
    /// # Errors
    /// [`Stopped`].
    pub(super) fn code(
        mut self,
        fill: &dyn Fn(&Area, &mut Planes),
        should_stop: &dyn Fn() -> bool,
    ) -> Result<Vec<u8>, Stopped> {
        let [columns, rows] = [&self.area.columns, &self.area.rows].map(|range| range.len());
        for row in (0..rows).step_by(SUPERBLOCK) {
            self.row = row;
            let area = Area {
                columns: self.area.columns.clone(),
                rows: self.area.rows.start + row..self.area.rows.start + (row + SUPERBLOCK).min(rows),
            };
            fill(&area, &mut self.source);
            self.extend(&area);
            self.contexts.left = [Near::NONE; UNITS];
            self.contexts.inside = [columns, (rows - row).min(SUPERBLOCK)].map(units);
            for column in (0..columns).step_by(SUPERBLOCK) {
                if should_stop() {
                    return Err(Stopped);
                }
                self.superblock(Square {
                    column,
                    row: 0,
                    log2: SUPERBLOCK.ilog2() as usize,
                });
            }
            #[cfg(test)]
            self.observe();
            self.move_up();
        }
        Ok(self.writer.finish())
    }

    /// Shows the row of superblocks that is decoded, without what is above it.
    #[cfg(test)]
    fn observe(&self) {
        if let Some(rows) = self.observer {
            let samples = [0, 1, 2].map(|plane| self.decoded.samples[plane][self.decoded.strides[plane]..].to_vec());
            let strides = self.decoded.strides;
            rows.borrow_mut().push(Planes { samples, strides });
        }
    }

    fn superblock(&mut self, square: Square) {
        *self.costs = Costs::new(&self.probabilities);
        self.blocks.clear();
        self.levels.clear();
        self.quantizer = self.base.for_activity(self.activity(square));
        let before = self.contexts.remembered(square);
        self.divide(square, f32::INFINITY);
        self.contexts.restore(square, &before);
        self.write(square);
    }

    /// The mean logarithm of the variances of what is inside the picture of a superblock, in pieces of 8 x 8 pixels of 8 bits.
    fn activity(&self, square: Square) -> f32 {
        let [columns, rows] = self.contexts.inside.map(|units| units * UNIT);
        let stride = self.source.strides[0];
        let scale = 1.0 / f32::from(1_u16 << (2 * (self.settings.format.bits - 8)));
        let mut sum = 0.0;
        let mut count = 0.0;
        for row in (0..rows).step_by(PIECE) {
            for column in (square.column..(square.column + SUPERBLOCK).min(columns)).step_by(PIECE) {
                let samples = &self.source.samples[0][row * stride + column..];
                sum += (1.0 + scale * measure::variance(samples, stride)).log2();
                count += 1.0;
            }
        }
        sum / count
    }

    /// Repeats the last column and row of what is inside the picture.
    fn extend(&mut self, area: &Area) {
        let halved = self.is_halved();
        for (plane, samples) in self.source.samples.iter_mut().enumerate() {
            let stride = self.source.strides[plane];
            if stride == 0 {
                continue;
            }
            let shift = if plane > 0 { halved } else { 0 };
            let [columns, rows] = [&area.columns, &area.rows].map(|range| (range.len() + shift) >> shift);
            for row in samples.chunks_exact_mut(stride).take(rows) {
                let last = row[columns - 1];
                row[columns..].fill(last);
            }
            let all = samples.len() / stride;
            for row in rows..all {
                samples.copy_within((rows - 1) * stride..rows * stride, row * stride);
            }
        }
    }

    /// Makes the last row what is above the next.
    fn move_up(&mut self) {
        for (samples, stride) in self.decoded.samples.iter_mut().zip(self.decoded.strides) {
            let last = samples.len() - stride;
            samples.copy_within(last.., 0);
        }
    }

    /// 1 where chroma has half of the samples each way.
    pub(super) fn is_halved(&self) -> usize {
        usize::from(self.settings.format.chroma == Chroma::Half)
    }

    pub(super) fn planes(&self) -> usize {
        if self.settings.format.chroma == Chroma::None {
            1
        } else {
            3
        }
    }

    /// How much smaller a plane is each way, as a shift.
    pub(super) fn shift(&self, plane: usize) -> usize {
        if plane == 0 { 0 } else { self.is_halved() }
    }

    /// Where a block begins in a plane of `source`, and in one of `decoded`.
    pub(super) fn at(&self, square: Square, plane: usize) -> [usize; 2] {
        let shift = self.shift(plane);
        let stride = self.source.strides[plane];
        let [column, row] = [square.column >> shift, square.row >> shift];
        [row * stride + column, (row + 1) * stride + column]
    }

    /// Whether more than half of a block is inside the picture, by columns and by rows (hasCols and hasRows of 5.11.4).
    pub(super) fn is_inside(&self, square: Square) -> [bool; 2] {
        let half = square.side() / 2 / UNIT;
        let [columns, rows] = self.contexts.inside;
        [square.column / UNIT + half < columns, square.row / UNIT + half < rows]
    }

    pub(super) fn begins_inside(&self, square: Square) -> bool {
        let [columns, rows] = self.contexts.inside;
        square.column / UNIT < columns && square.row / UNIT < rows
    }

    /// What is decoded around a block of a plane (7.11.2).
    pub(super) fn available(&self, square: Square, plane: usize) -> Available {
        let shift = self.shift(plane);
        let [columns, rows] = self.contexts.inside.map(|units| units * UNIT);
        let side = square.side();
        let within = square.column % SUPERBLOCK;
        let right = square.column + side;
        let below = square.row + side;
        let above = square.row > 0 || self.row > 0;
        let left = square.column > 0;
        // Blocks are coded along Morton's curve within a superblock.
        let order = morton(within, square.row);
        let has_right = above
            && right < columns
            && (square.row == 0 || !right.is_multiple_of(SUPERBLOCK) && morton(within + side, square.row - 1) < order);
        let has_below =
            left && below < rows && below < SUPERBLOCK && (within == 0 || morton(within - 1, below) < order);
        Available {
            above,
            left,
            above_right: if has_right {
                side.min(columns - right) >> shift
            } else {
                0
            },
            below_left: if has_below { side.min(rows - below) >> shift } else { 0 },
            columns_inside: side.min(columns - square.column) >> shift,
            rows_inside: side.min(rows - square.row) >> shift,
        }
    }
}

/// Units that cover pixels: always an even number (MiCols and MiRows of 5.9.9).
fn units(pixels: usize) -> usize {
    pixels.div_ceil(2 * UNIT) * 2
}

/// The bits of both numbers in turns.
fn morton(column: usize, row: usize) -> usize {
    (0..6)
        .map(|bit| (column >> bit & 1) << (2 * bit) | (row >> bit & 1) << (2 * bit + 1))
        .sum()
}
