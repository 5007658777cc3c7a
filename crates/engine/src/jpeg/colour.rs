//! Colour of a JPEG at a half, a quarter or an eighth of its size.
//!
//! Chroma that is stored at half the size is transformed to twice the share of its samples, so that nothing has to be
//! upsampled.

use super::corrupt;
use super::entropy::Entropy;
use super::inverse::{Quantizer, Side, inverse};
use super::luma::{parse, side_of};
use super::markers::{Component, Sequential};
use super::strip::Strip;
use crate::EngineError;
use crate::mill::Control;
use crate::pixels::{Channels, Image, Samples, zeros};
use crate::plan::DecodeScale;
use crate::probe::Header;
use crate::simd::{self, Kernel, LANES, Level};

/// Luma and two of chroma.
const COMPONENTS: usize = 3;

/// Decodes colour into a picture of the size of `scale`, which is not the whole one.
pub(crate) fn decode_colour(
    input: &[u8],
    header: &Header,
    scale: DecodeScale,
    control: &dyn Control,
) -> Result<Image, EngineError> {
    let file = parse(input, header)?;
    let mut rows = ColourRows::new(&file, side_of(scale))?;
    let (width, height) = (scale.side(header.width), scale.side(header.height));
    let mut samples = zeros::<u8>(u64::from(width) * u64::from(height) * COMPONENTS as u64)?;
    for lines in samples.chunks_mut(width as usize * COMPONENTS * rows.rows_in_strip) {
        if control.should_stop() {
            return Err(EngineError::Stopped);
        }
        simd::run(DecodeStrip { rows: &mut rows, lines })?;
    }
    rows.entropy.check()?;
    Ok(Image {
        width,
        height,
        channels: Channels::Rgb,
        samples: Samples::Eight(samples),
    })
}

/// Decodes colour, one row of MCUs at a time.
struct ColourRows<'a> {
    entropy: Entropy<'a>,
    planes: Vec<Plane>,
    rows_in_strip: usize,
}

/// One component.
struct Plane {
    quantizer: Quantizer,
    side: Side,
    /// Blocks in an MCU along its width.
    across: usize,
    strip: Strip,
}

impl<'a> ColourRows<'a> {
    fn new(file: &Sequential<'a>, side: Side) -> Result<Self, EngineError> {
        let (across, down) = file.mcu_blocks();
        let rows_in_strip = down * side.samples();
        let width = (file.width * side.samples()).div_ceil(8);
        let plane = |component: &Component| {
            let side = match (across / component.across, down / component.down) {
                (1, 1) => side,
                (2, 2) => side.doubled(),
                _ => return Err(corrupt("has components of other sizes than its header")),
            };
            Ok(Plane {
                quantizer: Quantizer::new(&component.quantizer),
                side,
                across: component.across,
                strip: Strip::new(width, rows_in_strip)?,
            })
        };
        let planes = file.components.iter().map(plane).collect::<Result<Vec<_>, _>>()?;
        let wanted: Vec<_> = planes.iter().map(|plane| Some(plane.side.last_coefficient())).collect();
        Ok(Self {
            entropy: Entropy::new(file, &wanted)?,
            planes,
            rows_in_strip,
        })
    }
}

/// Decodes a strip and converts it to red, green and blue.
struct DecodeStrip<'s, 'a> {
    rows: &'s mut ColourRows<'a>,
    lines: &'s mut [u8],
}

impl Kernel for DecodeStrip<'_, '_> {
    type Output = Result<(), EngineError>;

    #[inline(always)]
    fn run(self, level: impl Level) -> Result<(), EngineError> {
        let ColourRows { entropy, planes, .. } = self.rows;
        let mcus = entropy.mcus_in_row();
        for first in (0..mcus).step_by(LANES) {
            let count = LANES.min(mcus - first);
            entropy.mcus(count)?;
            for (component, plane) in planes.iter_mut().enumerate() {
                let samples = plane.side.samples();
                for (row, block, group) in entropy.groups(component, count) {
                    let begin = plane.strip.begin_of(row * samples) + (first * plane.across + block) * samples;
                    let (numbers, stride) = (&mut plane.strip.numbers, plane.strip.stride);
                    inverse(level, group, &plane.quantizer, plane.side, numbers, begin, stride);
                }
            }
        }
        let [luma, blue, red] = &planes[..] else {
            return Err(corrupt("has another number of components than its header"));
        };
        let width = luma.strip.width;
        for (row, line) in self.lines.chunks_exact_mut(width * COMPONENTS).enumerate() {
            let of = |plane: &'_ Plane| plane.strip.begin_of(row);
            to_rgb(
                &luma.strip.numbers[of(luma)..][..width],
                &blue.strip.numbers[of(blue)..][..width],
                &red.strip.numbers[of(red)..][..width],
                line,
            );
        }
        Ok(())
    }
}

/// From YCbCr to RGB as JFIF defines it; from 128ths of a level to whole ones.
#[inline(always)]
fn to_rgb(luma: &[u16], blue: &[u16], red: &[u16], line: &mut [u8]) {
    /// 1.402, 0.344136, 0.714136 and 1.772 in 16,384ths.
    const RED_OF_CR: i32 = 22_970;
    const GREEN_OF_CB: i32 = 5_638;
    const GREEN_OF_CR: i32 = 11_700;
    const BLUE_OF_CB: i32 = 29_032;
    const MIDDLE: i32 = 128 << 7;
    let level = |sum: i32| ((sum + (1 << 20)) >> 21).clamp(0, 255) as u8;
    let pixels = line.as_chunks_mut::<COMPONENTS>().0.iter_mut();
    for ((pixel, luma), (blue, red)) in pixels.zip(luma).zip(blue.iter().zip(red)) {
        let luma = i32::from(*luma) << 14;
        let (blue, red) = (i32::from(*blue) - MIDDLE, i32::from(*red) - MIDDLE);
        *pixel = [
            level(luma + RED_OF_CR * red),
            level(luma - GREEN_OF_CB * blue - GREEN_OF_CR * red),
            level(luma + BLUE_OF_CB * blue),
        ];
    }
}
