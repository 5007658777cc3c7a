//! What entropy coding is made of: symbols of Huffman tables, each with the bits that follow it; how a block becomes such;
//! and the tables that fit them best.

use super::BLOCK;
use super::huffman::Specification;
use crate::EngineError;

/// Huffman tables of a file: DC and AC of luma, then of chroma.
pub(super) const TABLES: usize = 4;
/// Bytes that a block takes at the most: 64 codes of 16 and values of 11 bits, every byte stuffed, and a word.
pub(super) const MAX_BLOCK_BYTES: usize = 64 * 27 / 8 * 2 + 16;

/// The end of a block, and sixteen zeros.
const END_OF_BLOCK: u8 = 0x00;
pub(super) const SIXTEEN_ZEROS: u8 = 0xf0;

/// Takes tokens: to write them, or to count them first.
pub(super) trait Tokens {
    /// Makes sure that so many bytes of tokens can be taken.
    ///
    /// # Errors
    /// [`EngineError::Stopped`] and [`EngineError::Internal`] as the sink behind gives them.
    fn make_room(&mut self, bytes: usize) -> Result<(), EngineError>;

    /// A symbol of a table and the `size` bits behind it, at most 16.
    fn token(&mut self, table: usize, symbol: u8, bits: u32, size: u32);

    /// Bits that follow no symbol, at most 32.
    fn bits(&mut self, bits: u32, size: u32);
}

/// A code and its length in bits.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Code {
    pub(super) code: u16,
    pub(super) bits: u8,
}

/// The codes of a table, by symbol.
pub(super) struct Codes([Code; 256]);

impl Codes {
    pub(super) fn new(specification: &Specification) -> Self {
        let mut codes = [Code::default(); 256];
        for (symbol, code, bits) in specification.codes() {
            codes[usize::from(symbol)] = Code { code, bits };
        }
        Self(codes)
    }

    #[inline(always)]
    pub(super) const fn of(&self, symbol: u8) -> Code {
        self.0[symbol as usize]
    }
}

/// Which tables a component is coded with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tables {
    pub(super) dc: usize,
    pub(super) ac: usize,
}

impl Tables {
    /// Those of luma, which is the first component, or of chroma.
    pub(super) const fn of(component: usize) -> Self {
        let first = if component == 0 { 0 } else { 2 };
        Self {
            dc: first,
            ac: first + 1,
        }
    }
}

/// Codes one block of a sequential scan (ISO/IEC 10918-1, F.1.2), for which there is room. The AC coefficients that are not
/// zero are asked for in zigzag order.
#[inline(always)]
pub(super) fn block(
    tokens: &mut impl Tokens,
    tables: Tables,
    difference: i32,
    nonzero: u64,
    mut value_at: impl FnMut(usize) -> i16,
) {
    dc(tokens, tables.dc, difference);
    let mut left = nonzero;
    let mut last = 0;
    while left != 0 {
        let index = left.trailing_zeros() as usize;
        left &= left - 1;
        let run = zeros(index - last - 1, tables.ac, tokens);
        last = index;
        let value = i32::from(value_at(index));
        let size = bits_of(value);
        tokens.token(
            tables.ac,
            (run << 4 | size as usize) as u8,
            value_bits(value, size),
            size,
        );
    }
    if last < BLOCK - 1 {
        tokens.token(tables.ac, END_OF_BLOCK, 0, 0);
    }
}

/// Writes what of a run of zeros is longer than a symbol can say; returns the rest.
#[inline(always)]
pub(super) fn zeros(mut run: usize, table: usize, tokens: &mut impl Tokens) -> usize {
    while run > 15 {
        tokens.token(table, SIXTEEN_ZEROS, 0, 0);
        run -= 16;
    }
    run
}

/// Codes the difference between a DC coefficient and the one before.
#[inline(always)]
pub(super) fn dc(tokens: &mut impl Tokens, table: usize, difference: i32) {
    let size = bits_of(difference);
    tokens.token(table, size as u8, value_bits(difference, size), size);
}

/// Bits of the magnitude.
#[inline(always)]
pub(super) const fn bits_of(value: i32) -> u32 {
    32 - value.unsigned_abs().leading_zeros()
}

/// The `size` bits that stand for a value (F.1.2.1): one's complement for what is negative.
#[inline(always)]
pub(super) const fn value_bits(value: i32, size: u32) -> u32 {
    (value + (value >> 31)).cast_unsigned() & ((1 << size) - 1)
}

/// How often each symbol of each table occurs.
pub(super) struct Counted([[u32; 256]; TABLES]);

impl Tokens for Counted {
    fn make_room(&mut self, _bytes: usize) -> Result<(), EngineError> {
        Ok(())
    }

    #[inline(always)]
    fn token(&mut self, table: usize, symbol: u8, _bits: u32, _size: u32) {
        let count = &mut self.0[table % TABLES][usize::from(symbol)];
        *count = count.saturating_add(1);
    }

    fn bits(&mut self, _bits: u32, _size: u32) {}
}

impl Counted {
    pub(super) const fn new() -> Self {
        Self([[0; 256]; TABLES])
    }

    /// For each table that is used, the one whose codes take the fewest bits.
    pub(super) fn best_tables(&self) -> Result<[Option<Specification>; TABLES], EngineError> {
        let mut tables = [const { None }; TABLES];
        for (table, counts) in tables.iter_mut().zip(&self.0) {
            if counts.iter().any(|count| *count > 0) {
                *table = Some(best_table(counts)?);
            }
        }
        Ok(tables)
    }
}

/// The table whose codes take the fewest bits for symbols that occur that often, none longer than 16 bits and none of
/// ones alone (ISO/IEC 10918-1, K.2).
fn best_table(counts: &[u32; 256]) -> Result<Specification, EngineError> {
    /// More than any code has before it is limited: a tree as deep as that needs counts of more bits.
    const LONGEST: usize = 64;
    const LIMIT: usize = 16;
    let mut lengths = [0_u8; 256];
    let mut of_length = [0_u32; LONGEST + 1];
    // A symbol that never occurs, and is told apart by being none, takes the code of ones alone.
    let mut trees: Vec<(u64, Vec<Option<u8>>)> = vec![(1, vec![None])];
    let symbols = (0..=255_u8).filter(|symbol| counts[usize::from(*symbol)] > 0);
    trees.extend(symbols.map(|symbol| (u64::from(counts[usize::from(symbol)]) << 1, vec![Some(symbol)])));
    let mut unused = 0_usize;
    while trees.len() > 1 {
        // The rarest two last; the one that never occurs is the rarest of all to begin with.
        trees.sort_by_key(|tree| std::cmp::Reverse(tree.0));
        let (Some(rarest), Some(next)) = (trees.pop(), trees.pop()) else {
            break;
        };
        let mut leaves = rarest.1;
        leaves.extend(next.1);
        for leaf in &leaves {
            match leaf {
                Some(symbol) => lengths[usize::from(*symbol)] += 1,
                None => unused += 1,
            }
        }
        trees.push((rarest.0 + next.0, leaves));
    }
    for (symbol, length) in lengths.iter().enumerate() {
        of_length[usize::from(*length) % (LONGEST + 1)] += u32::from(counts[symbol] > 0);
    }
    of_length[unused % (LONGEST + 1)] += 1;
    of_length[0] = 0;
    limit(&mut of_length, LIMIT);
    // The one that never occurs has the longest code, all of it ones.
    if let Some(longest) = of_length.iter_mut().rev().find(|codes| **codes > 0) {
        *longest -= 1;
    }
    let mut by_length: Vec<u8> = (0..=255).filter(|symbol| counts[usize::from(*symbol)] > 0).collect();
    by_length.sort_by_key(|symbol| lengths[usize::from(*symbol)]);
    let of_length: [u8; LIMIT] = std::array::from_fn(|index| of_length[index + 1] as u8);
    Specification::new(of_length, &by_length)
}

/// Shortens the codes that are longer than `limit` bits: a pair of them becomes one that is a bit shorter, and the other takes
/// the place of a shorter one, which becomes two (figure K.3).
fn limit(of_length: &mut [u32], limit: usize) {
    for length in (limit + 1..of_length.len()).rev() {
        while of_length[length] > 0 {
            let shorter = (1..length - 1).rev().find(|shorter| of_length[*shorter] > 0);
            let Some(shorter) = shorter else {
                break;
            };
            of_length[length] -= 2;
            of_length[length - 1] += 1;
            of_length[shorter + 1] += 2;
            of_length[shorter] -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bits that symbols take that occur that often.
    fn bits(counts: &[u32; 256]) -> u64 {
        let table = best_table(counts).unwrap();
        let codes: Vec<_> = table.codes().collect();
        let used = counts.iter().filter(|count| **count > 0).count();
        assert_eq!(codes.len(), used);
        let filled: u32 = codes.iter().map(|(_, _, bits)| 1 << (16 - bits)).sum();
        assert!(filled < 1 << 16, "no room is left for the code of ones alone");
        codes
            .iter()
            .map(|(symbol, code, bits)| {
                assert_ne!(u32::from(*code), (1 << bits) - 1, "a code of ones alone");
                u64::from(counts[usize::from(*symbol)]) * u64::from(*bits)
            })
            .sum()
    }

    fn counts(of: &[u32]) -> [u32; 256] {
        std::array::from_fn(|symbol| of.get(symbol).copied().unwrap_or_default())
    }

    #[test]
    fn the_best_table_takes_as_many_bits_as_is_known_of_it() {
        for (of, expected) in [
            (&[7][..], 7),
            (&[0, 0, 3, 3], 3 + 3 * 2),
            (&[8, 4, 2, 1], 8 + 4 * 2 + 2 * 3 + 4),
            // Three of two bits, and the fourth shares its place with the code that is not used.
            (&[10, 10, 10, 10], 10 * 2 * 3 + 10 * 3),
        ] {
            assert_eq!(bits(&counts(of)), expected, "{of:?}");
        }
    }

    #[test]
    fn no_code_is_longer_than_sixteen_bits() {
        // Numbers of Fibonacci make the deepest tree there is.
        let mut fibonacci = vec![1_u32, 1];
        while let Some(next) = fibonacci[fibonacci.len() - 2].checked_add(fibonacci[fibonacci.len() - 1]) {
            fibonacci.push(next);
        }
        bits(&counts(&fibonacci));
        bits(&[1; 256]);
        bits(&std::array::from_fn(
            |symbol| if symbol < 40 { 1 << (symbol % 32) } else { 1 },
        ));
    }
}
