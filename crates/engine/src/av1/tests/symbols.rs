//! The symbol decoder of section 8.2 of the specification, names included, for the test decoder.
//!
//! Knows nothing of the writer it checks, nor of what symbols mean. What the specification requires of a stream is
//! asserted.

/// EC_PROB_SHIFT and EC_MIN_PROB of section 3.
const EC_PROB_SHIFT: u32 = 6;
const EC_MIN_PROB: u32 = 4;

/// The bytes of a tile as symbols.
pub(super) struct SymbolReader<'a> {
    data: &'a [u8],
    /// In bits; get_position().
    position: usize,
    symbol_value: u32,
    symbol_range: u32,
    symbol_max_bits: i64,
}

impl<'a> SymbolReader<'a> {
    /// `init_symbol( sz )` (8.2.2).
    pub(super) fn new(data: &'a [u8]) -> Self {
        let sz = data.len();
        let num_bits = (sz * 8).min(15);
        let mut reader = Self {
            data,
            position: 0,
            symbol_value: 0,
            symbol_range: 1 << 15,
            symbol_max_bits: 8 * sz as i64 - 15,
        };
        let buf = reader.f(num_bits);
        let padded_buf = buf << (15 - num_bits);
        reader.symbol_value = ((1 << 15) - 1) ^ padded_buf;
        reader
    }

    fn bit_at(&self, position: usize) -> u32 {
        u32::from(self.data[position / 8] >> (7 - position % 8) & 1)
    }

    fn f(&mut self, n: usize) -> u32 {
        let mut x = 0;
        for _ in 0..n {
            x = 2 * x + self.bit_at(self.position);
            self.position += 1;
        }
        x
    }

    /// `read_symbol( cdf )` (8.2.6), where disable_cdf_update is 0. `cdf` ends with 32768 and the counter.
    pub(super) fn symbol(&mut self, cdf: &mut [u16]) -> usize {
        let n = cdf.len() - 1;
        assert!(n > 1 && cdf[n - 1] == 1 << 15, "not a cdf: {cdf:?}");
        let mut cur = self.symbol_range;
        let mut symbol = 0;
        let mut prev;
        loop {
            prev = cur;
            let f = (1 << 15) - u32::from(cdf[symbol]);
            cur = ((self.symbol_range >> 8) * (f >> EC_PROB_SHIFT)) >> (7 - EC_PROB_SHIFT);
            cur += EC_MIN_PROB * (n - symbol - 1) as u32;
            if self.symbol_value >= cur {
                break;
            }
            symbol += 1;
        }
        self.symbol_range = prev - cur;
        self.symbol_value -= cur;
        self.renormalize();

        let rate = 3 + u32::from(cdf[n] > 15) + u32::from(cdf[n] > 31) + n.ilog2().min(2);
        let mut tmp = 0;
        for (i, value) in cdf[..n - 1].iter_mut().enumerate() {
            tmp = if i == symbol { 1 << 15 } else { tmp };
            if tmp < *value {
                *value -= (*value - tmp) >> rate;
            } else {
                *value += (tmp - *value) >> rate;
            }
        }
        cdf[n] += u16::from(cdf[n] < 32);
        symbol
    }

    fn renormalize(&mut self) {
        let bits = 15 - i64::from(self.symbol_range.ilog2());
        self.symbol_range <<= bits;
        let num_bits = bits.min(self.symbol_max_bits.max(0));
        let new_data = self.f(num_bits as usize);
        let padded_data = new_data << (bits - num_bits);
        self.symbol_value = padded_data ^ (((self.symbol_value + 1) << bits) - 1);
        self.symbol_max_bits -= bits;
    }

    /// `read_bool( )` (8.2.3).
    pub(super) fn bool(&mut self) -> bool {
        self.symbol(&mut [1 << 14, 1 << 15, 0]) == 1
    }

    /// `read_literal( n )` (8.2.5).
    pub(super) fn literal(&mut self, n: u32) -> u32 {
        (0..n).fold(0, |x, _| 2 * x + u32::from(self.bool()))
    }

    /// `exit_symbol( )` (8.2.4).
    pub(super) fn exit(mut self) {
        let max_bits = self.symbol_max_bits;
        assert!(max_bits >= -14, "the tile is {} bits too short", -14 - max_bits);
        let trailing_bit_position = (self.position as i64 - 15.min(max_bits + 15)) as usize;
        self.position += max_bits.max(0) as usize;
        let padding_end_position = self.position;
        assert_eq!(
            padding_end_position,
            8 * self.data.len(),
            "the padding ends with the tile"
        );
        assert_eq!(self.bit_at(trailing_bit_position), 1, "the trailing bit");
        for position in trailing_bit_position + 1..padding_end_position {
            assert_eq!(self.bit_at(position), 0, "padding behind the trailing bit");
        }
    }
}
