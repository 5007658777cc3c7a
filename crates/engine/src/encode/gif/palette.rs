//! Chooses the colours of a palette, and the one of them for every pixel.
//!
//! A picture of few colours keeps them all. Of another the colours are counted in cells of 32 levels a channel, and
//! the cells are cut in two where that takes most of the error away, until there are as many boxes as colours (P.
//! Heckbert, Color image quantization for frame buffer display, 1982, cut at the mean as X. Wu proposes). Every
//! choice is by numbers alone, so the same picture gets the same palette.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::EngineError;
use crate::mill::Control;
use crate::pixels::{Channels, zeros};

/// Alpha from which on a pixel is there.
const THERE: u8 = 128;
/// Bits of a channel that tell cells apart.
const CELL_BITS: u32 = 5;
const CELLS: usize = 1 << (3 * CELL_BITS);
/// Pixels between two looks at whether to go on.
const PIXELS_BETWEEN_CHECKS: usize = 256 * 1024;

/// Entries of a table of colours.
const MOST_ENTRIES: usize = 256;

type Color = [u8; 3];

/// What a palette is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::encode) enum Purpose {
    Still,
    /// One of several frames, each wiped away before the next.
    Frame,
}

pub(super) struct Palette {
    colors: Vec<Color>,
    /// The index of what is not there, behind all colours.
    transparent: Option<u8>,
    /// Every colour there is, when the palette holds them all.
    exact: Option<HashMap<Color, u8>>,
}

impl Palette {
    /// Chooses at most `most` colours, 2 to 256, for RGB or RGBA. Where a frame of an animation may leave something out, all have
    /// an index for that: readers wipe a frame away to what its own header calls see-through.
    pub(super) fn of(
        samples: &[u8],
        channels: Channels,
        most: u16,
        purpose: Purpose,
        control: &dyn Control,
    ) -> Result<Self, EngineError> {
        let count = channels.count();
        let is_holed = channels.has_alpha() && samples.chunks_exact(count).any(|pixel| !is_there(pixel));
        let is_spared = channels.has_alpha() && purpose == Purpose::Frame;
        let most = match (is_holed, is_spared) {
            (true, _) => usize::from(most) - 1,
            (false, true) => usize::from(most).min(MOST_ENTRIES - 1),
            (false, false) => usize::from(most),
        };
        let exact = few(samples, count, most);
        let mut colors = match &exact {
            Some(exact) => {
                let mut colors = vec![[0; 3]; exact.len()];
                for (color, index) in exact {
                    colors[usize::from(*index)] = *color;
                }
                colors
            }
            None => reduced(samples, count, most, control)?,
        };
        let transparent = (is_holed || is_spared).then(|| {
            colors.push([0; 3]);
            (colors.len() - 1) as u8
        });
        if colors.is_empty() {
            colors.push([0; 3]);
        }
        Ok(Self {
            colors,
            transparent,
            exact,
        })
    }

    pub(super) const fn transparent(&self) -> Option<u8> {
        self.transparent
    }

    /// Red, green and blue of every colour.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.colors.into_flattened()
    }

    /// The index of every pixel.
    pub(super) fn indices(
        &self,
        samples: &[u8],
        channels: Channels,
        width: usize,
        dithers: bool,
        control: &dyn Control,
    ) -> Result<Vec<u8>, EngineError> {
        let count = channels.count();
        let mut indices = zeros::<u8>((samples.len() / count) as u64)?;
        let mut nearest = Nearest::new(&self.colors, self.transparent)?;
        let mut errors = Errors::new(width);
        let rows = samples.chunks_exact(width * count).zip(indices.chunks_exact_mut(width));
        for (y, (row, line)) in rows.enumerate() {
            if y.is_multiple_of((PIXELS_BETWEEN_CHECKS / width).max(1)) && control.should_stop() {
                return Err(EngineError::Stopped);
            }
            let mut before: Option<(&[u8], u8)> = None;
            for (x, (pixel, index)) in row.chunks_exact(count).zip(line).enumerate() {
                *index = match (&self.exact, before, self.transparent) {
                    (_, _, Some(transparent)) if !is_there(pixel) => transparent,
                    (Some(_), Some((same, index)), _) if same == pixel => index,
                    (Some(exact), _, _) => exact.get(&pixel[..3]).copied().unwrap_or_default(),
                    (None, _, _) if dithers => {
                        let wanted = errors.wanted(x, pixel);
                        let index = nearest.to(wanted.map(|level| level.clamp(0, 255) as u8));
                        errors.spread(x, wanted, self.colors[usize::from(index)]);
                        index
                    }
                    (None, _, _) => nearest.to([pixel[0], pixel[1], pixel[2]]),
                };
                before = Some((pixel, *index));
            }
            errors.next_row();
        }
        Ok(indices)
    }
}

fn is_there(pixel: &[u8]) -> bool {
    pixel.get(3).is_none_or(|alpha| *alpha >= THERE)
}

/// All colours in the order they come in, when there are at most `most`.
fn few(samples: &[u8], count: usize, most: usize) -> Option<HashMap<Color, u8>> {
    let mut colors = HashMap::new();
    let mut before = None;
    for pixel in samples.chunks_exact(count).filter(|pixel| is_there(pixel)) {
        let color = [pixel[0], pixel[1], pixel[2]];
        if before == Some(color) {
            continue;
        }
        before = Some(color);
        let next = colors.len();
        if let Entry::Vacant(place) = colors.entry(color) {
            if next == most {
                return None;
            }
            place.insert(next as u8);
        }
    }
    Some(colors)
}

/// The pixels of one cell: how many, and the sums of their levels and of the squares of these.
#[derive(Debug, Clone, Copy, Default)]
struct Cell {
    pixels: u64,
    sums: [u64; 3],
    squares: [u64; 3],
}

impl Cell {
    fn add(&mut self, other: &Self) {
        self.pixels += other.pixels;
        for channel in 0..3 {
            self.sums[channel] += other.sums[channel];
            self.squares[channel] += other.squares[channel];
        }
    }

    /// The squared distances from the mean in a channel, summed.
    fn error(&self, channel: usize) -> f64 {
        let sum = self.sums[channel] as f64;
        self.squares[channel] as f64 - sum * sum / (self.pixels as f64).max(1.0)
    }

    fn mean(&self, channel: usize) -> u64 {
        (self.sums[channel] + self.pixels / 2) / self.pixels.max(1)
    }
}

/// Cells that become one colour.
struct Part {
    cells: std::ops::Range<usize>,
    total: Cell,
    channel: usize,
    error: f64,
}

impl Part {
    fn new(cells: &[Cell], range: std::ops::Range<usize>) -> Self {
        let mut total = Cell::default();
        for cell in &cells[range.clone()] {
            total.add(cell);
        }
        let errors = [0, 1, 2].map(|channel| total.error(channel));
        let channel = (0..3).max_by(|a, b| errors[*a].total_cmp(&errors[*b])).unwrap_or(0);
        Self {
            error: if range.len() > 1 { errors.iter().sum() } else { 0.0 },
            cells: range,
            total,
            channel,
        }
    }
}

fn reduced(samples: &[u8], count: usize, most: usize, control: &dyn Control) -> Result<Vec<Color>, EngineError> {
    let mut table = vec![Cell::default(); CELLS];
    for (index, pixel) in samples.chunks_exact(count).enumerate() {
        if index % PIXELS_BETWEEN_CHECKS == 0 && control.should_stop() {
            return Err(EngineError::Stopped);
        }
        if is_there(pixel) {
            let cell = &mut table[cell_of([pixel[0], pixel[1], pixel[2]])];
            cell.pixels += 1;
            let sums = cell.sums.iter_mut().zip(&mut cell.squares);
            for ((sum, squares), level) in sums.zip(pixel) {
                *sum += u64::from(*level);
                *squares += u64::from(*level).pow(2);
            }
        }
    }
    let mut cells: Vec<_> = table.into_iter().filter(|cell| cell.pixels > 0).collect();
    let mut parts = vec![Part::new(&cells, 0..cells.len())];
    while parts.len() < most {
        let worst = (0..parts.len()).max_by(|a, b| parts[*a].error.total_cmp(&parts[*b].error));
        let Some(worst) = worst.filter(|worst| parts[*worst].error > 0.0) else {
            break;
        };
        let part = parts.swap_remove(worst);
        let own = &mut cells[part.cells.clone()];
        own.sort_by_key(|cell| cell.mean(part.channel));
        let mean = part.total.mean(part.channel);
        let cut = own
            .partition_point(|cell| cell.mean(part.channel) < mean)
            .clamp(1, own.len() - 1);
        let cut = part.cells.start + cut;
        parts.push(Part::new(&cells, part.cells.start..cut));
        parts.push(Part::new(&cells, cut..part.cells.end));
    }
    Ok(parts
        .iter()
        .map(|part| [0, 1, 2].map(|channel| part.total.mean(channel) as u8))
        .collect())
}

fn cell_of(color: Color) -> usize {
    color.iter().fold(0, |cell, level| {
        cell << CELL_BITS | usize::from(level >> (8 - CELL_BITS))
    })
}

/// The nearest colour of a palette, worked out once for each cell.
struct Nearest<'a> {
    colors: &'a [Color],
    known: Vec<u16>,
}

impl<'a> Nearest<'a> {
    const UNKNOWN: u16 = u16::MAX;

    fn new(colors: &'a [Color], transparent: Option<u8>) -> Result<Self, EngineError> {
        let opaque = transparent.map_or(colors.len(), usize::from);
        let mut known = zeros(CELLS as u64)?;
        known.fill(Self::UNKNOWN);
        Ok(Self {
            colors: &colors[..opaque],
            known,
        })
    }

    fn to(&mut self, wanted: Color) -> u8 {
        let cell = cell_of(wanted);
        if self.known[cell] == Self::UNKNOWN {
            let half = 1 << (7 - CELL_BITS);
            let middle = wanted.map(|level| i32::from(level >> (8 - CELL_BITS) << (8 - CELL_BITS) | half));
            let distance = |color: &Color| -> i32 {
                (0..3)
                    .map(|channel| (i32::from(color[channel]) - middle[channel]).pow(2))
                    .sum()
            };
            let nearest = (0..self.colors.len()).min_by_key(|index| distance(&self.colors[*index]));
            self.known[cell] = nearest.unwrap_or(0) as u16;
        }
        self.known[cell] as u8
    }
}

/// What earlier pixels owe to later ones (R. Floyd and L. Steinberg, An adaptive algorithm for spatial grayscale,
/// 1976), in sixteenths of a level.
struct Errors {
    here: Vec<[i32; 3]>,
    below: Vec<[i32; 3]>,
}

impl Errors {
    fn new(width: usize) -> Self {
        // A place on either side takes what leaves the row.
        Self {
            here: vec![[0; 3]; width + 2],
            below: vec![[0; 3]; width + 2],
        }
    }

    fn wanted(&self, x: usize, pixel: &[u8]) -> [i32; 3] {
        [0, 1, 2].map(|channel| i32::from(pixel[channel]) + self.here[x + 1][channel] / 16)
    }

    fn spread(&mut self, x: usize, wanted: [i32; 3], taken: Color) {
        for channel in 0..3 {
            // Beyond black and white nothing can be made good.
            let error = wanted[channel].clamp(0, 255) - i32::from(taken[channel]);
            self.here[x + 2][channel] += error * 7;
            self.below[x][channel] += error * 3;
            self.below[x + 1][channel] += error * 5;
            self.below[x + 2][channel] += error;
        }
    }

    fn next_row(&mut self) {
        std::mem::swap(&mut self.here, &mut self.below);
        self.below.fill([0; 3]);
    }
}
