//! Encodes TIFF 6.0 with code of our own: strips of gray or RGB, with or without alpha, at 8 or 16 bits; what goes with the
//! picture among its fields.

use std::io::Write;

use flate2::Compression as Level;
use flate2::write::ZlibEncoder;
use pixmill_types::Compression;
use weezl::BitOrder;
use weezl::encode::Encoder as Lzw;

use super::failed;
use super::sink::Sink;
use crate::EngineError;
use crate::exif;
use crate::layout::fields::{self, BYTE, Exif, Field, HEAD, UNDEFINED};
use crate::layout::tiff::{compression, tag};
use crate::metadata::Attachments;
use crate::mill::Control;
use crate::pixels::{Image, Samples};
use crate::plan::EncodePlan;

const FORMAT: &str = "TIFF";
/// About what a strip holds before it is packed, bytes.
const STRIP_BYTES: usize = 64 * 1024;
const X_RESOLUTION: u16 = 282;
const Y_RESOLUTION: u16 = 283;
/// Alpha that colours are not multiplied by.
const STRAIGHT_ALPHA: u16 = 2;

pub(super) fn encode(
    image: &Image,
    plan: &EncodePlan,
    attached: &Attachments,
    control: &dyn Control,
) -> Result<Vec<u8>, EngineError> {
    let mut sink = Sink::new(control);
    let packing = plan.options.compression.unwrap_or_default();
    // Where the directory is, is filled in at the end.
    let mut goes_on = sink.append(HEAD) && sink.append(&[0; 4]);
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
    directory(image, plan, attached, (rows as u32, &strips), &mut sink)?;
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
    u32::try_from(sink.len()).map_err(|_| too_large())
}

fn too_large() -> EngineError {
    failed(FORMAT, &"it is larger than 4 GiB")
}

/// Writes the directory, what it refers to, and where it is.
fn directory(
    image: &Image,
    plan: &EncodePlan,
    attached: &Attachments,
    (rows, strips): (u32, &[(u32, u32)]),
    sink: &mut Sink<'_>,
) -> Result<(), EngineError> {
    let mut fields = describing_pixels(image, plan, rows, strips);
    // Of EXIF the picture's orientation is a field of its own.
    let orientation = attached.exif.as_deref().and_then(exif::orientation_of_tiff);
    let orientation = orientation.unwrap_or(plan.orientation);
    fields.push(Field::shorts(tag::ORIENTATION, &[orientation.as_exif().into()]));
    if let Some(xmp) = &attached.xmp {
        fields.push(Field::bytes(tag::XMP, BYTE, xmp.clone()));
    }
    if let Some(icc) = &attached.icc {
        fields.push(Field::bytes(tag::ICC, UNDEFINED, icc.clone()));
    }
    // Directories begin at even places.
    let append = |sink: &mut Sink<'_>, bytes: &[u8]| {
        let is_odd = sink.len() % 2 == 1;
        if (!is_odd || sink.append(&[0])) && sink.append(bytes) {
            Ok(())
        } else {
            Err(sink.refusal(FORMAT))
        }
    };
    append(sink, &[])?;
    if let Some(exif) = attached.exif.as_deref().and_then(Exif::of) {
        let linked = exif.add_to(&mut fields, offset(sink)?).ok_or_else(too_large)?;
        append(sink, &linked)?;
    }
    let start = offset(sink)?;
    append(sink, &fields::directory(&fields, start).ok_or_else(too_large)?)?;
    sink.overwrite(HEAD.len(), &start.to_le_bytes());
    Ok(())
}

fn describing_pixels(image: &Image, plan: &EncodePlan, rows: u32, strips: &[(u32, u32)]) -> Vec<Field> {
    let count = image.channels.count();
    let packing = plan.options.compression.unwrap_or_default();
    let method = match packing {
        Compression::Deflate => compression::DEFLATE,
        Compression::Lzw => compression::LZW,
        Compression::None => compression::NONE,
    };
    let bits = u16::from(image.shape().depth.bits());
    let (offsets, lengths): (Vec<_>, Vec<_>) = strips.iter().copied().unzip();
    let mut fields = vec![
        Field::longs(tag::WIDTH, &[image.width]),
        Field::longs(tag::HEIGHT, &[image.height]),
        Field::shorts(tag::BITS, &vec![bits; count]),
        Field::shorts(tag::COMPRESSION, &[method]),
        Field::shorts(tag::PHOTOMETRIC, &[if image.channels.is_gray() { 1 } else { 2 }]),
        Field::longs(tag::STRIP_OFFSETS, &offsets),
        Field::shorts(tag::SAMPLES, &[count as u16]),
        Field::longs(tag::ROWS_PER_STRIP, &[rows]),
        Field::longs(tag::STRIP_BYTES, &lengths),
        Field::rational(X_RESOLUTION, [72, 1]),
        Field::rational(Y_RESOLUTION, [72, 1]),
        Field::shorts(tag::PLANAR, &[1]),
    ];
    if packing != Compression::None {
        fields.push(Field::shorts(tag::PREDICTOR, &[2]));
    }
    if image.channels.has_alpha() {
        fields.push(Field::shorts(tag::EXTRA_SAMPLES, &[STRAIGHT_ALPHA]));
    }
    fields
}
