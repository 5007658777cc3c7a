//! Writes a baseline JPEG as its rows come: headers, then blocks, sixteen side by side.

use super::forward::{Divisors, Quantized, forward, forward_half};
use super::huffman::Specification;
use super::turn::{Turn, Waiting};
use super::{BLOCK, quality};
use crate::EngineError;
use crate::encode::Sink;
use crate::exif::{self, Orientation};
use crate::simd::{self, Kernel, LANES, Level};

/// What is written at a time, bytes.
const PIECE: usize = 32 * 1024;
/// Bytes that a block takes at the most: 64 codes of 16 and values of 11 bits, every byte stuffed, and a word.
const MAX_BLOCK_BYTES: usize = 64 * 27 / 8 * 2 + 16;

/// What a picture is written as.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    /// Pixels, before it is turned.
    pub(crate) width: u16,
    pub(crate) height: u16,
    /// 1 to 100.
    pub(crate) quality: u8,
    /// Kept in EXIF unless it is upright.
    pub(crate) orientation: Orientation,
    /// How the rows that come are to be turned; upright unless the picture is of whole blocks.
    pub(crate) turn: Orientation,
}

/// Writes a gray JPEG, eight rows at a time.
pub(crate) struct GrayWriter<'a> {
    bits: BitWriter<'a>,
    coder: Coder,
    divisors: Divisors,
    quantized: Quantized,
    blocks_across: usize,
    /// Blocks of a picture that is turned.
    waiting: Option<Waiting>,
}

impl<'a> GrayWriter<'a> {
    /// Writes the headers.
    ///
    /// # Errors
    /// [`EngineError::Stopped`] and [`EngineError::Internal`] as the sink gives them; so everywhere below.
    pub(crate) fn new(sink: Sink<'a>, target: Target) -> Result<Self, EngineError> {
        let steps = quality::luma_steps(target.quality);
        let (dc, ac) = quality::luma_codes()?;
        let mut bits = BitWriter::new(sink);
        bits.segments(&headers(target, &steps, &dc, &ac))?;
        let turn = Turn::new(target.turn);
        let blocks_across = usize::from(target.width).div_ceil(8);
        let blocks_down = usize::from(target.height).div_ceil(8);
        let is_turned = target.turn != Orientation::UPRIGHT;
        let waiting = is_turned
            .then(|| Waiting::new(turn, blocks_across, blocks_down))
            .transpose()?;
        Ok(Self {
            bits,
            coder: Coder::new(&dc, &ac),
            divisors: Divisors::new(&steps, turn),
            quantized: Quantized::new(),
            blocks_across,
            waiting,
        })
    }

    /// Takes eight rows of samples in 128ths of a level, at `rows[begin + row * stride..]`. They are as long as whole
    /// groups of sixteen blocks.
    pub(crate) fn eight_rows(&mut self, rows: &[u16], begin: usize, stride: usize) -> Result<(), EngineError> {
        simd::run(Rows {
            writer: self,
            rows,
            begin,
            stride,
            is_half: false,
        })
    }

    /// Takes four rows of a picture of half the size in the same way.
    pub(crate) fn four_rows(&mut self, rows: &[u16], begin: usize, stride: usize) -> Result<(), EngineError> {
        simd::run(Rows {
            writer: self,
            rows,
            begin,
            stride,
            is_half: true,
        })
    }

    /// The finished file.
    pub(crate) fn finish(mut self) -> Result<Vec<u8>, EngineError> {
        if let Some(waiting) = self.waiting.take() {
            for (dc, nonzero, values) in waiting.upright() {
                self.bits.make_room(MAX_BLOCK_BYTES)?;
                let mut values = values.iter();
                self.coder.block(&mut self.bits, dc, nonzero, |_| {
                    values.next().copied().unwrap_or_default()
                });
            }
        }
        self.bits.pad();
        self.bits.segments(&[0xff, 0xd9])?;
        self.bits.sink.finish("JPEG", Ok::<_, std::fmt::Error>(()))
    }
}

/// Blocks of eight rows, or of four that stand for eight.
struct Rows<'w, 'a, 'r> {
    writer: &'w mut GrayWriter<'a>,
    rows: &'r [u16],
    begin: usize,
    stride: usize,
    is_half: bool,
}

impl Kernel for Rows<'_, '_, '_> {
    type Output = Result<(), EngineError>;

    #[inline(always)]
    fn run(self, level: impl Level) -> Result<(), EngineError> {
        let Self {
            writer,
            rows,
            begin,
            stride,
            is_half,
        } = self;
        let GrayWriter {
            bits,
            coder,
            divisors,
            quantized,
            blocks_across,
            waiting,
        } = writer;
        for first in (0..*blocks_across).step_by(LANES) {
            let lanes = LANES.min(*blocks_across - first);
            if is_half {
                forward_half(level, rows, begin + first * 4, stride, divisors, quantized);
            } else {
                forward(level, rows, begin + first * 8, stride, divisors, quantized);
            }
            if let Some(waiting) = waiting {
                waiting.take(quantized, lanes)?;
                continue;
            }
            for lane in 0..lanes {
                bits.make_room(MAX_BLOCK_BYTES)?;
                let value_at = |index: usize| quantized.group[(index * LANES + lane) % (BLOCK * LANES)];
                coder.block(bits, value_at(0), quantized.nonzero[lane % LANES], value_at);
            }
        }
        Ok(())
    }
}

/// Huffman-codes the blocks of one component.
struct Coder {
    /// By the number of bits of the difference.
    dc: [Code; 16],
    /// By run and number of bits.
    ac: [Code; 256],
    previous_dc: i16,
}

#[derive(Debug, Clone, Copy, Default)]
struct Code {
    code: u16,
    bits: u8,
}

/// The end of a block, and sixteen zeros.
const END_OF_BLOCK: usize = 0x00;
const SIXTEEN_ZEROS: usize = 0xf0;

impl Coder {
    fn new(dc: &Specification, ac: &Specification) -> Self {
        let mut coder = Self {
            dc: [Code::default(); 16],
            ac: [Code::default(); 256],
            previous_dc: 0,
        };
        for (symbol, code, bits) in dc.codes() {
            coder.dc[usize::from(symbol % 16)] = Code { code, bits };
        }
        for (symbol, code, bits) in ac.codes() {
            coder.ac[usize::from(symbol)] = Code { code, bits };
        }
        coder
    }

    /// Writes one block, for which there is room. The AC coefficients that are not zero are asked for in zigzag order.
    #[inline(always)]
    fn block(&mut self, bits: &mut BitWriter<'_>, dc: i16, nonzero: u64, mut value_at: impl FnMut(usize) -> i16) {
        let difference = i32::from(dc) - i32::from(self.previous_dc);
        self.previous_dc = dc;
        let size = bits_of(difference);
        bits.put_value(self.dc[size as usize % 16], difference, size);
        let mut left = nonzero;
        let mut last = 0;
        while left != 0 {
            let index = left.trailing_zeros() as usize;
            left &= left - 1;
            let mut run = index - last - 1;
            last = index;
            while run > 15 {
                bits.put(self.ac[SIXTEEN_ZEROS].code.into(), self.ac[SIXTEEN_ZEROS].bits.into());
                run -= 16;
            }
            let value = i32::from(value_at(index));
            let size = bits_of(value);
            bits.put_value(self.ac[(run << 4 | size as usize) % 256], value, size);
        }
        if last < BLOCK - 1 {
            bits.put(self.ac[END_OF_BLOCK].code.into(), self.ac[END_OF_BLOCK].bits.into());
        }
    }
}

/// Bits of the magnitude.
#[inline(always)]
const fn bits_of(value: i32) -> u32 {
    32 - value.unsigned_abs().leading_zeros()
}

/// Collects bits, stuffs a zero after each byte of ones, and hands pieces to a sink.
struct BitWriter<'a> {
    sink: Sink<'a>,
    piece: Box<[u8; PIECE]>,
    at: usize,
    /// The bits that were put last are the lowest ones; what lies above those that count is of no account.
    bits: u64,
    free: u32,
}

impl<'a> BitWriter<'a> {
    fn new(sink: Sink<'a>) -> Self {
        Self {
            sink,
            piece: Box::new([0; PIECE]),
            at: 0,
            bits: 0,
            free: 64,
        }
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

    /// Writes marker segments behind everything before.
    fn segments(&mut self, bytes: &[u8]) -> Result<(), EngineError> {
        self.hand_over()?;
        if self.sink.append(bytes) {
            Ok(())
        } else {
            Err(self.sink.refusal("JPEG"))
        }
    }

    /// Puts a code and behind it the `size` bits of a value (ISO/IEC 10918-1, F.1.2.1).
    #[inline(always)]
    fn put_value(&mut self, code: Code, value: i32, size: u32) {
        // One's complement for what is negative.
        let low = (value + (value >> 31)).cast_unsigned() & ((1 << size) - 1);
        self.put(u32::from(code.code) << size | low, u32::from(code.bits) + size);
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

/// Everything before the entropy-coded data: JFIF, the orientation, the tables, a frame of one component, its scan.
fn headers(target: Target, steps: &[u16; BLOCK], dc: &Specification, ac: &Specification) -> Vec<u8> {
    let mut file = vec![0xff, 0xd8];
    // Version 1.1, no unit, square pixels, no thumbnail.
    segment(&mut file, 0xe0, &[b"JFIF\0", &[1, 1, 0, 0, 1, 0, 1, 0, 0]]);
    if target.orientation != Orientation::UPRIGHT {
        segment(&mut file, 0xe1, &[b"Exif\0\0", &exif::tiff_with(target.orientation)]);
    }
    let steps: [u8; BLOCK] = steps.map(|step| step.min(255) as u8);
    segment(&mut file, 0xdb, &[&[0], &steps]);
    let [mut height, mut width] = [target.height.to_be_bytes(), target.width.to_be_bytes()];
    if target.turn.swaps_sides() {
        std::mem::swap(&mut height, &mut width);
    }
    segment(&mut file, 0xc0, &[&[8], &height, &width, &[1, 1, 0x11, 0]]);
    for (class, codes) in [(0x00, dc), (0x10, ac)] {
        segment(&mut file, 0xc4, &[&[class], codes.counts(), codes.symbols()]);
    }
    segment(&mut file, 0xda, &[&[1, 1, 0, 0, 63, 0]]);
    file
}

fn segment(file: &mut Vec<u8>, code: u8, parts: &[&[u8]]) {
    let length = 2 + parts.iter().map(|part| part.len()).sum::<usize>();
    file.extend_from_slice(&[0xff, code]);
    // Tables and metadata of ours are a few hundred bytes.
    file.extend_from_slice(&(length as u16).to_be_bytes());
    for part in parts {
        file.extend_from_slice(part);
    }
}
