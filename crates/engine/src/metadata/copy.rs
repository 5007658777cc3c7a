//! Copies a JPEG without looking at its pixels: what surrounds them is dropped, but for what is wanted.

use super::{Attachments, attach};
use crate::EngineError;
use crate::chunks;
use crate::exif::{self, Orientation};
use crate::plan::EncodePlan;

const JFIF: &[u8] = b"JFIF\0";
/// The segment without its thumbnail, whose sides come last.
const JFIF_BYTES: usize = 14;
const END: [u8; 2] = [0xff, 0xd9];

/// The picture of a JPEG in a file of its own.
///
/// # Errors
/// [`EngineError::Truncated`] when the file has no end, [`EngineError::Corrupt`] when its structure makes no sense.
pub(crate) fn copied(input: &[u8], plan: &EncodePlan) -> Result<Vec<u8>, EngineError> {
    let mut attachments = Attachments::wanted(input, plan.format, plan, None);
    if attachments.exif.is_none() && plan.orientation != Orientation::UPRIGHT {
        attachments.exif = Some(exif::tiff_with(plan.orientation).to_vec());
    }
    let bare = bare(input)?;
    // The sides matter to WebP alone.
    attach(bare, plan.format, &attachments, 1, 1)
        .ok_or_else(|| EngineError::Internal("nothing can be attached to the JPEG that was copied".into()))
}

/// The file without application segments and comments, and without what follows its end.
fn bare(input: &[u8]) -> Result<Vec<u8>, EngineError> {
    let (segments, scan) = chunks::of_jpeg(input);
    let mut made = input.get(..2).unwrap_or_default().to_vec();
    let mut append = |code: u8, body: &[u8]| {
        made.extend_from_slice(&[0xff, code]);
        made.extend_from_slice(&(body.len() as u16 + 2).to_be_bytes());
        made.extend_from_slice(body);
    };
    for segment in segments {
        match segment.code {
            0xe0 if segment.body.starts_with(JFIF) && segment.body.len() >= JFIF_BYTES => {
                let mut body = segment.body[..JFIF_BYTES].to_vec();
                body[JFIF_BYTES - 2..].fill(0);
                append(segment.code, &body);
            }
            // What Adobe says there decides what the components mean.
            0xee if segment.body.starts_with(b"Adobe") => append(segment.code, segment.body),
            0xe0..=0xef | 0xfe => {}
            code => append(code, segment.body),
        }
    }
    copy_scans(input, scan, &mut made)?;
    Ok(made)
}

/// Copies from the first scan to the end, without segments in between that are not needed.
fn copy_scans(input: &[u8], mut at: usize, made: &mut Vec<u8>) -> Result<(), EngineError> {
    let cut = || EngineError::Truncated("the file ends before its JPEG picture does".into());
    loop {
        let rest = input.get(at..).ok_or_else(cut)?;
        let next = memchr::memchr(0xff, rest).ok_or_else(cut)?;
        made.extend_from_slice(&rest[..next]);
        at += next;
        let code = *input.get(at + 1).ok_or_else(cut)?;
        match code {
            0xd9 => {
                made.extend_from_slice(&END);
                return Ok(());
            }
            // Stuffed bytes and restarts belong to the pixels; of fill bytes one is enough.
            0x00 | 0x01 | 0xd0..=0xd7 => {
                made.extend_from_slice(&[0xff, code]);
                at += 2;
            }
            0xff => at += 1,
            0xd8 => return Err(EngineError::Corrupt("the JPEG is damaged: it begins twice".into())),
            _ => {
                let length = input.get(at + 2..).and_then(|rest| rest.first_chunk::<2>());
                let length = usize::from(u16::from_be_bytes(*length.ok_or_else(cut)?));
                let segment = input.get(at..at + 2 + length).ok_or_else(cut)?;
                if length < 2 {
                    return Err(EngineError::Corrupt(
                        "the JPEG is damaged: a segment has no length".into(),
                    ));
                }
                if !matches!(code, 0xe0..=0xef | 0xfe) {
                    made.extend_from_slice(segment);
                }
                at += segment.len();
            }
        }
    }
}
