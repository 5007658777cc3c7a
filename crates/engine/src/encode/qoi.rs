//! Encodes QOI (The Quite OK Image Format Specification, version 1.0).

use super::failed;
use super::sink::Sink;
use crate::EngineError;
use crate::decode::qoi::place;
use crate::layout::qoi::{END, MAGIC};
use crate::mill::Control;
use crate::pixels::{Channels, Image, Samples};

const FORMAT: &str = "QOI";
/// The longest run that one byte tells.
const MAX_RUN: u8 = 62;

pub(super) fn encode(image: Image, control: &dyn Control) -> Result<Vec<u8>, EngineError> {
    let image = image.into_eight_bit().try_widen(Channels::Rgb)?;
    let Samples::Eight(samples) = &image.samples else {
        return Err(failed(FORMAT, &"its samples are not 8 bits"));
    };
    let count = image.channels.count();
    let mut sink = Sink::new(control);
    let mut head = MAGIC.to_vec();
    head.extend_from_slice(&image.width.to_be_bytes());
    head.extend_from_slice(&image.height.to_be_bytes());
    // sRGB, alpha linear.
    head.extend_from_slice(&[count as u8, 0]);
    let mut goes_on = sink.append(&head);
    let mut writer = Writer::default();
    let mut packed = Vec::new();
    for row in samples.chunks_exact(image.width as usize * count) {
        for pixel in row.chunks_exact(count) {
            let alpha = pixel.get(3).copied().unwrap_or(255);
            writer.push([pixel[0], pixel[1], pixel[2], alpha], &mut packed);
        }
        goes_on = goes_on && sink.append(&packed);
        packed.clear();
        if !goes_on {
            return Err(sink.refusal(FORMAT));
        }
    }
    writer.end_run(&mut packed);
    packed.extend_from_slice(&END);
    if !sink.append(&packed) {
        return Err(sink.refusal(FORMAT));
    }
    sink.finish::<EngineError>(FORMAT, Ok(()))
}

struct Writer {
    seen: [[u8; 4]; 64],
    before: [u8; 4],
    run: u8,
}

impl Default for Writer {
    fn default() -> Self {
        Self {
            seen: [[0; 4]; 64],
            before: [0, 0, 0, 255],
            run: 0,
        }
    }
}

impl Writer {
    fn push(&mut self, pixel: [u8; 4], packed: &mut Vec<u8>) {
        if pixel == self.before {
            self.run += 1;
            if self.run == MAX_RUN {
                self.end_run(packed);
            }
            return;
        }
        self.end_run(packed);
        let place = place(pixel);
        let before = std::mem::replace(&mut self.before, pixel);
        if self.seen[place] == pixel {
            packed.push(place as u8);
            return;
        }
        self.seen[place] = pixel;
        let [red, green, blue, alpha] = pixel;
        if alpha != before[3] {
            packed.extend_from_slice(&[0xff, red, green, blue, alpha]);
            return;
        }
        let by = [0, 1, 2].map(|channel| pixel[channel].wrapping_sub(before[channel]) as i8);
        let [red_by, green_by, blue_by] = by;
        let of_green = |by: i8| by.wrapping_sub(green_by);
        if by.iter().all(|by| (-2..2).contains(by)) {
            let [r, g, b] = by.map(|by| (by + 2) as u8);
            packed.push(0x40 | r << 4 | g << 2 | b);
        } else if (-32..32).contains(&green_by) && [red_by, blue_by].iter().all(|by| (-8..8).contains(&of_green(*by))) {
            let [r, b] = [red_by, blue_by].map(|by| (of_green(by) + 8) as u8);
            packed.extend_from_slice(&[0x80 | (green_by + 32) as u8, r << 4 | b]);
        } else {
            packed.extend_from_slice(&[0xfe, red, green, blue]);
        }
    }

    fn end_run(&mut self, packed: &mut Vec<u8>) {
        if self.run > 0 {
            packed.push(0xc0 | (self.run - 1));
            self.run = 0;
        }
    }
}
