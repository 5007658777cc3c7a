//! Finds EXIF, XMP and colour profiles in whole files, of a bounded size.

use std::io::Read;

use flate2::read::ZlibDecoder;
use pixmill_types::ImageFormat;

use crate::chunks;
use crate::decode;
use crate::layout::fields::Exif;
use crate::layout::jxl;
use crate::layout::tiff::{Directory, tag};
use crate::profile;

pub(super) const EXIF: &[u8] = b"Exif\0\0";
pub(super) const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
pub(super) const ICC: &[u8] = b"ICC_PROFILE\0";
pub(super) const PNG_XMP: &[u8] = b"XML:com.adobe.xmp\0\0\0\0\0";
/// More than any profile in use has, bytes.
const ICC_MAX_BYTES: usize = 4 * 1024 * 1024;

/// The TIFF block of a file's EXIF.
pub(crate) fn exif(format: ImageFormat, file: &[u8]) -> Option<Vec<u8>> {
    let whole = match format {
        ImageFormat::Jpeg => segment(file, EXIF)?,
        ImageFormat::Png => body(chunks::of_png(file), b"eXIf")?,
        ImageFormat::Webp => body(chunks::of_webp(file), b"EXIF")?,
        ImageFormat::Tiff => return Exif::of(file)?.block(),
        // Behind a number of bytes to pass over first.
        ImageFormat::Jxl => {
            let (number, block) = jxl::box_of(file, b"Exif")?.split_first_chunk::<4>()?;
            block.get(u32::from_be_bytes(*number) as usize..)?
        }
        _ => return None,
    };
    Some(whole.strip_prefix(EXIF).unwrap_or(whole).to_vec())
}

/// The XMP of a file; of a JPEG what fits into one segment.
pub(crate) fn xmp(format: ImageFormat, file: &[u8]) -> Option<Vec<u8>> {
    let found = match format {
        ImageFormat::Jpeg => segment(file, XMP)?,
        ImageFormat::Png => chunks::of_png(file)
            .filter(|chunk| chunk.kind == *b"iTXt")
            .find_map(|chunk| chunk.body?.strip_prefix(PNG_XMP))?,
        ImageFormat::Webp => body(chunks::of_webp(file), b"XMP ")?,
        ImageFormat::Tiff => Directory::first(file).ok()?.bytes(tag::XMP)?,
        ImageFormat::Jxl => jxl::box_of(file, b"xml ")?,
        _ => return None,
    };
    Some(found.to_vec())
}

/// The colour profile of a file, whatever it holds.
pub(crate) fn icc(format: ImageFormat, file: &[u8]) -> Option<Vec<u8>> {
    let is_usual = |icc: &Vec<u8>| icc.len() <= ICC_MAX_BYTES;
    let found = match format {
        ImageFormat::Jpeg => return jpeg_icc(file),
        ImageFormat::Png => return png_profile(file),
        ImageFormat::Webp => body(chunks::of_webp(file), b"ICCP")?,
        ImageFormat::Tiff => Directory::first(file).ok()?.bytes(tag::ICC)?,
        ImageFormat::Jxl => return decode::jxl::icc(file).filter(is_usual),
        _ => return None,
    };
    (found.len() <= ICC_MAX_BYTES).then(|| found.to_vec())
}

fn body<'a>(mut chunks: impl Iterator<Item = chunks::Chunk<'a>>, kind: &[u8; 4]) -> Option<&'a [u8]> {
    chunks.find(|chunk| chunk.kind == *kind)?.body
}

/// The body of the first APP1 segment that begins with `signature`, without it.
fn segment<'a>(file: &'a [u8], signature: &[u8]) -> Option<&'a [u8]> {
    let (segments, _) = chunks::of_jpeg(file);
    let mut bodies = segments.iter().filter(|segment| segment.code == 0xe1);
    bodies.find_map(|segment| segment.body.strip_prefix(signature))
}

/// A profile in pieces, each with its number and how many there are (ICC.1, B.4).
fn jpeg_icc(file: &[u8]) -> Option<Vec<u8>> {
    let (segments, _) = chunks::of_jpeg(file);
    let mut pieces: Vec<_> = segments
        .iter()
        .filter(|segment| segment.code == 0xe2)
        .filter_map(|segment| segment.body.strip_prefix(ICC)?.split_first_chunk::<2>())
        .collect();
    pieces.sort_by_key(|([number, _], _)| *number);
    let is_whole = pieces
        .iter()
        .enumerate()
        .all(|(index, ([number, count], _))| usize::from(*number) == index + 1 && usize::from(*count) == pieces.len());
    let bytes: usize = pieces.iter().map(|(_, piece)| piece.len()).sum();
    // What is not whole is handed over all the same: it is found to be damaged.
    let pieces: Vec<_> = pieces
        .iter()
        .map(|(_, piece)| *piece)
        .take(if is_whole { usize::MAX } else { 1 })
        .collect();
    (!pieces.is_empty() && bytes <= ICC_MAX_BYTES).then(|| pieces.concat())
}

/// The profile of a PNG: code points win over a profile (W3C PNG, third edition, 4.3), and are of colours alone here.
fn png_profile(file: &[u8]) -> Option<Vec<u8>> {
    /// Where `IHDR` says what a pixel is, and the bit of it for colours.
    const KIND_AT: usize = 9;
    const COLOURS: u8 = 2;
    let kind = body(chunks::of_png(file), b"IHDR").and_then(|header| header.get(KIND_AT));
    if kind.is_some_and(|kind| kind & COLOURS != 0)
        && let Some([primaries, transfer, 0, 1]) = body(chunks::of_png(file), b"cICP")
        && let Some(made) = profile::of_code_points(*primaries, *transfer)
    {
        return Some(made);
    }
    png_icc(body(chunks::of_png(file), b"iCCP")?)
}

/// A name, a method, and the profile packed with zlib (W3C PNG, 11.3.2.3).
fn png_icc(body: &[u8]) -> Option<Vec<u8>> {
    let name = body.iter().position(|byte| *byte == 0)?;
    let packed = body.get(name + 2..)?;
    let mut profile = Vec::new();
    let mut unpacked = ZlibDecoder::new(packed).take(ICC_MAX_BYTES as u64 + 1);
    // What is damaged is found so by whoever reads the profile.
    let _read = unpacked.read_to_end(&mut profile);
    (profile.len() <= ICC_MAX_BYTES).then_some(profile)
}
