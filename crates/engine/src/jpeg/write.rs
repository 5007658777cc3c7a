//! Writes a JPEG as its rows come: headers, then blocks, sixteen side by side. What needs the whole picture, such as tables
//! that fit it, several scans or a turning, has its quantized blocks wait.

use super::bit_writer::{BitWriter, Coded};
use super::forward::{Divisors, Lanes, Quantized, forward, forward_half, quantize};
use super::huffman::Specification;
use super::scans::{Plane, Scan};
use super::strip::Strip;
use super::tokens::{self, Codes, Counted, MAX_BLOCK_BYTES, TABLES, Tables, Tokens as _};
use super::turn::Turn;
use super::waiting::Waiting;
use super::{BLOCK, headers, quality};
use crate::EngineError;
use crate::encode::Sink;
use crate::exif::Orientation;
use crate::plan::EncodePlan;
use crate::simd::{self, Kernel, LANES, Level};
use pixmill_types::Subsampling;

/// What a picture is written as.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    /// Pixels, before it is turned.
    pub(crate) width: u16,
    pub(crate) height: u16,
    /// 1 to 100.
    pub(crate) quality: u8,
    /// How chroma is stored; `None` for gray.
    pub(crate) chroma: Option<Subsampling>,
    pub(crate) coding: Coding,
    /// Kept in EXIF unless it is upright.
    pub(crate) orientation: Orientation,
    /// How the rows that come are to be turned; upright unless the picture is gray and of whole blocks.
    pub(crate) turn: Orientation,
}

/// How quantized coefficients are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    /// In one scan, with the tables of ISO/IEC 10918-1, annex K.
    Baseline,
    /// In one scan, with the tables that fit it best.
    Optimized,
    /// In several scans, each with the tables that fit it best.
    Progressive,
}

impl Target {
    /// What a plan says of the file.
    pub(crate) fn of(width: u32, height: u32, encode: &EncodePlan) -> Result<Self, EngineError> {
        let side = |pixels: u32| {
            u16::try_from(pixels).map_err(|_| EngineError::Internal("a JPEG is larger than its plan allows".into()))
        };
        let options = encode.options;
        Ok(Self {
            width: side(width)?,
            height: side(height)?,
            quality: encode.quality,
            chroma: None,
            coding: match (options.progressive, options.optimize) {
                (true, _) => Coding::Progressive,
                (false, true) => Coding::Optimized,
                (false, false) => Coding::Baseline,
            },
            orientation: encode.orientation,
            turn: Orientation::UPRIGHT,
        })
    }

    /// Blocks in an MCU along each direction, of each component.
    pub(super) const fn sampling(&self) -> &'static [(usize, usize)] {
        match self.chroma {
            None => &[(1, 1)],
            Some(Subsampling::None) => &[(1, 1), (1, 1), (1, 1)],
            Some(Subsampling::Half) => &[(2, 2), (1, 1), (1, 1)],
        }
    }

    fn has_to_wait(&self) -> bool {
        self.coding != Coding::Baseline || self.turn != Orientation::UPRIGHT
    }
}

/// Blocks of one component on their way, a row of MCUs of them.
pub(super) trait Blocks {
    /// Along each side, frequencies that may not be zero.
    const SIDE: usize;

    /// Transforms sixteen blocks of one row, those from `block` on: the lowest [`Blocks::SIDE`] x [`Blocks::SIDE`] frequencies.
    fn transform(&self, level: impl Level, row: usize, block: usize, lanes: &mut Lanes);
}

/// Rows of one component in 128ths of a level, at `numbers[begin + row * stride..]`. They are as long as whole groups of
/// sixteen blocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows<'r> {
    pub(crate) numbers: &'r [u16],
    pub(crate) begin: usize,
    pub(crate) stride: usize,
}

impl<'r> Rows<'r> {
    /// All rows of a strip.
    pub(super) fn of(strip: &'r Strip) -> Self {
        Self {
            numbers: &strip.numbers,
            begin: strip.begin_of(0),
            stride: strip.stride,
        }
    }
}

impl Blocks for Rows<'_> {
    const SIDE: usize = 8;

    #[inline(always)]
    fn transform(&self, level: impl Level, row: usize, block: usize, lanes: &mut Lanes) {
        let begin = self.begin + row * Self::SIDE * self.stride + block * Self::SIDE;
        forward(level, self.numbers, begin, self.stride, lanes);
    }
}

/// The same of a picture of half the size, four rows for each block.
pub(super) struct HalfRows<'r>(pub(super) Rows<'r>);

impl Blocks for HalfRows<'_> {
    const SIDE: usize = 4;

    #[inline(always)]
    fn transform(&self, level: impl Level, row: usize, block: usize, lanes: &mut Lanes) {
        let begin = self.0.begin + row * Self::SIDE * self.0.stride + block * Self::SIDE;
        forward_half(level, self.0.numbers, begin, self.0.stride, lanes);
    }
}

/// Writes a JPEG, one row of MCUs at a time.
pub(crate) struct Writer<'a> {
    target: Target,
    bits: BitWriter<'a>,
    codes: Box<[Codes; TABLES]>,
    parts: Vec<Part>,
    mcus_across: usize,
    /// Rows of MCUs that came.
    mcu_row: usize,
}

/// One component.
struct Part {
    across: usize,
    down: usize,
    /// Blocks in a row and in a column of the component itself.
    blocks_across: usize,
    blocks_down: usize,
    tables: Tables,
    divisors: Divisors,
    /// As many groups as an MCU has blocks: block row by block row.
    groups: Vec<Quantized>,
    previous_dc: i16,
    waiting: Option<Waiting>,
}

impl<'a> Writer<'a> {
    /// Writes the headers.
    ///
    /// # Errors
    /// [`EngineError::Stopped`] and [`EngineError::Internal`] as the sink gives them; so everywhere below.
    pub(crate) fn new(sink: Sink<'a>, target: Target) -> Result<Self, EngineError> {
        let sampling = target.sampling();
        let (most_across, most_down) = sampling[0];
        let (width, height) = (usize::from(target.width), usize::from(target.height));
        let turn = Turn::new(target.turn);
        let part = |(component, (across, down)): (usize, &(usize, usize))| {
            let blocks = |pixels: usize, own: usize, most: usize| (pixels * own).div_ceil(most).div_ceil(8);
            let blocks_across = blocks(width, *across, most_across);
            let blocks_down = blocks(height, *down, most_down);
            let waiting = target
                .has_to_wait()
                .then(|| Waiting::new(turn, blocks_across, blocks_down))
                .transpose()?;
            Ok(Part {
                across: *across,
                down: *down,
                blocks_across,
                blocks_down,
                tables: Tables::of(component),
                divisors: Divisors::new(&quality::steps(component, target.quality), turn),
                groups: (0..across * down).map(|_| Quantized::new()).collect(),
                previous_dc: 0,
                waiting,
            })
        };
        let parts = sampling
            .iter()
            .enumerate()
            .map(part)
            .collect::<Result<Vec<_>, EngineError>>()?;
        let tables = quality::codes()?;
        let mut bits = BitWriter::new(sink);
        bits.segments(&headers::frame(&target))?;
        if !target.has_to_wait() {
            begin_scan(&mut bits, tables.each_ref().map(Some), Scan::WHOLE, parts.len())?;
        }
        Ok(Self {
            target,
            bits,
            codes: Box::new(tables.each_ref().map(Codes::new)),
            parts,
            mcus_across: width.div_ceil(8 * most_across),
            mcu_row: 0,
        })
    }

    /// Takes the next row of MCUs, the blocks of each component.
    pub(super) fn mcu_row<B: Blocks>(&mut self, blocks: &[B]) -> Result<(), EngineError> {
        for first in (0..self.mcus_across).step_by(LANES) {
            simd::run(Transform {
                parts: &mut self.parts,
                blocks,
                first,
            });
            let mut waits = false;
            for part in &mut self.parts {
                waits |= part.waits(self.mcu_row, first)?;
            }
            if !waits {
                simd::run(Code {
                    bits: &mut self.bits,
                    codes: &self.codes,
                    parts: &mut self.parts,
                    mcu_row: self.mcu_row,
                    first,
                    mcus: LANES.min(self.mcus_across - first),
                })?;
            }
        }
        self.mcu_row += 1;
        Ok(())
    }

    /// The finished file.
    pub(crate) fn finish(mut self) -> Result<Vec<u8>, EngineError> {
        let planes: Vec<_> = std::mem::take(&mut self.parts)
            .into_iter()
            .filter_map(|part| {
                Some(Plane {
                    across: part.across,
                    down: part.down,
                    blocks: part.waiting?,
                })
            })
            .collect();
        if !planes.is_empty() {
            let scans: &[Scan] = match self.target.coding {
                Coding::Baseline | Coding::Optimized => &[Scan::WHOLE],
                Coding::Progressive if planes.len() > 1 => &Scan::COLOUR,
                Coding::Progressive => &Scan::GRAY,
            };
            for scan in scans {
                self.scan(*scan, &planes)?;
            }
        }
        self.bits.segments(&[0xff, 0xd9])?;
        self.bits.finish()
    }

    /// Writes a scan of blocks that waited, with its tables.
    fn scan(&mut self, scan: Scan, planes: &[Plane]) -> Result<(), EngineError> {
        let tables = if self.target.coding == Coding::Baseline {
            quality::codes()?.map(Some)
        } else {
            let mut counted = Counted::new();
            scan.code(planes, &mut counted)?;
            counted.best_tables()?
        };
        begin_scan(
            &mut self.bits,
            tables.each_ref().map(Option::as_ref),
            scan,
            planes.len(),
        )?;
        for (codes, table) in self.codes.iter_mut().zip(&tables) {
            if let Some(table) = table {
                *codes = Codes::new(table);
            }
        }
        scan.code(planes, &mut self.bits.coded(&self.codes))
    }
}

/// Writes the tables of a picture of so many components that there are, and the header of a scan.
fn begin_scan(
    bits: &mut BitWriter<'_>,
    tables: [Option<&Specification>; TABLES],
    scan: Scan,
    components: usize,
) -> Result<(), EngineError> {
    let used = if components == 1 { 2 } else { TABLES };
    bits.segments(&headers::tables(tables.into_iter().take(used)))?;
    bits.segments(&headers::scan(scan, components))
}

/// Transforms and quantizes the blocks of the MCUs from `first` on, a group of each block they have.
struct Transform<'w, 'b, B> {
    parts: &'w mut [Part],
    blocks: &'b [B],
    first: usize,
}

impl<B: Blocks> Kernel for Transform<'_, '_, B> {
    type Output = ();

    #[inline(always)]
    fn run(self, level: impl Level) {
        for (part, blocks) in self.parts.iter_mut().zip(self.blocks) {
            part.transform(level, blocks, self.first);
        }
    }
}

/// Writes the MCUs from `first` on. Apart from the transforms, so that what is pending stays in registers.
struct Code<'w, 'a> {
    bits: &'w mut BitWriter<'a>,
    codes: &'w [Codes; TABLES],
    parts: &'w mut [Part],
    mcu_row: usize,
    first: usize,
    mcus: usize,
}

impl Kernel for Code<'_, '_> {
    type Output = Result<(), EngineError>;

    #[inline(always)]
    fn run(self, _: impl Level) -> Result<(), EngineError> {
        let mut coded = self.bits.coded(self.codes);
        if let [part] = &mut *self.parts {
            // Of one component each MCU is a block, and to be told so early is a tenth of the time.
            return part.code_blocks(&mut coded, self.mcus);
        }
        for mcu in self.first..self.first + self.mcus {
            for part in &mut *self.parts {
                part.code(&mut coded, self.mcu_row, mcu)?;
            }
        }
        Ok(())
    }
}

impl Part {
    /// Transforms and quantizes the blocks of the MCUs from `first` on.
    #[inline(always)]
    fn transform<B: Blocks>(&mut self, level: impl Level, blocks: &B, first: usize) {
        for (index, group) in self.groups.iter_mut().enumerate() {
            let (row, block) = (index / self.across, first * self.across + index % self.across * LANES);
            if block >= self.blocks_across {
                continue;
            }
            let mut lanes = [[0; LANES]; BLOCK];
            blocks.transform(level, row, block, &mut lanes);
            quantize(level, &lanes, B::SIDE, &self.divisors, group);
        }
    }

    /// Has the blocks wait, if they are to.
    fn waits(&mut self, mcu_row: usize, first: usize) -> Result<bool, EngineError> {
        let Some(waiting) = &mut self.waiting else {
            return Ok(false);
        };
        for (index, group) in self.groups.iter().enumerate() {
            let (row, block) = (index / self.across, first * self.across + index % self.across * LANES);
            waiting.take(mcu_row * self.down + row, block, group)?;
        }
        Ok(true)
    }

    /// Writes the first blocks of the one group there is.
    #[inline(always)]
    fn code_blocks(&mut self, coded: &mut Coded<'_, '_>, count: usize) -> Result<(), EngineError> {
        let [group] = &self.groups[..] else {
            return Err(EngineError::Internal("a gray MCU is more than a block".into()));
        };
        let mut previous_dc = self.previous_dc;
        for lane in 0..count.min(LANES) {
            coded.make_room(MAX_BLOCK_BYTES)?;
            code_lane(coded, self.tables, group, lane, &mut previous_dc);
        }
        self.previous_dc = previous_dc;
        Ok(())
    }

    /// Writes the blocks of one MCU, by its place in the picture.
    #[inline(always)]
    fn code(&mut self, coded: &mut Coded<'_, '_>, mcu_row: usize, mcu: usize) -> Result<(), EngineError> {
        for row in 0..self.down {
            let is_below = mcu_row * self.down + row >= self.blocks_down;
            for column in 0..self.across {
                coded.make_room(MAX_BLOCK_BYTES)?;
                // Counted within the groups.
                let block = mcu % LANES * self.across + column;
                let is_beyond = is_below || mcu * self.across + column >= self.blocks_across;
                match self.groups.get(row * self.across + block / LANES) {
                    Some(group) if !is_beyond => {
                        code_lane(coded, self.tables, group, block % LANES, &mut self.previous_dc);
                    }
                    // Nobody sees it, and nothing is shorter than what is as bright as the one before.
                    Some(_) | None => tokens::block(coded, self.tables, 0, 0, |_| 0),
                }
            }
        }
        Ok(())
    }
}

/// Writes a block of a group, for which there is room.
#[inline(always)]
fn code_lane(coded: &mut Coded<'_, '_>, tables: Tables, group: &Quantized, lane: usize, previous_dc: &mut i16) {
    let value_at = |index: usize| group.group[(index * LANES + lane) % (BLOCK * LANES)];
    let dc = value_at(0);
    let difference = i32::from(dc) - i32::from(*previous_dc);
    *previous_dc = dc;
    tokens::block(coded, tables, difference, group.nonzero[lane % LANES], value_at);
}
