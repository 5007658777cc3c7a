//! Made-up pictures, the same at every run, and a small generator of numbers.
//!
//! Knows nothing of how pictures are coded.

use crate::av1::{Area, Chroma, Format, Planes};

/// A small generator of numbers: xorshift.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, bound: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 32) % u64::from(bound)) as u32
    }
}

/// What is to be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Motif {
    /// Brighter towards a corner, each plane another.
    Gradient,
    Noise,
    /// Straight edges of many directions.
    Edges,
    Flat,
    /// Rows of strokes with blank rows between.
    Text,
    /// A board of black and white squares of 64, black first.
    Board,
    /// The same, whose white squares have a slow wave, so that they are transformed as a whole.
    Waves,
    /// All of them, in squares of 24.
    Everything,
}

impl Motif {
    pub(super) const ALL: [Self; 8] = [
        Self::Gradient,
        Self::Noise,
        Self::Edges,
        Self::Flat,
        Self::Text,
        Self::Board,
        Self::Waves,
        Self::Everything,
    ];

    /// A sample, 0 to 1. `x` and `y` count in pixels of luma.
    fn sample(self, plane: usize, x: usize, y: usize, random: &mut Random) -> f32 {
        let is_on = |on: bool| if on { 1.0 } else { 0.0 };
        let noise = random.below(1000) as f32 / 999.0;
        match self {
            Self::Gradient => match plane {
                0 => ((2 * x + 3 * y) % 700) as f32 / 700.0,
                1 => 1.0 - (x % 400) as f32 / 400.0,
                _ => (y % 300) as f32 / 300.0,
            },
            Self::Noise => noise,
            Self::Edges => {
                let (x, y) = (x as i32, y as i32);
                let sides = [
                    x + y > 50,
                    3 * x - y > 90,
                    x - 2 * y > 10,
                    2 * x + 5 * y > 300,
                    x * x + y * y > 10_000,
                ];
                let count = sides.into_iter().skip(plane / 2).filter(|side| *side).count();
                is_on(count % 2 == plane % 2) * 0.9 + 0.02 * noise
            }
            Self::Flat => [0.5, 0.2, 0.71][plane],
            Self::Text => {
                let is_stroke = y % 12 < 8 && (x * 7919 + y / 12 * 104_729) / 3 % 5 < 2;
                is_on(!is_stroke) * [1.0, 0.1, 0.05][plane]
            }
            Self::Board => is_on((x / 64 + y / 64) % 2 == 1),
            Self::Waves => {
                let wave = |at: usize| (std::f32::consts::PI * (at % 64) as f32 / 64.0 + 0.0245).cos();
                is_on((x / 64 + y / 64) % 2 == 1) * (0.95 + 0.05 * wave(x) * wave(y))
            }
            Self::Everything => {
                let inner = Self::ALL[(x / 24 + 3 * (y / 24)) % 7];
                inner.sample(plane, x, y, random)
            }
        }
    }
}

/// The planes of a picture; rows as long as they are shown.
pub(super) fn picture(format: &Format, motif: Motif) -> Planes {
    let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ u64::from(format.width) << 20 ^ u64::from(format.height));
    let most = ((1 << format.bits) - 1) as f32;
    let mut planes = Planes::default();
    for plane in 0..planes_of(format) {
        let [width, height] = size(format, plane);
        let shift = shift(format, plane);
        planes.strides[plane] = width;
        for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
            let sample = motif.sample(plane, x << shift, y << shift, &mut random);
            planes.samples[plane].push((sample * most).round() as u16);
        }
    }
    planes
}

pub(super) fn planes_of(format: &Format) -> usize {
    if format.chroma == Chroma::None { 1 } else { 3 }
}

/// How much smaller a plane is each way, as a shift.
pub(super) fn shift(format: &Format, plane: usize) -> usize {
    usize::from(plane > 0 && format.chroma == Chroma::Half)
}

/// Width and height of a plane.
pub(super) fn size(format: &Format, plane: usize) -> [usize; 2] {
    let shift = shift(format, plane);
    [format.width, format.height].map(|side| (side as usize + shift) >> shift)
}

/// Puts an area of a picture at the upper left of planes.
pub(super) fn fill(format: &Format, picture: &Planes, area: &Area, into: &mut Planes) {
    for plane in 0..planes_of(format) {
        let shift = shift(format, plane);
        let [columns, rows] =
            [&area.columns, &area.rows].map(|range| range.start >> shift..(range.end + shift) >> shift);
        let from = picture.samples[plane]
            .chunks(picture.strides[plane])
            .skip(rows.start)
            .take(rows.len());
        for (into, from) in into.samples[plane].chunks_mut(into.strides[plane]).zip(from) {
            into[..columns.len()].copy_from_slice(&from[columns.clone()]);
        }
    }
}
