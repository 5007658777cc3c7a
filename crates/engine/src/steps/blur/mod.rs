//! Gaussian blur: the exact, sampled Gaussian, the edge pixel repeated beyond the edge, whatever the sizes.

mod arithmetic;
mod kernel;
mod separable;

use std::marker::PhantomData;

use self::arithmetic::{Fixed, Float, Weighted};
use crate::EngineError;
use crate::mill::Control;
use crate::pixels::{Image, Samples};

/// Blurs `image` in place with a Gaussian of standard deviation `sigma` pixels; colour counts as much as its alpha.
pub(super) fn gaussian(mut image: Image, sigma: f32, control: &dyn Control) -> Result<Image, EngineError> {
    let weights = kernel::gaussian(f64::from(sigma));
    let channels = image.channels.count();
    let row = image.width as usize * channels;
    let has_alpha = image.channels.has_alpha();
    match &mut image.samples {
        Samples::Eight(samples) if has_alpha && !is_opaque(samples, channels, u8::MAX) => {
            let weighted = Weighted {
                channels,
                samples: PhantomData,
            };
            separable::convolve(&weighted, &weights, samples, row, channels, control)
        }
        Samples::Eight(samples) if weights.len() <= Fixed::MAX_WEIGHTS => {
            separable::convolve(&Fixed, &weights, samples, row, channels, control)
        }
        Samples::Eight(samples) => separable::convolve(&Float(PhantomData), &weights, samples, row, channels, control),
        Samples::Sixteen(samples) if has_alpha && !is_opaque(samples, channels, u16::MAX) => {
            let weighted = Weighted {
                channels,
                samples: PhantomData,
            };
            separable::convolve(&weighted, &weights, samples, row, channels, control)
        }
        Samples::Sixteen(samples) => {
            separable::convolve(&Float(PhantomData), &weights, samples, row, channels, control)
        }
    }?;
    Ok(image)
}

fn is_opaque<T: Copy + PartialEq>(samples: &[T], channels: usize, opaque: T) -> bool {
    samples
        .chunks_exact(channels)
        .all(|pixel| pixel.last() == Some(&opaque))
}
