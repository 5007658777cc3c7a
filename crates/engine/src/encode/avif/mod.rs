//! Encodes AVIF: luma and chroma of 8 bits, of 10 where the picture has 16, gray as luma alone, alpha as a picture of its own.
//!
//! Knows what becomes of samples and qualities; how a picture is coded is for [`av1`], the file around it for [`container`].

mod container;
mod planes;

use pixmill_types::Subsampling;

use self::container::Still;
use self::planes::Source;
use crate::EngineError;
use crate::av1::{self, Chroma, Coded, Format, Settings};
use crate::metadata::Attachments;
use crate::mill::Control;
use crate::pixels::{Image, Sample, Samples};
use crate::plan::EncodePlan;

/// The file.
pub(super) fn encode(
    image: &Image,
    plan: &EncodePlan,
    attached: &Attachments,
    control: &dyn Control,
) -> Result<Vec<u8>, EngineError> {
    let still = match &image.samples {
        Samples::Eight(samples) => still(samples, 8, image, plan, control)?,
        Samples::Sixteen(samples) => still(samples, 10, image, plan, control)?,
    };
    Ok(container::file(&still, attached))
}

/// Codes a picture with as many bits.
fn still<S: Sample>(
    samples: &[S],
    bits: u8,
    image: &Image,
    plan: &EncodePlan,
    control: &dyn Control,
) -> Result<Still, EngineError> {
    let is_gray = image.channels.is_gray();
    let format = Format {
        width: image.width,
        height: image.height,
        bits,
        chroma: match (is_gray, plan.subsampling()) {
            (true, _) => Chroma::None,
            (false, Subsampling::Half) => Chroma::Half,
            (false, Subsampling::None) => Chroma::Full,
        },
    };
    let code = |source: &Source<'_, S>| {
        let settings = Settings {
            format: source.format,
            quantizer: quantizer(plan.quality),
            effort: plan.effort,
        };
        let fill = |area: &_, planes: &mut _| source.fill(area, planes);
        av1::code(&settings, &fill, &|| control.should_stop()).map_err(|av1::Stopped| EngineError::Stopped)
    };
    let colour = Source {
        samples,
        channels: image.channels.count(),
        first: 0,
        format,
    };
    let main: Coded = code(&colour)?;
    let alpha = if image.is_opaque() {
        None
    } else {
        Some(code(&Source {
            first: colour.channels - 1,
            format: Format {
                chroma: Chroma::None,
                ..format
            },
            ..colour
        })?)
    };
    Ok(Still {
        width: image.width,
        height: image.height,
        bits,
        is_gray,
        main,
        alpha,
    })
}

/// The index of the quantizer, 1 to 249. A quality gives about as many bytes, and is about as like the picture by SSIM, as with
/// libaom.
fn quantizer(quality: u8) -> u8 {
    let below = 100 - i32::from(quality.min(100));
    // A little above the straight line in the middle: 107 at 60, where most are, and 204 at 20.
    (below * (896 - below) / 320).max(1) as u8
}
