//! Decodes PNG with the png crate: palettes, low depths and transparent colours become whole samples, 16 bits stay.

use std::io::Cursor;

use ::png::{BitDepth, ColorType, Decoder, Limits, Transformations};

use super::{broken, other_sides};
use crate::EngineError;
use crate::chunks;
use crate::pixels::{Channels, Image, Samples, zeros};
use crate::probe::Header;

const FORMAT: &str = "PNG";
/// For palettes and metadata; rows and pixels come on top, bytes.
const METADATA_LIMIT: u64 = 8 * 1024 * 1024;

pub(super) fn decode(input: &[u8], header: &Header) -> Result<Image, EngineError> {
    let failed = |error: ::png::DecodingError| broken(FORMAT, has_end(input), &error);
    // Two rows of the longest pixels there are.
    let rows = u64::from(header.width) * 16;
    let mut decoder = Decoder::new_with_limits(
        Cursor::new(input),
        Limits {
            bytes: usize::try_from(METADATA_LIMIT + rows).unwrap_or(usize::MAX),
        },
    );
    decoder.set_transformations(Transformations::EXPAND);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let mut reader = decoder.read_info().map_err(failed)?;
    if (reader.info().width, reader.info().height) != (header.width, header.height) {
        return Err(other_sides(FORMAT));
    }
    let (color, depth) = reader.output_color_type();
    let channels = match color {
        ColorType::Grayscale => Channels::Gray,
        ColorType::GrayscaleAlpha => Channels::GrayAlpha,
        ColorType::Rgb => Channels::Rgb,
        ColorType::Rgba => Channels::Rgba,
        ColorType::Indexed => {
            return Err(EngineError::Internal("a palette was not expanded".into()));
        }
    };
    let count = header.pixels() * channels.count() as u64;
    let samples = match depth {
        BitDepth::Sixteen => {
            let mut samples = zeros::<u16>(count)?;
            reader
                .next_frame(bytemuck::cast_slice_mut(&mut samples))
                .map_err(failed)?;
            for sample in &mut samples {
                *sample = u16::from_be(*sample);
            }
            Samples::Sixteen(samples)
        }
        BitDepth::One | BitDepth::Two | BitDepth::Four | BitDepth::Eight => {
            let mut samples = zeros::<u8>(count)?;
            reader.next_frame(&mut samples).map_err(failed)?;
            Samples::Eight(samples)
        }
    };
    Ok(Image {
        width: header.width,
        height: header.height,
        channels,
        samples,
    })
}

fn has_end(input: &[u8]) -> bool {
    chunks::of_png(input).any(|chunk| chunk.kind == *b"IEND")
}
