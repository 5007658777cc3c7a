//! From interleaved samples to the planes of a picture: luma and chroma as BT.601 defines them, over the full range.

use crate::av1::{Area, Chroma, Format, Planes};
use crate::pixels::Sample;

/// A picture whose planes are asked for area by area.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'a, S> {
    pub(super) samples: &'a [S],
    /// Samples of a pixel.
    pub(super) channels: usize,
    /// The first of those that are taken: one, or three where there is chroma.
    pub(super) first: usize,
    pub(super) format: Format,
}

/// From samples to levels of a plane.
#[derive(Debug, Clone, Copy)]
struct Scale {
    /// Levels of the plane in one of the picture.
    factor: f32,
    /// Of no colour.
    middle: f32,
    highest: f32,
}

impl Scale {
    fn new<S: Sample>(bits: u8) -> Self {
        let highest = f32::from((1_u16 << bits) - 1);
        Self {
            factor: highest / S::MAX as f32,
            middle: f32::from(1_u16 << (bits - 1)),
            highest,
        }
    }

    /// The level nearest to what `value` of the picture means, above `from`.
    #[inline(always)]
    fn level(self, value: f32, from: f32) -> u16 {
        // Conversions of what is too small end at zero.
        (value * self.factor + from + 0.5).min(self.highest) as u16
    }
}

impl<S: Sample> Source<'_, S> {
    /// Fills the upper left of planes with an area, whose first row and column are even numbers.
    pub(super) fn fill(&self, area: &Area, planes: &mut Planes) {
        let scale = Scale::new::<S>(self.format.bits);
        let [luma, ..] = planes.strides;
        for (into, row) in planes.samples[0].chunks_exact_mut(luma).zip(area.rows.clone()) {
            for (into, pixel) in into.iter_mut().zip(self.row(area, row)) {
                let level = if self.format.chroma == Chroma::None {
                    pixel[0].into()
                } else {
                    luma_of(color(pixel))
                };
                *into = scale.level(level, 0.0);
            }
        }
        match self.format.chroma {
            Chroma::None => {}
            Chroma::Half => self.fill_chroma::<2>(area, planes, scale),
            Chroma::Full => self.fill_chroma::<1>(area, planes, scale),
        }
    }

    /// `SHARED`: pixels in each direction that share a sample.
    fn fill_chroma<const SHARED: usize>(&self, area: &Area, planes: &mut Planes, scale: Scale) {
        let [_, blue, red] = &mut planes.samples;
        let [_, stride, _] = planes.strides;
        let rows = blue.chunks_exact_mut(stride).zip(red.chunks_exact_mut(stride));
        for ((blue, red), row) in rows.zip(area.rows.clone().step_by(SHARED)) {
            // The last row and column of an odd number count twice.
            let upper = self.row(area, row).step_by(SHARED);
            let right = self.row(area, row).skip(SHARED - 1).step_by(SHARED);
            let below = (row + SHARED - 1).min(area.rows.end - 1);
            let lower = self.row(area, below).step_by(SHARED);
            let lower_right = self.row(area, below).skip(SHARED - 1).step_by(SHARED);
            let mut right = right.zip(lower_right);
            for (((upper, lower), blue), red) in upper.zip(lower).zip(blue).zip(red) {
                let (right, lower_right) = right.next().unwrap_or((upper, lower));
                let [r, g, b]: [f32; 3] = std::array::from_fn(|channel| {
                    let corners = [upper, right, lower, lower_right].map(|pixel| -> f32 { pixel[channel].into() });
                    corners.iter().sum::<f32>() * 0.25
                });
                let luma = luma_of([r, g, b]);
                *blue = scale.level((b - luma) * (0.5 / (1.0 - BLUE_SHARE)), scale.middle);
                *red = scale.level((r - luma) * (0.5 / (1.0 - RED_SHARE)), scale.middle);
            }
        }
    }

    /// The pixels of a row of an area, from the first channel that is taken.
    fn row(&self, area: &Area, row: usize) -> impl Iterator<Item = &[S]> {
        let line = self.format.width as usize * self.channels;
        let pixels = &self.samples[row * line..][area.columns.start * self.channels..area.columns.end * self.channels];
        pixels.chunks_exact(self.channels).map(|pixel| &pixel[self.first..])
    }
}

const RED_SHARE: f32 = 0.299;
const BLUE_SHARE: f32 = 0.114;

#[inline(always)]
fn luma_of([red, green, blue]: [f32; 3]) -> f32 {
    red * RED_SHARE + green * (1.0 - RED_SHARE - BLUE_SHARE) + blue * BLUE_SHARE
}

#[inline(always)]
fn color<S: Sample>(pixel: &[S]) -> [f32; 3] {
    [pixel[0].into(), pixel[1].into(), pixel[2].into()]
}
