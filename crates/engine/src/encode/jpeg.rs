//! Encodes JPEG with our own core, gray or colour.

use pixmill_types::Color;

use super::failed;
use crate::EngineError;
use crate::jpeg;
use crate::mill::Control;
use crate::pixels::{Channels, Image, Samples};
use crate::plan::EncodePlan;
use crate::steps;

pub(super) fn encode(image: Image, plan: &EncodePlan, control: &dyn Control) -> Result<Vec<u8>, EngineError> {
    // JPEG holds no alpha.
    let image = steps::flatten(image.into_eight_bit(), Color::WHITE, control)?;
    let Samples::Eight(samples) = &image.samples else {
        return Err(failed("JPEG", &"its samples were not narrowed"));
    };
    match image.channels {
        Channels::Gray => jpeg::encode_gray(samples, image.width, image.height, plan, control),
        Channels::Rgb => jpeg::encode_rgb(samples, image.width, image.height, plan, control),
        Channels::GrayAlpha | Channels::Rgba => Err(failed("JPEG", &"its alpha was not laid on white")),
    }
}
