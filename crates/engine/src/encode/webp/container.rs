//! Adds metadata to a WebP file (RFC 9649, section 2.7).

use crate::chunks;
use crate::exif::{self, Orientation};

const EXTENDED_BODY: usize = 10;
const EXIF: u8 = 0x08;
const ALPHA: u8 = 0x10;

/// The still picture of `file` with an EXIF chunk that holds its orientation; `None` when `file` is not a whole WebP.
pub(super) fn with_orientation(file: &[u8], orientation: Orientation, width: u32, height: u32) -> Option<Vec<u8>> {
    let mut has_alpha = false;
    let mut picture = Vec::new();
    for chunk in chunks::of_webp(file) {
        match &chunk.kind {
            b"VP8X" => {}
            kind => {
                let body = chunk.body?;
                // The fifth byte of the lossless bitstream says whether it uses alpha.
                let says_alpha = kind == b"VP8L" && body.get(4).is_some_and(|byte| byte & 0x10 != 0);
                has_alpha |= kind == b"ALPH" || says_alpha;
                append(&mut picture, kind, body);
            }
        }
    }
    let mut extended = [0; EXTENDED_BODY];
    extended[0] = EXIF | if has_alpha { ALPHA } else { 0 };
    extended[4..7].copy_from_slice(&(width - 1).to_le_bytes()[..3]);
    extended[7..10].copy_from_slice(&(height - 1).to_le_bytes()[..3]);

    let mut body = b"WEBP".to_vec();
    append(&mut body, b"VP8X", &extended);
    body.append(&mut picture);
    append(&mut body, b"EXIF", &exif::tiff_with(orientation));
    let mut whole = Vec::with_capacity(body.len() + 8);
    append(&mut whole, b"RIFF", &body);
    Some(whole)
}

fn append(file: &mut Vec<u8>, kind: &[u8; 4], body: &[u8]) {
    file.extend_from_slice(kind);
    // Chunks of a picture that libwebp made are far below 4 GiB.
    file.extend_from_slice(&(body.len() as u32).to_le_bytes());
    file.extend_from_slice(body);
    if body.len() % 2 == 1 {
        file.push(0);
    }
}
