//! Encodes AVIF with ravif and rav1e, on the calling thread.

use ravif::{Encoder, Img};
use rgb::FromSlice;

use super::failed;
use crate::EngineError;
use crate::pixels::{Channels, Image, Samples};
use crate::plan::EncodePlan;

const FORMAT: &str = "AVIF";
/// Effort 0 is the quickest of rav1e's speeds.
const QUICKEST: u8 = 10;

pub(super) fn encode(image: Image, plan: &EncodePlan) -> Result<Vec<u8>, EngineError> {
    let image = image.into_eight_bit().try_widen(Channels::Rgb)?;
    let Samples::Eight(samples) = &image.samples else {
        return Err(failed(FORMAT, &"its samples are not 8 bits"));
    };
    let (width, height) = (image.width as usize, image.height as usize);
    let quality = f32::from(plan.quality);
    let encoder = Encoder::new()
        .with_quality(quality)
        .with_alpha_quality(quality)
        .with_speed(QUICKEST - plan.effort.min(QUICKEST - 1))
        .with_num_threads(Some(1));
    let encoded = if image.channels.has_alpha() {
        encoder.encode_rgba(Img::new(samples.as_rgba(), width, height))
    } else {
        encoder.encode_rgb(Img::new(samples.as_rgb(), width, height))
    };
    encoded
        .map(|encoded| encoded.avif_file)
        .map_err(|error| failed(FORMAT, &error))
}
