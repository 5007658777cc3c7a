//! What operations do to pixels, one step a file.

mod blur;
mod curve;
mod grayscale;
mod matrix;
mod orient;
mod resize;

pub(crate) use self::blur::{RowBlur, narrow, widen};

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
        Operation::Resize(resize) => resize::resize(&image, resize),
        Operation::Curve(tones) => curve::curve(image, tones, control),
        Operation::ToSrgb => Err(EngineError::Internal(
            "a profile is applied where the file is at hand".into(),
        )),
        Operation::Matrix(matrix) => matrix::matrix(image, matrix, control),
    }
}
