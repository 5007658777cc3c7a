//! Look-up tables that decode several symbols at once.
//!
//! A look-up never reaches beyond the end of a block: its reach says how many coefficients the block must still have, and
//! what would reach further is decoded one symbol at a time.

use super::huffman::{Decoder, LOOK_UP_BITS, LOOK_UPS, Specification, extend};

/// A reach that no block has: decode one symbol.
const ONE_BY_ONE: u8 = 127;

/// Up to two coefficients and the end of the block.
///
/// Two values are stored in any case. A single one is stored twice in its place; with none, a zero is stored where
/// there is one.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(8))]
pub(super) struct Coefficients {
    pub(super) first: i16,
    pub(super) second: i16,
    /// Bits that all of it takes.
    pub(super) bits: u8,
    /// From the coefficient before to the first one, and to the second one.
    pub(super) to_first: u8,
    pub(super) to_second: u8,
    reach: u8,
}

impl Coefficients {
    const END: u8 = 0x80;
    const NONE: Self = Self {
        first: 0,
        second: 0,
        bits: 0,
        to_first: 0,
        to_second: 0,
        reach: ONE_BY_ONE,
    };

    /// Coefficients that the block must still have.
    #[inline(always)]
    pub(super) const fn reach(self) -> usize {
        (self.reach & !Self::END) as usize
    }

    #[inline(always)]
    pub(super) const fn ends_block(self) -> bool {
        self.reach & Self::END != 0
    }

    fn at(decoder: &Decoder, look_up: usize) -> Self {
        let Some(first) = next_value(decoder, look_up, 0) else {
            return Self::NONE;
        };
        if first.is_end {
            // Nothing but the end.
            return Self {
                bits: first.bits as u8,
                to_first: 1,
                to_second: 1,
                reach: 1 | Self::END,
                ..Self::NONE
            };
        }
        let single = Self {
            first: first.value,
            second: first.value,
            bits: first.bits as u8,
            to_first: first.advance,
            to_second: first.advance,
            reach: first.advance,
        };
        let Some(second) = next_value(decoder, look_up, first.bits) else {
            return single;
        };
        if second.is_end {
            return Self {
                bits: second.bits as u8,
                reach: (first.advance + 1) | Self::END,
                ..single
            };
        }
        let both = Self {
            second: second.value,
            bits: second.bits as u8,
            to_second: first.advance + second.advance,
            reach: first.advance + second.advance,
            ..single
        };
        match next_value(decoder, look_up, second.bits) {
            Some(third) if third.is_end => Self {
                bits: third.bits as u8,
                reach: (both.reach + 1) | Self::END,
                ..both
            },
            _ => both,
        }
    }
}

/// One symbol with its value.
struct Value {
    is_end: bool,
    value: i16,
    advance: u8,
    /// Bits of the look-up up to its end.
    bits: u32,
}

/// The symbol that begins `used` bits into a look-up, if it lies in it with its value.
fn next_value(decoder: &Decoder, look_up: usize, used: u32) -> Option<Value> {
    let symbol = decoder.short_symbol(look_up << used)?;
    let bits = used + u32::from(symbol.bits) + symbol.size();
    if bits > LOOK_UP_BITS {
        return None;
    }
    let is_run_of_zeros = symbol.size() == 0 && symbol.run() == 15;
    let value = (look_up as u32 >> (LOOK_UP_BITS - bits)) & ((1 << symbol.size()) - 1);
    Some(Value {
        is_end: symbol.size() == 0 && !is_run_of_zeros,
        value: extend(value, symbol.size()) as i16,
        advance: symbol.run() as u8 + 1,
        bits,
    })
}

/// Decodes AC coefficients.
#[derive(Debug)]
pub(super) struct AcTable {
    pub(super) wide: Box<[Coefficients; LOOK_UPS]>,
    pub(super) decoder: Decoder,
}

impl AcTable {
    /// Where it is not `filled`, every symbol is decoded on its own.
    pub(super) fn new(specification: &Specification, filled: bool) -> Self {
        let decoder = Decoder::new(specification);
        let wide = match filled {
            true => look_ups(Coefficients::NONE, |look_up| Coefficients::at(&decoder, look_up)),
            false => Box::new([Coefficients::NONE; LOOK_UPS]),
        };
        Self { wide, decoder }
    }
}

/// A DC difference and its bits; 0 bits when it is longer than a look-up.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Difference {
    pub(super) value: i16,
    pub(super) bits: u8,
}

/// Decodes DC differences.
#[derive(Debug)]
pub(super) struct DcTable {
    pub(super) wide: Box<[Difference; LOOK_UPS]>,
    pub(super) decoder: Decoder,
}

impl DcTable {
    pub(super) fn new(specification: &Specification) -> Self {
        let decoder = Decoder::new(specification);
        let wide = look_ups(Difference::default(), |look_up| {
            let symbol = decoder.short_symbol(look_up).unwrap_or_default();
            let size = u32::from(symbol.symbol);
            let bits = u32::from(symbol.bits) + size;
            if symbol.bits == 0 || bits > LOOK_UP_BITS {
                return Difference::default();
            }
            let value = (look_up as u32 >> (LOOK_UP_BITS - bits)) & ((1 << size) - 1);
            Difference {
                value: extend(value, size) as i16,
                bits: bits as u8,
            }
        });
        Self { wide, decoder }
    }
}

fn look_ups<T: Copy>(empty: T, make: impl Fn(usize) -> T) -> Box<[T; LOOK_UPS]> {
    let mut table = Box::new([empty; LOOK_UPS]);
    for (look_up, entry) in table.iter_mut().enumerate() {
        *entry = make(look_up);
    }
    table
}
