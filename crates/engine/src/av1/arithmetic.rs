//! The arithmetic coder of AV1 (specification, 8.2), the side that writes, and how probabilities follow what is coded.
//!
//! Knows symbols and their cumulative probabilities, not what they mean.

/// One, as a probability.
const ONE: u16 = 1 << 15;

/// How likely each symbol of an alphabet is: cumulative, in 32,768ths; the last is 1, and behind it stands how often a symbol
/// was coded, up to 32.
pub(super) type Cumulative<const ENTRIES: usize> = [u16; ENTRIES];

/// The probabilities that a frame begins with, completed from what `defaults` writes down.
pub(super) fn complete<const GIVEN: usize, const ENTRIES: usize>(given: [u16; GIVEN]) -> Cumulative<ENTRIES> {
    const { assert!(ENTRIES == GIVEN + 2) };
    let mut all = [0; ENTRIES];
    all[..GIVEN].copy_from_slice(&given);
    all[GIVEN] = ONE;
    all
}

/// Moves the probabilities towards `symbol`, as 8.2.6 does.
#[inline(always)]
fn adapt(cumulative: &mut [u16], symbol: usize) {
    let symbols = cumulative.len() - 1;
    let count = cumulative[symbols];
    let rate = 3 + u32::from(count > 15) + u32::from(count > 31) + symbols.ilog2().min(2);
    for (index, probability) in cumulative[..symbols - 1].iter_mut().enumerate() {
        if index >= symbol {
            *probability += (ONE - *probability) >> rate;
        } else {
            *probability -= *probability >> rate;
        }
    }
    cumulative[symbols] = count + u16::from(count < 32);
}

/// Writes symbols into bytes.
#[derive(Debug)]
pub(super) struct Writer {
    bytes: Vec<u8>,
    /// The lower end of the interval: what is not in `bytes` yet.
    low: u64,
    /// The length of the interval, 32,768 to 65,535.
    range: u32,
    /// Bits of `low` that are complete, less what makes the next byte.
    count: i32,
}

impl Writer {
    pub(super) fn new() -> Self {
        Self {
            bytes: Vec::new(),
            low: 0,
            range: u32::from(ONE),
            count: -9,
        }
    }

    /// Codes a symbol and moves its probabilities.
    pub(super) fn symbol(&mut self, symbol: usize, cumulative: &mut [u16]) {
        self.fixed(symbol, &cumulative[..cumulative.len() - 1]);
        adapt(cumulative, symbol);
    }

    /// Codes a symbol whose probabilities stay.
    pub(super) fn fixed(&mut self, symbol: usize, cumulative: &[u16]) {
        let after = cumulative.len() - 1 - symbol;
        let share = |probability: u16, behind: usize| {
            // 6 bits of a probability are left out, and each symbol keeps at least 4 of the range.
            (((self.range >> 8) * u32::from((ONE - probability) >> 6)) >> 1) + 4 * behind as u32
        };
        let end = share(cumulative[symbol], after);
        if symbol == 0 {
            self.range -= end;
        } else {
            let begin = share(cumulative[symbol - 1], after + 1);
            self.low += u64::from(self.range - begin);
            self.range = begin - end;
        }
        self.normalize();
    }

    /// Codes the lowest `bits` of `value`, the highest first, each as likely 0 as 1.
    pub(super) fn literal(&mut self, value: u32, bits: u32) {
        for bit in (0..bits).rev() {
            self.fixed((value >> bit & 1) as usize, &[ONE / 2, ONE]);
        }
    }

    fn normalize(&mut self) {
        let bits = self.range.leading_zeros() as i32 - 16;
        self.range <<= bits;
        self.low <<= bits;
        self.count += bits;
        while self.count >= 0 {
            let shift = self.count + 16;
            self.put(self.low >> shift);
            self.low &= (1 << shift) - 1;
            self.count -= 8;
        }
    }

    /// Appends a byte, and carries what is more than that into those before.
    fn put(&mut self, value: u64) {
        if value > 0xff {
            for byte in self.bytes.iter_mut().rev() {
                *byte = byte.wrapping_add(1);
                if *byte != 0 {
                    break;
                }
            }
        }
        self.bytes.push(value as u8);
    }

    /// The bytes, ended as 8.2.4 asks: as few as tell the symbols whatever follows.
    pub(super) fn finish(mut self) -> Vec<u8> {
        const TAIL: u64 = (1 << 14) - 1;
        self.low = ((self.low + TAIL) & !TAIL) | (TAIL + 1);
        let mut left = self.count + 10;
        while left > 0 {
            let shift = self.count + 16;
            self.put(self.low >> shift);
            self.low &= (1 << shift) - 1;
            self.count -= 8;
            left -= 8;
        }
        self.bytes
    }
}
