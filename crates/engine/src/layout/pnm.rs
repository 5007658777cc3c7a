//! Headers of the Netpbm formats: PBM, PGM and PPM, plain or raw, and PAM.

use crate::EngineError;
use crate::pixels::Channels;

/// More bytes than a header takes, comments included.
pub(crate) const MAX_HEADER: usize = 8 * 1024;

/// What a header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pnm {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// The sample that is white, 1 to 65,535.
    pub(crate) max: u32,
    pub(crate) channels: Channels,
    pub(crate) coding: Coding,
    /// Where the pixels begin.
    pub(crate) header_bytes: usize,
}

/// How samples are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    /// As decimal numbers; those of bitmaps need no space between them, and 1 is black there.
    Plain { is_bitmap: bool },
    /// Bytes, or two each when the largest needs them.
    Raw,
    /// Bits, eight in a byte, each row from a byte of its own; 1 is black.
    Packed,
}

impl Pnm {
    pub(crate) const fn is_sixteen_bit(&self) -> bool {
        self.max > 255
    }
}

/// Whether a file of a Netpbm format may begin like that.
pub(crate) fn is_magic(start: &[u8]) -> bool {
    match start {
        [b'P', b'1'..=b'6', next, ..] => next.is_ascii_whitespace() || *next == b'#',
        [b'P', b'7', b'\n', ..] => true,
        _ => false,
    }
}

/// Reads the header at the start of `bytes`; `None` when it goes on behind them.
///
/// # Errors
/// [`EngineError::Corrupt`] when it is none.
pub(crate) fn parse(bytes: &[u8]) -> Result<Option<Pnm>, EngineError> {
    let parsed = if bytes.get(1) == Some(&b'7') {
        parse_pam(bytes)?
    } else {
        parse_numbers(bytes)?
    };
    if parsed.is_none() && bytes.len() >= MAX_HEADER {
        return Err(corrupt("does not end"));
    }
    Ok(parsed)
}

fn parse_numbers(bytes: &[u8]) -> Result<Option<Pnm>, EngineError> {
    let Some(kind @ b'1'..=b'6') = bytes.get(1).copied() else {
        return Ok(None);
    };
    let is_bitmap = matches!(kind, b'1' | b'4');
    let count = if is_bitmap { 2 } else { 3 };
    let mut numbers = [0, 0, 1];
    let mut at = 2;
    for number in &mut numbers[..count] {
        let Some((value, end)) = next_number(bytes, at)? else {
            return Ok(None);
        };
        *number = value;
        at = end;
    }
    // A single white space ends the header, or the end of a comment right behind its last number.
    if bytes.get(at) == Some(&b'#') {
        let Some(line) = bytes[at..].iter().position(|byte| matches!(byte, b'\n' | b'\r')) else {
            return Ok(None);
        };
        at += line;
    }
    if at >= bytes.len() {
        return Ok(None);
    }
    let [width, height, max] = numbers;
    if !(1..=65_535).contains(&max) {
        return Err(corrupt(&format!(
            "declares a largest sample of {max}, allowed is 1 to 65535"
        )));
    }
    Ok(Some(Pnm {
        width,
        height,
        max,
        channels: if matches!(kind, b'3' | b'6') {
            Channels::Rgb
        } else {
            Channels::Gray
        },
        coding: match kind {
            b'1'..=b'3' => Coding::Plain { is_bitmap },
            b'4' => Coding::Packed,
            _ => Coding::Raw,
        },
        header_bytes: at + 1,
    }))
}

/// The number at or after `at`, and where it ends; `None` when it may go on behind `bytes`. Comments run to the end of
/// their line.
pub(crate) fn next_number(bytes: &[u8], mut at: usize) -> Result<Option<(u32, usize)>, EngineError> {
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'#' => {
                let Some(line) = bytes[at..].iter().position(|byte| matches!(byte, b'\n' | b'\r')) else {
                    return Ok(None);
                };
                at += line;
            }
            byte if byte.is_ascii_whitespace() => at += 1,
            byte if byte.is_ascii_digit() => break,
            byte => {
                return Err(corrupt(&format!(
                    "holds {:?} where a number is expected",
                    char::from(*byte)
                )));
            }
        }
    }
    let digits = bytes.get(at..).unwrap_or_default();
    let Some(length) = digits.iter().position(|byte| !byte.is_ascii_digit()) else {
        return Ok(None);
    };
    let mut value = 0_u32;
    for digit in &digits[..length] {
        value = value
            .checked_mul(10)
            .and_then(|value| value.checked_add(u32::from(digit - b'0')))
            .ok_or_else(|| corrupt("holds a number that is too large"))?;
    }
    Ok(Some((value, at + length)))
}

/// Lines of a name and a value, until `ENDHDR`.
fn parse_pam(bytes: &[u8]) -> Result<Option<Pnm>, EngineError> {
    let (mut width, mut height, mut depth, mut max) = (None, None, None, None);
    let mut at = 3;
    while let Some(length) = bytes
        .get(at..)
        .and_then(|rest| rest.iter().position(|byte| *byte == b'\n'))
    {
        let line = &bytes[at..at + length];
        at += length + 1;
        let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let name = words.next().unwrap_or_default();
        let slot = match name {
            b"WIDTH" => &mut width,
            b"HEIGHT" => &mut height,
            b"DEPTH" => &mut depth,
            b"MAXVAL" => &mut max,
            b"ENDHDR" => return pam(width, height, depth, max, at).map(Some),
            // The depth says as much as the type of all other tuples.
            b"TUPLTYPE" if words.next().is_some_and(|kind| kind.starts_with(b"CMYK")) => {
                return Err(EngineError::Unsupported(
                    "a PAM of inks (CMYK) is not read; of gray and RGB it is".into(),
                ));
            }
            b"" | b"TUPLTYPE" => continue,
            name if name.starts_with(b"#") => continue,
            _ => return Err(corrupt("holds a line of an unknown name")),
        };
        let value = words.next().and_then(|word| std::str::from_utf8(word).ok());
        *slot = value.and_then(|value| value.parse::<u32>().ok());
    }
    Ok(None)
}

fn pam(
    width: Option<u32>,
    height: Option<u32>,
    depth: Option<u32>,
    max: Option<u32>,
    header_bytes: usize,
) -> Result<Pnm, EngineError> {
    let (Some(width), Some(height), Some(depth), Some(max @ 1..=65_535)) = (width, height, depth, max) else {
        return Err(corrupt("lacks one of its numbers, or it is out of range"));
    };
    let channels = match depth {
        1 => Channels::Gray,
        2 => Channels::GrayAlpha,
        3 => Channels::Rgb,
        4 => Channels::Rgba,
        other => {
            return Err(EngineError::Unsupported(format!(
                "a PAM of {other} channels is not read; of 1 to 4 it is"
            )));
        }
    };
    Ok(Pnm {
        width,
        height,
        max,
        channels,
        coding: Coding::Raw,
        header_bytes,
    })
}

fn corrupt(how: &str) -> EngineError {
    EngineError::Corrupt(format!("the header of the PNM {how}"))
}
