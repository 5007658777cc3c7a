//! Encodes baseline JPEG: gray with our own core, colour with rusty_jpeg at 4:2:0 or 4:4:4.

use pixmill_types::Color;
use rusty_jpeg::encode::{ColorType, Encoder, SamplingFactor};

use super::failed;
use super::sink::Sink;
use crate::EngineError;
use crate::exif::{self, Orientation};
use crate::jpeg;
use crate::mill::Control;
use crate::pixels::{Channels, Image, Samples};
use crate::plan::EncodePlan;
use crate::steps;

const FORMAT: &str = "JPEG";
/// From this quality on, chroma is kept at full resolution.
const FULL_CHROMA_QUALITY: u8 = 90;

pub(super) fn encode(image: Image, plan: &EncodePlan, control: &dyn Control) -> Result<Vec<u8>, EngineError> {
    // JPEG holds no alpha.
    let image = steps::flatten(image.into_eight_bit(), Color::WHITE, control)?;
    let (Samples::Eight(samples), Ok(width), Ok(height)) =
        (&image.samples, u16::try_from(image.width), u16::try_from(image.height))
    else {
        return Err(failed(FORMAT, &"it is larger than the plan allows"));
    };
    if image.channels == Channels::Gray {
        return jpeg::encode_gray(samples, image.width, image.height, plan, control);
    }
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
    let written = encoder.encode(samples, width, height, ColorType::Rgb);
    sink.finish(FORMAT, written)
}
