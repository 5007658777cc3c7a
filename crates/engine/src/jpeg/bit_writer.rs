//! Collects the bits of entropy-coded data, stuffs them, and hands pieces to a sink.

use super::tokens::{Codes, TABLES, Tokens};
use crate::EngineError;
use crate::encode::Sink;

/// What is written at a time, bytes.
const PIECE: usize = 32 * 1024;

/// Collects bits, stuffs a zero after each byte of ones, and hands pieces to a sink.
pub(super) struct BitWriter<'a> {
    sink: Sink<'a>,
    piece: Box<[u8; PIECE]>,
    at: usize,
    /// The bits that were put last are the lowest ones; what lies above those that count is of no account.
    bits: u64,
    free: u32,
}

impl<'a> BitWriter<'a> {
    pub(super) fn new(sink: Sink<'a>) -> Self {
        Self {
            sink,
            piece: Box::new([0; PIECE]),
            at: 0,
            bits: 0,
            free: 64,
        }
    }

    /// The finished file.
    pub(super) fn finish(self) -> Result<Vec<u8>, EngineError> {
        self.sink.finish("JPEG", Ok::<_, std::fmt::Error>(()))
    }

    /// Makes sure that so many bytes can be put.
    #[inline(always)]
    fn make_room(&mut self, bytes: usize) -> Result<(), EngineError> {
        if self.at + bytes > PIECE {
            self.hand_over()
        } else {
            Ok(())
        }
    }

    #[cold]
    fn hand_over(&mut self) -> Result<(), EngineError> {
        let taken = self.sink.append(&self.piece[..self.at]);
        self.at = 0;
        if taken { Ok(()) } else { Err(self.sink.refusal("JPEG")) }
    }

    /// Writes marker segments behind everything before, whose last byte is filled up.
    pub(super) fn segments(&mut self, bytes: &[u8]) -> Result<(), EngineError> {
        self.make_room(16)?;
        self.pad();
        self.hand_over()?;
        if self.sink.append(bytes) {
            Ok(())
        } else {
            Err(self.sink.refusal("JPEG"))
        }
    }

    /// Puts the lowest `count` bits of `bits`, at most 32.
    #[inline(always)]
    fn put(&mut self, bits: u32, count: u32) {
        let bits = u64::from(bits);
        if count <= self.free {
            self.bits = self.bits << count | bits;
            self.free -= count;
        } else {
            let behind = count - self.free;
            let full = self.bits << self.free | bits >> behind;
            self.word(full);
            self.bits = bits;
            self.free = 64 - behind;
        }
    }

    #[inline(always)]
    fn word(&mut self, word: u64) {
        const LOW: u64 = 0x0101_0101_0101_0101;
        const HIGH: u64 = 0x8080_8080_8080_8080;
        let has_ones = (!word).wrapping_sub(LOW) & word & HIGH != 0;
        let bytes = word.to_be_bytes();
        if has_ones {
            self.stuffed(&bytes);
        } else if let Some(into) = self
            .piece
            .get_mut(self.at..)
            .and_then(|rest| rest.first_chunk_mut::<8>())
        {
            *into = bytes;
            self.at += 8;
        }
    }

    fn stuffed(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.byte(*byte);
            if *byte == 0xff {
                self.byte(0);
            }
        }
    }

    fn byte(&mut self, byte: u8) {
        if let Some(into) = self.piece.get_mut(self.at) {
            *into = byte;
            self.at += 1;
        }
    }

    /// Fills up the last byte with ones.
    fn pad(&mut self) {
        let used = 64 - self.free as usize;
        let ones = u64::MAX.checked_shr(used as u32).unwrap_or(0);
        let word = self.bits.checked_shl(self.free).unwrap_or(0) | ones;
        self.stuffed(&word.to_be_bytes()[..used.div_ceil(8)]);
        self.free = 64;
        self.bits = 0;
    }
}

/// Writes tokens in their codes.
pub(super) struct Coded<'w, 'a> {
    pub(super) bits: &'w mut BitWriter<'a>,
    pub(super) codes: &'w [Codes; TABLES],
}

impl Tokens for Coded<'_, '_> {
    #[inline(always)]
    fn make_room(&mut self, bytes: usize) -> Result<(), EngineError> {
        self.bits.make_room(bytes)
    }

    #[inline(always)]
    fn token(&mut self, table: usize, symbol: u8, bits: u32, size: u32) {
        let code = self.codes[table % TABLES].of(symbol);
        self.bits
            .put(u32::from(code.code) << size | bits, u32::from(code.bits) + size);
    }

    #[inline(always)]
    fn bits(&mut self, bits: u32, size: u32) {
        self.bits.put(bits, size);
    }
}
