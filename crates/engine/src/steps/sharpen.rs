//! Unsharp mask: what a Gaussian blur would take away is added. Alpha is left alone.

use pixmill_types::steps::Sharpen;

use super::blur;
use crate::EngineError;
use crate::mill::Control;
use crate::pixels::{Image, Sample, Samples, zeros};
use crate::simd::{self, Kernel, Level};

/// Up to this amount what a blur rounds to 8 bits is less than a level of the result.
pub(crate) const MOST_OF_ROUNDED: f32 = 1.0;
/// Rows between two looks at whether to go on.
const ROWS_BETWEEN_CHECKS: usize = 16;

/// Adds to every level its difference from the blurred picture, as much as `step` says.
pub(super) fn sharpen(mut image: Image, step: Sharpen, control: &dyn Control) -> Result<Image, EngineError> {
    let copy = match &image.samples {
        Samples::Eight(samples) if step.amount > MOST_OF_ROUNDED => deep(samples, &image)?,
        _ => image.try_clone()?,
    };
    let blurred = blur::gaussian(copy, step.sigma, control)?;
    let channels = image.channels.count();
    let colors = image.channels.to_opaque().count();
    let rows = image.width as usize * channels * ROWS_BETWEEN_CHECKS;
    match (&mut image.samples, &blurred.samples) {
        (Samples::Eight(samples), Samples::Eight(blurred)) => {
            add(samples, blurred, rows, (channels, colors), step, control)?;
        }
        (Samples::Eight(samples), Samples::Sixteen(blurred)) => {
            add(samples, blurred, rows, (channels, colors), step, control)?;
        }
        (Samples::Sixteen(samples), Samples::Sixteen(blurred)) => {
            add(samples, blurred, rows, (channels, colors), step, control)?;
        }
        (Samples::Sixteen(_), Samples::Eight(_)) => {
            return Err(EngineError::Internal("blurring changed the depth".into()));
        }
    }
    Ok(image)
}

/// A copy of 16 bits.
fn deep(samples: &[u8], image: &Image) -> Result<Image, EngineError> {
    let mut copy = zeros::<u16>(samples.len() as u64)?;
    for (deep, sample) in copy.iter_mut().zip(samples) {
        *deep = u16::from_le_bytes([*sample; 2]);
    }
    Ok(Image {
        samples: Samples::Sixteen(copy),
        ..*image
    })
}

fn add<T: Sample, B: Sample>(
    samples: &mut [T],
    blurred: &[B],
    rows: usize,
    (channels, colors): (usize, usize),
    step: Sharpen,
    control: &dyn Control,
) -> Result<(), EngineError> {
    let least = step.threshold as f32 * T::MAX as f32 / 255.0;
    for (samples, blurred) in samples.chunks_mut(rows).zip(blurred.chunks(rows)) {
        if control.should_stop() {
            return Err(EngineError::Stopped);
        }
        if channels == colors {
            simd::run(Add {
                samples,
                blurred,
                amount: step.amount,
                least,
            });
        } else {
            let blurred = blurred.chunks_exact(channels);
            for (pixel, blurred) in samples.chunks_exact_mut(channels).zip(blurred) {
                for (sample, blurred) in pixel[..colors].iter_mut().zip(blurred) {
                    *sample = sharpened(*sample, *blurred, step.amount, least);
                }
            }
        }
    }
    Ok(())
}

struct Add<'a, T, B> {
    samples: &'a mut [T],
    blurred: &'a [B],
    amount: f32,
    least: f32,
}

impl<T: Sample, B: Sample> Kernel for Add<'_, T, B> {
    type Output = ();

    #[inline(always)]
    fn run(self, _: impl Level) {
        for (sample, blurred) in self.samples.iter_mut().zip(self.blurred) {
            *sample = sharpened(*sample, *blurred, self.amount, self.least);
        }
    }
}

#[inline(always)]
fn sharpened<T: Sample, B: Sample>(sample: T, blurred: B, amount: f32, least: f32) -> T {
    let (own, blurred): (f32, f32) = (sample.into(), blurred.into());
    let difference = own - blurred * (T::MAX as f32 / B::MAX as f32);
    let added = if difference.abs() > least {
        amount * difference
    } else {
        0.0
    };
    T::nearest(own + added)
}
