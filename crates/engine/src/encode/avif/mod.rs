//! Encodes AVIF with rav1e, on the calling thread: luma and chroma of 8 bits, of 10 where the picture has 16, gray as luma
//! alone, alpha as a picture of its own.

mod av1;
mod container;
mod planes;

use pixmill_types::Subsampling;
use rav1e::color::ChromaSampling;
use rav1e::prelude::Pixel;

use self::av1::Settings;
use self::container::{Coded, Still};
use crate::EngineError;
use crate::metadata::Attachments;
use crate::mill::Control;
use crate::pixels::{Image, Sample, Samples};
use crate::plan::EncodePlan;

const FORMAT: &str = "AVIF";

/// The file. The encoder cannot be stopped within a picture, only between the colours and alpha.
pub(super) fn encode(
    image: &Image,
    plan: &EncodePlan,
    attached: &Attachments,
    control: &dyn Control,
) -> Result<Vec<u8>, EngineError> {
    let still = match &image.samples {
        Samples::Eight(samples) => still::<u8, u8>(samples, image, plan, control)?,
        Samples::Sixteen(samples) => still::<u16, u16>(samples, image, plan, control)?,
    };
    Ok(container::file(&still, attached))
}

/// Codes a picture of samples `S` as one of pixels `P`.
fn still<S: Sample, P: Pixel>(
    samples: &[S],
    image: &Image,
    plan: &EncodePlan,
    control: &dyn Control,
) -> Result<Still, EngineError> {
    let is_gray = image.channels.is_gray();
    let settings = Settings {
        width: image.width,
        height: image.height,
        bits: if size_of::<P>() == 1 { 8 } else { 10 },
        chroma: match (is_gray, plan.subsampling()) {
            (true, _) => ChromaSampling::Cs400,
            (false, Subsampling::Half) => ChromaSampling::Cs420,
            (false, Subsampling::None) => ChromaSampling::Cs444,
        },
        quality: plan.quality,
        effort: plan.effort,
    };
    let channels = image.channels.count();
    let main = av1::coded::<P>(&settings, |frame| {
        if is_gray {
            planes::of_channel(samples, channels, 0, &settings, frame);
        } else {
            planes::of_colour(samples, channels, &settings, frame);
        }
    })?;
    Ok(Still {
        width: image.width,
        height: image.height,
        bits: settings.bits,
        is_gray,
        main,
        alpha: if image.is_opaque() {
            None
        } else {
            Some(alpha::<S, P>(samples, channels, settings, control)?)
        },
    })
}

fn alpha<S: Sample, P: Pixel>(
    samples: &[S],
    channels: usize,
    settings: Settings,
    control: &dyn Control,
) -> Result<Coded, EngineError> {
    if control.should_stop() {
        return Err(EngineError::Stopped);
    }
    let settings = Settings {
        chroma: ChromaSampling::Cs400,
        ..settings
    };
    av1::coded::<P>(&settings, |frame| {
        planes::of_channel(samples, channels, channels - 1, &settings, frame);
    })
}
