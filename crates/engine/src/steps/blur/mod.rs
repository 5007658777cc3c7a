//! Gaussian blur: the sampled Gaussian, exact or, where it is wide, to a tenth of a level of 256; the edge pixel repeats
//! beyond the edge, whatever the sizes.

mod arithmetic;
mod kernel;
mod separable;
mod stream;
mod wide;

pub(crate) use self::kernel::gaussian_weights;
pub(crate) use self::stream::{RowBlur, narrow, widen};
pub(crate) use self::wide::in_small;

use self::arithmetic::{Arithmetic, Fixed, Float, Sample, Weighted};
use self::separable::Plane;
use crate::EngineError;
use crate::mill::Control;
use crate::pixels::{Image, Samples};

/// Blurs `image` in place with a Gaussian of standard deviation `sigma` pixels; colour counts as much as its alpha.
pub(super) fn gaussian(mut image: Image, sigma: f32, control: &dyn Control) -> Result<Image, EngineError> {
    let channels = image.channels.count();
    let row = image.width as usize * channels;
    let is_weighted = !image.is_opaque();
    match &mut image.samples {
        Samples::Eight(samples) => {
            let mut plane = Plane { samples, row, channels };
            if !is_weighted && !wide::is_wide(sigma) {
                let weights = kernel::gaussian_weights(f64::from(sigma));
                separable::convolve(&Fixed, &weights, &mut plane, control)?;
            } else {
                in_single_precision(sigma, &mut plane, is_weighted, control)?;
            }
        }
        Samples::Sixteen(samples) => {
            let mut plane = Plane { samples, row, channels };
            in_single_precision(sigma, &mut plane, is_weighted, control)?;
        }
    }
    Ok(image)
}

fn in_single_precision<S: Sample>(
    sigma: f32,
    plane: &mut Plane<'_, S>,
    is_weighted: bool,
    control: &dyn Control,
) -> Result<(), EngineError> {
    if is_weighted {
        let channels = plane.channels;
        with(&Weighted::new(channels), sigma, plane, control)
    } else {
        with(&Float::new(), sigma, plane, control)
    }
}

fn with<A: Arithmetic<Number = f32>>(
    arithmetic: &A,
    sigma: f32,
    plane: &mut Plane<'_, A::Sample>,
    control: &dyn Control,
) -> Result<(), EngineError> {
    if wide::is_wide(sigma) {
        return wide::blur(arithmetic, sigma, plane, control);
    }
    separable::convolve(arithmetic, &kernel::gaussian_weights(f64::from(sigma)), plane, control)
}
