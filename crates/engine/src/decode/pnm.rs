//! Decodes PBM, PGM and PPM, plain or raw, and PAM; samples are spread over the whole range of 8 or 16 bits.

use super::{cut_off, rows_or_stop};
use crate::EngineError;
use crate::layout::pnm::{Coding, Pnm, next_number, parse};
use crate::mill::Control;
use crate::pixels::{Image, Sample, Samples, zeros};
use crate::probe::Header;

const FORMAT: &str = "PNM";

pub(super) fn decode(input: &[u8], header: &Header, control: &dyn Control) -> Result<Image, EngineError> {
    let pnm = parse(input)?.ok_or_else(|| cut_off(FORMAT))?;
    let count = header.pixels() * pnm.channels.count() as u64;
    let samples = if pnm.is_sixteen_bit() {
        let mut samples = zeros::<u16>(count)?;
        fill(&pnm, input, &mut samples, control)?;
        Samples::Sixteen(samples)
    } else {
        let mut samples = zeros::<u8>(count)?;
        fill(&pnm, input, &mut samples, control)?;
        Samples::Eight(samples)
    };
    Ok(Image {
        width: header.width,
        height: header.height,
        channels: pnm.channels,
        samples,
    })
}

fn fill<T: Sample>(pnm: &Pnm, input: &[u8], samples: &mut [T], control: &dyn Control) -> Result<(), EngineError> {
    let cut = || cut_off(FORMAT);
    let row = pnm.width as usize * pnm.channels.count();
    let stored = input.get(pnm.header_bytes..).ok_or_else(cut)?;
    let mut at = pnm.header_bytes;
    let each = if pnm.is_sixteen_bit() { 2 } else { 1 };
    for (y, line) in samples.chunks_exact_mut(row).enumerate() {
        rows_or_stop(y, pnm.width, control)?;
        match pnm.coding {
            Coding::Raw => {
                let bytes = stored.get(y * row * each..(y + 1) * row * each).ok_or_else(cut)?;
                for (sample, stored) in line.iter_mut().zip(bytes.chunks_exact(each)) {
                    let value = stored.iter().fold(0, |value, byte| value << 8 | u32::from(*byte));
                    *sample = spread(value, pnm.max);
                }
            }
            Coding::Packed => {
                let bytes = stored.get(y * row.div_ceil(8)..).ok_or_else(cut)?;
                let bytes = bytes.get(..row.div_ceil(8)).ok_or_else(cut)?;
                for (x, sample) in line.iter_mut().enumerate() {
                    *sample = spread(u32::from(!bytes[x / 8] >> (7 - x % 8) & 1), 1);
                }
            }
            Coding::Plain { is_bitmap } => {
                for sample in line {
                    let (value, end) = if is_bitmap {
                        next_bit(input, at)?
                    } else {
                        next_sample(input, at)?
                    };
                    at = end;
                    *sample = spread(value, pnm.max);
                }
            }
        }
    }
    Ok(())
}

/// A sample of 0 to `max` as one of 0 to white.
fn spread<T: Sample>(value: u32, max: u32) -> T {
    let value = value.min(max);
    if max == T::MAX {
        return T::whole(value);
    }
    T::whole(((u64::from(value) * u64::from(T::MAX) + u64::from(max / 2)) / u64::from(max)) as u32)
}

/// The last number of a file needs nothing behind it.
fn next_sample(input: &[u8], at: usize) -> Result<(u32, usize), EngineError> {
    if let Some(found) = next_number(input, at)? {
        return Ok(found);
    }
    let rest = input.get(at..).unwrap_or_default().trim_ascii_start();
    let last = std::str::from_utf8(rest).ok().and_then(|text| text.parse().ok());
    last.map(|value| (value, input.len())).ok_or_else(|| cut_off(FORMAT))
}

/// The next of the digits of a plain bitmap, which may stand without space between them; 1 is black.
fn next_bit(input: &[u8], mut at: usize) -> Result<(u32, usize), EngineError> {
    while let Some(byte) = input.get(at) {
        match byte {
            b'0' => return Ok((1, at + 1)),
            b'1' => return Ok((0, at + 1)),
            b'#' => {
                let line = input[at..].iter().position(|byte| matches!(byte, b'\n' | b'\r'));
                at += line.ok_or_else(|| cut_off(FORMAT))?;
            }
            byte if byte.is_ascii_whitespace() => at += 1,
            _ => {
                return Err(EngineError::Corrupt(
                    "the PNM is damaged: not every bit is 0 or 1".into(),
                ));
            }
        }
    }
    Err(cut_off(FORMAT))
}
