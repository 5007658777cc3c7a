//! What a header says, and whether that is within the limits.

use pixmill_types::{ImageFormat, LimitName, Limits};

use crate::EngineError;
use crate::exif::Orientation;
use crate::profile::Profile;

/// What a header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// What the content is.
    pub format: ImageFormat,
    /// Width as stored, before orientation, pixels.
    pub width: u32,
    /// Height as stored, before orientation, pixels.
    pub height: u32,
    /// Frames declared; 1 for a still image. In a GIF or an animated WebP the frames counted up to the end of the file, in a whole
    /// PNG those of the declared that are there.
    pub frames: u32,
    /// How the stored picture is turned, where metadata before the pixels says so, else upright.
    pub orientation: Orientation,
    /// What one stored pixel is made of.
    pub color: ColorModel,
    /// Whether samples are kept at 16 bits once decoded; otherwise at 8.
    pub sixteen_bit: bool,
    /// Whether the picture is stored in several passes (progressive, interlaced; of a JPEG XL in several frames, or with a colour
    /// profile), which takes more memory to decode.
    pub multi_pass: bool,
    /// What of it can be decoded in strips as it comes.
    pub streaming: Streaming,
    /// What is held of it unpacked beside the result while it is decoded, where the header tells, bytes.
    pub unpacked_bytes: u64,
    /// Whether pictures follow that are no frames: pages of a TIFF, and what a JPEG XL shows after its first.
    pub has_more_pages: bool,
    /// What its colour profile means. Only a whole file tells.
    pub profile: Profile,
}

/// What our own JPEG core can decode of a file; the general decoder of its format takes the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Streaming {
    /// Nothing: not a JPEG, or one that is progressive, of inks or of RGB.
    No,
    /// Nothing, and the general decoder gets it wrong: a JPEG of several scans that is not progressive, one whose components,
    /// inks too, are sampled in a rare way, or a progressive one with more rows of luma than of chroma but not more columns.
    Rare,
    /// Luma.
    Luma,
    /// Luma, and colour at a half of its size or less.
    Colour,
}

impl Streaming {
    /// Whether luma can be decoded in strips.
    pub(crate) const fn has_luma(self) -> bool {
        matches!(self, Self::Luma | Self::Colour)
    }
}

/// What one stored pixel is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColorModel {
    /// Gray alone.
    Gray,
    /// Gray and alpha.
    GrayAlpha,
    /// Red, green, blue.
    Rgb,
    /// Red, green, blue, alpha.
    Rgba,
    /// Luma and two chroma components; luma can be decoded alone.
    YCbCr,
    /// Four printing inks, as CMYK or YCCK.
    Cmyk {
        /// Whether 255 means no ink, as Adobe's programs store it.
        inverted: bool,
    },
}

impl ColorModel {
    /// Whether it has no colour.
    pub(crate) const fn is_gray(self) -> bool {
        matches!(self, Self::Gray | Self::GrayAlpha)
    }

    pub(crate) const fn has_alpha(self) -> bool {
        matches!(self, Self::GrayAlpha | Self::Rgba)
    }
}

impl Header {
    /// Checks width, height, frames and pixels against `limits`.
    ///
    /// # Errors
    /// [`EngineError::Limit`] with the limit and the value; [`EngineError::Corrupt`] for a picture without pixels.
    pub fn check(&self, limits: &Limits) -> Result<(), EngineError> {
        if self.width == 0 || self.height == 0 || self.frames == 0 {
            return Err(EngineError::Corrupt(format!(
                "the header declares an empty picture of {} x {} pixels and {} frames",
                self.width, self.height, self.frames
            )));
        }
        limits.check(LimitName::Width, self.width.into())?;
        limits.check(LimitName::Height, self.height.into())?;
        limits.check(LimitName::Frames, self.frames.into())?;
        limits.check(LimitName::Pixels, self.pixels().saturating_mul(self.frames.into()))?;
        Ok(())
    }

    /// Width x height of one frame, pixels.
    #[must_use]
    pub fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

/// A header of one upright 8-bit frame, for a walker to refine.
pub(super) fn still(format: ImageFormat, width: u32, height: u32, color: ColorModel) -> Result<Header, EngineError> {
    if width == 0 || height == 0 {
        return Err(EngineError::Corrupt(format!(
            "the header declares an empty picture of {width} x {height} pixels"
        )));
    }
    Ok(Header {
        format,
        width,
        height,
        frames: 1,
        orientation: Orientation::UPRIGHT,
        color,
        sixteen_bit: false,
        multi_pass: false,
        streaming: Streaming::No,
        unpacked_bytes: 0,
        has_more_pages: false,
        profile: Profile::Srgb,
    })
}
