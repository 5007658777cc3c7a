//! Encodes WebP with libwebp, lossy or lossless, alpha kept.

mod libwebp;
mod planes;

use pixmill_types::ImageFormat;

use self::libwebp::{Effort, Picture};
use super::failed;
use super::sink::Sink;
use crate::EngineError;
use crate::exif::{self, Orientation};
use crate::metadata::{self, Attachments};
use crate::mill::Control;
use crate::pixels::{Channels, Image, Samples};
use crate::plan::EncodePlan;

const FORMAT: &str = "WebP";

pub(super) fn encode(image: Image, plan: &EncodePlan, control: &dyn Control) -> Result<Vec<u8>, EngineError> {
    // libwebp is compiled for it as a whole (its feature `sse41`); x86 has had it since 2008.
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    if !std::arch::is_x86_feature_detected!("sse4.1") {
        return Err(failed(FORMAT, &"the processor lacks SSE4.1"));
    }
    let mut image = image.into_eight_bit();
    let is_lossless = plan.options.lossless;
    if is_lossless {
        image = image.try_widen(Channels::Rgb)?;
    }
    let Samples::Eight(samples) = image.samples else {
        return Err(failed(FORMAT, &"its samples are not 8 bits"));
    };
    let (width, height) = (image.width, image.height);
    let has_alpha = image.channels.has_alpha();
    let picture = match image.channels {
        Channels::Gray | Channels::GrayAlpha => Picture::from_gray(&samples, width, height, has_alpha),
        Channels::Rgb if !is_lossless => Picture::from_opaque(&samples, width, height),
        Channels::Rgb | Channels::Rgba => Picture::from_rgb(&samples, width, height, has_alpha, is_lossless),
    }
    .map_err(|error| failed(FORMAT, &error))?;
    drop(samples);
    let mut sink = Sink::new(control);
    let written = picture.encode(
        Effort {
            quality: if is_lossless { None } else { Some(plan.quality) },
            method: plan.effort,
        },
        &mut sink,
        control,
    );
    let file = sink.finish(FORMAT, written)?;
    if plan.orientation == Orientation::UPRIGHT {
        return Ok(file);
    }
    let orientation = Attachments {
        exif: Some(exif::tiff_with(plan.orientation).to_vec()),
        ..Attachments::default()
    };
    metadata::attach(file, ImageFormat::Webp, &orientation, width, height)
        .ok_or_else(|| failed(FORMAT, &"its chunks are not as expected"))
}
