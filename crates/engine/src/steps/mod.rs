//! What operations do to pixels, one step a file.

mod attention;
mod blur;
mod channels;
mod crop;
mod curve;
mod flatten;
mod grayscale;
mod light;
mod matrix;
mod orient;
mod pad;
mod resize;
mod rotate;
mod round;
mod trim;

pub(crate) use self::blur::{RowBlur, narrow, widen};
pub(crate) use self::flatten::flatten;

use crate::EngineError;
use crate::mill::Control;
use crate::pixels::Image;
use crate::plan::Operation;

/// Carries out one operation. Takes the picture, so that its memory can be used again or freed early.
///
/// # Errors
/// [`EngineError::Stopped`] when `control` says so, [`EngineError::Internal`] when memory is lacking.
pub(crate) fn apply(operation: &Operation, image: Image, control: &dyn Control) -> Result<Image, EngineError> {
    match operation {
        Operation::Orient(orientation) => orient::upright(image, *orientation),
        Operation::Grayscale => Ok(grayscale::grayscale(image)),
        Operation::Blur(sigma) => blur::gaussian(image, *sigma, control),
        Operation::Resize(resize) => resize::resize(image, resize, control),
        Operation::Curve(tones) => curve::curve(image, tones, control),
        Operation::ToSrgb => Err(EngineError::Internal(
            "a profile is applied where the file is at hand".into(),
        )),
        Operation::Matrix(matrix) => matrix::matrix(image, matrix, control),
        Operation::Crop(margins) => crop::crop(image, *margins, control),
        Operation::Pad(pad) => pad::pad(&image, pad, control),
        Operation::Rotate(rotate) => rotate::rotate(image, rotate, control),
        Operation::Flatten(color) => flatten::flatten(image, *color, control),
        Operation::Round(radius) => round::round(image, *radius, control),
        Operation::Attention { width, height } => attention::attention(image, *width, *height, control),
        Operation::Trim(trim) => trim::trim(image, trim.tolerance, control),
    }
}
