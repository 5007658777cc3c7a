//! Decodes JPEG with zune-jpeg in its strict mode, which reports what its default would paint over in gray.

use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::{broken, cut_off, other_sides};
use crate::EngineError;
use crate::pixels::{Channels, Image, Samples, zeros};
use crate::plan::DecodeMode;
use crate::probe::{ColorModel, Header};

const FORMAT: &str = "JPEG";

pub(super) fn decode(input: &[u8], header: &Header, mode: DecodeMode) -> Result<Image, EngineError> {
    let (space, channels) = match (mode, header.color) {
        (DecodeMode::Luma, _) | (DecodeMode::Full, ColorModel::Gray) => (ColorSpace::Luma, Channels::Gray),
        // Inks without Adobe's marker are stored as they are, which the decoder's own conversion does not know.
        (DecodeMode::Full, ColorModel::Cmyk { inverted: false }) => (ColorSpace::CMYK, Channels::Rgb),
        (DecodeMode::Full, _) => (ColorSpace::RGB, Channels::Rgb),
    };
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(header.width as usize)
        .set_max_height(header.height as usize)
        .jpeg_set_out_colorspace(space);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(input), options);
    decoder
        .decode_headers()
        .map_err(|error| broken(FORMAT, has_end(input), &error))?;
    if decoder.dimensions() != Some((header.width as usize, header.height as usize)) {
        return Err(other_sides(FORMAT));
    }
    let size = decoder.output_buffer_size().unwrap_or(0);
    let mut samples = zeros(size as u64)?;
    decoder
        .decode_into(&mut samples)
        .map_err(|error| broken(FORMAT, has_end(input), &error))?;
    // The decoder notices missing data only where the next row of blocks would begin.
    if !has_end(input) {
        return Err(cut_off(FORMAT));
    }
    if space == ColorSpace::CMYK {
        inks_to_rgb(&mut samples);
    }
    if samples.len() as u64 != header.pixels() * channels.count() as u64 {
        return Err(EngineError::Internal(
            "the JPEG decoder gave another number of samples".into(),
        ));
    }
    Ok(Image {
        width: header.width,
        height: header.height,
        channels,
        samples: Samples::Eight(samples),
    })
}

/// Mixes four inks into red, green and blue, in place: what an ink and black let through.
fn inks_to_rgb(samples: &mut Vec<u8>) {
    let pixels = samples.len() / 4;
    for pixel in 0..pixels {
        let paper = u32::from(255 - samples[pixel * 4 + 3]);
        for channel in 0..3 {
            let through = u32::from(255 - samples[pixel * 4 + channel]);
            samples[pixel * 3 + channel] = ((through * paper + 127) / 255) as u8;
        }
    }
    samples.truncate(pixels * 3);
}

/// Whether an end-of-image marker follows the first scan (ISO/IEC 10918-1, B.1.1): what a whole file has, whatever
/// comes after it, and one that was cut off lacks.
fn has_end(input: &[u8]) -> bool {
    let mut at = 2;
    let mut in_scan = false;
    loop {
        let Some(found) = memchr::memchr(0xff, input.get(at..).unwrap_or_default()) else {
            return false;
        };
        at += found + 1;
        match input.get(at) {
            None => return false,
            // A fill byte: the marker's code is still to come.
            Some(0xff) => {}
            // A stuffed byte, a restart marker, or one without a length.
            Some(0x00 | 0x01 | 0xd0..=0xd8) => at += 1,
            Some(0xd9) if in_scan => return true,
            Some(0xd9) => return false,
            Some(code) => {
                in_scan |= *code == 0xda;
                let Some(length) = input.get(at + 1..at + 3) else {
                    return false;
                };
                at += 1 + usize::from(u16::from_be_bytes([length[0], length[1]]));
            }
        }
    }
}
