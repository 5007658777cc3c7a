//! Decodes WebP with image-webp; of an animation the first frame, on its canvas.

use std::io::Cursor;

use image_webp::WebPDecoder;

use super::{broken, other_sides};
use crate::EngineError;
use crate::pixels::{Channels, Image, Samples, zeros};
use crate::probe::Header;

pub(super) const FORMAT: &str = "WebP";
/// For metadata, bytes; pixels come on top.
const METADATA_LIMIT: u64 = 8 * 1024 * 1024;

pub(super) fn decode(input: &[u8], header: &Header) -> Result<Image, EngineError> {
    let failed = |error: image_webp::DecodingError| broken(FORMAT, has_end(input), &error);
    let mut decoder = decoder(input, header)?;
    let channels = if decoder.has_alpha() {
        Channels::Rgba
    } else {
        Channels::Rgb
    };
    let mut samples = zeros(header.pixels() * channels.count() as u64)?;
    decoder.read_image(&mut samples).map_err(failed)?;
    Ok(Image {
        width: header.width,
        height: header.height,
        channels,
        samples: Samples::Eight(samples),
    })
}

/// A decoder that keeps to the sides of the header.
pub(super) fn decoder<'a>(input: &'a [u8], header: &Header) -> Result<WebPDecoder<Cursor<&'a [u8]>>, EngineError> {
    let failed = |error: image_webp::DecodingError| broken(FORMAT, has_end(input), &error);
    let mut decoder = WebPDecoder::new(Cursor::new(input)).map_err(failed)?;
    decoder.set_memory_limit(usize::try_from(METADATA_LIMIT + header.pixels() * 8).unwrap_or(usize::MAX));
    if decoder.dimensions() != (header.width, header.height) {
        return Err(other_sides(FORMAT));
    }
    Ok(decoder)
}

/// Whether the file is as long as its RIFF header says.
pub(super) fn has_end(input: &[u8]) -> bool {
    let declared = input
        .get(4..8)
        .and_then(|size| size.first_chunk::<4>())
        .map_or(u64::MAX, |size| u64::from(u32::from_le_bytes(*size)) + 8);
    input.len() as u64 >= declared
}
