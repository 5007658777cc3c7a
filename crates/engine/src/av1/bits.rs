//! Writes the headers of a stream bit by bit, the highest first (AV1 specification, 4.10).

/// Bytes that are being filled.
#[derive(Debug, Default)]
pub(super) struct Bits {
    bytes: Vec<u8>,
    /// Bits that are free in the last byte.
    free: u32,
}

impl Bits {
    /// The lowest `bits` of `value`.
    pub(super) fn put(&mut self, value: u32, bits: u32) {
        for bit in (0..bits).rev() {
            if self.free == 0 {
                self.bytes.push(0);
                self.free = 8;
            }
            self.free -= 1;
            if let Some(last) = self.bytes.last_mut() {
                *last |= ((value >> bit & 1) as u8) << self.free;
            }
        }
    }

    pub(super) fn flag(&mut self, flag: bool) {
        self.put(flag.into(), 1);
    }

    /// The bytes with zeros up to the end of the last.
    pub(super) fn aligned(self) -> Vec<u8> {
        self.bytes
    }

    /// The bytes with a one and zeros up to the end of the last (5.3.4).
    pub(super) fn trailed(mut self) -> Vec<u8> {
        self.flag(true);
        self.bytes
    }
}
