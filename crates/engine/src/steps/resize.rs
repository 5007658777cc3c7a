//! Scales a picture with fast_image_resize, alpha premultiplied; on request as light, not as levels.

use fast_image_resize::images::{Image as Target, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use pixmill_types::steps::Filter;

use super::light;
use crate::EngineError;
use crate::mill::Control;
use crate::pixels::{Channels, Depth, Image, Samples, zeros};
use crate::plan::ResizePlan;

/// Scales the part of `image` that `plan` names to the sides of `plan`.
pub(super) fn resize(image: Image, plan: &ResizePlan, control: &dyn Control) -> Result<Image, EngineError> {
    if !plan.linear {
        return scaled(&image, plan);
    }
    let depth = image.shape().depth;
    let light = light::of(image, control)?;
    let scaled = scaled(&light, plan)?;
    drop(light);
    light::into_levels(scaled, depth, control)
}

/// The part of `image` that `plan` names, at the sides of `plan`: its numbers are mixed as they are.
pub(crate) fn scaled(image: &Image, plan: &ResizePlan) -> Result<Image, EngineError> {
    let shape = image.shape();
    let pixel = pixel_type(image.channels, shape.depth);
    let count = u64::from(plan.width) * u64::from(plan.height) * image.channels.count() as u64;
    let samples = match &image.samples {
        Samples::Eight(from) => {
            let mut to = zeros::<u8>(count)?;
            scale(from, &mut to, image, plan, pixel)?;
            Samples::Eight(to)
        }
        Samples::Sixteen(from) => {
            let mut to = zeros::<u16>(count)?;
            scale(
                bytemuck::cast_slice(from),
                bytemuck::cast_slice_mut(&mut to),
                image,
                plan,
                pixel,
            )?;
            Samples::Sixteen(to)
        }
    };
    Ok(Image {
        width: plan.width,
        height: plan.height,
        channels: image.channels,
        samples,
    })
}

fn scale(from: &[u8], to: &mut [u8], image: &Image, plan: &ResizePlan, pixel: PixelType) -> Result<(), EngineError> {
    let failed = |error: &dyn std::fmt::Display| EngineError::Internal(format!("the picture was not resized: {error}"));
    let source = ImageRef::new(image.width, image.height, from, pixel).map_err(|error| failed(&error))?;
    let mut target = Target::from_slice_u8(plan.width, plan.height, to, pixel).map_err(|error| failed(&error))?;
    // A window at the right or lower edge may lie beyond it by a rounding.
    let (left, top) = (plan.source.left.max(0.0), plan.source.top.max(0.0));
    let width = plan.source.width.min(f64::from(image.width) - left);
    let height = plan.source.height.min(f64::from(image.height) - top);
    let options = ResizeOptions::new()
        .resize_alg(algorithm(plan.filter))
        .crop(left, top, width, height)
        .use_alpha(image.channels.has_alpha());
    Resizer::new()
        .resize(&source, &mut target, &options)
        .map_err(|error| failed(&error))
}

fn algorithm(filter: Filter) -> ResizeAlg {
    match filter {
        Filter::Lanczos3 => ResizeAlg::Convolution(FilterType::Lanczos3),
        Filter::CatmullRom => ResizeAlg::Convolution(FilterType::CatmullRom),
        Filter::Bilinear => ResizeAlg::Convolution(FilterType::Bilinear),
        Filter::Box => ResizeAlg::Convolution(FilterType::Box),
        Filter::Nearest => ResizeAlg::Nearest,
    }
}

fn pixel_type(channels: Channels, depth: Depth) -> PixelType {
    match (depth, channels) {
        (Depth::Eight, Channels::Gray) => PixelType::U8,
        (Depth::Eight, Channels::GrayAlpha) => PixelType::U8x2,
        (Depth::Eight, Channels::Rgb) => PixelType::U8x3,
        (Depth::Eight, Channels::Rgba) => PixelType::U8x4,
        (Depth::Sixteen, Channels::Gray) => PixelType::U16,
        (Depth::Sixteen, Channels::GrayAlpha) => PixelType::U16x2,
        (Depth::Sixteen, Channels::Rgb) => PixelType::U16x3,
        (Depth::Sixteen, Channels::Rgba) => PixelType::U16x4,
    }
}
