//! The shape of a pixel buffer: sides, channels, depth. Known before any pixel is.

use std::fmt;

use pixmill_types::Color;

/// What one pixel is made of, in the order in memory. Alpha is never premultiplied between stages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Channels {
    Gray,
    GrayAlpha,
    Rgb,
    Rgba,
}

impl Channels {
    /// Samples in a pixel.
    pub(crate) const fn count(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::GrayAlpha => 2,
            Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }

    pub(crate) const fn has_alpha(self) -> bool {
        matches!(self, Self::GrayAlpha | Self::Rgba)
    }

    pub(crate) const fn is_gray(self) -> bool {
        matches!(self, Self::Gray | Self::GrayAlpha)
    }

    /// The same without colour.
    pub(crate) const fn to_gray(self) -> Self {
        match self {
            Self::Gray | Self::Rgb => Self::Gray,
            Self::GrayAlpha | Self::Rgba => Self::GrayAlpha,
        }
    }

    /// The same with colour.
    pub(crate) const fn to_colored(self) -> Self {
        match self {
            Self::Gray | Self::Rgb => Self::Rgb,
            Self::GrayAlpha | Self::Rgba => Self::Rgba,
        }
    }

    /// The same without alpha.
    pub(crate) const fn to_opaque(self) -> Self {
        match self {
            Self::Gray | Self::GrayAlpha => Self::Gray,
            Self::Rgb | Self::Rgba => Self::Rgb,
        }
    }

    /// The same with alpha.
    pub(crate) const fn to_transparent(self) -> Self {
        match self {
            Self::Gray | Self::GrayAlpha => Self::GrayAlpha,
            Self::Rgb | Self::Rgba => Self::Rgba,
        }
    }

    /// The same with what `color` needs.
    pub(crate) const fn holding(self, color: Color) -> Self {
        let colored = if color.is_gray() { self } else { self.to_colored() };
        if color.is_opaque() {
            colored
        } else {
            colored.to_transparent()
        }
    }
}

impl fmt::Display for Channels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gray => "gray",
            Self::GrayAlpha => "gray and alpha",
            Self::Rgb => "RGB",
            Self::Rgba => "RGB and alpha",
        })
    }
}

/// Bits of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    Eight,
    Sixteen,
}

impl Depth {
    pub(crate) const fn bytes(self) -> usize {
        match self {
            Self::Eight => 1,
            Self::Sixteen => 2,
        }
    }

    pub(crate) const fn bits(self) -> u8 {
        match self {
            Self::Eight => 8,
            Self::Sixteen => 16,
        }
    }
}

/// Sides, channels and depth of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Pixels.
    pub(crate) width: u32,
    /// Pixels.
    pub(crate) height: u32,
    pub(crate) channels: Channels,
    pub(crate) depth: Depth,
}

impl Shape {
    pub(crate) fn pixels(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// Samples in the picture.
    pub(crate) fn samples(self) -> u64 {
        self.pixels().saturating_mul(self.channels.count() as u64)
    }

    /// Size of the picture in memory, bytes.
    pub(crate) fn bytes(self) -> u64 {
        self.samples().saturating_mul(self.depth.bytes() as u64)
    }

    pub(crate) const fn transposed(self) -> Self {
        Self {
            width: self.height,
            height: self.width,
            ..self
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            width,
            height,
            channels,
            depth,
        } = self;
        write!(f, "{width} x {height}, {channels}, {} bit", depth.bits())
    }
}
