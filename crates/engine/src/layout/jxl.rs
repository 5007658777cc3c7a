//! What a JPEG XL says of itself before its pixels (ISO/IEC 18181-1, annex D; 18181-2, clause 9): sides, depth, channels, how it
//! is turned. Either the codestream alone or boxes around it.
//!
//! Frames and colour profiles are coded like pixels: only the decoder knows them.

use crate::EngineError;
use crate::exif::Orientation;

/// What a bare codestream begins with.
pub(crate) const CODESTREAM: &[u8] = b"\xff\x0a";
/// The first box of a file of boxes.
pub(crate) const CONTAINER: &[u8] = b"\0\0\0\x0cJXL \r\n\x87\n";
/// More than what precedes the colour encoding, bytes.
pub(crate) const HEAD_BYTES: usize = 2048;

/// What a codestream begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Picture {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) orientation: Orientation,
    pub(crate) is_animation: bool,
    /// Of a sample.
    pub(crate) bits: u32,
    pub(crate) has_alpha: bool,
    pub(crate) is_gray: bool,
    /// Whether an ICC profile follows, packed.
    pub(crate) has_icc: bool,
}

/// Why there is no picture.
#[derive(Debug)]
pub(crate) enum Problem {
    /// The bytes end before.
    CutOff,
    Wrong(EngineError),
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        Self::Wrong(error)
    }
}

impl Picture {
    /// Reads the head of a codestream.
    pub(crate) fn of(codestream: &[u8]) -> Result<Self, Problem> {
        let Some(rest) = codestream.strip_prefix(CODESTREAM) else {
            return Err(if CODESTREAM.starts_with(codestream) {
                Problem::CutOff
            } else {
                corrupt("has no codestream").into()
            });
        };
        let mut bits = Bits { bytes: rest, at: 0 };
        let (width, height) = sides(&mut bits)?;
        let mut picture = Self {
            width,
            height,
            orientation: Orientation::UPRIGHT,
            is_animation: false,
            bits: 8,
            has_alpha: false,
            is_gray: false,
            has_icc: false,
        };
        if !bits.flag()? {
            picture.metadata(&mut bits)?;
        }
        Ok(picture)
    }

    fn metadata(&mut self, bits: &mut Bits<'_>) -> Result<(), Problem> {
        if bits.flag()? {
            self.orientation = Orientation::from_exif(bits.take(3)? + 1).unwrap_or_default();
            if bits.flag()? {
                let _intrinsic = sides(bits)?;
            }
            if bits.flag()? {
                preview(bits)?;
            }
            if bits.flag()? {
                self.is_animation = true;
                bits.choice([(0, 100), (0, 1000), (10, 1), (30, 1)])?;
                bits.choice([(0, 1), (0, 1001), (8, 1), (10, 1)])?;
                bits.choice([(0, 0), (3, 0), (16, 0), (32, 0)])?;
                bits.flag()?;
            }
        }
        self.bits = depth(bits)?;
        let _sixteen_bits_suffice = bits.flag()?;
        let extra = bits.choice([(0, 0), (0, 1), (4, 2), (12, 1)])?;
        match extra {
            0 => {}
            1 => self.alpha(bits)?,
            // Black of CMYK, depth, heat, masks: each a plane as large as the picture.
            _ => return Err(unsupported("more than three channels and alpha").into()),
        }
        let _is_xyb = bits.flag()?;
        if !bits.flag()? {
            self.has_icc = bits.flag()?;
            match bits.word()? {
                0 => {}
                1 => self.is_gray = true,
                _ => return Err(unsupported("a colour space other than RGB and gray").into()),
            }
        }
        Ok(())
    }

    /// The one extra channel, which must be alpha.
    fn alpha(&mut self, bits: &mut Bits<'_>) -> Result<(), Problem> {
        self.has_alpha = true;
        if bits.flag()? {
            return Ok(());
        }
        if bits.word()? != 0 {
            return Err(unsupported("an extra channel other than alpha").into());
        }
        depth(bits)?;
        bits.choice([(0, 0), (0, 3), (0, 4), (3, 1)])?;
        let name = bits.choice([(0, 0), (4, 0), (5, 16), (10, 48)])?;
        for _ in 0..name {
            bits.take(8)?;
        }
        bits.flag()?;
        Ok(())
    }
}

/// Width and height of the picture, pixels.
fn sides(bits: &mut Bits<'_>) -> Result<(u32, u32), Problem> {
    const SIDE: [(u32, u32); 4] = [(9, 1), (13, 1), (18, 1), (30, 1)];
    let is_small = bits.flag()?;
    let side = |bits: &mut Bits<'_>| {
        if is_small {
            Ok((bits.take(5)? + 1) * 8)
        } else {
            bits.choice(SIDE)
        }
    };
    let height = side(bits)?;
    let width = match ratio(bits)? {
        None => side(bits)?,
        Some((over, under)) => u32::try_from(u64::from(height) * over / under)
            .map_err(|_| corrupt("declares a side that is longer than any may be"))?,
    };
    Ok((width, height))
}

/// How wide a picture is for its height, where that is not said by itself.
fn ratio(bits: &mut Bits<'_>) -> Result<Option<(u64, u64)>, Problem> {
    const RATIOS: [(u64, u64); 7] = [(1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1)];
    let number = bits.take(3)? as usize;
    Ok(number.checked_sub(1).map(|index| RATIOS[index]))
}

/// Passes over the sides of a preview.
fn preview(bits: &mut Bits<'_>) -> Result<(), Problem> {
    let choices = if bits.flag()? {
        [(0, 16), (0, 32), (5, 1), (9, 33)]
    } else {
        [(6, 1), (8, 65), (10, 321), (12, 1345)]
    };
    bits.choice(choices)?;
    if ratio(bits)?.is_none() {
        bits.choice(choices)?;
    }
    Ok(())
}

/// Bits of a sample.
fn depth(bits: &mut Bits<'_>) -> Result<u32, Problem> {
    if bits.flag()? {
        let depth = bits.choice([(0, 32), (0, 16), (0, 24), (6, 1)])?;
        let _exponent = bits.take(4)?;
        return Ok(depth);
    }
    bits.choice([(0, 8), (0, 10), (0, 12), (6, 1)])
}

/// Bits, the lowest of a byte first.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    /// The number in the next `count` bits, at most 32.
    fn take(&mut self, count: u32) -> Result<u32, Problem> {
        let mut number = 0;
        for place in 0..count {
            let byte = self.bytes.get(self.at / 8).ok_or(Problem::CutOff)?;
            number |= u32::from(byte >> (self.at % 8) & 1) << place;
            self.at += 1;
        }
        Ok(number)
    }

    fn flag(&mut self) -> Result<bool, Problem> {
        Ok(self.take(1)? == 1)
    }

    /// A number of as many bits as two bits choose, more than another number they choose.
    fn choice(&mut self, choices: [(u32, u32); 4]) -> Result<u32, Problem> {
        let (count, more) = choices[self.take(2)? as usize];
        self.take(count)?
            .checked_add(more)
            .ok_or_else(|| corrupt("has a number that is larger than any may be").into())
    }

    /// A number that stands for a word.
    fn word(&mut self) -> Result<u32, Problem> {
        self.choice([(0, 0), (0, 1), (4, 2), (6, 18)])
    }
}

/// A box: its type, where its body begins in the bytes that follow its first eight, and how long that is; `None` to the end
/// of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BoxHead {
    pub(crate) kind: [u8; 4],
    pub(crate) body: Option<u64>,
}

/// The first bytes of a box that say how long it is, with the length of those that do not fit into four bytes.
pub(crate) const BOX_HEAD_BYTES: usize = 8;
pub(crate) const LONG_LENGTH_BYTES: usize = 8;

impl BoxHead {
    /// The head of a box; `None` when its length follows in eight bytes more.
    pub(crate) fn of(head: [u8; BOX_HEAD_BYTES]) -> Result<(Option<Self>, [u8; 4]), EngineError> {
        let [a, b, c, d, kind @ ..] = head;
        let body = match u32::from_be_bytes([a, b, c, d]) {
            0 => None,
            1 => return Ok((None, kind)),
            length => Some(body_of(length.into(), BOX_HEAD_BYTES)?),
        };
        Ok((Some(Self { kind, body }), kind))
    }

    /// The head of a box whose length is that.
    pub(crate) fn long(kind: [u8; 4], length: [u8; LONG_LENGTH_BYTES]) -> Result<Self, EngineError> {
        let body = body_of(u64::from_be_bytes(length), BOX_HEAD_BYTES + LONG_LENGTH_BYTES)?;
        Ok(Self { kind, body: Some(body) })
    }
}

fn body_of(length: u64, head: usize) -> Result<u64, EngineError> {
    length
        .checked_sub(head as u64)
        .ok_or_else(|| corrupt("has a box that is shorter than its head"))
}

/// The body of the first box of that type in a file of boxes, if it is all there.
pub(crate) fn box_of<'a>(file: &'a [u8], wanted: &[u8; 4]) -> Option<&'a [u8]> {
    let mut rest = file.starts_with(CONTAINER).then_some(file)?;
    loop {
        let (head, behind) = rest.split_first_chunk::<BOX_HEAD_BYTES>()?;
        let (head, behind) = match BoxHead::of(*head).ok()? {
            (Some(head), _) => (head, behind),
            (None, kind) => {
                let (length, behind) = behind.split_first_chunk::<LONG_LENGTH_BYTES>()?;
                (BoxHead::long(kind, *length).ok()?, behind)
            }
        };
        let length = head
            .body
            .map_or(Some(behind.len()), |length| usize::try_from(length).ok())?;
        let (body, next) = behind.split_at_checked(length)?;
        if head.kind == *wanted {
            return Some(body);
        }
        rest = next;
    }
}

pub(crate) fn corrupt(how: &str) -> EngineError {
    EngineError::Corrupt(format!("the JPEG XL {how}"))
}

fn unsupported(what: &str) -> EngineError {
    EngineError::Unsupported(format!(
        "JPEG XL of {what} is not read; of gray or RGB with or without alpha it is"
    ))
}
