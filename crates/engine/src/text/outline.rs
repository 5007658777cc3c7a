//! Outlines of letters as straight lines.

use harfrust::font::glyph::outline::{DrawMemory, DrawOptions, PathSink};

use super::face::Face;
use super::geometry::Geometry;
use super::shaping::Glyph;

/// How far straight lines may lie beside the curve they stand for, pixels.
const TOLERANCE: f32 = 0.05;
/// Straight lines that stand for one curve, at the most.
const MOST_PIECES: f32 = 64.0;

/// From a place to another, pixels to the right and down: x, y, x, y.
pub(super) type Segment = [f32; 4];

/// Closed lines around what is inside, beside the place where a letter stands.
#[derive(Debug, Default)]
pub(super) struct Outline {
    pub(super) segments: Vec<Segment>,
}

/// The least and the greatest coordinates, pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

impl Bounds {
    pub(super) const NOTHING: Self = Self {
        left: f64::INFINITY,
        top: f64::INFINITY,
        right: f64::NEG_INFINITY,
        bottom: f64::NEG_INFINITY,
    };

    pub(super) fn with(self, (x, y): (f64, f64)) -> Self {
        Self {
            left: self.left.min(x),
            top: self.top.min(y),
            right: self.right.max(x),
            bottom: self.bottom.max(y),
        }
    }

    pub(super) fn of(segments: &[Segment]) -> Self {
        segments.iter().fold(Self::NOTHING, |bounds, [x, y, ..]| {
            bounds.with((f64::from(*x), f64::from(*y)))
        })
    }

    pub(super) fn moved(self, (x, y): (f64, f64)) -> Self {
        Self {
            left: self.left + x,
            top: self.top + y,
            right: self.right + x,
            bottom: self.bottom + y,
        }
    }

    pub(super) fn around(self, other: Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }

    pub(super) fn widened(self, by: f64) -> Self {
        Self {
            left: self.left - by,
            top: self.top - by,
            right: self.right + by,
            bottom: self.bottom + by,
        }
    }
}

impl Outline {
    /// Around a polygon.
    pub(super) fn polygon(corners: &[(f64, f64)]) -> Self {
        let next = corners.iter().cycle().skip(1);
        let segments = corners.iter().zip(next);
        Self {
            segments: segments
                .map(|(from, to)| [from.0 as f32, from.1 as f32, to.0 as f32, to.1 as f32])
                .collect(),
        }
    }

    /// The outline of a letter as large as it will be, and turned; nothing for one that shows nothing. A letter that its
    /// font describes wrongly shows as much as can be understood.
    pub(super) fn of(glyph: Glyph, face: &Face, geometry: &Geometry) -> Self {
        let mut flattened = Flattened {
            geometry,
            scale: geometry.size * f64::from(face.ems(1)),
            segments: Vec::new(),
            start: (0.0, 0.0),
            at: (0.0, 0.0),
        };
        if let Some(outline) = face.font().outline_glyphs().get(glyph.id) {
            // What was drawn before an error is kept.
            let _ = outline.draw(&DrawOptions::new(), DrawMemory::Scratch, &mut flattened);
        }
        flattened.close();
        Self {
            segments: flattened.segments,
        }
    }
}

type Point = (f32, f32);

/// Takes curves in the font's units, up and to the right, and makes straight lines of them.
struct Flattened<'a> {
    geometry: &'a Geometry,
    /// Pixels a unit.
    scale: f64,
    segments: Vec<Segment>,
    /// Where the closed line began, and where it has come to.
    start: Point,
    at: Point,
}

impl Flattened<'_> {
    fn point(&self, x: f32, y: f32) -> Point {
        let (x, y) = (f64::from(x) * self.scale, -f64::from(y) * self.scale);
        let (x, y) = self.geometry.turned((x, y));
        (x as f32, y as f32)
    }

    fn line(&mut self, to: Point) {
        if to != self.at {
            self.segments.push([self.at.0, self.at.1, to.0, to.1]);
        }
        self.at = to;
    }

    /// Follows a curve to `to` whose second derivative is nowhere greater than `bend`.
    fn curve(&mut self, bend: f32, to: Point, place: impl Fn(f32) -> Point) {
        // A chord over a step h lies at most h² / 8 times the second derivative beside the curve.
        let pieces = (bend / (8.0 * TOLERANCE)).sqrt().ceil().clamp(1.0, MOST_PIECES);
        for piece in 1..pieces as u32 {
            self.line(place(piece as f32 / pieces));
        }
        self.line(to);
    }
}

/// The length of `a - 2 b + c`.
fn bend(a: Point, b: Point, c: Point) -> f32 {
    (a.0 - 2.0 * b.0 + c.0).hypot(a.1 - 2.0 * b.1 + c.1)
}

fn mixed(points: &[(Point, f32)]) -> Point {
    points.iter().fold((0.0, 0.0), |sum, (point, weight)| {
        (sum.0 + point.0 * weight, sum.1 + point.1 * weight)
    })
}

impl PathSink for Flattened<'_> {
    fn move_to(&mut self, x: f32, y: f32) {
        self.close();
        self.start = self.point(x, y);
        self.at = self.start;
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let to = self.point(x, y);
        self.line(to);
    }

    fn quad_to(&mut self, cx0: f32, cy0: f32, x: f32, y: f32) {
        let (from, control, to) = (self.at, self.point(cx0, cy0), self.point(x, y));
        self.curve(2.0 * bend(from, control, to), to, |t| {
            let u = 1.0 - t;
            mixed(&[(from, u * u), (control, 2.0 * u * t), (to, t * t)])
        });
    }

    fn curve_to(&mut self, cx0: f32, cy0: f32, cx1: f32, cy1: f32, x: f32, y: f32) {
        let (from, to) = (self.at, self.point(x, y));
        let (first, second) = (self.point(cx0, cy0), self.point(cx1, cy1));
        let most = bend(from, first, second).max(bend(first, second, to));
        self.curve(6.0 * most, to, |t| {
            let u = 1.0 - t;
            mixed(&[
                (from, u * u * u),
                (first, 3.0 * u * u * t),
                (second, 3.0 * u * t * t),
                (to, t * t * t),
            ])
        });
    }

    fn close(&mut self) {
        self.line(self.start);
    }
}
