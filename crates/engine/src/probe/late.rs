//! Looks behind the pixels of a whole file for the orientation that its header did not give.

use pixmill_types::ImageFormat;

use super::Header;
use crate::chunks;
use crate::exif;

/// The header with the orientation of metadata that follows the pixels, where the format allows that.
pub(crate) fn with_late_orientation(header: Header, file: &[u8]) -> Header {
    let body_of = |kind: &[u8; 4], chunks: &mut dyn Iterator<Item = chunks::Chunk<'_>>| {
        chunks
            .filter(|chunk| chunk.kind == *kind)
            .find_map(|chunk| exif::orientation_of_block(chunk.body?))
    };
    let orientation = match header.format {
        // EXIF precedes the first scan, which is where the header ends.
        ImageFormat::Jpeg => None,
        ImageFormat::Png => body_of(b"eXIf", &mut chunks::of_png(file)),
        ImageFormat::Webp => body_of(b"EXIF", &mut chunks::of_webp(file)),
    };
    Header {
        orientation: orientation.unwrap_or(header.orientation),
        ..header
    }
}
