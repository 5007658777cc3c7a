//! How much memory each stage takes at its peak, estimated from shapes alone.
//!
//! The figures per pixel are those of the codecs and steps as they are, rounded up; a test holds them against what the
//! allocator is asked for, libwebp's own allocations excepted.

use pixmill_types::{ImageFormat, Subsampling};

use super::operation::{EncodePlan, Operation};
use super::route::{DecodePlan, StreamPlan};
use crate::exif::Orientation;
use crate::pixels::{Depth, Shape};
use crate::probe::{ColorModel, Header, Profile, Streaming};
use crate::steps::{MOST_OF_ROUNDED, MOST_WATERMARK_PIXELS, RowBlur, in_small};
use crate::text;

/// Tables, row buffers and what else does not grow with the picture, bytes.
const FIXED: u64 = 1024 * 1024;

/// What libwebp's lossless encoder holds beside the picture, resident, bytes a pixel.
const WEBP_LOSSLESS_BYTES: u64 = 24;
/// What decoding one frame of JPEG XL holds beside the picture, bytes a pixel.
const JXL_BYTES: u64 = 16;
/// The most that it may hold of several, bytes a pixel.
const JXL_FRAMES_BYTES: u64 = 80;
/// The largest colour profile that the decoder unpacks, bytes.
const JXL_PROFILE_BYTES: u64 = 1 << 28;

/// Decoding into a picture of shape `into`, which is counted, bytes.
pub(super) fn decoding(header: &Header, decode: &DecodePlan, into: Shape) -> u64 {
    if decode.by_core {
        return FIXED + into.bytes() + strips(decode.blur, into) * into.channels.count() as u64;
    }
    let pixels = header.pixels();
    let working = match header.format {
        // Coefficients of every component, its samples, and those of all three together.
        ImageFormat::Jpeg if header.streaming == Streaming::Rare => (8 + 4 + 4) * pixels,
        // Coefficients of every component are kept until the last scan, 16 bits each.
        ImageFormat::Jpeg if header.multi_pass => {
            2 * pixels
                * match header.color {
                    ColorModel::Gray | ColorModel::GrayAlpha => 1,
                    ColorModel::Rgb | ColorModel::Rgba | ColorModel::YCbCr => 3,
                    ColorModel::Cmyk { .. } => 4,
                }
        }
        ImageFormat::Jpeg => 0,
        // A canvas, a frame as decoded, and what it hid.
        ImageFormat::Png if header.frames > 1 => 3 * into.bytes(),
        ImageFormat::Png => 0,
        ImageFormat::Webp if header.frames > 1 => 12 * pixels,
        // The lossless decoder works in RGBA, the lossy one in planes; either way next to the result.
        ImageFormat::Webp => 4 * pixels,
        // The screen, the indices of a frame, and what a frame hid that is put back.
        ImageFormat::Gif => 9 * pixels,
        // Indices of a palette, or the fourth ink of 16 bits.
        ImageFormat::Tiff => header.unpacked_bytes + 2 * pixels,
        // A PNG within may have 16 bits, and then no alpha.
        ImageFormat::Ico => 8 * pixels,
        // Planes of numbers of single precision, of up to eight frames that others may refer to, and a profile.
        ImageFormat::Jxl if header.multi_pass => JXL_FRAMES_BYTES * pixels + JXL_PROFILE_BYTES,
        ImageFormat::Jxl => JXL_BYTES * pixels,
        ImageFormat::Bmp | ImageFormat::Qoi | ImageFormat::Pnm | ImageFormat::Avif => 0,
    };
    // Four inks are decoded as such, then converted.
    let inks = match header.color {
        ColorModel::Cmyk { .. } if header.profile == Profile::Inks => 4 * header.pixels(),
        ColorModel::Cmyk { inverted: false } => header.pixels(),
        _ => 0,
    };
    FIXED + into.bytes() + working + inks
}

/// Making one gray JPEG of another of shape `shape`, the file included, bytes.
pub(super) fn streaming(stream: &StreamPlan, encode: &EncodePlan, shape: Shape) -> u64 {
    // At half the size there are half as many rows under half as wide a kernel, each half as long.
    let waiting = if stream.turn != Orientation::UPRIGHT || encode.needs_all_blocks() {
        waiting(encode, shape.pixels())
    } else {
        0
    };
    let rows = match stream.frequencies {
        Some(among) => among.rows() * among.row_bytes(u64::from(shape.width.div_ceil(8))),
        None => strips(stream.sigma, shape),
    };
    FIXED + rows + file(encode, shape) + waiting
}

/// The blocks of a JPEG of `samples` samples that wait until all are there: what each takes, and its coefficients, bytes.
fn waiting(encode: &EncodePlan, samples: u64) -> u64 {
    const BLOCK_BYTES: u64 = 16;
    // Half of the coefficients at most are not zero, but at the highest qualities.
    let values = if encode.quality <= 90 { samples } else { 2 * samples };
    samples.div_ceil(64) * BLOCK_BYTES + values
}

/// Encoding JPEG of shape `shape`: the rows on their way, and the blocks that wait, bytes.
fn jpeg(encode: &EncodePlan, shape: Shape) -> u64 {
    /// The margins of a strip, and what its rows are filled up to, samples.
    const BESIDE: u64 = 256;
    // Rows of a block; of colour two blocks of luma and chroma half as long, or all three as long.
    let (rows, samples) = match (shape.channels.is_gray(), encode.subsampling()) {
        (true, _) => (8, shape.pixels()),
        (false, Subsampling::Half) => (24, shape.pixels() * 3 / 2),
        (false, Subsampling::None) => (24, shape.pixels() * 3),
    };
    let waiting = if encode.needs_all_blocks() {
        waiting(encode, samples)
    } else {
        0
    };
    rows * (u64::from(shape.width) + BESIDE) * size_of::<u16>() as u64 + waiting
}

/// Coding AV1 of shape `shape`, bytes: a row of superblocks as it is and as it will be decoded, what is tried within one, and what
/// is coded, which grows and is copied into the file; of high quality that is more. Alpha comes when the colours are done.
fn av1(encode: &EncodePlan, shape: Shape) -> u64 {
    const ONCE: u64 = 400 << 10;
    /// Rows of both, and what blocks know of those above, as rows.
    const ROWS: u64 = 64 + 65 + 3;
    /// Tiles are no wider, but for what a row is filled up to.
    const WIDEST: u64 = 4096 + 64;
    let coded = if encode.quality <= 80 { 1 } else { 3 };
    // Of two pixels.
    let samples = match (shape.channels.is_gray(), encode.subsampling()) {
        (true, _) => 2,
        (false, Subsampling::Half) => 3,
        (false, Subsampling::None) => 6,
    };
    let width = u64::from(shape.width).next_multiple_of(64).min(WIDEST);
    ONCE + ROWS * width * samples * size_of::<u16>() as u64 / 2 + coded * shape.pixels()
}

/// The rows that the JPEG core holds while it makes luma of shape `shape`, bytes.
fn strips(sigma: Option<f32>, shape: Shape) -> u64 {
    /// Rows of an MCU at the most, those that a blur makes at a time and those it finishes.
    const ROWS: u64 = 32 + 8 + 8;
    /// The margins of a strip, and what its rows are filled up to, samples.
    const BESIDE: u64 = 256;
    let under_kernel = sigma.map_or(0, |sigma| 2 * RowBlur::radius_of(sigma) as u64 + 1);
    (ROWS + under_kernel) * (u64::from(shape.width) + BESIDE) * size_of::<u16>() as u64
}

/// Carrying out `operation` on a picture of shape `from`, which is counted as well as the result, bytes.
pub(super) fn operating(operation: &Operation, from: Shape) -> u64 {
    let to = operation.shape_after(from);
    FIXED
        + from.bytes()
        + match operation {
            Operation::Orient(orientation) if orientation.swaps_sides() => to.bytes(),
            Operation::Matrix(_) | Operation::Flatten(_) | Operation::Round(_) if to.samples() > from.samples() => {
                to.bytes()
            }
            Operation::Orient(_)
            | Operation::Grayscale
            | Operation::Curve(_)
            | Operation::ToSrgb
            | Operation::Matrix(_)
            | Operation::Flatten(_)
            | Operation::Round(_)
            | Operation::Crop(_)
            | Operation::Normalise(_)
            | Operation::Trim(_) => 0,
            // A small copy is looked at.
            Operation::Attention { .. } => resizing(from, Shape { width: 1, ..from }),
            Operation::Pad(_) => to.bytes(),
            Operation::Rotate(_) if to.channels != from.channels => {
                let converted = Shape {
                    channels: to.channels,
                    ..from
                };
                converted.bytes() + to.bytes()
            }
            Operation::Rotate(_) => to.bytes(),
            Operation::Blur(sigma) => kept_by_blur(*sigma, from),
            // On a copy, of 16 bits where roundings would show.
            Operation::Sharpen(step) => {
                let copy = Shape {
                    depth: if step.amount > MOST_OF_ROUNDED {
                        Depth::Sixteen
                    } else {
                        from.depth
                    },
                    ..from
                };
                copy.bytes() + kept_by_blur(step.sigma, copy)
            }
            // At most 16 bits a level, or one number of single precision a pixel.
            Operation::Median(radius) => {
                /// What a column counts of 8 bits: each level, and each upper half of levels.
                const COLUMN_BYTES: u64 = 256 + 16;
                let columns = (u64::from(from.width) + 2 * u64::from(*radius)) * from.channels.count() as u64;
                2 * kept_by_window(*radius, from) * size_of::<u16>() as u64 + COLUMN_BYTES * columns
            }
            // The mark as it is decoded, from a file that may be as large, and as it is laid on.
            Operation::Watermark(_) => to.bytes() + 16 * MOST_WATERMARK_PIXELS + resizing(to, to).min(8 * to.pixels()),
            Operation::Text(step) => {
                let converted = if to == from { 0 } else { to.bytes() };
                converted + text::most_bytes(step, (from.width, from.height))
            }
            Operation::Edge(_) => kept_by_window(1, from) * size_of::<f32>() as u64,
            Operation::Pixelate(plan) => (u64::from(from.width) / u64::from(plan.size) + 2) * 32,
            Operation::Resize(resize) if resize.linear => {
                let light = |shape: Shape| Shape {
                    depth: Depth::Sixteen,
                    ..shape
                };
                light(from).bytes() + resizing(light(from), light(to)) + to.bytes()
            }
            Operation::Resize(_) => resizing(from, to),
        }
}

/// Scaling a picture of shape `from` to one of shape `to`, which is counted, bytes.
fn resizing(from: Shape, to: Shape) -> u64 {
    // One direction is done first, into a picture of the one new side; with alpha, on a copy.
    let between = Shape {
        width: to.width,
        ..from
    };
    let premultiplied = if from.channels.has_alpha() { from.bytes() } else { 0 };
    to.bytes() + between.bytes() + premultiplied
}

/// The samples of the rows that a window of that radius keeps, and of the one made from them.
fn kept_by_window(radius: u32, from: Shape) -> u64 {
    let side = u64::from(2 * radius + 1);
    (side + 1) * (u64::from(from.width) + side) * from.channels.count() as u64
}

/// The rows that blurring keeps, in single precision at the most, and the columns between its strips, bytes.
fn kept_by_blur(sigma: f32, from: Shape) -> u64 {
    /// More than the kernel reaches, sigmas.
    const REACH: f32 = 4.0;
    let (channels, number) = (from.channels.count() as u64, size_of::<f32>() as u64);
    let kept = |sigma: f32, width: u64, height: u64, sample: u64| {
        let reach = (REACH * sigma).ceil() as u64;
        let (row, column) = (width * channels * number, height * channels * sample);
        (2 * reach + 1).min(height) * row + reach.min(width) * column
    };
    match in_small(sigma, from.width, from.height) {
        Some((sigma, [width, height])) => {
            let (width, height) = (u64::from(width), u64::from(height));
            // The small picture, and six rows of the whole one.
            let numbers = (width * height + 6 * u64::from(from.width)) * channels;
            numbers * number + kept(sigma, width, height, number)
        }
        None => kept(sigma, from.width.into(), from.height.into(), from.depth.bytes() as u64),
    }
}

/// Encoding a picture of shape `from`, which is counted as well as the file, bytes.
pub(super) fn encoding(encode: &EncodePlan, from: Shape) -> u64 {
    let written = encode.shape_written(from);
    let narrowed = if written.depth == from.depth { 0 } else { from.samples() };
    // Gray becomes colour, a second picture, where the format has none.
    let widened = if written.channels == from.channels {
        0
    } else {
        written.bytes()
    };
    let working = match encode.format {
        ImageFormat::Jpeg => jpeg(encode, written),
        ImageFormat::Png | ImageFormat::Ico | ImageFormat::Pnm | ImageFormat::Jxl => 0,
        ImageFormat::Tiff | ImageFormat::Bmp | ImageFormat::Qoi => widened,
        // Indices of a palette, and what they are packed into.
        ImageFormat::Gif => widened + 2 * written.pixels(),
        // The lossless encoder looks for repetitions in all of the picture at once.
        ImageFormat::Webp if encode.options.lossless => widened + WEBP_LOSSLESS_BYTES * written.pixels(),
        // Planes of luma, chroma and alpha, and the tokens of every macroblock, which become many at high quality:
        // resident memory with 12 MP of dense photo was 5.6 bytes a pixel at quality 80 and 12 at 100, colour included.
        ImageFormat::Webp if encode.quality <= 80 => 4 * written.pixels(),
        ImageFormat::Webp => 12 * written.pixels(),
        ImageFormat::Avif => av1(encode, written),
    };
    FIXED + from.bytes() + narrowed + working + file(encode, from)
}

/// Looking at a picture of shape `from`, which is counted, bytes: numbers of double precision for a few planes.
pub(super) fn describing(from: Shape) -> u64 {
    FIXED + from.bytes() + 16 * size_of::<f64>() as u64 * from.pixels()
}

/// The finished file, bytes: what a detailed picture takes, not the largest possible.
pub(super) fn file(encode: &EncodePlan, from: Shape) -> u64 {
    let written = encode.shape_written(from);
    match encode.format {
        ImageFormat::Jpeg => written.samples() / 2,
        ImageFormat::Png | ImageFormat::Tiff | ImageFormat::Ico | ImageFormat::Pnm | ImageFormat::Jxl => {
            written.bytes()
        }
        // Four bytes a pixel where two or three are not held.
        ImageFormat::Bmp => 4 * written.pixels(),
        // A pixel that is like none before takes a byte more than it has.
        ImageFormat::Qoi => written.bytes() + written.pixels() / 4,
        ImageFormat::Gif => written.pixels(),
        ImageFormat::Webp if encode.options.lossless => written.bytes(),
        ImageFormat::Webp | ImageFormat::Avif => written.pixels() / 2,
    }
}
