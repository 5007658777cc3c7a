//! The bits of a scan: entropy-coded data without its stuffing, one piece at a time, and a reader over a piece.

use std::ops::Range;

use super::corrupt;
use crate::EngineError;

/// Bytes that an MCU takes at the most: ten blocks of a DC and 63 AC coefficients, each a code of 16 and a value of 15
/// bits.
const MAX_MCU_BYTES: usize = 10 * 64 * 31 / 8;
/// Bytes read beyond the last one that is used.
const READ_AHEAD: usize = 16;
/// Unstuffed data in a piece, bytes.
const PIECE: usize = 32 * 1024;

/// Unstuffs entropy-coded data up to the next marker.
#[derive(Debug)]
pub(super) struct Source<'a> {
    data: &'a [u8],
    /// Where in the data the piece ends.
    at: usize,
    /// What was unstuffed, then zeros.
    piece: Box<[u8; PIECE + MAX_MCU_BYTES + READ_AHEAD]>,
    filled: usize,
    reader: Reader,
}

/// Where in a piece the next bits are; cheap to copy, so that it can live in registers.
///
/// After the scheme of Fabian Giesen's "Reading bits in far too many ways": the bits below those that count may hold
/// what comes next already, and are read again.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Reader {
    at: usize,
    /// The next bits, topmost first.
    bits: u64,
    count: u32,
}

impl Reader {
    /// Begins at a bit of the piece.
    #[inline(always)]
    pub(super) fn at(piece: &Piece, bit: usize) -> Self {
        let mut reader = Self {
            at: bit / 8,
            ..Self::default()
        };
        reader.refill(piece);
        reader.consume((bit % 8) as u32);
        reader
    }

    /// Which bit of the piece is next.
    pub(super) fn bit(&self) -> usize {
        self.at * 8 - self.count as usize
    }

    /// Makes sure of 56 bits.
    #[inline(always)]
    pub(super) fn refill(&mut self, piece: &Piece) {
        if let Some(next) = piece.get(self.at..).and_then(|rest| rest.first_chunk::<8>()) {
            self.bits |= u64::from_be_bytes(*next) >> self.count;
        }
        self.at += ((63 - self.count) >> 3) as usize;
        self.count |= 56;
    }

    /// The next `count` bits, at least one.
    #[inline(always)]
    pub(super) fn peek(&self, count: u32) -> u32 {
        (self.bits >> (64 - count)) as u32
    }

    #[inline(always)]
    pub(super) fn consume(&mut self, count: u32) {
        self.bits <<= count;
        self.count = self.count.wrapping_sub(count);
    }

    /// The next `count` bits, which may be none.
    #[inline(always)]
    pub(super) fn take(&mut self, count: u32) -> u32 {
        let taken = (self.bits >> 1 >> (63 - count)) as u32;
        self.consume(count);
        taken
    }
}

/// The memory of a piece.
pub(super) type Piece = [u8; PIECE + MAX_MCU_BYTES + READ_AHEAD];

impl<'a> Source<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        Self {
            data,
            at: 0,
            piece: Box::new([0; PIECE + MAX_MCU_BYTES + READ_AHEAD]),
            filled: 0,
            reader: Reader::default(),
        }
    }

    /// The piece and the reader over it, with at least an MCU's bits or all there are up to the next marker.
    ///
    /// # Errors
    /// [`EngineError::Corrupt`] when more was read than there is.
    #[inline(always)]
    pub(super) fn for_an_mcu(&mut self) -> Result<(&Piece, &mut Reader), EngineError> {
        if self.reader.at + MAX_MCU_BYTES > self.filled {
            self.top_up()?;
        }
        Ok((&self.piece, &mut self.reader))
    }

    /// The piece filled up, and the bits of it that were not read.
    ///
    /// # Errors
    /// [`EngineError::Corrupt`] when more was read than there is.
    pub(super) fn rest_of_piece(&mut self) -> Result<(&Piece, Range<usize>), EngineError> {
        self.top_up()?;
        Ok((&self.piece, self.reader.bit()..self.filled * 8))
    }

    pub(super) fn piece(&self) -> &Piece {
        &self.piece
    }

    /// Goes on at a bit of the piece.
    pub(super) fn seek(&mut self, bit: usize) {
        self.reader = Reader::at(&self.piece, bit);
    }

    #[cold]
    fn top_up(&mut self) -> Result<(), EngineError> {
        self.check()?;
        let begin = self.reader.bit() / 8;
        self.piece.copy_within(begin..self.filled, 0);
        self.filled -= begin;
        self.reader.at -= begin;
        while self.filled < PIECE {
            let rest = self.data.get(self.at..).unwrap_or_default();
            let room = PIECE - self.filled;
            let plain = memchr::memchr(0xff, &rest[..rest.len().min(room)]);
            let taken = plain.unwrap_or(rest.len().min(room));
            self.piece[self.filled..self.filled + taken].copy_from_slice(&rest[..taken]);
            self.filled += taken;
            self.at += taken;
            if plain.is_none() {
                if taken < room {
                    break;
                }
                continue;
            }
            match rest.get(taken + 1) {
                Some(0) => {
                    self.piece[self.filled] = 0xff;
                    self.filled += 1;
                    self.at += 2;
                }
                // A fill byte before a marker.
                Some(0xff) => self.at += 1,
                _ => break,
            }
        }
        self.piece[self.filled..].fill(0);
        Ok(())
    }

    /// Whether what was read was there.
    ///
    /// # Errors
    /// [`EngineError::Corrupt`] when it was not.
    pub(super) fn check(&self) -> Result<(), EngineError> {
        if self.reader.at * 8 > self.filled * 8 + self.reader.count as usize {
            return Err(corrupt("ends before its last pixel"));
        }
        Ok(())
    }

    /// Passes over the restart marker of this number, and begins behind it.
    ///
    /// # Errors
    /// [`EngineError::Corrupt`] when the data before it was too short or another marker follows.
    pub(super) fn restart(&mut self, number: u8) -> Result<(), EngineError> {
        self.check()?;
        loop {
            let rest = self.data.get(self.at..).unwrap_or_default();
            let Some(found) = memchr::memchr(0xff, rest) else {
                return Err(corrupt("lacks a restart marker"));
            };
            self.at += found + 1;
            match rest.get(found + 1) {
                // Bytes before the marker that no MCU needed.
                Some(0 | 0xff) => {}
                Some(code) if *code == 0xd0 + number % 8 => {
                    self.at += 1;
                    self.filled = 0;
                    self.reader = Reader::default();
                    return Ok(());
                }
                _ => return Err(corrupt("has another marker than the restart marker that is due")),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stuffing_is_taken_out_and_markers_end_the_data() {
        let mut data = Vec::new();
        let mut expected = Vec::new();
        for index in 0..40_000_u32 {
            let byte = (index.wrapping_mul(2_654_435_761) >> 24) as u8 | if index % 7 == 0 { 0xff } else { 0 };
            expected.push(byte);
            data.push(byte);
            if byte == 0xff {
                data.push(0);
            }
        }
        data.extend_from_slice(&[0xff, 0xff, 0xd3, 0x12, 0x34]);
        let mut source = Source::new(&data);
        for byte in &expected {
            let (piece, reader) = source.for_an_mcu().unwrap();
            reader.refill(piece);
            assert_eq!(reader.take(8), u32::from(*byte));
        }
        assert_eq!(source.check(), Ok(()));
        assert!(source.restart(2).is_err());
        source.restart(3).unwrap_err();
    }

    #[test]
    fn the_next_bit_is_the_same_wherever_the_piece_is_filled_up() {
        let data: Vec<u8> = (0..3 * PIECE as u32)
            .map(|index| ((index * 7_919) >> 4) as u8 & 0x7f)
            .collect();
        let mut source = Source::new(&data);
        let bits = |at: usize, count: usize| {
            (at..at + count).fold(0, |bits, at| bits << 1 | u32::from(data[at / 8] >> (7 - at % 8) & 1))
        };
        let (mut at, mut count) = (0, 1);
        while at + 64 < data.len() * 8 {
            if at % 5 == 0 {
                let (piece, rest) = source.rest_of_piece().unwrap();
                let mut reader = Reader::at(piece, rest.start);
                assert_eq!(reader.take(11), bits(at, 11));
                source.seek(rest.start);
            }
            let (piece, reader) = source.for_an_mcu().unwrap();
            reader.refill(piece);
            assert_eq!(reader.take(count), bits(at, count as usize));
            at += count as usize;
            count = count % 31 + 1;
        }
    }

    #[test]
    fn a_restart_begins_anew_and_more_than_there_is_cannot_be_read() {
        let mut source = Source::new(&[0x12, 0xff, 0xd9 - 9, 0x56]);
        let read = |source: &mut Source<'_>, bits| {
            let (piece, reader) = source.for_an_mcu()?;
            reader.refill(piece);
            Ok::<_, EngineError>(reader.take(bits))
        };
        assert_eq!(read(&mut source, 4), Ok(1));
        source.restart(8).unwrap();
        assert_eq!(read(&mut source, 8), Ok(0x56));
        assert_eq!(source.check(), Ok(()));
        assert_eq!(read(&mut source, 1), Ok(0));
        assert!(source.check().is_err());
        assert!(read(&mut source, 1).is_err());
    }
}
