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
    pending: Pending,
}

/// What was put and is not yet handed over.
#[derive(Debug, Clone, Copy)]
struct Pending {
    /// Bytes in the piece.
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
            pending: Pending {
                at: 0,
                bits: 0,
                free: 64,
            },
        }
    }

    /// The finished file.
    pub(super) fn finish(self) -> Result<Vec<u8>, EngineError> {
        self.sink.finish("JPEG", Ok::<_, std::fmt::Error>(()))
    }

    /// Writes marker segments behind everything before, whose last byte is filled up.
    pub(super) fn segments(&mut self, bytes: &[u8]) -> Result<(), EngineError> {
        self.pad()?;
        if self.sink.append(bytes) {
            Ok(())
        } else {
            Err(self.sink.refusal("JPEG"))
        }
    }

    /// Takes tokens, until what is returned is dropped.
    #[inline(always)]
    pub(super) fn coded<'w>(&'w mut self, codes: &'w [Codes; TABLES]) -> Coded<'w, 'a> {
        Coded {
            pending: self.pending,
            writer: self,
            codes,
        }
    }

    /// Hands over the first bytes of the piece; returns how many are left.
    #[cold]
    fn hand_over(&mut self, bytes: usize) -> Result<usize, EngineError> {
        if self.sink.append(&self.piece[..bytes]) {
            Ok(0)
        } else {
            Err(self.sink.refusal("JPEG"))
        }
    }

    /// Fills up the last byte with ones, and hands everything over.
    fn pad(&mut self) -> Result<(), EngineError> {
        let Pending { at, bits, free } = self.pending;
        let at = if at + 2 * size_of::<u64>() > PIECE {
            self.hand_over(at)?
        } else {
            at
        };
        let used = 64 - free as usize;
        let ones = u64::MAX.checked_shr(used as u32).unwrap_or(0);
        let word = bits.checked_shl(free).unwrap_or(0) | ones;
        let at = stuffed(&mut self.piece, at, &word.to_be_bytes()[..used.div_ceil(8)]);
        self.pending = Pending {
            at: self.hand_over(at)?,
            bits: 0,
            free: 64,
        };
        Ok(())
    }
}

/// Puts bytes at a place for which there is room, a zero after each of ones; returns the place behind them.
#[inline(never)]
fn stuffed(piece: &mut [u8; PIECE], mut at: usize, bytes: &[u8]) -> usize {
    let mut put = |byte| {
        if let Some(into) = piece.get_mut(at) {
            *into = byte;
            at += 1;
        }
    };
    for byte in bytes {
        put(*byte);
        if *byte == 0xff {
            put(0);
        }
    }
    at
}

/// Writes tokens in their codes. What is pending is held here, so that it can stay in registers.
pub(super) struct Coded<'w, 'a> {
    writer: &'w mut BitWriter<'a>,
    pending: Pending,
    codes: &'w [Codes; TABLES],
}

impl Drop for Coded<'_, '_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.writer.pending = self.pending;
    }
}

impl Coded<'_, '_> {
    /// Puts the lowest `count` bits of `bits`, at most 32.
    #[inline(always)]
    fn put(&mut self, bits: u32, count: u32) {
        let bits = u64::from(bits);
        let pending = &mut self.pending;
        if count <= pending.free {
            pending.bits = pending.bits << count | bits;
            pending.free -= count;
        } else {
            let behind = count - pending.free;
            let full = pending.bits << pending.free | bits >> behind;
            pending.bits = bits;
            pending.free = 64 - behind;
            self.word(full);
        }
    }

    #[inline(always)]
    fn word(&mut self, word: u64) {
        const LOW: u64 = 0x0101_0101_0101_0101;
        const HIGH: u64 = 0x8080_8080_8080_8080;
        let has_ones = (!word).wrapping_sub(LOW) & word & HIGH != 0;
        let bytes = word.to_be_bytes();
        let at = self.pending.at;
        if has_ones {
            self.pending.at = stuffed(&mut self.writer.piece, at, &bytes);
        } else if let Some(into) = self
            .writer
            .piece
            .get_mut(at..)
            .and_then(|rest| rest.first_chunk_mut::<8>())
        {
            *into = bytes;
            self.pending.at = at + 8;
        }
    }
}

impl Tokens for Coded<'_, '_> {
    #[inline(always)]
    fn make_room(&mut self, bytes: usize) -> Result<(), EngineError> {
        if self.pending.at + bytes > PIECE {
            self.pending.at = self.writer.hand_over(self.pending.at)?;
        }
        Ok(())
    }

    #[inline(always)]
    fn token(&mut self, table: usize, symbol: u8, bits: u32, size: u32) {
        let code = self.codes[table % TABLES].of(symbol);
        self.put(u32::from(code.code) << size | bits, u32::from(code.bits) + size);
    }

    #[inline(always)]
    fn bits(&mut self, bits: u32, size: u32) {
        self.put(bits, size);
    }
}
