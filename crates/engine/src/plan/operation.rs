//! The operations a plan is made of, with every number worked out, and how they change a picture's shape.

use std::fmt;

use pixmill_types::steps::Filter;
use pixmill_types::{ImageFormat, Metadata, WriteOptions};

use super::color::{ColorMatrix, Tone};
use crate::exif::Orientation;
use crate::pixels::{Channels, Shape};

/// One operation on pixels.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operation {
    /// Turns a picture stored in this orientation upright.
    Orient(Orientation),
    Grayscale,
    /// Sigma, pixels.
    Blur(f32),
    Resize(ResizePlan),
    /// Functions of one level, one after the other, as one table.
    Curve(Vec<Tone>),
    Matrix(ColorMatrix),
    /// From what the file's profile means to sRGB.
    ToSrgb,
}

/// A resize whose sides are worked out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ResizePlan {
    /// Sides of the result, pixels.
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// The part of the source that is used: its left upper corner and its sides, pixels of the source.
    pub(crate) source_left: f64,
    pub(crate) source_top: f64,
    pub(crate) source_width: f64,
    pub(crate) source_height: f64,
    pub(crate) filter: Filter,
}

impl ResizePlan {
    /// Makes it one of a source that was decoded so many times smaller.
    pub(super) fn shrink_source(&mut self, denominator: u32) {
        let denominator = f64::from(denominator);
        self.source_left /= denominator;
        self.source_top /= denominator;
        self.source_width /= denominator;
        self.source_height /= denominator;
    }
}

/// How one output is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EncodePlan {
    pub(crate) format: ImageFormat,
    /// 1 to 100; unused by lossless formats.
    pub(crate) quality: u8,
    /// How hard to try, on the format's own scale.
    pub(crate) effort: u8,
    pub(crate) options: WriteOptions,
    /// Whether the file's profile goes with the pixels.
    pub(crate) keeps_profile: bool,
    /// Kept in metadata when the recipe did not turn the picture.
    pub(crate) orientation: Orientation,
}

impl Operation {
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Orient(_) => "orient",
            Self::Grayscale => "grayscale",
            Self::Blur(_) => "blur",
            Self::Resize(_) => "resize",
            Self::Curve(_) => "curve",
            Self::Matrix(_) => "matrix",
            Self::ToSrgb => "to_srgb",
        }
    }

    /// The shape of what comes out when `shape` goes in.
    pub(crate) const fn shape_after(&self, shape: Shape) -> Shape {
        match self {
            Self::Orient(orientation) if orientation.swaps_sides() => shape.transposed(),
            Self::Orient(_) | Self::Blur(_) | Self::Curve(_) | Self::ToSrgb => shape,
            Self::Matrix(_) => Shape {
                channels: shape.channels.to_colored(),
                ..shape
            },
            Self::Grayscale => Shape {
                channels: shape.channels.to_gray(),
                ..shape
            },
            Self::Resize(resize) => Shape {
                width: resize.width,
                height: resize.height,
                ..shape
            },
        }
    }

    /// The same operation for a picture that is turned upright only after it; `None` when there is none.
    pub(super) fn before_turning(&self, orientation: Orientation) -> Option<Self> {
        match self {
            // Which pixel is nearest is decided from the left and from the top.
            Self::Resize(resize) if resize.filter == Filter::Nearest && orientation.mirrors() => None,
            Self::Resize(resize) if orientation.swaps_sides() => Some(Self::Resize(ResizePlan {
                width: resize.height,
                height: resize.width,
                source_left: resize.source_top,
                source_top: resize.source_left,
                source_width: resize.source_height,
                source_height: resize.source_width,
                filter: resize.filter,
            })),
            Self::Orient(_) => None,
            Self::Grayscale | Self::Blur(_) | Self::Resize(_) | Self::Curve(_) | Self::Matrix(_) | Self::ToSrgb => {
                Some(self.clone())
            }
        }
    }
}

impl EncodePlan {
    /// The shape the format can hold: what comes nearest to `shape`.
    pub(crate) const fn shape_written(&self, shape: Shape) -> Shape {
        use crate::pixels::Depth;
        match self.format {
            ImageFormat::Jpeg => Shape {
                channels: shape.channels.to_opaque(),
                depth: Depth::Eight,
                ..shape
            },
            ImageFormat::Png | ImageFormat::Tiff | ImageFormat::Ico | ImageFormat::Pnm => shape,
            // Gray as a palette; beside alpha as colour.
            ImageFormat::Bmp => Shape {
                channels: match shape.channels {
                    Channels::GrayAlpha => Channels::Rgba,
                    other => other,
                },
                depth: Depth::Eight,
                ..shape
            },
            ImageFormat::Webp | ImageFormat::Gif | ImageFormat::Qoi | ImageFormat::Avif => Shape {
                channels: shape.channels.to_colored(),
                depth: Depth::Eight,
                ..shape
            },
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Orient(orientation) => f.write_str(match orientation.as_exif() {
                2 => "mirror left to right",
                3 => "half turn",
                4 => "mirror top to bottom",
                5 => "mirror along the falling diagonal",
                6 => "quarter turn clockwise",
                7 => "mirror along the rising diagonal",
                8 => "quarter turn counter-clockwise",
                _ => "nothing to turn",
            }),
            Self::Grayscale => f.write_str("luma, BT.601"),
            Self::Blur(sigma) => write!(f, "Gaussian, sigma {sigma} px"),
            Self::Curve(tones) => {
                for (index, tone) in tones.iter().enumerate() {
                    write!(f, "{}{tone}", if index == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
            Self::Matrix(matrix) => write!(f, "{matrix}"),
            Self::ToSrgb => f.write_str("colour profile to sRGB"),
            Self::Resize(resize) => {
                let ResizePlan {
                    width,
                    height,
                    source_width,
                    source_height,
                    filter,
                    ..
                } = resize;
                let filter = match filter {
                    Filter::Lanczos3 => "Lanczos 3",
                    Filter::CatmullRom => "Catmull-Rom",
                    Filter::Bilinear => "bilinear",
                    Filter::Box => "box",
                    Filter::Nearest => "nearest",
                };
                write!(
                    f,
                    "the middle {source_width:.0} x {source_height:.0} to {width} x {height}, {filter}"
                )
            }
        }
    }
}

impl fmt::Display for EncodePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.format)?;
        match self.format {
            ImageFormat::Webp if self.options.lossless => write!(f, ", lossless, effort {}", self.effort)?,
            ImageFormat::Webp | ImageFormat::Avif => write!(f, ", quality {}, effort {}", self.quality, self.effort)?,
            ImageFormat::Jpeg => write!(f, ", quality {}", self.quality)?,
            ImageFormat::Gif => write!(f, ", at most {} colours", self.options.colors.unwrap_or(256))?,
            ImageFormat::Png
            | ImageFormat::Tiff
            | ImageFormat::Bmp
            | ImageFormat::Ico
            | ImageFormat::Qoi
            | ImageFormat::Pnm => {}
        }
        write!(f, "{}", Carried(self))
    }
}

/// What an output takes over beside pixels.
pub(super) struct Carried<'a>(pub(super) &'a EncodePlan);

impl fmt::Display for Carried<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(plan) = self;
        if plan.keeps_profile {
            f.write_str(", with the profile of the input")?;
        }
        match plan.options.metadata {
            Metadata::Strip => {}
            Metadata::Copyright => f.write_str(", with Artist and Copyright")?,
            Metadata::Keep => f.write_str(", with EXIF and XMP")?,
        }
        if plan.orientation != Orientation::UPRIGHT {
            write!(f, ", orientation {} kept in EXIF", plan.orientation.as_exif())?;
        }
        Ok(())
    }
}
