//! Decodes JPEG with our own core what that can stream, anything else with zune-jpeg in its strict mode, which reports what
//! its default would paint over in gray; and with rusty_jpeg, which is slower, what zune-jpeg gets wrong.

use std::io::Read;

use rusty_jpeg::decode::{ColorTransform, Decoder};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::{broken, cut_off, other_sides};
use crate::EngineError;
use crate::chunks;
use crate::jpeg::{self, Scans};
use crate::metadata;
use crate::mill::Control;
use crate::pixels::{Channels, Image, Samples, zeros};
use crate::plan::{DecodeChannels, DecodePlan};
use crate::probe::{ColorModel, Header, Profile, Streaming};
use crate::profile;

const FORMAT: &str = "JPEG";
/// The end-of-image marker, bytes.
const END_BYTES: usize = 2;
/// More ones than the decoder reads ahead, each byte of them stuffed.
const STUFFED_ONES: [u8; 32] = [
    0xff, 0, 0xff, 0, 0xff, 0, 0xff, 0, 0xff, 0, 0xff, 0, 0xff, 0, 0xff, 0, 0xff, 0, 0xff, 0, 0xff, 0, 0xff, 0, 0xff,
    0, 0xff, 0, 0xff, 0, 0xff, 0,
];

pub(super) fn decode(
    input: &[u8],
    header: &Header,
    plan: &DecodePlan,
    control: &dyn Control,
) -> Result<Image, EngineError> {
    if plan.by_core {
        return match plan.channels {
            DecodeChannels::Luma => jpeg::decode_luma(input, header, plan.scale, plan.blur, control),
            DecodeChannels::All => jpeg::decode_colour(input, header, plan.scale, control),
        };
    }
    if header.streaming == Streaming::Rare {
        return rare(input, header, plan.channels, control);
    }
    let has_profile = header.profile == Profile::Inks;
    let (space, channels) = match (plan.channels, header.color) {
        // As they are stored: the profile says what they look like.
        (DecodeChannels::All, ColorModel::Cmyk { .. }) if has_profile => (ColorSpace::CMYK, Channels::Rgb),
        (DecodeChannels::Luma, _) | (DecodeChannels::All, ColorModel::Gray) => (ColorSpace::Luma, Channels::Gray),
        // Inks without Adobe's marker are stored as they are, which the decoder's own conversion does not know.
        (DecodeChannels::All, ColorModel::Cmyk { inverted: false }) => (ColorSpace::CMYK, Channels::Rgb),
        (DecodeChannels::All, _) => (ColorSpace::RGB, Channels::Rgb),
    };
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(header.width as usize)
        .set_max_height(header.height as usize)
        .jpeg_set_out_colorspace(space);
    let scans = Scans::of(input);
    let Some(end) = scans.end else {
        return Err(cut_off(FORMAT));
    };
    let unended;
    let input = if scans.count == 1 && !header.multi_pass {
        unended = without_end(&input[..end])?;
        &unended[..]
    } else {
        &input[..end + END_BYTES]
    };
    let damaged = |error| broken(FORMAT, true, &error);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(input), options);
    decoder.decode_headers().map_err(damaged)?;
    if decoder.dimensions() != Some((header.width as usize, header.height as usize)) {
        return Err(other_sides(FORMAT));
    }
    let stored = decoder.input_colorspace().unwrap_or(ColorSpace::Unknown);
    if has_profile {
        decoder.set_options(options.jpeg_set_out_colorspace(stored));
    }
    let size = decoder.output_buffer_size().unwrap_or(0);
    let mut samples = zeros(size as u64)?;
    decoder.decode_into(&mut samples).map_err(damaged)?;
    if has_profile {
        let is_inverted = header.color == ColorModel::Cmyk { inverted: true };
        to_inks(&mut samples, stored == ColorSpace::YCCK, is_inverted);
        samples = by_profile(samples, input, header, control)?;
    } else if space == ColorSpace::CMYK {
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

/// Decodes a picture of three or four components, whose samples may be laid out in any way.
fn rare(input: &[u8], header: &Header, wanted: DecodeChannels, control: &dyn Control) -> Result<Image, EngineError> {
    let components: usize = if matches!(header.color, ColorModel::Cmyk { .. }) {
        4
    } else {
        3
    };
    let transform = match (wanted, header.color) {
        (DecodeChannels::All, ColorModel::YCbCr) => ColorTransform::YCbCr,
        // As they are stored: luma is the first of three then.
        _ => ColorTransform::None,
    };
    let Some(end) = Scans::of(input).end else {
        return Err(cut_off(FORMAT));
    };
    let input = &input[..end + END_BYTES];
    let damaged = |error: rusty_jpeg::decode::Error| broken(FORMAT, true, &error);
    // As `without_end` has it, but with the end, which this decoder wants; a marker may follow bytes that only fill up.
    let scan = &input[..end];
    let filled_from = scan.iter().rposition(|byte| *byte != 0xff).map_or(0, |last| last + 1);
    let file = scan[..filled_from].chain(&STUFFED_ONES[..]).chain(&input[end..]);
    let mut decoder = Decoder::new(file);
    // This thread is one of those that share the processor.
    decoder.set_single_threaded(true);
    decoder.set_color_transform(transform);
    let size = header.pixels() * components as u64;
    decoder.set_max_decoding_buffer_size(usize::try_from(size).unwrap_or(usize::MAX));
    decoder.read_info().map_err(damaged)?;
    let sides = decoder
        .info()
        .map(|info| (u32::from(info.width), u32::from(info.height)));
    if sides != Some((header.width, header.height)) {
        return Err(other_sides(FORMAT));
    }
    let mut samples = decoder.decode().map_err(damaged)?;
    if samples.len() as u64 != size {
        return Err(EngineError::Internal(
            "the JPEG decoder gave another number of samples".into(),
        ));
    }
    let channels = match (wanted, header.color) {
        (DecodeChannels::All, ColorModel::Cmyk { inverted }) => {
            to_inks(&mut samples, is_ycck(input), inverted);
            if header.profile == Profile::Inks {
                samples = by_profile(samples, input, header, control)?;
            } else {
                inks_to_rgb(&mut samples);
            }
            Channels::Rgb
        }
        (DecodeChannels::All, _) => Channels::Rgb,
        (DecodeChannels::Luma, _) => {
            let pixels = samples.len() / components;
            (0..pixels).for_each(|pixel| samples[pixel] = samples[components * pixel]);
            samples.truncate(pixels);
            Channels::Gray
        }
    };
    Ok(Image {
        width: header.width,
        height: header.height,
        channels,
        samples: Samples::Eight(samples),
    })
}

/// Whether Adobe's segment says that the first three of four components are luma and chroma (Adobe TN 5116, 18).
fn is_ycck(input: &[u8]) -> bool {
    let (segments, _) = chunks::of_jpeg(input);
    let mut bodies = segments.iter().filter(|segment| segment.code == 0xee);
    bodies.any(|segment| segment.body.starts_with(b"Adobe") && segment.body.get(11) == Some(&2))
}

/// Makes sRGB of amounts of ink, as the profile of their file says what they look like.
fn by_profile(inks: Vec<u8>, input: &[u8], header: &Header, control: &dyn Control) -> Result<Vec<u8>, EngineError> {
    let icc = metadata::icc(header.format, input).unwrap_or_default();
    match profile::inks_to_srgb(&Samples::Eight(inks), header.width, &icc, control)? {
        Samples::Eight(samples) => Ok(samples),
        Samples::Sixteen(_) => Err(EngineError::Internal("inks of 8 bits became 16".into())),
    }
}

/// Makes amounts of ink of what is stored: its inverse, as Adobe's programs write it, or luma and chroma of that.
fn to_inks(samples: &mut [u8], is_ycck: bool, is_inverted: bool) {
    for pixel in samples.as_chunks_mut::<4>().0 {
        if is_ycck {
            let [luma, blue, red, _] = pixel.map(f32::from);
            let (blue, red) = (blue - 128.0, red - 128.0);
            let mixed = [
                luma + 1.402 * red,
                luma - 0.344_136 * blue - 0.714_136 * red,
                luma + 1.772 * blue,
            ];
            for (ink, level) in pixel.iter_mut().zip(mixed) {
                // Red, green and blue are what cyan, magenta and yellow leave over.
                *ink = 255 - (level + 0.5).clamp(0.0, 255.0) as u8;
            }
        }
        if is_inverted {
            *pixel = pixel.map(|ink| 255 - ink);
        }
    }
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

/// The entropy-coded data of one scan without the end of the image, and bits behind it that are no code.
///
/// The decoder takes an end that comes too early for a wish to have the rest painted gray, in strict mode as well. A code
/// of ones alone is in no Huffman table (ISO/IEC 10918-1, C.2), so here it meets something that it cannot decode. A whole
/// scan is padded with ones to begin with, and the decoder merely reads ahead into these.
fn without_end(scan: &[u8]) -> Result<Vec<u8>, EngineError> {
    let mut unended = Vec::new();
    unended
        .try_reserve_exact(scan.len() + STUFFED_ONES.len())
        .map_err(|_| EngineError::Internal("no memory for a copy of the file".into()))?;
    unended.extend_from_slice(scan);
    unended.extend_from_slice(&STUFFED_ONES);
    Ok(unended)
}
