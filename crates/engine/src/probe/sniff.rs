//! Tells what a file is by how it begins, also when it is nothing pixmill reads.
//!
//! Owns magic bytes and the words for what was sent instead of an image. Extensions and declared media types are not
//! known here.

use super::{Walk, jpeg, png, webp};
use crate::EngineError;

/// Enough to recognise every format that is read, bytes.
pub(super) const FIRST_BYTES: usize = 12;
/// Enough to name most others, bytes.
const ENOUGH_TO_DESCRIBE: usize = 512;

const JPEG: &[u8] = b"\xff\xd8\xff";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// What the first bytes led to.
#[derive(Debug)]
pub(super) enum Sniffed {
    /// This many bytes from the start of the file are needed to tell.
    MoreBytes(usize),
    /// A format that is read: who walks it, where it begins, and how many bytes it wants first.
    Known {
        walk: Walk,
        magic_bytes: usize,
        read: usize,
    },
}

/// Looks at the first bytes of a file; `at_end` when there are no more.
pub(super) fn sniff(start: &[u8], at_end: bool) -> Result<Sniffed, EngineError> {
    if start.starts_with(JPEG) {
        let magic_bytes = 2;
        return Ok(Sniffed::Known {
            walk: Walk::Jpeg(jpeg::Walker::default()),
            magic_bytes,
            read: jpeg::FIRST_READ,
        });
    }
    if start.starts_with(PNG) {
        return Ok(Sniffed::Known {
            walk: Walk::Png(png::Walker::default()),
            magic_bytes: PNG.len(),
            read: png::FIRST_READ,
        });
    }
    if start.len() >= FIRST_BYTES && start.starts_with(b"RIFF") && &start[8..12] == b"WEBP" {
        return Ok(Sniffed::Known {
            walk: Walk::Webp(webp::Walker::new(riff_size(start))),
            magic_bytes: FIRST_BYTES,
            read: webp::FIRST_READ,
        });
    }
    if !at_end && start.len() < ENOUGH_TO_DESCRIBE {
        return Ok(Sniffed::MoreBytes(ENOUGH_TO_DESCRIBE));
    }
    if let Some(format) = cut_off_magic(start) {
        return Err(EngineError::Truncated(format!(
            "the file ends within what could be a {format} header"
        )));
    }
    Err(EngineError::NotAnImage(match describe(start) {
        Some(what) => format!("this seems to be {what}; JPEG, PNG and WebP images are read"),
        None => "this is not an image of a known format; JPEG, PNG and WebP images are read".into(),
    }))
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
    } else {
        None
    }
}

/// What a file that is not read seems to be.
fn describe(start: &[u8]) -> Option<&'static str> {
    if start.is_empty() {
        return Some("an empty file");
    }
    const MAGIC: &[(&[u8], &str)] = &[
        (b"GIF87a", "a GIF image"),
        (b"GIF89a", "a GIF image"),
        (b"II*\0", "a TIFF image or a camera's raw file"),
        (b"MM\0*", "a TIFF image or a camera's raw file"),
        (b"II+\0", "a BigTIFF image"),
        (b"MM\0+", "a BigTIFF image"),
        (b"BM", "a BMP image"),
        (b"\xff\x0a", "a JPEG XL image"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL image"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 image"),
        (b"\xff\x4f\xff\x51", "a JPEG 2000 codestream"),
        (b"8BPS", "a Photoshop document"),
        (b"\0\0\x01\0", "an icon (ICO)"),
        (b"qoif", "a QOI image"),
        (b"v/1\x01", "an OpenEXR image"),
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
        return Some(describe_iso_media(start));
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
fn describe_iso_media(start: &[u8]) -> &'static str {
    let size = start.first_chunk::<4>().map_or(0, |size| u32::from_be_bytes(*size)) as usize;
    let brands = start.get(8..size.min(start.len())).unwrap_or_default();
    let has = |wanted: &[&[u8]]| brands.chunks_exact(4).any(|brand| wanted.contains(&brand));
    if has(&[b"avif", b"avis"]) {
        "an AVIF image"
    } else if has(&[b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"heim", b"heis"]) {
        "a HEIC image"
    } else {
        "a video (MP4 or QuickTime)"
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
        "an SVG drawing"
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
