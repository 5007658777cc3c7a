//! Entropy decoding of a scan, MCU by MCU: the blocks of components that are wanted, in groups for the transforms; the
//! others are passed over.

use std::sync::Arc;

use super::ahead::{Ahead, Found, SETS};
use super::bits::{Piece, Reader, Source};
use super::corner::CornerTable;
use super::huffman::{LOOK_UP_BITS, LOOK_UPS, extend};
use super::markers::{Component, Sequential};
use super::skip::MOST_BLOCKS;
use super::tables::{Needs, Tables};
use super::wide::{AcTable, DcTable};
use super::{BLOCK, ZIGZAG, corrupt};
use crate::EngineError;
use crate::simd::LANES;

/// The coefficients of sixteen neighbouring blocks: all of one frequency side by side, frequencies row by row.
pub(super) type Group = [i16; BLOCK * LANES];

/// The last coefficient of a zigzag.
const LAST: usize = BLOCK - 1;
/// Most bits of a value that follows a code.
pub(super) const MAX_SIZE: u32 = 15;

/// Where in a group the coefficients of a zigzag begin.
const ZIGZAG_IN_GROUP: [u16; BLOCK] = {
    let mut places = [0; BLOCK];
    let mut index = 0;
    while index < BLOCK {
        places[index] = ZIGZAG[index] as u16 * LANES as u16;
        index += 1;
    }
    places
};

/// A scan being decoded.
pub(super) struct Entropy<'a> {
    source: Source<'a>,
    parts: Vec<Part>,
    /// Where little of each block is wanted.
    ahead: Option<Ahead>,
    mcus_in_row: usize,
    restart_interval: usize,
    /// MCUs until the next restart marker, and that marker's number.
    until_restart: usize,
    restart: u8,
}

/// What becomes of one component's blocks.
struct Part {
    /// Blocks in an MCU along each direction: one, two or four.
    across: usize,
    across_bits: u32,
    down: usize,
    tables: Arc<Tables>,
    wanted: Wanted,
    /// What was wanted to begin with.
    usual: Wanted,
    previous_dc: i16,
    /// As many groups as an MCU has blocks, for as many MCUs as a group has lanes: block row by block row of an MCU.
    groups: Vec<Group>,
}

/// What is wanted of a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Nothing,
    Dc,
    /// All up to this coefficient in zigzag order, and that many numbers at the beginning of a group hold them.
    UpTo {
        last: usize,
        numbers: usize,
    },
}

impl Wanted {
    fn new(last: Option<usize>) -> Self {
        match last {
            None => Self::Nothing,
            Some(0) => Self::Dc,
            Some(last) => Self::UpTo {
                last,
                numbers: ZIGZAG
                    .iter()
                    .take(last + 1)
                    .max()
                    .map_or(BLOCK, |place| usize::from(*place) + 1)
                    * LANES,
            },
        }
    }

    fn needs(self, is_ahead: bool) -> Needs {
        let (values, skips) = match self {
            Self::Nothing | Self::Dc => (false, true),
            Self::UpTo { last, .. } => (true, last < LAST),
        };
        Needs {
            values,
            skips: skips && !is_ahead,
            ahead: is_ahead,
        }
    }
}

impl Part {
    fn new(component: &Component, wanted: Wanted, tables: Arc<Tables>) -> Self {
        Self {
            across: component.across,
            across_bits: component.across.ilog2(),
            down: component.down,
            tables,
            wanted,
            usual: wanted,
            previous_dc: 0,
            groups: match wanted {
                Wanted::Nothing => Vec::new(),
                Wanted::Dc | Wanted::UpTo { .. } => vec![[0; BLOCK * LANES]; component.across * component.down],
            },
        }
    }
}

impl<'a> Entropy<'a> {
    /// Begins a scan; `wanted` tells the last coefficient that is wanted of each component, if any is.
    ///
    /// # Errors
    /// [`EngineError::Internal`] when there is no memory.
    pub(super) fn new(file: &Sequential<'a>, wanted: &[Option<usize>]) -> Result<Self, EngineError> {
        let (across, _) = file.mcu_blocks();
        // What is wanted of a block is decoded a second time: little enough, or that costs more than the streams gain.
        let is_ahead =
            (1..=SETS).contains(&wanted.len()) && wanted.iter().flatten().all(|last| *last <= CornerTable::LAST);
        let mut parts = Vec::<Part>::with_capacity(wanted.len());
        for (component, wanted) in file.components.iter().zip(wanted) {
            let wanted = Wanted::new(*wanted);
            let needs = wanted.needs(is_ahead);
            let same = parts.iter().zip(&file.components).find(|(part, before)| {
                part.wanted.needs(is_ahead) == needs && (&before.dc, &before.ac) == (&component.dc, &component.ac)
            });
            let tables = match same {
                Some((part, _)) => Arc::clone(&part.tables),
                None => Tables::of(component, needs),
            };
            parts.push(Part::new(component, wanted, tables));
        }
        let ahead = is_ahead.then(|| Ahead::new(parts.iter().map(|part| (&part.tables, part.across * part.down))));
        Ok(Self {
            source: Source::new(file.data),
            parts,
            ahead: ahead.transpose()?,
            mcus_in_row: file.width.div_ceil(8 * across),
            restart_interval: file.restart_interval,
            until_restart: file.restart_interval,
            restart: 0,
        })
    }

    /// Wants all coefficients of a component from here on, or no more than it was begun with. Where little of each block is
    /// wanted there is no more to be had.
    pub(super) fn want_all(&mut self, component: usize, wants_all: bool) {
        let part = &mut self.parts[component];
        part.wanted = if wants_all { Wanted::new(Some(LAST)) } else { part.usual };
    }

    pub(super) fn mcus_in_row(&self) -> usize {
        self.mcus_in_row
    }

    /// The groups of a component, as the last call of [`Entropy::mcus`] with this `count` filled them: each with its
    /// block row in the MCUs, and the first of its blocks counted along the row.
    pub(super) fn groups(
        &mut self,
        component: usize,
        count: usize,
    ) -> impl Iterator<Item = (usize, usize, &mut Group)> {
        let Part { across, groups, .. } = &mut self.parts[component];
        let used = (count * *across).div_ceil(LANES);
        groups
            .chunks_exact_mut(*across)
            .enumerate()
            .flat_map(move |(row, groups)| {
                groups
                    .iter_mut()
                    .take(used)
                    .enumerate()
                    .map(move |(index, group)| (row, index * LANES, group))
            })
    }

    /// Decodes `count` MCUs, at most as many as a group has lanes.
    #[inline(always)]
    pub(super) fn mcus(&mut self, count: usize) -> Result<(), EngineError> {
        for part in &mut self.parts {
            if let Wanted::UpTo { numbers, .. } = part.wanted {
                for group in &mut part.groups {
                    group[..numbers.min(BLOCK * LANES)].fill(0);
                }
            }
        }
        for mcu in 0..count {
            if self.restart_interval > 0 {
                if self.until_restart == 0 {
                    self.begin_interval()?;
                }
                self.until_restart -= 1;
            }
            if let Some(ahead) = &mut self.ahead
                && let Some(found) = ahead.next_mcu(&mut self.source)?
            {
                let mut first = 0;
                for part in &mut self.parts {
                    let blocks = part.across * part.down;
                    part.take_found(self.source.piece(), &found[first..=first + blocks], mcu)?;
                    first += blocks;
                }
                continue;
            }
            let (piece, reader) = self.source.for_an_mcu()?;
            let mut bits = *reader;
            for part in &mut self.parts {
                match part.wanted {
                    Wanted::UpTo { last, .. } => part.decode(piece, &mut bits, mcu, last)?,
                    Wanted::Dc => part.decode_dc(piece, &mut bits, mcu)?,
                    Wanted::Nothing => {
                        part.pass_over(piece, &mut bits)?;
                    }
                }
            }
            *reader = bits;
        }
        Ok(())
    }

    /// Whether the data was there up to what was read last.
    pub(super) fn check(&self) -> Result<(), EngineError> {
        self.source.check()
    }

    #[cold]
    fn begin_interval(&mut self) -> Result<(), EngineError> {
        self.source.restart(self.restart)?;
        self.restart = (self.restart + 1) % 8;
        self.until_restart = self.restart_interval;
        if let Some(ahead) = &mut self.ahead {
            ahead.restart();
        }
        for part in &mut self.parts {
            part.previous_dc = 0;
        }
        Ok(())
    }
}

impl Part {
    #[inline(always)]
    fn decode(&mut self, piece: &Piece, bits: &mut Reader, mcu: usize, wanted: usize) -> Result<(), EngineError> {
        let Self {
            tables,
            groups,
            across_bits,
            ..
        } = self;
        for index in 0..self.across * self.down {
            let difference = difference(piece, bits, &tables.dc)?;
            self.previous_dc = self.previous_dc.wrapping_add(difference);
            let dc = self.previous_dc;
            let (group, lane) = place(groups, *across_bits, mcu, index);
            group[lane] = dc;
            let reached = coefficients(piece, bits, &tables.ac, group, lane, wanted)?;
            if reached < LAST {
                tables.skip.rest_of_block((piece, bits), &tables.ac, reached)?;
            }
        }
        Ok(())
    }

    #[inline(always)]
    fn decode_dc(&mut self, piece: &Piece, bits: &mut Reader, mcu: usize) -> Result<(), EngineError> {
        let found = self.pass_over(piece, bits)?;
        for (index, dc) in found.iter().take(self.across * self.down).enumerate() {
            let (group, lane) = place(&mut self.groups, self.across_bits, mcu, index);
            group[lane] = *dc;
        }
        Ok(())
    }

    /// Takes what was found at the beginning of an MCU's blocks and at the end of each.
    #[inline(always)]
    fn take_found(&mut self, piece: &Piece, found: &[Found], mcu: usize) -> Result<(), EngineError> {
        let Self {
            tables,
            groups,
            across_bits,
            ..
        } = self;
        match self.wanted {
            Wanted::Nothing => {}
            Wanted::Dc => {
                let mut before = found[0].sum();
                for (index, found) in found[1..].iter().enumerate() {
                    self.previous_dc = self.previous_dc.wrapping_add(found.sum().wrapping_sub(before));
                    before = found.sum();
                    let dc = self.previous_dc;
                    let (group, lane) = place(groups, *across_bits, mcu, index);
                    group[lane] = dc;
                }
            }
            Wanted::UpTo { last, .. } => {
                for (index, found) in found[..found.len() - 1].iter().enumerate() {
                    let mut bits = Reader::at(piece, found.position() as usize);
                    let difference = difference(piece, &mut bits, &tables.dc)?;
                    self.previous_dc = self.previous_dc.wrapping_add(difference);
                    let dc = self.previous_dc;
                    let (group, lane) = place(groups, *across_bits, mcu, index);
                    group[lane] = dc;
                    let corner = tables.corner.as_ref();
                    if !corner.is_some_and(|corner| corner.put(&bits, group, lane)) {
                        coefficients(piece, &mut bits, &tables.ac, group, lane, last)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Passes over the blocks of an MCU and returns their DC coefficients.
    #[inline(always)]
    fn pass_over(&mut self, piece: &Piece, bits: &mut Reader) -> Result<[i16; MOST_BLOCKS], EngineError> {
        let Tables { dc, ac, skip, .. } = &*self.tables;
        skip.blocks((piece, bits), (dc, ac), &mut self.previous_dc, self.across * self.down)
    }
}

/// Where a block of an MCU is kept; there are one, two or four along each direction.
#[inline(always)]
fn place(groups: &mut [Group], across_bits: u32, mcu: usize, index: usize) -> (&mut Group, usize) {
    let (row, column) = (index >> across_bits, index & ((1 << across_bits) - 1));
    let block = (mcu << across_bits) + column;
    (&mut groups[(row << across_bits) + block / LANES], block % LANES)
}

/// The next difference of DC coefficients.
#[inline(always)]
pub(super) fn difference(piece: &Piece, bits: &mut Reader, table: &DcTable) -> Result<i16, EngineError> {
    bits.refill(piece);
    let found = table.wide[bits.peek(LOOK_UP_BITS) as usize % LOOK_UPS];
    if found.bits > 0 {
        bits.consume(found.bits.into());
        return Ok(found.value);
    }
    by_value(bits, |bits| long_difference(bits, table))
}

/// Calls what is rarely called with a copy of the reader: one whose address another function knows cannot live in registers.
#[inline(always)]
fn by_value<T>(bits: &mut Reader, call: impl FnOnce(&mut Reader) -> T) -> T {
    let mut copy = *bits;
    let result = call(&mut copy);
    *bits = copy;
    result
}

#[cold]
#[inline(never)]
fn long_difference(bits: &mut Reader, table: &DcTable) -> Result<i16, EngineError> {
    let symbol = table.decoder.symbol(bits.peek(16)).ok_or_else(no_code)?;
    let size = u32::from(symbol.symbol);
    if size > MAX_SIZE {
        return Err(corrupt("has a DC coefficient that is too large"));
    }
    bits.consume(symbol.bits.into());
    Ok(extend(bits.take(size), size) as i16)
}

/// Decodes AC coefficients up to the `wanted` one at least, unless the block ends before; returns the last coefficient
/// reached, which is [`LAST`] when the block is over.
#[inline(always)]
fn coefficients(
    piece: &Piece,
    bits: &mut Reader,
    table: &AcTable,
    group: &mut Group,
    lane: usize,
    wanted: usize,
) -> Result<usize, EngineError> {
    let mut last = 0;
    while last < wanted {
        bits.refill(piece);
        // Four look-ups take 44 of the 56 bits.
        for _ in 0..4 {
            let found = table.wide[bits.peek(LOOK_UP_BITS) as usize % LOOK_UPS];
            if last + found.reach() > LAST {
                match one_coefficient(piece, bits, table, last)? {
                    Some((at, value)) => {
                        group[(usize::from(ZIGZAG_IN_GROUP[at % BLOCK]) | lane) % (BLOCK * LANES)] = value;
                        last = at;
                    }
                    None => return Ok(LAST),
                }
                break;
            }
            bits.consume(found.bits.into());
            let first = last + usize::from(found.to_first);
            last += usize::from(found.to_second);
            group[(usize::from(ZIGZAG_IN_GROUP[first % BLOCK]) | lane) % (BLOCK * LANES)] = found.first;
            group[(usize::from(ZIGZAG_IN_GROUP[last % BLOCK]) | lane) % (BLOCK * LANES)] = found.second;
            if found.ends_block() {
                return Ok(LAST);
            }
        }
    }
    Ok(last)
}

/// Decodes one coefficient: where it is and its value; `None` at the end of the block.
#[inline(always)]
pub(super) fn one_coefficient(
    piece: &Piece,
    bits: &mut Reader,
    table: &AcTable,
    last: usize,
) -> Result<Option<(usize, i16)>, EngineError> {
    by_value(bits, |bits| symbol_and_value(piece, bits, table, last))
}

#[inline(never)]
fn symbol_and_value(
    piece: &Piece,
    bits: &mut Reader,
    table: &AcTable,
    last: usize,
) -> Result<Option<(usize, i16)>, EngineError> {
    if last == LAST {
        return Ok(None);
    }
    bits.refill(piece);
    let symbol = table.decoder.symbol(bits.peek(16)).ok_or_else(no_code)?;
    bits.consume(symbol.bits.into());
    let size = symbol.size();
    if size == 0 && symbol.run() != 15 {
        return Ok(None);
    }
    let at = last + symbol.run() + 1;
    if at > LAST {
        return Err(corrupt("has a block of more than 64 coefficients"));
    }
    Ok(Some((at, extend(bits.take(size), size) as i16)))
}

#[cold]
fn no_code() -> EngineError {
    corrupt("has bits that are no Huffman code")
}
