//! The numbers of operations that change where pixels lie: margins, windows, turned sides.

use pixmill_types::Color;
use pixmill_types::steps::{Filter, RotateFilter};

use crate::exif::Orientation;
use crate::pixels::Shape;

/// Pixels on each side of a picture, to be cut off or added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Margins {
    pub(crate) left: u32,
    pub(crate) top: u32,
    pub(crate) right: u32,
    pub(crate) bottom: u32,
}

/// A border of one colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PadPlan {
    pub(crate) margins: Margins,
    pub(crate) background: Color,
}

/// A turn by an angle that is no right one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RotatePlan {
    /// Clockwise, degrees.
    pub(crate) angle: f64,
    pub(crate) filter: RotateFilter,
    pub(crate) background: Color,
    /// Sides of the result, pixels.
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// A resize whose sides are worked out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ResizePlan {
    /// Sides of the result, pixels.
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) source: Window,
    pub(crate) filter: Filter,
    /// Whether light is mixed, not levels.
    pub(crate) linear: bool,
}

/// The part of a picture that a resize uses, pixels of the picture. Beyond it the filter still sees what is there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Window {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
    /// Sides of the picture.
    pub(crate) whole: (f64, f64),
}

impl Margins {
    pub(crate) const NONE: Self = Self {
        left: 0,
        top: 0,
        right: 0,
        bottom: 0,
    };

    /// These of the picture before it is turned upright from `orientation`.
    pub(super) const fn before_turning(self, orientation: Orientation) -> Self {
        let (swaps, keeps_x, keeps_y) = orientation.axes();
        let beside = if keeps_x {
            (self.left, self.right)
        } else {
            (self.right, self.left)
        };
        let over = if keeps_y {
            (self.top, self.bottom)
        } else {
            (self.bottom, self.top)
        };
        let (beside, over) = if swaps { (over, beside) } else { (beside, over) };
        Self {
            left: beside.0,
            top: over.0,
            right: beside.1,
            bottom: over.1,
        }
    }

    /// Side by side with those of another.
    pub(crate) fn zip(self, other: Self, combine: impl Fn(u32, u32) -> u32) -> Self {
        Self {
            left: combine(self.left, other.left),
            top: combine(self.top, other.top),
            right: combine(self.right, other.right),
            bottom: combine(self.bottom, other.bottom),
        }
    }

    /// The same on every side.
    pub(super) const fn all(pixels: u32) -> Self {
        Self {
            left: pixels,
            top: pixels,
            right: pixels,
            bottom: pixels,
        }
    }

    /// What is left of `shape` without them; not less than nothing.
    pub(crate) const fn cut_off(self, shape: Shape) -> Shape {
        Shape {
            width: shape.width.saturating_sub(self.left).saturating_sub(self.right),
            height: shape.height.saturating_sub(self.top).saturating_sub(self.bottom),
            ..shape
        }
    }

    /// `shape` with them.
    pub(crate) const fn added_to(self, shape: Shape) -> Shape {
        Shape {
            width: shape.width.saturating_add(self.left).saturating_add(self.right),
            height: shape.height.saturating_add(self.top).saturating_add(self.bottom),
            ..shape
        }
    }
}

impl RotatePlan {
    /// The smallest sides that hold a picture of `shape` once it is turned, pixels.
    pub(super) fn sides(shape: Shape, angle: f64) -> (u32, u32) {
        /// A side that is longer by less is a rounding.
        const ROUNDING: f64 = 1e-6;
        let (sin, cos) = angle.to_radians().sin_cos();
        let (width, height) = (f64::from(shape.width), f64::from(shape.height));
        let side =
            |along: f64, across: f64| ((along * cos.abs() + across * sin.abs()) - ROUNDING).ceil().max(1.0) as u32;
        (side(width, height), side(height, width))
    }
}

impl ResizePlan {
    /// All of a picture to other sides.
    pub(crate) fn whole(from: Shape, (width, height): (u32, u32), filter: Filter) -> Self {
        Self {
            width,
            height,
            source: Window::whole(from.width, from.height),
            filter,
            linear: false,
        }
    }

    /// Makes it one of a source that was decoded so many times smaller.
    pub(super) fn shrink_source(&mut self, denominator: u32) {
        let part = 1.0 / f64::from(denominator);
        self.source = self.source.scaled(part, part);
    }

    /// Whether it neither takes pixels as they are nor cuts between them sharply: then a rounding of where they lie changes
    /// nothing that can be seen.
    pub(super) const fn is_smooth(&self) -> bool {
        !matches!(self.filter, Filter::Nearest | Filter::Box)
    }

    /// Whether its result is all of the picture, and smaller.
    pub(super) fn shows_all_smaller(&self) -> bool {
        self.source.is_whole() && self.area() < self.source.area()
    }

    /// Pixels of the result.
    pub(super) fn area(&self) -> f64 {
        f64::from(self.width) * f64::from(self.height)
    }

    /// The same for a picture that is turned upright only after it; `None` when there is none.
    pub(super) fn before_turning(self, orientation: Orientation) -> Option<Self> {
        // Which pixel is nearest, and to which of two boxes one belongs, is decided from the left and from the top.
        if !self.is_smooth() && orientation.mirrors() {
            return None;
        }
        let (width, height) = if orientation.swaps_sides() {
            (self.height, self.width)
        } else {
            (self.width, self.height)
        };
        Some(Self {
            width,
            height,
            source: self.source.before_turning(orientation),
            ..self
        })
    }

    /// Makes of the result only what is left without `margins`, which leave something.
    pub(super) fn without(self, margins: Margins) -> Self {
        let scale_x = self.source.width / f64::from(self.width);
        let scale_y = self.source.height / f64::from(self.height);
        let (width, height) = (
            self.width - margins.left - margins.right,
            self.height - margins.top - margins.bottom,
        );
        Self {
            width,
            height,
            source: Window {
                left: self.source.left + f64::from(margins.left) * scale_x,
                top: self.source.top + f64::from(margins.top) * scale_y,
                width: f64::from(width) * scale_x,
                height: f64::from(height) * scale_y,
                ..self.source
            },
            ..self
        }
    }
}

impl Window {
    /// All of a picture of these sides.
    pub(super) fn whole(width: u32, height: u32) -> Self {
        let whole = (f64::from(width), f64::from(height));
        Self {
            left: 0.0,
            top: 0.0,
            width: whole.0,
            height: whole.1,
            whole,
        }
    }

    fn is_whole(self) -> bool {
        (self.width, self.height) == self.whole
    }

    pub(super) fn area(self) -> f64 {
        self.width * self.height
    }

    /// The same part of a picture of other sides.
    pub(super) fn scaled_to(self, whole: (f64, f64)) -> Self {
        let scaled = self.scaled(whole.0 / self.whole.0, whole.1 / self.whole.1);
        // But for roundings.
        if self.is_whole() {
            return Self {
                width: whole.0,
                height: whole.1,
                whole,
                ..scaled
            };
        }
        Self { whole, ..scaled }
    }

    fn scaled(self, across: f64, down: f64) -> Self {
        Self {
            left: self.left * across,
            top: self.top * down,
            width: self.width * across,
            height: self.height * down,
            whole: (self.whole.0 * across, self.whole.1 * down),
        }
    }

    fn before_turning(self, orientation: Orientation) -> Self {
        let (swaps, keeps_x, keeps_y) = orientation.axes();
        let left = if keeps_x {
            self.left
        } else {
            self.whole.0 - self.left - self.width
        };
        let top = if keeps_y {
            self.top
        } else {
            self.whole.1 - self.top - self.height
        };
        let kept = Self { left, top, ..self };
        if !swaps {
            return kept;
        }
        Self {
            left: top,
            top: left,
            width: self.height,
            height: self.width,
            whole: (self.whole.1, self.whole.0),
        }
    }
}

impl std::fmt::Display for ResizePlan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Window {
            left,
            top,
            width,
            height,
            ..
        } = self.source;
        write!(f, "{width:.0} x {height:.0}")?;
        if !self.source.is_whole() {
            write!(f, " from {left:.0}, {top:.0}")?;
        }
        let filter = match self.filter {
            Filter::Lanczos3 => "Lanczos 3",
            Filter::CatmullRom => "Catmull-Rom",
            Filter::Bilinear => "bilinear",
            Filter::Box => "box",
            Filter::Nearest => "nearest",
        };
        write!(f, " to {} x {}, {filter}", self.width, self.height)?;
        f.write_str(if self.linear { ", of light" } else { "" })
    }
}
