//! Codes a still picture as AV1 (Alliance for Open Media, AV1 Bitstream & Decoding Process Specification, with errata 1).
//!
//! Owns the whole way from planes to the units of a stream. Knows neither the file around it nor what the samples mean.

mod arithmetic;
mod bits;
mod chroma;
mod coefficients;
mod contexts;
mod costs;
mod defaults;
mod division;
mod headers;
mod luma;
mod measure;
mod predict;
mod probabilities;
mod quantizer;
mod residual;
mod stream;
#[cfg(test)]
mod tests;
mod tile;
mod transform;

use std::ops::Range;

use self::headers::{SUPERBLOCK, Tiles};
use self::quantizer::Quantizer;
use self::tile::Tile;

/// What colours a picture has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chroma {
    /// Luma alone.
    None,
    /// Half as many samples each way.
    Half,
    /// As many as luma.
    Full,
}

/// What a picture is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Format {
    /// Pixels, at least 1 and at most 65,536 each way.
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Bits of a sample, 8 or 10.
    pub(crate) bits: u8,
    pub(crate) chroma: Chroma,
}

/// How a picture is coded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) format: Format,
    /// The index of the quantizer, 1 (nearest to the picture) to 255.
    pub(crate) quantizer: u8,
    /// How long is looked for what costs least, 0 to 9.
    pub(crate) effort: u8,
}

/// A part of a picture, in pixels of luma.
#[derive(Debug, Clone)]
pub(crate) struct Area {
    pub(crate) columns: Range<usize>,
    pub(crate) rows: Range<usize>,
}

/// Samples of luma, blue and red, each row by row; where there is no chroma, the last two are empty.
#[derive(Debug, Default)]
pub(crate) struct Planes {
    pub(crate) samples: [Vec<u16>; 3],
    /// Samples of a row.
    pub(crate) strides: [usize; 3],
}

/// A picture that is coded.
#[derive(Debug)]
pub(crate) struct Coded {
    /// The first four bytes of its configuration record (AV1 in ISO BMFF, 2.3).
    pub(crate) configuration: [u8; 4],
    /// The sequence header and the frame.
    pub(crate) units: Vec<u8>,
}

/// It was asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stopped;

/// Codes the picture of which `fill` puts an area at the upper left of planes: its columns and rows inside the picture are what
/// is asked of it, those of chroma rounded up. `should_stop` is asked before each superblock.
///
/// # Errors
/// [`Stopped`].
pub(crate) fn code(
    settings: &Settings,
    fill: &dyn Fn(&Area, &mut Planes),
    should_stop: &dyn Fn() -> bool,
) -> Result<Coded, Stopped> {
    let format = &settings.format;
    let (width, height) = (format.width as usize, format.height as usize);
    let quantizer = Quantizer::new(settings.quantizer, format.bits);
    let mut tiles = Vec::new();
    for (columns, rows) in Tiles::new(width, height).ranges() {
        let pixels = |blocks: Range<usize>, end: usize| blocks.start * SUPERBLOCK..(blocks.end * SUPERBLOCK).min(end);
        let area = Area {
            columns: pixels(columns, width),
            rows: pixels(rows, height),
        };
        tiles.push(Tile::new(settings, &quantizer, area).code(fill, should_stop)?);
    }
    Ok(Coded {
        configuration: headers::configuration(format),
        units: headers::units(format, settings.quantizer, quantizer.deblocking(), &tiles),
    })
}

/// How much is tried.
#[derive(Debug, Clone, Copy)]
struct Search {
    /// Ways to predict luma that are coded to see what they cost.
    tried: usize,
    /// Of the most promising ways, how many are turned by a few degrees where they are directions, up to three; in blocks of how
    /// many pixels at the most.
    turned: usize,
    largest_turned: usize,
    /// Whether other transforms than the cosine's are tried.
    kinds: bool,
    /// Whether levels are lowered where it pays.
    refines: bool,
    /// Whether blocks whose quarters hardly ever cost less are left whole.
    prunes: bool,
}

impl Search {
    fn of(effort: u8) -> Self {
        let effort = usize::from(effort);
        Self {
            tried: effort.max(1),
            turned: effort.min(3),
            largest_turned: if effort < 2 { 16 } else { 64 },
            kinds: effort > 0,
            refines: effort > 0,
            prunes: effort < 5,
        }
    }
}
