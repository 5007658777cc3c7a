//! The letters of a text where they stand in the picture, and what they cover.

use std::collections::HashMap;

use pixmill_types::steps::{Align, Text};

use super::coverage::{Mask, Rasteriser, Region};
use super::face::Faces;
use super::geometry::Geometry;
use super::layout::Line;
use super::outline::{Bounds, Outline};
use super::{blank, shaping::Glyph};
use crate::EngineError;
use crate::mill::Control;

/// Straight lines that the letters of a text have together, those that come again aside; some hundred a letter is usual.
const MOST_SEGMENTS: usize = 1 << 20;

/// Letters and the box behind them.
pub(super) struct Letters {
    outlines: Vec<Outline>,
    /// Which outline, and where it stands in the picture.
    places: Vec<(usize, (f64, f64))>,
    /// The corners of the text with all that belongs to it.
    corners: [(f64, f64); 4],
    region: Region,
    picture: Bounds,
    line_width: f64,
}

impl Letters {
    /// Sets the lines; `None` when the letters have more details than those of a sane font.
    ///
    /// # Errors
    /// [`EngineError::Stopped`] when `control` says so.
    pub(super) fn new(
        lines: &[Line],
        faces: &Faces,
        step: &Text,
        geometry: &Geometry,
        control: &dyn Control,
    ) -> Result<Option<Self>, EngineError> {
        let block = Block::new(lines, faces, step, geometry);
        let Some((outlines, glyphs)) = outlines(lines, faces, geometry, control)? else {
            return Ok(None);
        };
        let mut places: Vec<(usize, (f64, f64))> = glyphs
            .into_iter()
            .map(|(line, glyph, outline)| (outline, block.place(line, &lines[line], &glyph)))
            .collect();
        let mut corners = block.corners();
        let ink = places.iter().fold(Bounds::NOTHING, |ink, (outline, at)| {
            ink.around(Bounds::of(&outlines[*outline].segments).moved(*at))
        });
        let mut touched = ink.widened(geometry.reach());
        if step.tile || step.background.alpha > 0 {
            touched = corners.into_iter().fold(touched, Bounds::with);
        }
        if step.tile && touched.left.is_finite() && touched.top.is_finite() {
            // What is repeated begins in the corner.
            let (x, y) = (-touched.left.floor(), -touched.top.floor());
            let moved = |at: &mut (f64, f64)| *at = (at.0 + x, at.1 + y);
            places.iter_mut().map(|(_, at)| at).for_each(moved);
            corners.iter_mut().for_each(moved);
            touched = touched.moved((x, y));
        }
        let picture = Bounds {
            left: 0.0,
            top: 0.0,
            right: geometry.width,
            bottom: geometry.height,
        };
        Ok(Some(Self {
            outlines,
            places,
            corners,
            region: Region::of(touched, picture.widened(geometry.reach())),
            picture,
            line_width: geometry.line_width,
        }))
    }

    /// The pixels that it may touch, some of which may lie beyond the picture; none when there are none.
    pub(super) fn region(&self) -> Option<Region> {
        (self.region.pixels() > 0).then_some(self.region)
    }

    /// The part of the region that lies in the picture.
    pub(super) fn seen(&self, region: Region) -> Region {
        let bounds = Bounds {
            left: region.left as f64,
            top: region.top as f64,
            right: (region.left + i64::from(region.width)) as f64,
            bottom: (region.top + i64::from(region.height)) as f64,
        };
        Region::of(bounds, self.picture)
    }

    /// How far the line around the letters reaches, pixels.
    pub(super) fn line_width(&self) -> f64 {
        self.line_width
    }

    /// What the letters cover.
    pub(super) fn fill(&self, region: Region, control: &dyn Control) -> Result<Mask, EngineError> {
        let mut rasteriser = Rasteriser::new(blank(region)?, region, control);
        for (outline, at) in &self.places {
            rasteriser.add(&self.outlines[*outline].segments, *at)?;
            if control.should_stop() {
                return Err(EngineError::Stopped);
            }
        }
        Ok(rasteriser.finish())
    }

    /// What the box behind the text covers.
    pub(super) fn background(&self, region: Region, control: &dyn Control) -> Result<Mask, EngineError> {
        let mut rasteriser = Rasteriser::new(blank(region)?, region, control);
        rasteriser.add(&Outline::polygon(&self.corners).segments, (0.0, 0.0))?;
        Ok(rasteriser.finish())
    }
}

/// A glyph, the line it stands in, and which outline it has.
type Drawn = (usize, Glyph, usize);
/// Outlines, and the letters that have them.
type Set = (Vec<Outline>, Vec<Drawn>);

/// The outlines of all letters, each once, and which letter has which.
fn outlines(
    lines: &[Line],
    faces: &Faces,
    geometry: &Geometry,
    control: &dyn Control,
) -> Result<Option<Set>, EngineError> {
    let mut outlines: Vec<Outline> = Vec::new();
    let mut known = HashMap::new();
    let mut drawn = Vec::new();
    let mut segments = 0;
    for (number, line) in lines.iter().enumerate() {
        for glyph in &line.glyphs {
            let outline = match known.get(&(glyph.face, glyph.id)) {
                Some(outline) => *outline,
                None => {
                    if control.should_stop() {
                        return Err(EngineError::Stopped);
                    }
                    let outline = Outline::of(*glyph, faces.get(glyph.face), geometry);
                    segments += outline.segments.len();
                    if segments > MOST_SEGMENTS {
                        return Ok(None);
                    }
                    known.insert((glyph.face, glyph.id), outlines.len());
                    outlines.push(outline);
                    outlines.len() - 1
                }
            };
            drawn.push((number, *glyph, outline));
        }
    }
    Ok(Some((outlines, drawn)))
}

/// The text as a rectangle about its middle, before it is turned.
struct Block<'a> {
    geometry: &'a Geometry,
    align: Align,
    /// With all that belongs to it, pixels.
    width: f64,
    height: f64,
    /// From its upper side to where the first line stands, pixels.
    first: f64,
    /// Where its middle lies in the picture.
    middle: (f64, f64),
}

impl<'a> Block<'a> {
    fn new(lines: &[Line], faces: &Faces, step: &Text, geometry: &'a Geometry) -> Self {
        let extents = faces.extents();
        let widest = lines.iter().map(|line| line.width).fold(0.0, f32::max);
        let width = f64::from(widest) * geometry.size + 2.0 * geometry.edge;
        let between = lines.len().saturating_sub(1) as f64 * geometry.leading;
        let height = (extents.above + extents.below) * geometry.size + between + 2.0 * geometry.edge;
        Self {
            geometry,
            align: step.alignment(),
            width,
            height,
            first: geometry.edge + extents.above * geometry.size,
            middle: geometry.middle(step, (width, height)),
        }
    }

    /// Where in the picture a glyph of a line stands.
    fn place(&self, number: usize, line: &Line, glyph: &Glyph) -> (f64, f64) {
        let size = self.geometry.size;
        let room = self.width - 2.0 * self.geometry.edge - f64::from(line.width) * size;
        let begin = match self.align {
            Align::Left => 0.0,
            Align::Center => room / 2.0,
            Align::Right => room,
        };
        let x = self.geometry.edge + begin + f64::from(glyph.x) * size - self.width / 2.0;
        let mut line = self.first + number as f64 * self.geometry.leading - self.height / 2.0;
        if self.geometry.is_level() {
            // Letters are sharper that stand on a row of pixels.
            line = (self.middle.1 + line).round() - self.middle.1;
        }
        let (x, y) = self.geometry.turned((x, line - f64::from(glyph.y) * size));
        (self.middle.0 + x, self.middle.1 + y)
    }

    fn corners(&self) -> [(f64, f64); 4] {
        let (x, y) = (self.width / 2.0, self.height / 2.0);
        [(-x, -y), (x, -y), (x, y), (-x, y)].map(|corner| {
            let (x, y) = self.geometry.turned(corner);
            (self.middle.0 + x, self.middle.1 + y)
        })
    }
}
