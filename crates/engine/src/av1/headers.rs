//! The headers of a still picture: sequence and frame (AV1 specification, 5.5 and 5.9), and how tiles divide it.
//!
//! Knows what is written before the tiles, not what is in them.

use std::ops::Range;

use super::bits::Bits;
use super::quantizer::TURN_LOG2;
use super::{Chroma, Format};

/// Pixels of a superblock in each direction.
pub(super) const SUPERBLOCK: usize = 64;
/// MAX_TILE_WIDTH and MAX_TILE_AREA of 3, in superblocks.
const TILE_WIDTH: usize = 4096 / SUPERBLOCK;
const TILE_AREA: usize = 4096 * 2304 / (SUPERBLOCK * SUPERBLOCK);
/// MAX_TILE_COLS and MAX_TILE_ROWS.
const TILES_EACH_WAY: usize = 64;
/// Bytes of what says how long a tile is.
const TILE_SIZE_BYTES: usize = 4;

/// The level without limits (annex A).
const LEVEL: u32 = 31;
const SEQUENCE_HEADER: u32 = 1;
const FRAME: u32 = 6;

/// As few tiles as the format allows.
#[derive(Debug)]
pub(super) struct Tiles {
    columns: Division,
    rows: Division,
}

/// One direction, in superblocks.
#[derive(Debug)]
struct Division {
    all: usize,
    each: usize,
    log2: u32,
    /// The least and the greatest logarithm there may be: bits say how far it is from the one, up to the other.
    least: u32,
    most: u32,
}

impl Division {
    fn new(all: usize, log2: u32) -> Self {
        Self {
            all,
            each: all.div_ceil(1 << log2),
            log2,
            least: log2,
            most: log2_up(1, all.min(TILES_EACH_WAY)),
        }
    }

    fn ranges(&self) -> impl Iterator<Item = Range<usize>> + Clone {
        (0..self.all)
            .step_by(self.each)
            .map(|begin| begin..(begin + self.each).min(self.all))
    }

    fn put(&self, bits: &mut Bits) {
        for _ in self.least..self.log2 {
            bits.flag(true);
        }
        if self.log2 < self.most {
            bits.flag(false);
        }
    }
}

/// The least logarithm with which `unit` reaches `target` (tile_log2 of 5.9.16).
fn log2_up(unit: usize, target: usize) -> u32 {
    let mut log2 = 0;
    while unit << log2 < target {
        log2 += 1;
    }
    log2
}

impl Tiles {
    pub(super) fn new(width: usize, height: usize) -> Self {
        let (columns, rows) = (width.div_ceil(SUPERBLOCK), height.div_ceil(SUPERBLOCK));
        let least_columns = log2_up(TILE_WIDTH, columns);
        let least = least_columns.max(log2_up(TILE_AREA, rows * columns));
        let columns = Division::new(columns, least_columns);
        let least_rows = least - least_columns;
        let mut rows = Division::new(rows, least_rows);
        // Sides are rounded up, which may make more of a tile than there may be.
        while columns.each * rows.each > TILE_AREA {
            rows = Division {
                least: least_rows,
                ..Division::new(rows.all, rows.log2 + 1)
            };
        }
        Self { columns, rows }
    }

    /// The superblocks of each, columns and rows, in the order of the stream.
    pub(super) fn ranges(&self) -> impl Iterator<Item = (Range<usize>, Range<usize>)> {
        self.rows
            .ranges()
            .flat_map(|rows| self.columns.ranges().map(move |columns| (columns, rows.clone())))
    }

    fn put(&self, bits: &mut Bits) {
        // Of equal size.
        bits.flag(true);
        self.columns.put(bits);
        self.rows.put(bits);
        let log2 = self.columns.log2 + self.rows.log2;
        if log2 > 0 {
            // No other frame goes on from this one.
            bits.put(0, log2);
            bits.put(TILE_SIZE_BYTES as u32 - 1, 2);
        }
    }
}

/// The first four bytes of the configuration record (AV1 in ISO BMFF, 2.3).
pub(super) fn configuration(format: &Format) -> [u8; 4] {
    let mut bits = Bits::default();
    // A marker and the version.
    bits.put(0x81, 8);
    bits.put(profile(format), 3);
    bits.put(LEVEL, 5);
    // The tier.
    bits.flag(false);
    bits.flag(format.bits > 8);
    bits.flag(false);
    bits.flag(format.chroma == Chroma::None);
    bits.flag(format.chroma != Chroma::Full);
    bits.flag(format.chroma != Chroma::Full);
    // Where chroma lies: unknown. No delay.
    bits.put(0, 2 + 8);
    let mut record = [0; 4];
    record.copy_from_slice(&bits.aligned());
    record
}

fn profile(format: &Format) -> u32 {
    u32::from(format.chroma == Chroma::Full)
}

/// The sequence header and the frame of `tiles`, which were coded with `quantizer` as its index; the decoder smooths edges by `deblocking`.
pub(super) fn units(format: &Format, quantizer: u8, deblocking: u8, tiles: &[Vec<u8>]) -> Vec<u8> {
    let mut units = Vec::new();
    unit(&mut units, SEQUENCE_HEADER, &[&sequence(format)]);
    let header = frame(format, quantizer, deblocking);
    // No tile of a picture comes near 4 GiB: what is coded is smaller than its samples.
    let lengths: Vec<[u8; TILE_SIZE_BYTES]> = tiles.iter().map(|tile| (tile.len() as u32 - 1).to_le_bytes()).collect();
    let mut pieces: Vec<&[u8]> = vec![&header];
    for (index, (tile, length)) in tiles.iter().zip(&lengths).enumerate() {
        if index + 1 < tiles.len() {
            pieces.push(length);
        }
        pieces.push(tile);
    }
    unit(&mut units, FRAME, &pieces);
    units
}

/// Appends a unit with its length (5.3).
fn unit(units: &mut Vec<u8>, kind: u32, pieces: &[&[u8]]) {
    // That a length follows.
    const HAS_SIZE: u32 = 1 << 1;
    units.push((kind << 3 | HAS_SIZE) as u8);
    let mut length: usize = pieces.iter().map(|piece| piece.len()).sum();
    // leb128 of 4.10.5.
    while length > 0x7f {
        units.push(length as u8 | 0x80);
        length >>= 7;
    }
    units.push(length as u8);
    units.reserve_exact(pieces.iter().map(|piece| piece.len()).sum());
    for piece in pieces {
        units.extend_from_slice(piece);
    }
}

fn sequence(format: &Format) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.put(profile(format), 3);
    // A still picture, and its header is short.
    bits.put(0b11, 2);
    bits.put(LEVEL, 5);
    for side in [format.width, format.height] {
        bits.put((side - 1).max(1).ilog2(), 4);
    }
    for side in [format.width, format.height] {
        bits.put(side - 1, (side - 1).max(1).ilog2() + 1);
    }
    // Superblocks of 64, no recursive prediction, edges filtered.
    bits.put(0b001, 3);
    // Neither scaling nor CDEF nor restoration.
    bits.put(0b000, 3);
    color(format, &mut bits);
    // No film grain.
    bits.flag(false);
    bits.trailed()
}

fn color(format: &Format, bits: &mut Bits) {
    bits.flag(format.bits > 8);
    if format.chroma != Chroma::Full {
        bits.flag(format.chroma == Chroma::None);
    }
    bits.flag(true);
    // BT.709's primaries, the curve of sRGB, BT.601's luma (ITU-T H.273), over the full range.
    for number in [1, 13, 6] {
        bits.put(number, 8);
    }
    bits.flag(true);
    match format.chroma {
        Chroma::None => return,
        // Where it lies is unknown.
        Chroma::Half => bits.put(0, 2),
        Chroma::Full => {}
    }
    // The quantizer is the same for both.
    bits.flag(false);
}

fn frame(format: &Format, quantizer: u8, deblocking: u8) -> Vec<u8> {
    let mut bits = Bits::default();
    // Probabilities follow what is coded; no tools for drawings; shown as it is.
    bits.put(0b000, 3);
    let tiles = Tiles::new(format.width as usize, format.height as usize);
    tiles.put(&mut bits);
    let has_chroma = format.chroma != Chroma::None;
    bits.put(quantizer.into(), 8);
    // The same steps for all planes and means, without matrices; no segments.
    bits.put(0, if has_chroma { 4 } else { 2 } + 1);
    // Superblocks change it, and the edges are smoothed alike.
    bits.flag(true);
    bits.put(TURN_LOG2, 2);
    bits.flag(false);
    bits.put(deblocking.into(), 6);
    bits.put(deblocking.into(), 6);
    if has_chroma && deblocking > 0 {
        bits.put(deblocking.into(), 6);
        bits.put(deblocking.into(), 6);
    }
    // As sharp as it is, and the same for all blocks.
    bits.put(0, 3 + 1);
    // Transforms are as large as they can be, and all of them may be used.
    bits.put(0b00, 2);
    let mut header = bits.aligned();
    if tiles.ranges().count() > 1 {
        // All tiles follow.
        header.push(0);
    }
    header
}
