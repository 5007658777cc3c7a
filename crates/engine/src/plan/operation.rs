//! The operations a plan is made of, with every number worked out, and how they change a picture's shape.

use std::fmt;

use pixmill_types::steps::{EdgeOperator, Font, Normalise, Pixelate, RotateFilter, Sharpen, Text, Watermark};
use pixmill_types::{Color, ImageFormat, Length, Metadata, Subsampling, WriteOptions};

use super::color::{ColorMatrix, Tone};
use super::geometry::{Margins, PadPlan, ResizePlan, RotatePlan};
use super::lower::{Later, Underway};
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
    /// Cuts off what lies in the margins, which leave something.
    Crop(Margins),
    Pad(PadPlan),
    Rotate(RotatePlan),
    /// Lays what has alpha on an opaque colour.
    Flatten(Color),
    /// Rounds the corners by a radius, pixels.
    Round(f64),
    /// Cuts a part of these sides out of where it draws the eye.
    Attention {
        width: u32,
        height: u32,
    },
    Trim(TrimPlan),
    Sharpen(Sharpen),
    Pixelate(PixelatePlan),
    /// Radius, pixels.
    Median(u32),
    /// Of a gray picture.
    Edge(EdgeOperator),
    Normalise(Normalise),
    Watermark(Watermark),
    Text(Text),
}

/// Squares of one colour, and from which corner they are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PixelatePlan {
    /// Side of a square, pixels.
    pub(crate) size: u32,
    pub(crate) from_right: bool,
    pub(crate) from_bottom: bool,
}

/// A trim, after which alone it is known how large the picture is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TrimPlan {
    /// Levels of 255.
    pub(crate) tolerance: u32,
    /// What the operations behind it in the plan stand for.
    pub(crate) later: Later,
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

/// Facts about a picture: what is looked at may be smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InfoPlan {
    /// Width and height of the picture; `None` when only trimming it tells.
    pub(crate) sides: Option<(u32, u32)>,
}

impl EncodePlan {
    /// Whether the file loses more of the picture than small differences in how it was made smaller.
    pub(super) const fn is_coarse(&self) -> bool {
        /// From this quality on somebody wants every detail.
        const FINE: u8 = 90;
        match self.format {
            ImageFormat::Jpeg | ImageFormat::Avif => self.quality < FINE,
            ImageFormat::Webp => self.quality < FINE && !self.options.lossless,
            _ => false,
        }
    }
}

impl InfoPlan {
    pub(super) fn of(picture: &Underway) -> Self {
        let Shape { width, height, .. } = picture.shape;
        Self {
            sides: (!picture.is_bound).then_some((width, height)),
        }
    }
}

impl PixelatePlan {
    pub(super) const fn of(step: &Pixelate) -> Self {
        Self {
            size: step.size,
            from_right: false,
            from_bottom: false,
        }
    }

    /// The same squares on the picture before it is turned upright.
    fn before_turning(self, orientation: Orientation) -> Self {
        let (swaps, keeps_x, keeps_y) = orientation.axes();
        // A mirrored axis begins at its other end.
        let from_far_x = self.from_right == keeps_x;
        let from_far_y = self.from_bottom == keeps_y;
        let (from_right, from_bottom) = if swaps {
            (from_far_y, from_far_x)
        } else {
            (from_far_x, from_far_y)
        };
        Self {
            from_right,
            from_bottom,
            ..self
        }
    }
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
            Self::Crop(_) => "crop",
            Self::Pad(_) => "pad",
            Self::Rotate(_) => "rotate",
            Self::Flatten(_) => "flatten",
            Self::Round(_) => "round",
            Self::Attention { .. } => "attention",
            Self::Trim(_) => "trim",
            Self::Sharpen(_) => "sharpen",
            Self::Pixelate(_) => "pixelate",
            Self::Median(_) => "median",
            Self::Edge(_) => "edge",
            Self::Normalise(_) => "normalise",
            Self::Watermark(_) => "watermark",
            Self::Text(_) => "text",
        }
    }

    /// The shape of what comes out when `shape` goes in; of a trim the largest that may.
    pub(crate) fn shape_after(&self, shape: Shape) -> Shape {
        match self {
            Self::Orient(orientation) if orientation.swaps_sides() => shape.transposed(),
            Self::Orient(_) | Self::Blur(_) | Self::Curve(_) | Self::ToSrgb | Self::Trim(_) => shape,
            Self::Sharpen(_) | Self::Pixelate(_) | Self::Median(_) | Self::Edge(_) | Self::Normalise(_) => shape,
            Self::Matrix(_) | Self::Watermark(_) => Shape {
                channels: shape.channels.to_colored(),
                ..shape
            },
            Self::Text(step) if step.is_gray() => shape,
            Self::Text(_) => Shape {
                channels: shape.channels.to_colored(),
                ..shape
            },
            Self::Grayscale => Shape {
                channels: shape.channels.to_gray(),
                ..shape
            },
            Self::Resize(ResizePlan { width, height, .. }) | Self::Attention { width, height } => Shape {
                width: *width,
                height: *height,
                ..shape
            },
            Self::Crop(margins) => margins.cut_off(shape),
            Self::Pad(pad) => Shape {
                channels: shape.channels.holding(pad.background),
                ..pad.margins.added_to(shape)
            },
            Self::Rotate(rotate) => Shape {
                width: rotate.width,
                height: rotate.height,
                channels: shape.channels.holding(rotate.background),
                ..shape
            },
            Self::Flatten(color) => Shape {
                channels: shape.channels.to_opaque().holding(*color),
                ..shape
            },
            Self::Round(_) => Shape {
                channels: shape.channels.to_transparent(),
                ..shape
            },
        }
    }

    /// Whether it may give another picture than one of shape `shape` that goes in.
    pub(super) fn changes(&self, shape: Shape) -> bool {
        match self {
            Self::Pad(pad) => pad.margins != Margins::NONE || self.shape_after(shape) != shape,
            Self::Crop(margins) => *margins != Margins::NONE,
            Self::Flatten(_) => shape.channels.has_alpha(),
            Self::Attention { width, height } => (*width, *height) != (shape.width, shape.height),
            Self::Orient(_)
            | Self::Grayscale
            | Self::Blur(_)
            | Self::Resize(_)
            | Self::Curve(_)
            | Self::Matrix(_)
            | Self::ToSrgb
            | Self::Rotate(_)
            | Self::Round(_)
            | Self::Sharpen(_)
            | Self::Pixelate(_)
            | Self::Median(_)
            | Self::Edge(_)
            | Self::Normalise(_)
            | Self::Watermark(_)
            | Self::Text(_)
            | Self::Trim(_) => true,
        }
    }

    /// The same operation for a picture that is turned upright only after it; `None` when there is none.
    pub(super) fn before_turning(&self, orientation: Orientation) -> Option<Self> {
        match self {
            Self::Resize(resize) => resize.before_turning(orientation).map(Self::Resize),
            Self::Crop(margins) => Some(Self::Crop(margins.before_turning(orientation))),
            Self::Pad(pad) => Some(Self::Pad(PadPlan {
                margins: pad.margins.before_turning(orientation),
                ..*pad
            })),
            // Two that look at pixels in an order, and one that would turn the other way in a mirror.
            // And two that have a right way up of their own.
            Self::Orient(_)
            | Self::Rotate(_)
            | Self::Attention { .. }
            | Self::Trim(_)
            | Self::Watermark(_)
            | Self::Text(_) => None,
            Self::Grayscale
            | Self::Blur(_)
            | Self::Curve(_)
            | Self::Matrix(_)
            | Self::Flatten(_)
            | Self::Round(_)
            | Self::ToSrgb => Some(self.clone()),
            Self::Pixelate(plan) => Some(Self::Pixelate(plan.before_turning(orientation))),
            // Each treats every direction alike.
            Self::Sharpen(_) | Self::Median(_) | Self::Edge(_) | Self::Normalise(_) => Some(self.clone()),
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
            // 16 bits become 10.
            ImageFormat::Png
            | ImageFormat::Tiff
            | ImageFormat::Avif
            | ImageFormat::Ico
            | ImageFormat::Pnm
            | ImageFormat::Jxl => shape,
            // Gray as a palette; beside alpha as colour.
            ImageFormat::Bmp => Shape {
                channels: match shape.channels {
                    Channels::GrayAlpha => Channels::Rgba,
                    other => other,
                },
                depth: Depth::Eight,
                ..shape
            },
            ImageFormat::Webp | ImageFormat::Gif | ImageFormat::Qoi => Shape {
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
            Self::Resize(resize) => resize.fmt(f),
            Self::Crop(Margins {
                left,
                top,
                right,
                bottom,
            }) => write!(
                f,
                "{left} px off the left, {top} above, {right} off the right, {bottom} below"
            ),
            Self::Pad(PadPlan { margins, background }) => {
                let Margins {
                    left,
                    top,
                    right,
                    bottom,
                } = margins;
                write!(
                    f,
                    "{left} px on the left, {top} above, {right} on the right, {bottom} below, {background}"
                )
            }
            Self::Sharpen(step) => {
                write!(f, "unsharp mask, sigma {} px, amount {}", step.sigma, step.amount)?;
                match step.threshold {
                    0 => Ok(()),
                    threshold => write!(f, ", above {threshold} of 255"),
                }
            }
            Self::Pixelate(plan) => write!(f, "squares of {} px", plan.size),
            Self::Median(radius) => write!(f, "squares of {} px", 2 * radius + 1),
            Self::Edge(operator) => f.write_str(match operator {
                EdgeOperator::Sobel => "Sobel, a quarter of the gradient",
                EdgeOperator::Laplacian => "Laplacian of 8 neighbours",
            }),
            Self::Watermark(step) => {
                write!(f, "{}, {}, opacity {}", step.image, step.gravity, step.opacity)?;
                match step.scale {
                    Some(scale) => write!(f, ", {scale} % wide")?,
                    None => f.write_str(", as large as it is")?,
                }
                f.write_str(if step.tile { ", repeated" } else { "" })
            }
            Self::Text(step) => text_plan(step, f),
            Self::Normalise(step) => write!(f, "luma, without {} % dark and {} % light", step.low, step.high),
            Self::Rotate(rotate) => {
                let filter = match rotate.filter {
                    RotateFilter::Bilinear => "bilinear",
                    RotateFilter::CatmullRom => "Catmull-Rom",
                };
                write!(
                    f,
                    "{} degrees clockwise on {}, {filter}",
                    rotate.angle, rotate.background
                )
            }
            Self::Flatten(color) => write!(f, "on {color}"),
            Self::Round(radius) => write!(f, "corners by {radius:.1} px"),
            Self::Attention { width, height } => write!(f, "the {width} x {height} that draw the eye"),
            Self::Trim(trim) => write!(
                f,
                "the colour of the corner, {} levels of tolerance; sizes from here on are the largest there may be without enlarging",
                trim.tolerance
            ),
        }
    }
}

fn text_plan(step: &Text, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    /// Enough of a text to know it by, characters.
    const SHOWN: usize = 24;
    let shown: String = step.text.as_str().chars().take(SHOWN).collect();
    let is_cut = shown.len() < step.text.as_str().len();
    write!(f, "{shown:?}{}", if is_cut { " and more" } else { "" })?;
    match step.size {
        Length::Pixels(pixels) => write!(f, ", {pixels} px")?,
        Length::Percent(percent) => write!(f, ", {percent} % of the shorter side")?,
    }
    match step.font {
        Font::Sans => {}
        Font::SansBold => f.write_str(", bold")?,
        Font::Asset(name) => write!(f, ", {name}")?,
    }
    write!(f, ", {}, opacity {}", step.gravity, step.opacity)?;
    if step.angle != 0.0 {
        write!(f, ", {} degrees clockwise", step.angle)?;
    }
    f.write_str(if step.tile { ", repeated" } else { "" })
}

impl fmt::Display for InfoPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("json: colours, BlurHash, ThumbHash and perceptual hash")?;
        match self.sides {
            Some((width, height)) => write!(f, " of {width} x {height}"),
            None => Ok(()),
        }
    }
}

impl EncodePlan {
    /// How a JPEG or AVIF of colour stores chroma.
    pub(crate) fn subsampling(&self) -> Subsampling {
        /// From this quality on, chroma is kept at full size unless the recipe says otherwise.
        const FULL_CHROMA_QUALITY: u8 = 90;
        self.options
            .subsampling
            .unwrap_or(if self.quality < FULL_CHROMA_QUALITY {
                Subsampling::Half
            } else {
                Subsampling::None
            })
    }

    /// Whether a JPEG can be written only once all of its blocks are there.
    pub(crate) const fn needs_all_blocks(&self) -> bool {
        self.options.progressive || self.options.optimize
    }
}

impl fmt::Display for EncodePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.format)?;
        match self.format {
            ImageFormat::Webp if self.options.lossless => write!(f, ", lossless, effort {}", self.effort)?,
            ImageFormat::Webp | ImageFormat::Avif => write!(f, ", quality {}, effort {}", self.quality, self.effort)?,
            ImageFormat::Jpeg => {
                write!(f, ", quality {}", self.quality)?;
                match (self.options.progressive, self.options.optimize) {
                    (true, _) => f.write_str(", progressive")?,
                    (false, true) => f.write_str(", with the Huffman tables that fit best")?,
                    (false, false) => {}
                }
            }
            ImageFormat::Gif => write!(f, ", at most {} colours", self.options.colors.unwrap_or(256))?,
            ImageFormat::Png
            | ImageFormat::Tiff
            | ImageFormat::Bmp
            | ImageFormat::Ico
            | ImageFormat::Qoi
            | ImageFormat::Pnm
            | ImageFormat::Jxl => {}
        }
        match self.options.subsampling {
            Some(Subsampling::Half) => f.write_str(", 4:2:0")?,
            Some(Subsampling::None) => f.write_str(", 4:4:4")?,
            None => {}
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
