//! Decodes QOI (The Quite OK Image Format Specification, version 1.0).

use super::{cut_off, rows_or_stop};
use crate::EngineError;
use crate::layout::qoi::{END, HEADER};
use crate::mill::Control;
use crate::pixels::{Channels, Image, Samples, zeros};
use crate::probe::{ColorModel, Header};

const FORMAT: &str = "QOI";

pub(super) fn decode(input: &[u8], header: &Header, control: &dyn Control) -> Result<Image, EngineError> {
    let channels = if header.color == ColorModel::Rgba {
        Channels::Rgba
    } else {
        Channels::Rgb
    };
    let count = channels.count();
    let mut samples = zeros::<u8>(header.pixels() * count as u64)?;
    let mut pixels = Pixels {
        bytes: input.get(HEADER..).unwrap_or_default().iter(),
        seen: [[0; 4]; 64],
        pixel: [0, 0, 0, 255],
        repeats: 0,
    };
    for (y, row) in samples.chunks_exact_mut(header.width as usize * count).enumerate() {
        rows_or_stop(y, header.width, control)?;
        for pixel in row.chunks_exact_mut(count) {
            let next = pixels.next().ok_or_else(|| cut_off(FORMAT))?;
            pixel.copy_from_slice(&next[..count]);
        }
    }
    // Without it nobody knows whether the last pixels are those that were written.
    if !pixels.bytes.as_slice().starts_with(&END) {
        return Err(if pixels.bytes.len() < END.len() {
            cut_off(FORMAT)
        } else {
            EngineError::Corrupt("the QOI is damaged: more follows its last pixel".into())
        });
    }
    Ok(Image {
        width: header.width,
        height: header.height,
        channels,
        samples: Samples::Eight(samples),
    })
}

struct Pixels<'a> {
    bytes: std::slice::Iter<'a, u8>,
    seen: [[u8; 4]; 64],
    pixel: [u8; 4],
    /// Of the pixel that was given last.
    repeats: u8,
}

impl Pixels<'_> {
    fn byte(&mut self) -> Option<u8> {
        self.bytes.next().copied()
    }

    fn next(&mut self) -> Option<[u8; 4]> {
        if self.repeats > 0 {
            self.repeats -= 1;
            return Some(self.pixel);
        }
        let tag = self.byte()?;
        let [red, green, blue, alpha] = self.pixel;
        self.pixel = match (tag >> 6, tag & 0x3f) {
            (3, 0x3e) => [self.byte()?, self.byte()?, self.byte()?, alpha],
            (3, 0x3f) => [self.byte()?, self.byte()?, self.byte()?, self.byte()?],
            (0, index) => self.seen[usize::from(index)],
            (1, differences) => {
                let step = |from: u8, by: u8| from.wrapping_add(by & 3).wrapping_sub(2);
                [
                    step(red, differences >> 4),
                    step(green, differences >> 2),
                    step(blue, differences),
                    alpha,
                ]
            }
            (2, of_green) => {
                let others = self.byte()?;
                let by = of_green.wrapping_sub(32);
                let step = |from: u8, other: u8| from.wrapping_add(by).wrapping_add(other & 15).wrapping_sub(8);
                [
                    step(red, others >> 4),
                    green.wrapping_add(by),
                    step(blue, others),
                    alpha,
                ]
            }
            (_, run) => {
                self.repeats = run;
                self.pixel
            }
        };
        self.seen[place(self.pixel)] = self.pixel;
        Some(self.pixel)
    }
}

/// Where a pixel is remembered.
pub(crate) fn place([red, green, blue, alpha]: [u8; 4]) -> usize {
    let sum = [(red, 3), (green, 5), (blue, 7), (alpha, 11)];
    sum.iter()
        .map(|(level, weight)| usize::from(*level) * weight)
        .sum::<usize>()
        % 64
}
