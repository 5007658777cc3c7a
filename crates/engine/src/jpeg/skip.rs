//! Passing over blocks, of which at most the DC coefficients are kept: what a picture of an eighth of the size needs, and
//! chroma that nobody wants.
//!
//! A look-up takes as many symbols as it holds, whatever they say, and blocks are passed over in one loop: which table comes
//! next is worked out of the entry and not branched on, since nobody can predict where a block ends. A look-up never
//! reaches the last coefficient of a block; what would is decoded one symbol at a time.

use super::BLOCK;
use super::bits::{Piece, Reader};
use super::entropy::{difference, one_coefficient};
use super::huffman::Decoder;
use super::wide::{AcTable, DcTable};
use crate::EngineError;

/// Bits that the tables are indexed by.
pub(super) const WINDOW_BITS: u32 = 12;
pub(super) const WINDOWS: usize = 1 << WINDOW_BITS;
/// Bits that a look-up takes at the most, values that reach beyond the window included.
const MOST_BITS: u32 = 14;
/// Look-ups that the 56 bits of a refill are enough for.
pub(super) const LOOK_UPS_A_REFILL: u32 = 56 / MOST_BITS;
/// Most bits of a difference that an entry holds.
const MOST_DIFFERENCE_BITS: u32 = 11;
/// The last coefficient of a zigzag.
pub(super) const LAST: usize = BLOCK - 1;

/// Blocks of one component in an MCU, at most: four by four.
pub(super) const MOST_BLOCKS: usize = 16;

/// What a look-up passes over: 6 bits of length; [`Entry::END`] when the block ends with it, which is also where the table
/// for the beginning of the next block begins; 7 bits of coefficients; 12 bits of DC difference.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry(u32);

impl Entry {
    const END: u32 = 1 << WINDOW_BITS;
    /// Decode one symbol: no block has so many coefficients.
    const NONE: Self = Self(127 << Self::REACH);
    const REACH: u32 = WINDOW_BITS + 1;
    const DIFFERENCE: u32 = 20;

    #[inline(always)]
    pub(super) const fn bits(self) -> u32 {
        self.0 & 63
    }

    #[inline(always)]
    pub(super) const fn reach(self) -> usize {
        (self.0 >> Self::REACH & 127) as usize
    }

    #[inline(always)]
    pub(super) const fn difference(self) -> i16 {
        (self.0 as i32 >> Self::DIFFERENCE) as i16
    }

    /// [`WINDOWS`] when the block ends, otherwise 0.
    #[inline(always)]
    pub(super) const fn end(self) -> usize {
        (self.0 & Self::END) as usize
    }

    /// The symbols that a window holds, the first of them a DC difference where `dc` is given.
    pub(super) fn of(window: usize, dc: Option<&Decoder>, ac: &Decoder) -> Self {
        let next = |used: u32| (window << (16 - WINDOW_BITS) << used & 0xffff) as u32;
        let (mut used, mut reach, mut end, mut difference) = (0, 0, 0, 0);
        if let Some(dc) = dc {
            let Some(symbol) = dc.symbol(next(0)) else {
                return Self::NONE;
            };
            let size = u32::from(symbol.symbol);
            used = u32::from(symbol.bits) + size;
            if size > MOST_DIFFERENCE_BITS || used > WINDOW_BITS {
                return Self::NONE;
            }
            let value = (window >> (WINDOW_BITS - used)) as u32 & ((1 << size) - 1);
            difference = super::huffman::extend(value, size);
        }
        while used < WINDOW_BITS && end == 0 {
            let Some(symbol) = ac.symbol(next(used)) else {
                break;
            };
            let code_end = used + u32::from(symbol.bits);
            let symbol_end = code_end + symbol.size();
            if code_end > WINDOW_BITS || symbol_end > MOST_BITS {
                break;
            }
            if symbol.size() == 0 && symbol.run() != 15 {
                end = Self::END;
            } else if reach + symbol.run() + 1 < LAST {
                reach += symbol.run() + 1;
            } else {
                break;
            }
            used = symbol_end;
        }
        if used == 0 {
            return Self::NONE;
        }
        Self(used | end | (reach as u32) << Self::REACH | (difference as u32) << Self::DIFFERENCE)
    }
}

/// Passes over blocks.
#[derive(Debug)]
pub(super) struct SkipTable {
    /// For a later coefficient of a block, then for its beginning.
    entries: Box<[Entry; 2 * WINDOWS]>,
}

impl SkipTable {
    /// Where it is not `filled`, every symbol is decoded on its own.
    pub(super) fn new(dc: &Decoder, ac: &Decoder, filled: bool) -> Self {
        let mut entries = Box::new([Entry::NONE; 2 * WINDOWS]);
        if filled {
            for (window, entry) in entries.iter_mut().enumerate() {
                *entry = Entry::of(window % WINDOWS, (window >= WINDOWS).then_some(dc), ac);
            }
        }
        Self { entries }
    }

    #[inline(always)]
    fn at(&self, bits: &Reader, begin: usize) -> Entry {
        self.entries[(bits.peek(WINDOW_BITS) as usize | begin) % (2 * WINDOWS)]
    }

    /// Passes over `count` blocks of a component, at most [`MOST_BLOCKS`], and returns their DC coefficients; the last of
    /// them becomes `previous_dc`.
    #[inline(always)]
    pub(super) fn blocks(
        &self,
        (piece, bits): (&Piece, &mut Reader),
        (dc, ac): (&DcTable, &AcTable),
        previous_dc: &mut i16,
        count: usize,
    ) -> Result<[i16; MOST_BLOCKS], EngineError> {
        let mut found = [0; MOST_BLOCKS];
        let (mut block, mut last, mut begin) = (0, 0, WINDOWS);
        while block < count {
            bits.refill(piece);
            for _ in 0..LOOK_UPS_A_REFILL {
                let entry = self.at(bits, begin);
                let reach = last + entry.reach();
                if reach >= LAST {
                    if begin > 0 {
                        *previous_dc = previous_dc.wrapping_add(difference(piece, bits, dc)?);
                        found[block % MOST_BLOCKS] = *previous_dc;
                        begin = 0;
                    } else {
                        match one_coefficient(piece, bits, ac, last)? {
                            Some((at, _)) if at < LAST => last = at,
                            _ => (block, last, begin) = (block + 1, 0, WINDOWS),
                        }
                    }
                    break;
                }
                bits.consume(entry.bits());
                *previous_dc = previous_dc.wrapping_add(entry.difference());
                found[block % MOST_BLOCKS] = *previous_dc;
                begin = entry.end();
                block += begin >> WINDOW_BITS;
                last = if begin > 0 { 0 } else { reach };
                if block == count {
                    break;
                }
            }
        }
        Ok(found)
    }

    /// Passes over what a block has behind the coefficient `last`, which is not the last one there can be.
    #[inline(always)]
    pub(super) fn rest_of_block(
        &self,
        (piece, bits): (&Piece, &mut Reader),
        ac: &AcTable,
        mut last: usize,
    ) -> Result<(), EngineError> {
        loop {
            bits.refill(piece);
            for _ in 0..LOOK_UPS_A_REFILL {
                let entry = self.at(bits, 0);
                let reach = last + entry.reach();
                if reach >= LAST {
                    match one_coefficient(piece, bits, ac, last)? {
                        Some((at, _)) if at < LAST => last = at,
                        _ => return Ok(()),
                    }
                    break;
                }
                bits.consume(entry.bits());
                if entry.end() > 0 {
                    return Ok(());
                }
                last = reach;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::EngineError;
    use crate::jpeg::ZIGZAG;
    use crate::jpeg::entropy::Entropy;
    use crate::jpeg::markers::Sequential;
    use crate::simd::LANES;

    fn bench(name: &str) -> Vec<u8> {
        std::fs::read(
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("../../testdata/bench")
                .join(name),
        )
        .unwrap()
    }

    /// All coefficients up to the `last` wanted ones, component by component; nothing of those that are not wanted.
    fn coefficients(
        file: &Sequential<'_>,
        wanted: &[Option<usize>],
        until: &[Option<usize>],
    ) -> Result<Vec<Vec<i16>>, EngineError> {
        let mut entropy = Entropy::new(file, wanted)?;
        let mut found = vec![Vec::new(); wanted.len()];
        let (_, down) = file.mcu_blocks();
        let mcus = entropy.mcus_in_row();
        for _ in 0..file.height.div_ceil(8 * down) {
            for first in (0..mcus).step_by(LANES) {
                let count = LANES.min(mcus - first);
                entropy.mcus(count)?;
                for (component, found) in found.iter_mut().enumerate() {
                    let Some(until) = until[component] else { continue };
                    let blocks = count * file.components[component].across;
                    for (_, block, group) in entropy.groups(component, count) {
                        for place in ZIGZAG[..=until].iter().filter(|place| is_used(**place, until)) {
                            let numbers = &group[usize::from(*place) * LANES..][..LANES.min(blocks - block)];
                            found.extend_from_slice(numbers);
                        }
                    }
                }
            }
        }
        entropy.check()?;
        Ok(found)
    }

    /// Two by two coefficients are wanted up to the fourth of a zigzag, which has one of the third row before it.
    fn is_used(place: u8, until: usize) -> bool {
        until != 4 || place != 16
    }

    #[test]
    fn what_is_kept_is_the_same_whatever_is_passed_over() {
        for name in [
            "photo_0.3mp.jpg",
            "restart_markers_0.3mp.jpg",
            "photo_2mp.jpg",
            "photo_2mp_444.jpg",
            "gray_2mp.jpg",
            "photo_12mp.jpg",
            "dense_12mp.jpg",
        ] {
            let input = bench(name);
            let file = Sequential::parse(&input).unwrap();
            let all = vec![Some(63); file.components.len()];
            for (luma, chroma) in [
                (Some(0), Some(0)),
                (Some(0), None),
                (Some(0), Some(4)),
                (Some(4), Some(4)),
                (Some(4), Some(24)),
                (None, Some(0)),
                (Some(63), None),
            ] {
                let mut wanted = vec![chroma; file.components.len()];
                wanted[0] = luma;
                assert!(
                    coefficients(&file, &wanted, &wanted).unwrap() == coefficients(&file, &all, &wanted).unwrap(),
                    "{name}, {luma:?} of luma, {chroma:?} of chroma"
                );
            }
        }
    }

    #[test]
    fn damage_is_the_same_whether_streams_come_to_it_side_by_side_or_one_does() {
        for name in ["photo_0.3mp.jpg", "restart_markers_0.3mp.jpg"] {
            damaged_in_many_ways(name);
        }
    }

    fn damaged_in_many_ways(name: &str) {
        let whole = bench(name);
        let data = whole.len() - Sequential::parse(&whole).unwrap().data.len();
        let wanted = [Some(0), Some(4), Some(0)];
        let mut damaged = 0;
        for round in 0..200 {
            let mut input = whole.clone();
            // Some of it in one place, some all over the file.
            for index in 0..1 + round % 5 {
                let at = data + (round * 7_919 + index * 104_729) % (whole.len() - data - 2);
                input[at] ^= 1 << (round % 8);
            }
            let file = Sequential::parse(&input).unwrap();
            let found = coefficients(&file, &wanted, &wanted);
            damaged += usize::from(found.is_err());
            assert!(
                // Where all is wanted, streams do not run ahead.
                found == coefficients(&file, &[Some(63); 3], &wanted),
                "{name}, round {round}: {:?}",
                found.err()
            );
        }
        assert!(
            (20..180).contains(&damaged),
            "{name}: {damaged} of 200 rounds found damage"
        );
    }
}
