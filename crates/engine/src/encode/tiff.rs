//! Encodes TIFF 6.0 with code of our own: strips of gray or RGB, with or without alpha, at 8 or 16 bits.

use std::io::Write;

use flate2::Compression as Level;
use flate2::write::ZlibEncoder;
use pixmill_types::Compression;
use weezl::BitOrder;
use weezl::encode::Encoder as Lzw;

use super::failed;
use super::sink::Sink;
use crate::EngineError;
use crate::layout::tiff::{compression, tag};
use crate::mill::Control;
use crate::pixels::{Image, Samples};
use crate::plan::EncodePlan;

const FORMAT: &str = "TIFF";
/// About what a strip holds before it is packed, bytes.
const STRIP_BYTES: usize = 64 * 1024;
const SHORT: u16 = 3;
const LONG: u16 = 4;
const RATIONAL: u16 = 5;
const X_RESOLUTION: u16 = 282;
const Y_RESOLUTION: u16 = 283;
/// Alpha that colours are not multiplied by.
const STRAIGHT_ALPHA: u32 = 2;

pub(super) fn encode(image: &Image, plan: &EncodePlan, control: &dyn Control) -> Result<Vec<u8>, EngineError> {
    let mut sink = Sink::new(control);
    let packing = plan.options.compression.unwrap_or_default();
    // Where the directory is, is filled in at the end.
    let mut goes_on = sink.append(b"II*\0\0\0\0\0");
    let row = image.width as usize * image.channels.count();
    let row_bytes = row * image.shape().depth.bytes();
    let rows = (STRIP_BYTES / row_bytes.max(1)).clamp(1, image.height as usize);
    let mut strips = Vec::new();
    let mut bytes = Vec::new();
    for strip in 0..(image.height as usize).div_ceil(rows) {
        let range = strip * rows * row..((strip + 1) * rows * row).min(row * image.height as usize);
        bytes.clear();
        let by = if packing == Compression::None {
            0
        } else {
            image.channels.count()
        };
        match &image.samples {
            Samples::Eight(samples) => {
                for line in samples[range].chunks_exact(row) {
                    bytes.extend(differences(line, by, u8::wrapping_sub));
                }
            }
            Samples::Sixteen(samples) => {
                for line in samples[range].chunks_exact(row) {
                    bytes.extend(differences(line, by, u16::wrapping_sub).flat_map(u16::to_le_bytes));
                }
            }
        }
        let packed = pack(&bytes, packing)?;
        let packed = packed.as_deref().unwrap_or(&bytes);
        strips.push((offset(&sink)?, packed.len() as u32));
        goes_on = goes_on && sink.append(packed);
        if !goes_on {
            return Err(sink.refusal(FORMAT));
        }
    }
    directory(image, plan, rows as u32, &strips, &mut sink)?;
    sink.finish::<EngineError>(FORMAT, Ok(()))
}

/// Each sample less the one `by` before it; as it is where there is none, or `by` is 0.
fn differences<T: Copy>(line: &[T], by: usize, less: impl Fn(T, T) -> T) -> impl Iterator<Item = T> {
    line.iter()
        .enumerate()
        .map(move |(at, sample)| match at.checked_sub(by) {
            Some(before) if by > 0 => less(*sample, line[before]),
            _ => *sample,
        })
}

/// A strip as it is stored; `None` when that is as it was.
fn pack(bytes: &[u8], packing: Compression) -> Result<Option<Vec<u8>>, EngineError> {
    let packed = match packing {
        Compression::None => return Ok(None),
        Compression::Lzw => Lzw::with_tiff_size_switch(BitOrder::Msb, 8)
            .encode(bytes)
            .map_err(|error| failed(FORMAT, &error))?,
        Compression::Deflate => {
            let mut encoder = ZlibEncoder::new(Vec::new(), Level::default());
            encoder
                .write_all(bytes)
                .and_then(|()| encoder.finish())
                .map_err(|error| failed(FORMAT, &error))?
        }
    };
    Ok(Some(packed))
}

fn offset(sink: &Sink<'_>) -> Result<u32, EngineError> {
    u32::try_from(sink.len()).map_err(|_| failed(FORMAT, &"it is larger than 4 GiB"))
}

/// Writes the directory, what it refers to, and where it is.
fn directory(
    image: &Image,
    plan: &EncodePlan,
    rows: u32,
    strips: &[(u32, u32)],
    sink: &mut Sink<'_>,
) -> Result<(), EngineError> {
    let count = image.channels.count();
    let is_packed = plan.options.compression != Some(Compression::None);
    let method = match plan.options.compression.unwrap_or_default() {
        Compression::Deflate => compression::DEFLATE,
        Compression::Lzw => compression::LZW,
        Compression::None => compression::NONE,
    };
    let bits = u32::from(image.shape().depth.bits());
    let offsets: Vec<u32> = strips.iter().map(|(offset, _)| *offset).collect();
    let lengths: Vec<u32> = strips.iter().map(|(_, length)| *length).collect();
    let mut entries = vec![
        (tag::WIDTH, LONG, vec![image.width]),
        (tag::HEIGHT, LONG, vec![image.height]),
        (tag::BITS, SHORT, vec![bits; count]),
        (tag::COMPRESSION, SHORT, vec![method.into()]),
        (
            tag::PHOTOMETRIC,
            SHORT,
            vec![if image.channels.is_gray() { 1 } else { 2 }],
        ),
        (tag::STRIP_OFFSETS, LONG, offsets),
        (tag::ORIENTATION, SHORT, vec![plan.orientation.as_exif().into()]),
        (tag::SAMPLES, SHORT, vec![count as u32]),
        (tag::ROWS_PER_STRIP, LONG, vec![rows]),
        (tag::STRIP_BYTES, LONG, lengths),
        (X_RESOLUTION, RATIONAL, vec![72, 1]),
        (Y_RESOLUTION, RATIONAL, vec![72, 1]),
        (tag::PLANAR, SHORT, vec![1]),
    ];
    if is_packed {
        entries.push((tag::PREDICTOR, SHORT, vec![2]));
    }
    if image.channels.has_alpha() {
        entries.push((tag::EXTRA_SAMPLES, SHORT, vec![STRAIGHT_ALPHA]));
    }
    // Directories begin at even places.
    if sink.len() % 2 == 1 && !sink.append(&[0]) {
        return Err(sink.refusal(FORMAT));
    }
    let start = offset(sink)?;
    let mut behind = start + 2 + 12 * entries.len() as u32 + 4;
    let mut body = (entries.len() as u16).to_le_bytes().to_vec();
    let mut values = Vec::new();
    for (tag, kind, numbers) in &entries {
        let value: Vec<u8> = if *kind == SHORT {
            numbers
                .iter()
                .flat_map(|number| (*number as u16).to_le_bytes())
                .collect()
        } else {
            numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
        };
        body.extend_from_slice(&tag.to_le_bytes());
        body.extend_from_slice(&kind.to_le_bytes());
        let count = if *kind == RATIONAL { 1 } else { numbers.len() as u32 };
        body.extend_from_slice(&count.to_le_bytes());
        if value.len() <= 4 {
            body.extend_from_slice(&value);
            body.resize(body.len() + 4 - value.len(), 0);
        } else {
            body.extend_from_slice(&behind.to_le_bytes());
            behind += value.len() as u32;
            values.extend_from_slice(&value);
        }
    }
    body.extend_from_slice(&[0; 4]);
    body.extend_from_slice(&values);
    if !sink.append(&body) {
        return Err(sink.refusal(FORMAT));
    }
    sink.overwrite(4, &start.to_le_bytes());
    Ok(())
}
