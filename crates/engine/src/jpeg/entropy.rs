//! Entropy decoding of a scan, MCU by MCU: the blocks of components that are wanted, in groups for the transforms; the
//! others are passed over.

use super::bits::{Piece, Reader, Source};
use super::huffman::{LOOK_UP_BITS, LOOK_UPS, extend};
use super::markers::{Component, Sequential};
use super::wide::{AcTable, DcTable, SkipTable};
use super::{BLOCK, ZIGZAG, corrupt};
use crate::EngineError;
use crate::simd::LANES;

/// The coefficients of sixteen neighbouring blocks: all of one frequency side by side, frequencies row by row.
pub(super) type Group = [i16; BLOCK * LANES];

/// The last coefficient of a zigzag.
const LAST: usize = BLOCK - 1;
/// Most bits of a value that follows a code.
const MAX_SIZE: u32 = 15;

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
    mcus_in_row: usize,
    restart_interval: usize,
    /// MCUs until the next restart marker, and that marker's number.
    until_restart: usize,
    restart: u8,
}

/// What becomes of one component's blocks.
struct Part {
    across: usize,
    down: usize,
    dc: DcTable,
    ac: AcTable,
    skip: SkipTable,
    /// The last coefficient in zigzag order that is wanted; `None` when the component is passed over.
    wanted: Option<usize>,
    previous_dc: i16,
    /// As many groups as an MCU has blocks, for as many MCUs as a group has lanes: block row by block row of an MCU.
    groups: Vec<Group>,
}

impl Part {
    fn new(component: &Component, wanted: Option<usize>) -> Self {
        let dc = DcTable::new(&component.dc);
        let ac = AcTable::new(&component.ac);
        Self {
            across: component.across,
            down: component.down,
            skip: SkipTable::new(&dc.decoder, &ac.decoder),
            dc,
            ac,
            wanted,
            previous_dc: 0,
            groups: match wanted {
                Some(_) => vec![[0; BLOCK * LANES]; component.across * component.down],
                None => Vec::new(),
            },
        }
    }
}

impl<'a> Entropy<'a> {
    /// Begins a scan; `wanted` tells the last coefficient that is wanted of each component, if any is.
    pub(super) fn new(file: &Sequential<'a>, wanted: &[Option<usize>]) -> Self {
        let (across, _) = file.mcu_blocks();
        Self {
            source: Source::new(file.data),
            parts: file
                .components
                .iter()
                .zip(wanted)
                .map(|(component, wanted)| Part::new(component, *wanted))
                .collect(),
            mcus_in_row: file.width.div_ceil(8 * across),
            restart_interval: file.restart_interval,
            until_restart: file.restart_interval,
            restart: 0,
        }
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
            for group in &mut part.groups {
                group.fill(0);
            }
        }
        for mcu in 0..count {
            if self.restart_interval > 0 {
                if self.until_restart == 0 {
                    self.begin_interval()?;
                }
                self.until_restart -= 1;
            }
            let (piece, reader) = self.source.for_an_mcu()?;
            let mut bits = *reader;
            for part in &mut self.parts {
                match part.wanted {
                    Some(wanted) => part.decode(piece, &mut bits, mcu, wanted)?,
                    None => {
                        for _ in 0..part.across * part.down {
                            pass_over(piece, &mut bits, &part.dc, &part.ac, &part.skip)?;
                        }
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
        for part in &mut self.parts {
            part.previous_dc = 0;
        }
        Ok(())
    }
}

impl Part {
    #[inline(always)]
    fn decode(&mut self, piece: &Piece, bits: &mut Reader, mcu: usize, wanted: usize) -> Result<(), EngineError> {
        for row in self.groups.chunks_exact_mut(self.across) {
            for column in 0..self.across {
                let block = mcu * self.across + column;
                let (group, lane) = (&mut row[block / LANES], block % LANES);
                let difference = difference(piece, bits, &self.dc)?;
                self.previous_dc = self.previous_dc.wrapping_add(difference);
                group[lane] = self.previous_dc;
                let reached = coefficients(piece, bits, &self.ac, group, lane, wanted)?;
                if reached < LAST {
                    pass_over_rest(piece, bits, &self.ac, &self.skip, reached)?;
                }
            }
        }
        Ok(())
    }
}

#[inline(always)]
fn difference(piece: &Piece, bits: &mut Reader, table: &DcTable) -> Result<i16, EngineError> {
    bits.refill(piece);
    let found = table.wide[bits.peek(LOOK_UP_BITS) as usize % LOOK_UPS];
    if found.bits > 0 {
        bits.consume(found.bits.into());
        return Ok(found.value);
    }
    long_difference(bits, table)
}

#[cold]
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
#[inline]
fn one_coefficient(
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

#[inline(always)]
fn pass_over(
    piece: &Piece,
    bits: &mut Reader,
    dc: &DcTable,
    ac: &AcTable,
    skip: &SkipTable,
) -> Result<(), EngineError> {
    bits.refill(piece);
    let found = skip.begin[bits.peek(LOOK_UP_BITS) as usize % LOOK_UPS];
    let mut reached = 0;
    if found.reach() <= LAST {
        bits.consume(found.bits());
        reached = found.reach();
        if found.ends_block() {
            return Ok(());
        }
    } else {
        difference(piece, bits, dc)?;
    }
    pass_over_rest(piece, bits, ac, skip, reached)
}

/// Passes over what a block has behind the coefficient `last`.
#[inline(always)]
fn pass_over_rest(
    piece: &Piece,
    bits: &mut Reader,
    ac: &AcTable,
    skip: &SkipTable,
    mut last: usize,
) -> Result<(), EngineError> {
    while last < LAST {
        bits.refill(piece);
        let found = skip.rest[bits.peek(LOOK_UP_BITS) as usize % LOOK_UPS];
        if last + found.reach() > LAST {
            match one_coefficient(piece, bits, ac, last)? {
                Some((at, _)) => last = at,
                None => return Ok(()),
            }
            continue;
        }
        bits.consume(found.bits());
        last += found.reach();
        if found.ends_block() {
            return Ok(());
        }
    }
    Ok(())
}

#[cold]
fn no_code() -> EngineError {
    corrupt("has bits that are no Huffman code")
}
