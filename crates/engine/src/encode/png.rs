//! Encodes PNG with the png crate, at 8 or 16 bits.

use ::png::{BitDepth, ColorType, Compression, Encoder, EncodingError, Info};

use super::sink::Sink;
use crate::EngineError;
use crate::exif::{self, Orientation};
use crate::mill::Control;
use crate::pixels::{Channels, Image, Samples};
use crate::plan::EncodePlan;

const FORMAT: &str = "PNG";
/// Rows that are turned into the byte order of PNG at a time.
const ROWS_AT_A_TIME: usize = 16;

pub(super) fn encode(image: &Image, plan: &EncodePlan, control: &dyn Control) -> Result<Vec<u8>, EngineError> {
    let mut sink = Sink::new(control);
    let written = write(image, plan, &mut sink);
    sink.finish(FORMAT, written)
}

fn write(image: &Image, plan: &EncodePlan, sink: &mut Sink<'_>) -> Result<(), EncodingError> {
    use std::io::Write;
    let mut info = Info::with_size(image.width, image.height);
    info.color_type = match image.channels {
        Channels::Gray => ColorType::Grayscale,
        Channels::GrayAlpha => ColorType::GrayscaleAlpha,
        Channels::Rgb => ColorType::Rgb,
        Channels::Rgba => ColorType::Rgba,
    };
    info.bit_depth = match image.samples {
        Samples::Eight(_) => BitDepth::Eight,
        Samples::Sixteen(_) => BitDepth::Sixteen,
    };
    let tiff = exif::tiff_with(plan.orientation);
    if plan.orientation != Orientation::UPRIGHT {
        info.exif_metadata = Some(tiff[..].into());
    }
    let mut encoder = Encoder::with_info(sink, info)?;
    encoder.set_compression(match plan.effort {
        0 => Compression::Fastest,
        1 => Compression::Fast,
        2 => Compression::Balanced,
        _ => Compression::High,
    });
    let mut writer = encoder.write_header()?;
    let mut stream = writer.stream_writer()?;
    match &image.samples {
        Samples::Eight(samples) => stream.write_all(samples)?,
        Samples::Sixteen(samples) => {
            let row = image.width as usize * image.channels.count();
            let mut big_endian = Vec::with_capacity(row * 2 * ROWS_AT_A_TIME);
            for rows in samples.chunks(row * ROWS_AT_A_TIME) {
                big_endian.clear();
                big_endian.extend(rows.iter().flat_map(|sample| sample.to_be_bytes()));
                stream.write_all(&big_endian)?;
            }
        }
    }
    stream.finish()
}
