//! Scales a picture with fast_image_resize, alpha premultiplied.

use fast_image_resize::images::{Image as Target, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use pixmill_types::steps::Filter;

use crate::EngineError;
use crate::pixels::{Channels, Depth, Image, Samples, zeros};
use crate::plan::ResizePlan;

/// Scales the part of `image` that `plan` names to the sides of `plan`.
pub(super) fn resize(image: &Image, plan: &ResizePlan) -> Result<Image, EngineError> {
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
    let options = ResizeOptions::new()
        .resize_alg(algorithm(plan.filter))
        .crop(plan.source_left, plan.source_top, plan.source_width, plan.source_height)
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
