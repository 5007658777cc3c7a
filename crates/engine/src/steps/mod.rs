//! What operations do to pixels, one step a file.

mod attention;
mod blur;
mod channels;
mod crop;
mod curve;
mod edge;
mod flatten;
mod grayscale;
mod light;
mod matrix;
mod median;
mod normalise;
mod orient;
mod overlay;
mod pad;
mod pixelate;
mod resize;
mod rotate;
mod round;
mod sharpen;
mod text;
mod trim;
mod watermark;
mod window;

pub(crate) use self::attention::Scores;
pub(crate) use self::blur::{RowBlur, gaussian_weights, in_small, narrow, widen};
pub(crate) use self::flatten::flatten;
pub(crate) use self::grayscale::luma_of_row;
pub(crate) use self::normalise::Levels;
pub(crate) use self::resize::scaled;
pub(crate) use self::sharpen::MOST_OF_ROUNDED;
pub(crate) use self::trim::border;
pub(crate) use self::watermark::MOST_PIXELS as MOST_WATERMARK_PIXELS;

use crate::EngineError;
use crate::assets::Assets;
use crate::mill::Control;
use crate::pixels::Image;
use crate::plan::Operation;

/// Carries out one operation. Takes the picture, so that its memory can be used again or freed early.
///
/// # Errors
/// [`EngineError::Stopped`] when `control` says so, [`EngineError::Impossible`] for an asset that cannot be used,
/// [`EngineError::Internal`] when memory is lacking.
pub(crate) fn apply(
    operation: &Operation,
    image: Image,
    assets: &dyn Assets,
    control: &dyn Control,
) -> Result<Image, EngineError> {
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
        Operation::Sharpen(step) => sharpen::sharpen(image, *step, control),
        Operation::Pixelate(plan) => pixelate::pixelate(image, plan, control),
        Operation::Median(radius) => median::median(image, *radius, control),
        Operation::Edge(operator) => edge::edge(image, *operator, control),
        Operation::Watermark(step) => watermark::watermark(image, step, assets, control),
        Operation::Text(step) => text::text(image, step, assets, control),
        Operation::Normalise(step) => normalise::normalise(image, *step, control),
    }
}
