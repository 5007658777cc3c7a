//! Gaussian blur: the exact, sampled Gaussian, the edge pixel repeated beyond the edge, whatever the sizes.

mod arithmetic;
mod kernel;
mod separable;
mod stream;

pub(crate) use self::stream::{RowBlur, narrow, widen};

use self::arithmetic::{Fixed, Float, Sample, Weighted};
use self::separable::Plane;
use crate::EngineError;
use crate::mill::Control;
use crate::pixels::{Image, Samples};

/// Blurs `image` in place with a Gaussian of standard deviation `sigma` pixels; colour counts as much as its alpha.
pub(super) fn gaussian(mut image: Image, sigma: f32, control: &dyn Control) -> Result<Image, EngineError> {
    let weights = kernel::gaussian(f64::from(sigma));
    let channels = image.channels.count();
    let row = image.width as usize * channels;
    let is_weighted = !image.is_opaque();
    match &mut image.samples {
        Samples::Eight(samples) => {
            let mut plane = Plane { samples, row, channels };
            if !is_weighted && weights.len() <= Fixed::MAX_WEIGHTS {
                separable::convolve(&Fixed, &weights, &mut plane, control)?;
            } else {
                in_single_precision(&weights, &mut plane, is_weighted, control)?;
            }
        }
        Samples::Sixteen(samples) => {
            let mut plane = Plane { samples, row, channels };
            in_single_precision(&weights, &mut plane, is_weighted, control)?;
        }
    }
    Ok(image)
}

fn in_single_precision<S: Sample>(
    weights: &[f64],
    plane: &mut Plane<'_, S>,
    is_weighted: bool,
    control: &dyn Control,
) -> Result<(), EngineError> {
    if is_weighted {
        let channels = plane.channels;
        separable::convolve(&Weighted::new(channels), weights, plane, control)
    } else {
        separable::convolve(&Float::new(), weights, plane, control)
    }
}
