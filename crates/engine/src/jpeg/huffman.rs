//! Huffman codes as a JPEG declares them (ISO/IEC 10918-1, annex C and F.2.2.3).

use super::corrupt;
use crate::EngineError;

/// Bits that the look-up tables are indexed by.
pub(super) const LOOK_UP_BITS: u32 = 11;
/// Entries of a look-up table.
pub(super) const LOOK_UPS: usize = 1 << LOOK_UP_BITS;
/// Bits of the longest code.
const MAX_BITS: usize = 16;

/// How many codes there are of each length, and what they stand for, shortest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Specification {
    counts: [u8; MAX_BITS],
    symbols: Vec<u8>,
}

impl Specification {
    /// Takes what a DHT segment holds.
    ///
    /// # Errors
    /// [`EngineError::Corrupt`] when there are more codes of a length than there can be.
    pub(super) fn new(counts: [u8; MAX_BITS], symbols: &[u8]) -> Result<Self, EngineError> {
        let mut code = 0_u32;
        for (bits, count) in (1..).zip(counts) {
            code += u32::from(count);
            if code > 1 << bits {
                return Err(corrupt("has a Huffman table with more codes than there can be"));
            }
            code <<= 1;
        }
        Ok(Self {
            counts,
            symbols: symbols.to_vec(),
        })
    }

    /// Each symbol with its code and the code's length in bits.
    pub(super) fn codes(&self) -> impl Iterator<Item = (u8, u16, u8)> {
        let mut code = 0_u16;
        let mut symbols = self.symbols.iter();
        (1..).zip(self.counts).flat_map(move |(bits, count)| {
            let first = code;
            // After the longest codes there is no next one, so it does not matter that this may wrap.
            code = code.wrapping_add(u16::from(count)).wrapping_shl(1);
            symbols
                .by_ref()
                .take(usize::from(count))
                .zip(0_u16..)
                .map(|(symbol, index)| (*symbol, first + index, bits))
                .collect::<Vec<_>>()
        })
    }

    pub(super) fn counts(&self) -> &[u8; MAX_BITS] {
        &self.counts
    }

    pub(super) fn symbols(&self) -> &[u8] {
        &self.symbols
    }
}

/// A symbol and the length of its code in bits; 0 bits for what is no code, or none that the table holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Symbol {
    pub(super) symbol: u8,
    pub(super) bits: u8,
}

impl Symbol {
    /// Bits that follow the code and make up the value.
    pub(super) const fn size(self) -> u32 {
        (self.symbol & 15) as u32
    }

    /// Zero coefficients before the value.
    pub(super) const fn run(self) -> usize {
        (self.symbol >> 4) as usize
    }
}

/// Finds symbols by the bits that come next.
#[derive(Debug)]
pub(super) struct Decoder {
    short: Box<[Symbol; LOOK_UPS]>,
    long: Vec<LongCodes>,
    symbols: Vec<u8>,
}

/// Codes of one length that is longer than the look-up.
#[derive(Debug)]
struct LongCodes {
    bits: u8,
    /// The first sixteen bits that are too large for a code of this length.
    end: u32,
    /// The first code, and the index of its symbol.
    first: u32,
    index: usize,
}

impl Decoder {
    pub(super) fn new(specification: &Specification) -> Self {
        let mut short = vec![Symbol::default(); LOOK_UPS];
        for (symbol, code, bits) in specification.codes() {
            if let Some(rest) = LOOK_UP_BITS.checked_sub(u32::from(bits)) {
                let first = usize::from(code) << rest;
                short[first..first + (1 << rest)].fill(Symbol { symbol, bits });
            }
        }
        let mut long = Vec::new();
        let (mut code, mut index) = (0_u32, 0);
        for (bits, count) in (1_u8..).zip(specification.counts) {
            if u32::from(bits) > LOOK_UP_BITS {
                long.push(LongCodes {
                    bits,
                    end: (code + u32::from(count)) << (MAX_BITS as u8 - bits),
                    first: code,
                    index,
                });
            }
            code = (code + u32::from(count)) << 1;
            index += usize::from(count);
        }
        Self {
            // The vector was made that long.
            short: short
                .try_into()
                .unwrap_or_else(|_| Box::new([Symbol::default(); LOOK_UPS])),
            long,
            symbols: specification.symbols.clone(),
        }
    }

    /// The symbol whose code begins the sixteen bits of `next`.
    #[inline(always)]
    pub(super) fn symbol(&self, next: u32) -> Option<Symbol> {
        let found = self.short[(next >> (MAX_BITS as u32 - LOOK_UP_BITS)) as usize % LOOK_UPS];
        if found.bits > 0 {
            Some(found)
        } else {
            self.long_symbol(next)
        }
    }

    /// The symbol of a code no longer than the look-up.
    pub(super) fn short_symbol(&self, look_up: usize) -> Option<Symbol> {
        let found = self.short[look_up % LOOK_UPS];
        (found.bits > 0).then_some(found)
    }

    #[cold]
    fn long_symbol(&self, next: u32) -> Option<Symbol> {
        let codes = self.long.iter().find(|codes| next < codes.end)?;
        let code = next >> (MAX_BITS as u8 - codes.bits);
        let symbol = *self
            .symbols
            .get(codes.index + code.checked_sub(codes.first)? as usize)?;
        Some(Symbol {
            symbol,
            bits: codes.bits,
        })
    }
}

/// The value that `size` bits stand for (F.2.2.1): those that begin with a zero are negative.
#[inline(always)]
pub(super) const fn extend(value: u32, size: u32) -> i32 {
    let value = value as i32;
    if size > 0 && value < 1 << (size - 1) {
        value - (1 << size) + 1
    } else {
        value
    }
}
