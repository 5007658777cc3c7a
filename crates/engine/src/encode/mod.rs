//! From pixels to files. Metadata is written where it is part of the description of the picture, in TIFF and AVIF; to other
//! files nothing but an orientation that the recipe left in place.
//!
//! Owns which library writes which format, and what becomes of what a format cannot hold. Knows nothing of recipes.

mod animation;
mod avif;
mod bmp;
mod gif;
mod jpeg;
mod png;
mod qoi;
mod sink;
mod tiff;
mod webp;

pub(crate) use self::animation::Animation;
pub(crate) use self::sink::Sink;

use pixmill_types::ImageFormat;

use crate::EngineError;
use crate::metadata::Attachments;
use crate::mill::Control;
use crate::pixels::Image;
use crate::plan::EncodePlan;

/// Encodes a picture, with what is `attached` where [`attach`](crate::metadata::attach) does not add that to the file.
///
/// # Errors
/// [`EngineError::Stopped`] when `control` says so, [`EngineError::Internal`] when the encoder fails.
pub(crate) fn encode(
    image: Image,
    plan: &EncodePlan,
    attached: &Attachments,
    control: &dyn Control,
) -> Result<Vec<u8>, EngineError> {
    match plan.format {
        ImageFormat::Jpeg => jpeg::encode(image, plan, control),
        ImageFormat::Png => png::encode(&image, plan, control),
        ImageFormat::Webp => webp::encode(image, plan, control),
        ImageFormat::Gif => gif::encode(image, plan, control),
        ImageFormat::Tiff => tiff::encode(&image, plan, attached, control),
        ImageFormat::Bmp => bmp::encode(image, control),
        ImageFormat::Qoi => qoi::encode(image, control),
        ImageFormat::Avif => avif::encode(&image, plan, attached, control),
        ImageFormat::Ico | ImageFormat::Pnm | ImageFormat::Jxl => {
            Err(failed(plan.format.as_str(), &"the format is only read"))
        }
    }
}

fn failed(format: &str, why: &dyn std::fmt::Display) -> EngineError {
    EngineError::Internal(format!("the {format} was not encoded: {why}"))
}
