//! Text as pixels: what is written, in which letters and where, becomes a picture that is laid on another.
//!
//! Owns fonts, lines, letters and their outlines. Knows nothing of the picture it is for but its sides.

mod coverage;
mod distance;
mod face;
mod geometry;
mod layout;
mod letters;
mod outline;
mod shaping;

use pixmill_types::Color;
use pixmill_types::steps::{Font, Text};

use self::coverage::{Mask, Region};
use self::face::Faces;
use self::geometry::Geometry;
use self::letters::Letters;
use crate::EngineError;
use crate::assets::Assets;
use crate::mill::{Control, guarded};
use crate::pixels::{Channels, Image, Samples, zeros};

/// Bytes that a pixel of text takes while it is drawn: three masks at the most, of letters, line and box, and a number of
/// single precision for the one that is being made, or four samples when all are.
const BYTES_PER_PIXEL: u64 = 8;
/// How many times as large as it is estimated a text may turn out: the widest letters of the built-in fonts alone are a third
/// wider than the estimate has them.
const TOLERATED: u64 = 2;
/// What a font file takes, and its outlines, bytes.
const FONT_BYTES: u64 = 32 * 1024 * 1024;
/// What the built-in fonts take: they are not copied.
const BUILT_IN_BYTES: u64 = 4 * 1024 * 1024;

/// Text as it lies in a picture.
#[derive(Debug)]
pub(crate) struct Drawn {
    /// 8 bits, with colour and alpha.
    pub(crate) image: Image,
    /// Where in the picture its left upper corner lies, pixels; 0 for text that is repeated.
    pub(crate) left: u32,
    pub(crate) top: u32,
}

/// Memory that drawing takes for a picture of these sides, at the most in a usual font, bytes.
pub(crate) fn most_bytes(step: &Text, sides: (u32, u32)) -> u64 {
    let fonts = match step.font {
        Font::Asset(_) => FONT_BYTES,
        Font::Sans | Font::SansBold => BUILT_IN_BYTES,
    };
    fonts + BYTES_PER_PIXEL * Geometry::new(step, sides).most_pixels(step)
}

/// Draws the text for a picture of these sides; nothing when none of it lies within.
///
/// # Errors
/// [`EngineError::Impossible`] for a font that cannot be used, [`EngineError::Stopped`] when `control` says so.
pub(crate) fn draw(
    step: &Text,
    sides: (u32, u32),
    assets: &dyn Assets,
    control: &dyn Control,
) -> Result<Option<Drawn>, EngineError> {
    let unusable = |why: &str| match step.font {
        Font::Asset(name) => EngineError::Impossible(format!("the asset {name} cannot be used: {why}")),
        Font::Sans | Font::SansBold => EngineError::Internal(format!("the built-in font cannot be used: {why}")),
    };
    // A font is as untrusted as a picture.
    guarded(
        || unusable("it upset its reader"),
        || {
            let faces = Faces::of(step.font, assets).map_err(|why| unusable(&why))?;
            let geometry = Geometry::new(step, sides);
            let lines = layout::lines(&step.text, &faces, geometry.most_ems(), control)?
                .ok_or_else(|| unusable("it makes far more letters of a text than it has"))?;
            let letters = Letters::new(&lines, &faces, step, &geometry, control)?
                .ok_or_else(|| unusable("its letters are too detailed"))?;
            let Some(region) = letters.region() else {
                return Ok(None);
            };
            if region.pixels() > TOLERATED * geometry.most_pixels(step) {
                return Err(unusable("its letters are far larger than its size"));
            }
            composed(step, &letters, region, control)
        },
    )
}

/// The layers of text, one over the other.
fn composed(
    step: &Text,
    letters: &Letters,
    region: Region,
    control: &dyn Control,
) -> Result<Option<Drawn>, EngineError> {
    let seen = letters.seen(region);
    if seen.pixels() == 0 {
        return Ok(None);
    }
    let fill = letters.fill(region, control)?;
    let line = match letters.line_width() {
        0.0 => None,
        width => Some(distance::grown(&fill, width, control)?),
    };
    let behind = match step.background.alpha {
        0 => None,
        _ => Some(letters.background(region, control)?),
    };
    let layers = [
        behind.as_ref().map(|mask| (step.background, mask)),
        line.as_ref().map(|mask| (step.outline_color, mask)),
        Some((step.color, &fill)),
    ];
    let mut samples: Vec<u8> = zeros(4 * seen.pixels())?;
    for (row, pixels) in samples.chunks_exact_mut(4 * seen.width as usize).enumerate() {
        if control.should_stop() {
            return Err(EngineError::Stopped);
        }
        // What is seen lies within the region.
        let place = seen.offset_in(region, row);
        for (color, mask) in layers.iter().flatten() {
            let coverages = &mask.samples[place..][..seen.width as usize];
            for (pixel, coverage) in pixels.chunks_exact_mut(4).zip(coverages) {
                lay(pixel, *color, *coverage);
            }
        }
    }
    Ok(Some(Drawn {
        image: Image {
            width: seen.width,
            height: seen.height,
            channels: Channels::Rgba,
            samples: Samples::Eight(samples),
        },
        left: seen.left.max(0) as u32,
        top: seen.top.max(0) as u32,
    }))
}

/// Lays a colour over a pixel with alpha, as far as it is covered (source over, W3C Compositing and Blending Level 1,
/// 9.1.4).
fn lay(pixel: &mut [u8], color: Color, coverage: u8) {
    let [red, green, blue, alpha] = pixel else { return };
    let above = f32::from(color.alpha) * f32::from(coverage) / (255.0 * 255.0);
    let below = f32::from(*alpha) / 255.0 * (1.0 - above);
    let whole = above + below;
    if above == 0.0 {
        return;
    }
    for (own, color) in [(red, color.red), (green, color.green), (blue, color.blue)] {
        *own = ((f32::from(color) * above + f32::from(*own) * below) / whole + 0.5) as u8;
    }
    *alpha = (whole * 255.0 + 0.5) as u8;
}

/// A mask of a region with nothing on it.
fn blank(region: Region) -> Result<Mask, EngineError> {
    Ok(Mask {
        width: region.width as usize,
        samples: zeros(region.pixels())?,
    })
}
