//! How long each stage takes, estimated from shapes alone: an order of magnitude for those who compare plans, no promise.
//!
//! The figures are nanoseconds a pixel (a sample where that is said), of photos, on [`MACHINE`], 2026-11-26, by
//! `cargo run --release -p pixmill-engine --example costs -- testdata/bench/photo_2mp.jpg`. What a file holds is not looked
//! at: one of twice the bytes takes up to twice as long to decode. Not measured but set beside what is like them are inks,
//! AVIF, JPEG XL and ICO that are read, samples of 16 bits, profiles, watermarks and text.

use std::time::Duration;

use pixmill_types::{ImageFormat, Subsampling};

use super::operation::{EncodePlan, Operation};
use super::route::{DecodePlan, StreamPlan};
use crate::pixels::{Depth, Shape};
use crate::probe::{ColorModel, Header, Streaming};
use crate::steps::{RowBlur, in_small};

/// What the figures were measured on.
pub(super) const MACHINE: &str = "one core of an AMD EPYC, 2026";

/// Setting up what every stage needs, nanoseconds.
const ONCE: f64 = 5_000.0;

/// Parsing what a JPEG's pixel is coded as: luma, and colour that is passed over.
const JPEG_ENTROPY: f64 = 0.5;
const JPEG_ENTROPY_OF_COLOUR: f64 = 0.1;
/// The transforms of a sample of a JPEG, there or back.
const JPEG_TRANSFORM: f64 = 0.3;
/// Entropy coding of a sample of a JPEG that is written, in one scan; in all scans of a progressive one as many times that,
/// and with tables that fit.
const JPEG_CODING: f64 = 0.28;
const PROGRESSIVE_PASSES: f64 = 15.0;
const OPTIMIZED_PASSES: f64 = 3.0;
/// A sample of a blur in fixed point, at all and for each pixel that its kernel reaches: of rows as they come, and of a
/// picture in memory.
const ROW_BLUR: (f64, f64) = (0.1, 0.05);
const BLUR: (f64, f64) = (0.12, 0.085);
/// The same in single precision, which a wide kernel needs; that is worked out in a smaller picture, whose making and
/// use take so much of a sample.
const FLOAT_BLUR: (f64, f64) = (0.12, 1.1);
const SMALL_PICTURE: f64 = 2.0;
/// A sample of a blur among frequencies, its transforms included: at all, and for each neighbour of a block that its kernel
/// reaches.
const AMONG_FREQUENCIES: (f64, f64) = (0.1, 0.33);
/// Light of a level or a level of light, a sample.
const LIGHT: f64 = 1.5;
/// A resize: a sample that is read, and one that is made.
const RESIZE: (f64, f64) = (0.165, 0.6);
/// A sample of PNG, and a pixel of lossy WebP, by effort.
const PNG: [f64; 4] = [1.5, 1.8, 57.0, 166.0];
const WEBP: [f64; 7] = [12.5, 17.0, 22.5, 40.0, 59.0, 77.0, 95.0];
/// A pixel of AVIF, by effort.
const AVIF: [f64; 10] = [85.0, 110.0, 125.0, 140.0, 150.0, 200.0, 240.0, 270.0, 320.0, 390.0];

fn duration(nanoseconds: f64) -> Duration {
    Duration::from_nanos((ONCE + nanoseconds) as u64)
}

/// Copying a file whose picture is of that shape.
pub(super) fn copying(shape: Shape) -> Duration {
    duration(0.1 * shape.pixels() as f64)
}

/// Decoding into a picture of shape `into`.
pub(super) fn decoding(header: &Header, decode: &DecodePlan, into: Shape) -> Duration {
    let pixels = f64::from(header.width) * f64::from(header.height);
    if decode.by_core && header.format == ImageFormat::Jpeg {
        let made = into.samples() as f64;
        return duration(entropy(header) * pixels + JPEG_TRANSFORM * made + row_blur(decode.blur) * made);
    }
    let each = match header.format {
        ImageFormat::Jpeg if header.streaming == Streaming::Rare => 12.0,
        ImageFormat::Jpeg if header.multi_pass => 5.0,
        ImageFormat::Jpeg => match header.color {
            ColorModel::Gray | ColorModel::GrayAlpha => 1.5,
            ColorModel::Rgb | ColorModel::Rgba | ColorModel::YCbCr => 2.2,
            ColorModel::Cmyk { .. } => 6.0,
        },
        ImageFormat::Png | ImageFormat::Ico => 8.0,
        ImageFormat::Webp => 13.0,
        ImageFormat::Gif => 6.0,
        ImageFormat::Tiff => 9.0,
        ImageFormat::Qoi => 8.0,
        ImageFormat::Bmp | ImageFormat::Pnm => 0.8,
        ImageFormat::Avif | ImageFormat::Jxl => 60.0,
    };
    let depth = if header.sixteen_bit { 2.0 } else { 1.0 };
    duration(each * depth * pixels + row_blur(decode.blur) * into.samples() as f64)
}

/// Parsing what a JPEG's pixel is coded as, nanoseconds.
fn entropy(header: &Header) -> f64 {
    match header.color {
        ColorModel::Gray => JPEG_ENTROPY,
        _ => JPEG_ENTROPY + JPEG_ENTROPY_OF_COLOUR,
    }
}

fn row_blur(sigma: Option<f32>) -> f64 {
    sigma.map_or(0.0, |sigma| ROW_BLUR.0 + ROW_BLUR.1 * RowBlur::radius_of(sigma) as f64)
}

/// Making one gray JPEG of another of shape `shape`.
pub(super) fn streaming(header: &Header, stream: &StreamPlan, shape: Shape) -> Duration {
    let (worked_on, sigma) = match stream.is_half {
        true => (0.25, stream.sigma.map(|sigma| sigma / 2.0)),
        false => (1.0, stream.sigma),
    };
    let blurred = match stream.frequencies {
        Some(among) => AMONG_FREQUENCIES.0 + AMONG_FREQUENCIES.1 * among.reach as f64,
        None => worked_on * (2.0 * JPEG_TRANSFORM + row_blur(sigma)),
    };
    let each = entropy(header) + blurred + JPEG_CODING;
    duration(each * shape.pixels() as f64)
}

/// Carrying out `operation` on a picture of shape `from`.
pub(super) fn operating(operation: &Operation, from: Shape) -> Duration {
    let to = operation.shape_after(from);
    let depth = if from.depth == Depth::Sixteen { 2.0 } else { 1.0 };
    let (read, made, samples) = (from.pixels() as f64, to.pixels() as f64, from.samples() as f64);
    let blur = |sigma: f32| {
        let of = |(once, each): (f64, f64), sigma: f32| once + each * RowBlur::radius_of(sigma) as f64;
        match in_small(sigma, from.width, from.height) {
            Some((sigma, [width, height])) => {
                let small = f64::from(width) * f64::from(height) * from.channels.count() as f64;
                SMALL_PICTURE * samples * depth + of(FLOAT_BLUR, sigma) * small
            }
            None if from.depth == Depth::Sixteen => of(FLOAT_BLUR, sigma) * samples,
            None => of(BLUR, sigma) * samples,
        }
    };
    duration(match operation {
        Operation::Orient(orientation) if orientation.swaps_sides() => 0.22 * samples * depth,
        Operation::Orient(_) | Operation::Crop(_) => 0.02 * depth * samples.min(to.samples() as f64),
        Operation::Grayscale => 0.9 * read,
        Operation::Blur(sigma) => blur(*sigma),
        Operation::Sharpen(step) => blur(step.sigma) + 0.75 * samples,
        Operation::Resize(resize) => {
            let light = if resize.linear { LIGHT } else { 0.0 };
            (RESIZE.0 * depth + light) * samples + (RESIZE.1 * depth + light) * to.samples() as f64
        }
        Operation::Curve(_) => 0.25 * samples,
        Operation::Matrix(_) => 2.8 * read,
        Operation::ToSrgb => 1.5 * read,
        Operation::Pad(_) => 0.07 * depth * to.samples() as f64,
        Operation::Rotate(_) => 12.0 * made,
        Operation::Flatten(_) => 5.9 * read,
        Operation::Round(_) => 1.6 * read,
        Operation::Attention { .. } => 0.2 * read,
        Operation::Trim(_) => 0.1 * read,
        Operation::Pixelate(_) => 2.5 * read,
        Operation::Median(radius) => median(*radius) * samples * depth,
        Operation::Edge(_) => 0.9 * read,
        Operation::Normalise(_) => 1.6 * read,
        Operation::Watermark(_) | Operation::Text(_) => 4.0 * made,
    })
}

/// A sample of a median.
fn median(radius: u32) -> f64 {
    match radius {
        0 | 1 => 1.0,
        2 => 4.2,
        3..12 => 14.0 + 3.9 * f64::from(radius),
        _ => 57.0,
    }
}

/// Encoding `frames` pictures of shape `from`.
pub(super) fn encoding(encode: &EncodePlan, frames: u32, from: Shape) -> Duration {
    let written = encode.shape_written(from);
    let (pixels, samples) = (written.pixels() as f64, written.samples() as f64);
    let by_effort = |figures: &[f64]| figures[usize::from(encode.effort).min(figures.len() - 1)];
    let each = match encode.format {
        ImageFormat::Jpeg => {
            let (samples, mixing) = match (written.channels.is_gray(), encode.subsampling()) {
                (true, _) => (pixels, 0.0),
                (false, Subsampling::Half) => (1.5 * pixels, 0.15),
                (false, Subsampling::None) => (3.0 * pixels, 0.1),
            };
            let passes = match (encode.options.progressive, encode.options.optimize) {
                (true, _) => PROGRESSIVE_PASSES,
                (false, true) => OPTIMIZED_PASSES,
                (false, false) => 1.0,
            };
            (JPEG_TRANSFORM + passes * JPEG_CODING) * samples + mixing * pixels
        }
        ImageFormat::Png => by_effort(&PNG) * samples,
        ImageFormat::Webp if encode.options.lossless => (148.0 + 55.0 * f64::from(encode.effort)) * pixels,
        ImageFormat::Webp => by_effort(&WEBP) * pixels,
        ImageFormat::Avif => by_effort(&AVIF) * pixels,
        ImageFormat::Gif => 28.0 * pixels,
        ImageFormat::Tiff => 41.0 * samples,
        ImageFormat::Qoi => 6.6 * pixels,
        ImageFormat::Bmp | ImageFormat::Ico | ImageFormat::Pnm | ImageFormat::Jxl => 0.22 * samples,
    };
    duration(each * f64::from(frames))
}

/// Looking at a picture of shape `from`.
pub(super) fn describing(from: Shape) -> Duration {
    duration(60.0 * from.pixels() as f64)
}
