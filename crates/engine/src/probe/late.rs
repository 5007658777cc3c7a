//! Completes a header from the whole file: with the orientation that lies behind the pixels, with what a directory
//! refers to, and with the frames that a PNG has of those it declares.

use pixmill_types::ImageFormat;

use super::{Header, png, tiff};
use crate::EngineError;
use crate::chunks;
use crate::decode::jxl;
use crate::exif;
use crate::layout::tiff::Directory;
use crate::metadata;
use crate::profile::{self, Profile};

/// The header with what its walk could not see.
///
/// # Errors
/// [`EngineError::Unsupported`] when that turns out to be of a kind that is not read.
pub(super) fn completed(header: Header, file: &[u8]) -> Result<Header, EngineError> {
    let body_of = |kind: &[u8; 4], chunks: &mut dyn Iterator<Item = chunks::Chunk<'_>>| {
        chunks
            .filter(|chunk| chunk.kind == *kind)
            .find_map(|chunk| exif::orientation_of_block(chunk.body?))
    };
    let orientation = match header.format {
        ImageFormat::Tiff => {
            let header = tiff::header(&Directory::first(file)?)?;
            return Ok(with_profile(header, file));
        }
        ImageFormat::Png => body_of(b"eXIf", &mut chunks::of_png(file)),
        ImageFormat::Webp => body_of(b"EXIF", &mut chunks::of_webp(file)),
        // EXIF precedes the first scan of a JPEG, which is where the header ends; the others hold none.
        ImageFormat::Jpeg
        | ImageFormat::Gif
        | ImageFormat::Bmp
        | ImageFormat::Ico
        | ImageFormat::Qoi
        | ImageFormat::Pnm
        | ImageFormat::Avif => None,
        // Of its own orientation, which the walk has seen, EXIF is but a copy.
        ImageFormat::Jxl => {
            let header = Header {
                multi_pass: header.multi_pass || !jxl::is_one_frame(file, &header),
                ..header
            };
            return Ok(with_profile(header, file));
        }
    };
    let header = Header {
        orientation: orientation.unwrap_or(header.orientation),
        frames: if header.format == ImageFormat::Png {
            png::frames(file, header.frames)
        } else {
            header.frames
        },
        ..header
    };
    Ok(with_profile(header, file))
}

fn with_profile(header: Header, file: &[u8]) -> Header {
    let profile = match metadata::icc(header.format, file) {
        None => Profile::Srgb,
        Some(icc) => match Profile::of(&icc, header.color) {
            Profile::Inks if !profile::has_usable_inks(&icc) => Profile::Ignored,
            other => other,
        },
    };
    Header { profile, ..header }
}
