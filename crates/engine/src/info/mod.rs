//! Facts about a picture, as a JSON document: what the file says, and how the picture looks from afar.
//!
//! Owns what is computed from a picture of at most [`MAX_SIDE`] pixels a side, and the words of the document. What is done
//! to the picture before, and at which size it is decoded, the plan says.

mod blurhash;
mod colors;
mod json;
mod perceptual;
mod thumbhash;

use self::json::Object;
use crate::pixels::{Channels, Image, Samples};
use crate::probe::{ColorModel, Header};

/// The longest side of a picture that is looked at: the largest that a ThumbHash is made of, pixels.
pub(crate) const MAX_SIDE: u32 = 100;
/// Horizontal and vertical components of a BlurHash.
const BLURHASH_COMPONENTS: (usize, usize) = (4, 3);

/// Writes the document for a file of `bytes` bytes and `header`, whose picture became one of `width` x `height` pixels;
/// `image` is that seen from afar.
pub(crate) fn describe(bytes: usize, header: &Header, (width, height): (u32, u32), image: Image) -> Vec<u8> {
    let raster = Raster::of(image);
    let mut document = Object::new();
    document
        .text("format", header.format.as_str())
        .number("bytes", bytes as u64)
        .number("width", header.width.into())
        .number("height", header.height.into())
        .number("orientation", header.orientation.as_exif().into())
        .flag("has_alpha", header.color.has_alpha())
        .flag("is_animated", header.frames > 1)
        .number("frames", header.frames.into())
        .number("bit_depth", if header.sixteen_bit { 16 } else { 8 })
        .text("color_model", model_name(header.color));
    let dominant = colors::dominant(&raster).into_iter().map(|(color, share)| {
        let mut entry = Object::new();
        entry.text("color", &hex(color)).fraction("share", share);
        entry
    });
    let mut picture = Object::new();
    picture
        .number("width", width.into())
        .number("height", height.into())
        .text("average_color", &hex(colors::average(&raster)))
        .list("dominant_colors", dominant)
        .text("blurhash", &blurhash::encode(&raster, BLURHASH_COMPONENTS))
        .text("thumbhash", &thumbhash::encode(&raster))
        .text("phash", &format!("{:016x}", perceptual::hash(&raster)));
    document.object("picture", picture);
    document.finish().into_bytes()
}

const fn model_name(color: ColorModel) -> &'static str {
    match color {
        ColorModel::Gray | ColorModel::GrayAlpha => "gray",
        ColorModel::Rgb | ColorModel::Rgba => "rgb",
        ColorModel::YCbCr => "ycbcr",
        ColorModel::Cmyk { .. } => "cmyk",
    }
}

fn hex([red, green, blue]: [u8; 3]) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// A small picture in red, green, blue and alpha of 8 bits.
struct Raster {
    width: usize,
    height: usize,
    pixels: Vec<[u8; 4]>,
}

impl Raster {
    fn of(image: Image) -> Self {
        let (width, height, channels) = (image.width as usize, image.height as usize, image.channels);
        let pixels = match image.into_eight_bit().samples {
            Samples::Eight(samples) => samples
                .chunks_exact(channels.count())
                .map(|pixel| match (channels, pixel) {
                    (Channels::Gray, [gray]) => [*gray, *gray, *gray, 255],
                    (Channels::GrayAlpha, [gray, alpha]) => [*gray, *gray, *gray, *alpha],
                    (Channels::Rgb, [red, green, blue]) => [*red, *green, *blue, 255],
                    (Channels::Rgba, [red, green, blue, alpha]) => [*red, *green, *blue, *alpha],
                    _ => [0; 4],
                })
                .collect(),
            Samples::Sixteen(_) => Vec::new(),
        };
        Self { width, height, pixels }
    }

    /// Red, green and blue of every pixel, laid on white, in whole levels.
    fn on_white(&self) -> impl Iterator<Item = [f64; 3]> {
        self.pixels.iter().map(|[red, green, blue, alpha]| {
            let alpha = u32::from(*alpha);
            [red, green, blue].map(|level| f64::from((u32::from(*level) * alpha + 255 * (255 - alpha) + 127) / 255))
        })
    }
}

/// A level of sRGB, 0 to 255, in linear light, 0 to 1 (IEC 61966-2-1).
fn to_linear(level: f64) -> f64 {
    let level = level / 255.0;
    if level <= 0.040_45 {
        level / 12.92
    } else {
        ((level + 0.055) / 1.055).powf(2.4)
    }
}

/// The inverse of [`to_linear`], rounded; what lies outside is cut off.
fn to_level(linear: f64) -> u8 {
    let linear = linear.clamp(0.0, 1.0);
    let level = if linear <= 0.003_130_8 {
        linear * 12.92
    } else {
        1.055 * linear.powf(1.0 / 2.4) - 0.055
    };
    (level * 255.0 + 0.5) as u8
}
