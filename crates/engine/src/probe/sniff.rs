//! Tells what a file is by how it begins, also when it is nothing pixmill reads.
//!
//! Owns magic bytes and the words for what was sent instead of an image. Extensions and declared media types are not
//! known here.

use pixmill_types::ImageFormat;

use super::{Walk, gif, ico, jpeg, jxl, png, simple, tiff, webp};
use crate::EngineError;
use crate::layout::jxl::{BOX_HEAD_BYTES, CODESTREAM, CONTAINER, HEAD_BYTES};
use crate::layout::tiff::Order;
use crate::layout::{bmp, pnm, qoi};

/// Enough to recognise every format that is read, bytes.
pub(super) const FIRST_BYTES: usize = 12;
/// Enough to name most others, bytes.
const ENOUGH_TO_DESCRIBE: usize = 512;

const JPEG: &[u8] = b"\xff\xd8\xff";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
const GIF: [&[u8]; 2] = [b"GIF89a", b"GIF87a"];
const ICO: &[u8] = b"\0\0\x01\0";
const BMP: &[u8] = b"BM";

/// What the first bytes led to.
#[derive(Debug)]
pub(super) enum Sniffed {
    /// This many bytes from the start of the file are needed to tell.
    MoreBytes(usize),
    /// A format that is read: who walks it, where it begins, and how many bytes it wants first.
    Known {
        walk: Box<dyn Walk>,
        magic_bytes: usize,
        read: usize,
    },
}

/// Looks at the first bytes of a file; `at_end` when there are no more.
pub(super) fn sniff(start: &[u8], at_end: bool) -> Result<Sniffed, EngineError> {
    if start.starts_with(JPEG) {
        return known(jpeg::Walker::default(), 2, jpeg::FIRST_READ);
    }
    if start.starts_with(PNG) {
        return known(png::Walker::default(), PNG.len(), png::FIRST_READ);
    }
    if start.len() >= FIRST_BYTES && start.starts_with(b"RIFF") && &start[8..12] == b"WEBP" {
        let walker = webp::Walker::new(riff_size(start));
        return known(walker, FIRST_BYTES, webp::FIRST_READ);
    }
    if GIF.iter().any(|magic| start.starts_with(magic)) {
        return known(gif::Walker::default(), GIF[0].len(), gif::FIRST_READ);
    }
    let is_raw = start.get(8..11) == Some(b"CR\x02");
    if let (Some(order), false) = (Order::of(start), is_raw) {
        return known(tiff::Walker::new(order), 4, order.head_bytes());
    }
    if start.starts_with(CODESTREAM) {
        return known(jxl::Walker::Codestream, 0, HEAD_BYTES);
    }
    if start.starts_with(CONTAINER) {
        return known(jxl::Walker::Box, CONTAINER.len(), BOX_HEAD_BYTES);
    }
    if start.starts_with(qoi::MAGIC) {
        return known(simple::QoiWalker, qoi::MAGIC.len(), simple::QOI_FIRST_READ);
    }
    if start.starts_with(ICO) {
        return known(ico::Walker::default(), ICO.len(), ico::FIRST_READ);
    }
    if pnm::is_magic(start) {
        return known(simple::PnmWalker::default(), 0, simple::PNM_FIRST_READ);
    }
    // Two letters are no magic: the length of the header behind them must be one that there is.
    let bmp_size = start.get(bmp::FILE_HEADER..bmp::FILE_HEADER + 4);
    let is_bmp = |size: &[u8]| bmp::header_bytes(u32::from_le_bytes([size[0], size[1], size[2], size[3]])).is_ok();
    if start.starts_with(BMP) && bmp_size.is_some_and(is_bmp) {
        return known(simple::BmpWalker::default(), BMP.len(), simple::BMP_FIRST_READ);
    }
    if !at_end && start.len() < ENOUGH_TO_DESCRIBE {
        return Ok(Sniffed::MoreBytes(ENOUGH_TO_DESCRIBE));
    }
    if let Some(format) = cut_off_magic(start) {
        return Err(EngineError::Truncated(format!(
            "the file ends within what could be a {format} header"
        )));
    }
    let read = ImageFormat::READ;
    if let Some(what) = describe_unread(start) {
        return Err(EngineError::Unsupported(format!(
            "this is {what}; {read} images are read"
        )));
    }
    Err(EngineError::NotAnImage(match describe(start) {
        Some(what) => format!("this seems to be {what}; {read} images are read"),
        None => format!("this is not an image of a known format; {read} images are read"),
    }))
}

fn known(walk: impl Walk + 'static, magic_bytes: usize, read: usize) -> Result<Sniffed, EngineError> {
    Ok(Sniffed::Known {
        walk: Box::new(walk),
        magic_bytes,
        read,
    })
}

fn riff_size(start: &[u8]) -> u32 {
    let mut size = [0; 4];
    size.copy_from_slice(&start[4..8]);
    u32::from_le_bytes(size)
}

fn cut_off_magic(whole_file: &[u8]) -> Option<&'static str> {
    let cut = |magic: &[u8], least: usize| whole_file.len() >= least && magic.starts_with(whole_file);
    if cut(JPEG, 1) {
        Some("JPEG")
    } else if cut(PNG, 1) {
        Some("PNG")
    } else if (4..FIRST_BYTES).contains(&whole_file.len()) && whole_file.starts_with(b"RIFF") {
        Some("WebP")
    } else if cut(CONTAINER, 5) || cut(CODESTREAM, 1) {
        Some("JPEG XL")
    } else if GIF.iter().any(|magic| cut(magic, 3)) {
        Some("GIF")
    } else if cut(qoi::MAGIC, 3) {
        Some("QOI")
    } else if whole_file.starts_with(BMP) && (4..bmp::FILE_HEADER + 4).contains(&whole_file.len()) {
        Some("BMP")
    } else {
        None
    }
}

/// What an image of a format that is known but not read is, and why it is not read.
fn describe_unread(start: &[u8]) -> Option<&'static str> {
    const MAGIC: &[(&[u8], &str)] = &[
        (
            b"\0\0\0\x0cjP  \r\n\x87\n",
            "a JPEG 2000 image, for which there is no memory-safe decoder",
        ),
        (
            b"\xff\x4f\xff\x51",
            "a JPEG 2000 codestream, for which there is no memory-safe decoder",
        ),
        (b"8BPS", "a Photoshop document, whose layers are not read"),
        (b"v/1\x01", "an OpenEXR image, whose floating-point pixels are not read"),
        (b"\0\0\x02\0", "a mouse pointer (CUR), which is not read"),
        (b"II*\0", "a camera's raw file, which is not developed"),
    ];
    if let Some((_, what)) = MAGIC.iter().find(|(magic, _)| start.starts_with(magic)) {
        return Some(what);
    }
    if start.get(4..8) == Some(b"ftyp") {
        return describe_iso_image(start);
    }
    None
}

/// What a file that is not an image seems to be.
fn describe(start: &[u8]) -> Option<&'static str> {
    if start.is_empty() {
        return Some("an empty file");
    }
    const MAGIC: &[(&[u8], &str)] = &[
        (b"%PDF-", "a PDF document"),
        (b"%!PS", "a PostScript document"),
        (b"PK\x03\x04", "a ZIP archive or an office document"),
        (b"PK\x05\x06", "an empty ZIP archive"),
        (b"\x1f\x8b", "gzip-compressed data"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
        (b"Rar!", "a RAR archive"),
        (b"\x28\xb5\x2f\xfd", "zstd-compressed data"),
        (b"\xd0\xcf\x11\xe0", "an old office document"),
        (b"\x7fELF", "a program (ELF)"),
        (b"MZ", "a program (Windows)"),
        (b"OggS", "an Ogg sound or video"),
        (b"ID3", "an MP3 sound"),
        (b"fLaC", "a FLAC sound"),
        (b"\x1aE\xdf\xa3", "a Matroska or WebM video"),
        (b"SQLite format 3\0", "an SQLite database"),
    ];
    if let Some((_, what)) = MAGIC.iter().find(|(magic, _)| start.starts_with(magic)) {
        return Some(what);
    }
    if start.get(4..8) == Some(b"ftyp") {
        return Some("a video (MP4 or QuickTime)");
    }
    if start.starts_with(b"RIFF") {
        return Some(match start.get(8..12) {
            Some(b"WAVE") => "a WAV sound",
            Some(b"AVI ") => "an AVI video",
            _ => "a RIFF file other than WebP",
        });
    }
    describe_text(start)
}

/// Files of the ISO base media format name their kind in brands; the compatible ones follow the major one.
fn describe_iso_image(start: &[u8]) -> Option<&'static str> {
    let size = start.first_chunk::<4>().map_or(0, |size| u32::from_be_bytes(*size)) as usize;
    let brands = start.get(8..size.min(start.len())).unwrap_or_default();
    let has = |wanted: &[&[u8]]| brands.chunks_exact(4).any(|brand| wanted.contains(&brand));
    if has(&[b"avif", b"avis"]) {
        Some("an AVIF image, for which there is no memory-safe decoder of a licence that fits; AVIF is written alone")
    } else if has(&[b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"heim", b"heis"]) {
        Some("a HEIC image, whose codec is patented and has no memory-safe decoder; save it as JPEG")
    } else if has(&[b"crx "]) {
        Some("a camera's raw file, which is not developed")
    } else {
        None
    }
}

fn describe_text(start: &[u8]) -> Option<&'static str> {
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    // A multi-byte character may be cut at the end of what was read.
    let text = match std::str::from_utf8(start) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&start[..error.valid_up_to()]).ok()?,
        Err(_) => return None,
    };
    if text
        .chars()
        .any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\x0c' | '\x1b'))
    {
        return None;
    }
    let lower = text.trim_start().to_ascii_lowercase();
    Some(if lower.contains("<svg") {
        "an SVG drawing, which is a program rather than pixels"
    } else if lower.contains("<!doctype html") || lower.contains("<html") {
        "an HTML page"
    } else if lower.starts_with("<?xml") {
        "an XML document"
    } else if lower.starts_with(['{', '[']) {
        "a JSON document"
    } else {
        "text"
    })
}
