//! From interleaved samples to the planes of a frame: luma and chroma as BT.601 defines them, over the full range.

use rav1e::color::ChromaSampling;
use rav1e::prelude::{Frame, Pixel, Plane};

use super::av1::Settings;
use crate::pixels::Sample;

/// From samples to levels of the frame.
#[derive(Debug, Clone, Copy)]
struct Scale {
    /// Levels of the frame in one of the picture.
    factor: f32,
    /// Of no colour.
    middle: f32,
    highest: f32,
}

impl Scale {
    fn new<S: Sample>(settings: &Settings) -> Self {
        let highest = ((1_u32 << settings.bits) - 1) as f32;
        Self {
            factor: highest / S::MAX as f32,
            middle: (1_u32 << (settings.bits - 1)) as f32,
            highest,
        }
    }

    /// The level nearest to what `value` of the picture means, above `from`.
    #[inline(always)]
    fn level<P: Pixel>(self, value: f32, from: f32) -> P {
        // Conversions of what is too small end at zero.
        P::cast_from((value.mul_add(self.factor, from) + 0.5).min(self.highest) as u16)
    }
}

/// Fills a frame of luma alone with one channel of the picture.
pub(super) fn of_channel<S: Sample, P: Pixel>(
    samples: &[S],
    channels: usize,
    channel: usize,
    settings: &Settings,
    frame: &mut Frame<P>,
) {
    let scale = Scale::new::<S>(settings);
    let [luma, ..] = &mut frame.planes;
    let lines = samples.chunks_exact(settings.width as usize * channels);
    for (row, line) in rows(luma).zip(lines) {
        for (into, pixel) in row.iter_mut().zip(line.chunks_exact(channels)) {
            *into = scale.level(pixel[channel].into(), 0.0);
        }
    }
}

/// Fills a frame with luma and chroma of the first three channels of the picture.
pub(super) fn of_colour<S: Sample, P: Pixel>(
    samples: &[S],
    channels: usize,
    settings: &Settings,
    frame: &mut Frame<P>,
) {
    let scale = Scale::new::<S>(settings);
    let shared = if settings.chroma == ChromaSampling::Cs420 { 2 } else { 1 };
    let line = settings.width as usize * channels;
    let [luma, blue, red] = &mut frame.planes;
    for (row, line) in rows(luma).zip(samples.chunks_exact(line)) {
        for (into, pixel) in row.iter_mut().zip(line.chunks_exact(channels)) {
            *into = scale.level(luma_of(color(pixel)), 0.0);
        }
    }
    for ((blue, red), lines) in rows(blue).zip(rows(red)).zip(samples.chunks(line * shared)) {
        let (upper, lower) = lines.split_at(line);
        // The last row and column of an odd number count twice.
        let lower = if lower.is_empty() { upper } else { lower };
        let pairs = upper.chunks(channels * shared).zip(lower.chunks(channels * shared));
        for ((blue, red), (upper, lower)) in blue.iter_mut().zip(red).zip(pairs) {
            let mean = if shared == 1 {
                color(upper)
            } else {
                let corners = [
                    upper,
                    &upper[upper.len() - channels..],
                    lower,
                    &lower[lower.len() - channels..],
                ];
                let corners = corners.map(color);
                std::array::from_fn(|channel| corners.iter().map(|corner| corner[channel]).sum::<f32>() * 0.25)
            };
            let luma = luma_of(mean);
            let [r, _, b] = mean;
            *blue = scale.level((b - luma) * (0.5 / (1.0 - BLUE_SHARE)), scale.middle);
            *red = scale.level((r - luma) * (0.5 / (1.0 - RED_SHARE)), scale.middle);
        }
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

/// The rows of a plane; they may be longer than the picture is wide, and more than it is high.
fn rows<P: Pixel>(plane: &mut Plane<P>) -> impl Iterator<Item = &mut [P]> {
    let stride = plane.cfg.stride;
    plane.data_origin_mut().chunks_mut(stride)
}
