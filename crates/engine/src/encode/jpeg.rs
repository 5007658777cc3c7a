//! Encodes baseline JPEG with rusty_jpeg: one component for gray, 4:2:0 or 4:4:4 for colour.

use rusty_jpeg::encode::{ColorType, Encoder, ImageBuffer, JpegColorType, SamplingFactor};

use super::failed;
use super::flatten::on_white;
use super::sink::Sink;
use crate::EngineError;
use crate::exif::{self, Orientation};
use crate::mill::Control;
use crate::pixels::{Channels, Image, Samples};
use crate::plan::EncodePlan;

const FORMAT: &str = "JPEG";
/// From this quality on, chroma is kept at full resolution.
const FULL_CHROMA_QUALITY: u8 = 90;

pub(super) fn encode(image: Image, plan: &EncodePlan, control: &dyn Control) -> Result<Vec<u8>, EngineError> {
    let image = on_white(image.into_eight_bit());
    let (Samples::Eight(samples), Ok(width), Ok(height)) =
        (&image.samples, u16::try_from(image.width), u16::try_from(image.height))
    else {
        return Err(failed(FORMAT, &"it is larger than the plan allows"));
    };
    let mut sink = Sink::new(control);
    let mut encoder = Encoder::new(&mut sink, plan.quality);
    encoder.set_sampling_factor(if plan.quality < FULL_CHROMA_QUALITY {
        SamplingFactor::R_4_2_0
    } else {
        SamplingFactor::R_4_4_4
    });
    if plan.orientation != Orientation::UPRIGHT {
        encoder
            .add_exif_metadata(&exif::tiff_with(plan.orientation))
            .map_err(|error| failed(FORMAT, &error))?;
    }
    let written = match image.channels {
        Channels::Gray | Channels::GrayAlpha => encoder.encode_image(Gray { samples, width, height }),
        Channels::Rgb | Channels::Rgba => encoder.encode(samples, width, height, ColorType::Rgb),
    };
    sink.finish(FORMAT, written)
}

/// A gray picture that is handed over row by row; the encoder's own hands it over pixel by pixel, which takes a fifth of
/// the time.
struct Gray<'a> {
    samples: &'a [u8],
    width: u16,
    height: u16,
}

impl ImageBuffer for Gray<'_> {
    fn get_jpeg_color_type(&self) -> JpegColorType {
        JpegColorType::Luma
    }

    fn width(&self) -> u16 {
        self.width
    }

    fn height(&self) -> u16 {
        self.height
    }

    fn fill_buffers(&self, row: u16, buffers: &mut [Vec<u8>; 4]) {
        let width = usize::from(self.width);
        buffers[0].extend_from_slice(&self.samples[usize::from(row) * width..][..width]);
    }
}
