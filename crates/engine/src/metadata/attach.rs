//! Attaches EXIF, XMP and a colour profile to a finished JPEG, PNG or WebP that carries none.

use std::io::Write;

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};
use pixmill_types::ImageFormat;

use super::Attachments;
use super::find::{EXIF, ICC, PNG_XMP, XMP};
use crate::chunks;

/// What a segment of a JPEG holds beside its own length, bytes.
const SEGMENT_MAX: usize = 65_533;
const PNG_HEADER_END: usize = 8 + 8 + 13 + 4;
const WEBP_ANIMATION: u8 = 0x02;
const WEBP_XMP: u8 = 0x04;
const WEBP_EXIF: u8 = 0x08;
const WEBP_ALPHA: u8 = 0x10;
const WEBP_ICC: u8 = 0x20;

/// The file with `what` on it; `None` when the file is not as expected. `width` and `height` are those of the picture.
pub(crate) fn attach(
    file: Vec<u8>,
    format: ImageFormat,
    what: &Attachments,
    width: u32,
    height: u32,
) -> Option<Vec<u8>> {
    if what.is_empty() {
        return Some(file);
    }
    match format {
        ImageFormat::Jpeg => Some(to_jpeg(&file, what)),
        ImageFormat::Png => to_png(&file, what),
        ImageFormat::Webp => to_webp(&file, what, width, height),
        _ => Some(file),
    }
}

/// What does not fit into one segment is left out, but for the profile, which may have several.
fn to_jpeg(file: &[u8], what: &Attachments) -> Vec<u8> {
    let mut segments = Vec::new();
    let mut segment = |code: u8, parts: &[&[u8]]| {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        if length <= SEGMENT_MAX {
            segments.extend_from_slice(&[0xff, code]);
            segments.extend_from_slice(&(length as u16 + 2).to_be_bytes());
            parts.iter().for_each(|part| segments.extend_from_slice(part));
        }
    };
    if let Some(exif) = &what.exif {
        segment(0xe1, &[EXIF, exif]);
    }
    if let Some(xmp) = &what.xmp {
        segment(0xe1, &[XMP, xmp]);
    }
    if let Some(icc) = &what.icc {
        let pieces = icc.chunks(SEGMENT_MAX - ICC.len() - 2);
        // 4 MiB at the most are 65 pieces.
        let count = pieces.len() as u8;
        for (number, piece) in (1..=count).zip(pieces) {
            segment(0xe2, &[ICC, &[number, count], piece]);
        }
    }
    // Behind the segment that says JFIF, which must be the first.
    let (first, _) = chunks::of_jpeg(file);
    let start = match first.first() {
        Some(jfif) if jfif.code == 0xe0 => 2 + 4 + jfif.body.len(),
        _ => 2,
    };
    [&file[..start], &segments, &file[start..]].concat()
}

fn to_png(file: &[u8], what: &Attachments) -> Option<Vec<u8>> {
    let (head, rest) = file.split_at_checked(PNG_HEADER_END)?;
    let mut made = head.to_vec();
    let mut chunk = |kind: &[u8; 4], body: &[u8]| {
        let mut crc = Crc::new();
        crc.update(kind);
        crc.update(body);
        made.extend_from_slice(&(body.len() as u32).to_be_bytes());
        made.extend_from_slice(kind);
        made.extend_from_slice(body);
        made.extend_from_slice(&crc.sum().to_be_bytes());
    };
    if let Some(icc) = &what.icc {
        let mut packed = ZlibEncoder::new(b"ICC profile\0\0".to_vec(), Compression::default());
        packed.write_all(icc).ok()?;
        chunk(b"iCCP", &packed.finish().ok()?);
    }
    if let Some(exif) = &what.exif {
        chunk(b"eXIf", exif);
    }
    if let Some(xmp) = &what.xmp {
        chunk(b"iTXt", &[PNG_XMP, xmp].concat());
    }
    made.extend_from_slice(rest);
    Some(made)
}

/// Writes the extended form with the chunks in the order that RFC 9649, section 2.7, wants them in.
fn to_webp(file: &[u8], what: &Attachments, width: u32, height: u32) -> Option<Vec<u8>> {
    let mut flags = 0;
    let mut picture = Vec::new();
    for chunk in chunks::of_webp(file) {
        let body = chunk.body?;
        match &chunk.kind {
            b"VP8X" => flags |= body.first()? & (WEBP_ALPHA | WEBP_ANIMATION),
            kind => {
                // The fifth byte of the lossless bitstream says whether it uses alpha.
                let says_alpha = kind == b"VP8L" && body.get(4).is_some_and(|byte| byte & 0x10 != 0);
                if kind == b"ALPH" || says_alpha {
                    flags |= WEBP_ALPHA;
                }
                chunks::append_webp(&mut picture, kind, body);
            }
        }
    }
    let parts = [(&what.icc, WEBP_ICC), (&what.exif, WEBP_EXIF), (&what.xmp, WEBP_XMP)];
    flags |= parts
        .iter()
        .filter(|(part, _)| part.is_some())
        .fold(0, |all, (_, flag)| all | flag);
    let mut extended = [0; 10];
    extended[0] = flags;
    extended[4..7].copy_from_slice(&(width - 1).to_le_bytes()[..3]);
    extended[7..10].copy_from_slice(&(height - 1).to_le_bytes()[..3]);
    let mut body = b"WEBP".to_vec();
    chunks::append_webp(&mut body, b"VP8X", &extended);
    if let Some(icc) = &what.icc {
        chunks::append_webp(&mut body, b"ICCP", icc);
    }
    body.append(&mut picture);
    if let Some(exif) = &what.exif {
        chunks::append_webp(&mut body, b"EXIF", exif);
    }
    if let Some(xmp) = &what.xmp {
        chunks::append_webp(&mut body, b"XMP ", xmp);
    }
    let mut whole = Vec::with_capacity(body.len() + 8);
    chunks::append_webp(&mut whole, b"RIFF", &body);
    Some(whole)
}
