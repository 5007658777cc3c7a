//! Writes animations as GIF, WebP and PNG: every frame whole, each encoded as a still picture would be.
//!
//! WebP and PNG are put together from the chunks of stills (RFC 9649, 2.7.1; W3C PNG, third edition, 11.3.6).

use ::gif::{Encoder, Repeat};
use flate2::Crc;
use pixmill_types::ImageFormat;

use super::{encode, failed, gif};
use crate::EngineError;
use crate::chunks;
use crate::metadata::Attachments;
use crate::mill::Control;
use crate::pixels::Image;
use crate::plan::EncodePlan;

const PNG_SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
/// The longest time that a frame of a WebP can say, milliseconds.
const WEBP_MAX_MILLISECONDS: u32 = 0x00ff_ffff;

/// An animation being written.
pub(crate) struct Animation {
    plan: EncodePlan,
    plays: u32,
    frames: u32,
    /// Sides of every frame, pixels.
    width: u32,
    height: u32,
    parts: Parts,
}

/// What there is of it.
enum Parts {
    Gif(Option<Encoder<Vec<u8>>>),
    /// Frames, and whether any has alpha.
    Webp(Vec<u8>, bool),
    /// The image header, what else precedes the pixels, the frames, and the number of the next chunk in order.
    Png {
        head: Vec<u8>,
        frames: Vec<u8>,
        sequence: u32,
    },
}

impl Animation {
    /// Begins one whose frames are all shown `plays` times; 0 for ever.
    ///
    /// # Errors
    /// [`EngineError::Internal`] for a format that has no animations.
    pub(crate) fn new(plan: &EncodePlan, plays: u32) -> Result<Self, EngineError> {
        Ok(Self {
            plan: *plan,
            plays,
            frames: 0,
            width: 0,
            height: 0,
            parts: match plan.format {
                ImageFormat::Gif => Parts::Gif(None),
                ImageFormat::Webp => Parts::Webp(Vec::new(), false),
                ImageFormat::Png => Parts::Png {
                    head: Vec::new(),
                    frames: Vec::new(),
                    sequence: 0,
                },
                other => return Err(failed(other.as_str(), &"it has no animations")),
            },
        })
    }

    /// Width and height of every frame, pixels.
    pub(crate) const fn sides(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// Adds a frame that is to be seen so long.
    ///
    /// # Errors
    /// As [`super::encode`].
    pub(crate) fn push(&mut self, image: Image, milliseconds: u32, control: &dyn Control) -> Result<(), EngineError> {
        let sides = (image.width, image.height);
        if self.frames > 0 && sides != (self.width, self.height) {
            return Err(EngineError::Impossible(format!(
                "frame {} is {} x {} pixels and the first {} x {}: the recipe makes frames of different sizes",
                self.frames + 1,
                sides.0,
                sides.1,
                self.width,
                self.height
            )));
        }
        (self.width, self.height) = sides;
        self.frames += 1;
        match &mut self.parts {
            Parts::Gif(encoder) => {
                let mut frame = gif::frame(image, &self.plan, gif::Purpose::Frame, control)?;
                frame.delay = u16::try_from((milliseconds + 5) / 10).unwrap_or(u16::MAX);
                // What is not there in the next frame shall not show this one.
                frame.dispose = ::gif::DisposalMethod::Background;
                let written = match encoder {
                    Some(encoder) => encoder.write_frame(&frame),
                    None => Encoder::new(Vec::new(), frame.width, frame.height, &[]).and_then(|mut new| {
                        // Once is what readers do that are told nothing.
                        match self.plays {
                            0 => new.set_repeat(Repeat::Infinite)?,
                            1 => {}
                            plays => new.set_repeat(Repeat::Finite(u16::try_from(plays - 1).unwrap_or(u16::MAX)))?,
                        }
                        encoder.insert(new).write_frame(&frame)
                    }),
                };
                written.map_err(|error| failed("GIF", &error))
            }
            Parts::Webp(frames, has_alpha) => {
                let still = encode(image, &self.plan, &Attachments::default(), control)?;
                push_webp(frames, has_alpha, &still, sides, milliseconds)
            }
            Parts::Png { head, frames, sequence } => {
                let still = encode(image, &self.plan, &Attachments::default(), control)?;
                push_png(head, frames, sequence, &still, sides, milliseconds)
            }
        }
    }

    /// The finished file.
    ///
    /// # Errors
    /// [`EngineError::Internal`] when there is no frame.
    pub(crate) fn finish(self) -> Result<Vec<u8>, EngineError> {
        if self.frames == 0 {
            return Err(failed(self.plan.format.as_str(), &"the animation has no frames"));
        }
        match self.parts {
            Parts::Gif(encoder) => encoder
                .ok_or_else(|| failed("GIF", &"the animation has no frames"))?
                .into_inner()
                .map_err(|error| failed("GIF", &error)),
            Parts::Webp(frames, has_alpha) => {
                let mut extended = [0; 10];
                extended[0] = if has_alpha { 0x12 } else { 0x02 };
                extended[4..7].copy_from_slice(&(self.width - 1).to_le_bytes()[..3]);
                extended[7..10].copy_from_slice(&(self.height - 1).to_le_bytes()[..3]);
                let mut body = b"WEBP".to_vec();
                chunks::append_webp(&mut body, b"VP8X", &extended);
                let plays = u16::try_from(self.plays).unwrap_or(u16::MAX).to_le_bytes();
                // A ground that nobody sees, as every frame is whole.
                chunks::append_webp(&mut body, b"ANIM", &[0, 0, 0, 0, plays[0], plays[1]]);
                body.extend_from_slice(&frames);
                let mut whole = Vec::with_capacity(body.len() + 8);
                chunks::append_webp(&mut whole, b"RIFF", &body);
                Ok(whole)
            }
            Parts::Png { head, frames, .. } => {
                // The header of the image is first of all.
                let (header, rest) = head.split_at(8 + 13 + 4);
                let mut whole = [PNG_SIGNATURE, header].concat();
                let control = [self.frames.to_be_bytes(), self.plays.to_be_bytes()].concat();
                chunk(&mut whole, b"acTL", &control);
                whole.extend_from_slice(rest);
                whole.extend_from_slice(&frames);
                chunk(&mut whole, b"IEND", &[]);
                Ok(whole)
            }
        }
    }
}

fn push_webp(
    frames: &mut Vec<u8>,
    has_alpha: &mut bool,
    still: &[u8],
    (width, height): (u32, u32),
    milliseconds: u32,
) -> Result<(), EngineError> {
    /// Laid on the canvas as it is, not blended with what is there.
    const REPLACES: u8 = 0x02;
    let mut body = vec![0; 6];
    body.extend_from_slice(&(width - 1).to_le_bytes()[..3]);
    body.extend_from_slice(&(height - 1).to_le_bytes()[..3]);
    body.extend_from_slice(&milliseconds.min(WEBP_MAX_MILLISECONDS).to_le_bytes()[..3]);
    body.push(REPLACES);
    for part in chunks::of_webp(still) {
        if matches!(&part.kind, b"ALPH" | b"VP8 " | b"VP8L") {
            let bitstream = part.body.ok_or_else(|| failed("WebP", &"a frame has no pixels"))?;
            let says_alpha = part.kind == *b"VP8L" && bitstream.get(4).is_some_and(|byte| byte & 0x10 != 0);
            *has_alpha |= part.kind == *b"ALPH" || says_alpha;
            chunks::append_webp(&mut body, &part.kind, bitstream);
        }
    }
    chunks::append_webp(frames, b"ANMF", &body);
    Ok(())
}

fn push_png(
    head: &mut Vec<u8>,
    frames: &mut Vec<u8>,
    sequence: &mut u32,
    still: &[u8],
    (width, height): (u32, u32),
    milliseconds: u32,
) -> Result<(), EngineError> {
    let is_first = head.is_empty();
    let mut next = || {
        *sequence += 1;
        (*sequence - 1).to_be_bytes()
    };
    let mut control = [next(), width.to_be_bytes(), height.to_be_bytes(), [0; 4], [0; 4]].concat();
    let (numerator, denominator) = match u16::try_from(milliseconds) {
        Ok(milliseconds) => (milliseconds, 1000),
        // Longer than a minute: in seconds.
        Err(_) => (u16::try_from(milliseconds / 1000).unwrap_or(u16::MAX), 1),
    };
    control.extend_from_slice(&numerator.to_be_bytes());
    control.extend_from_slice(&u16::to_be_bytes(denominator));
    // Left as it is, in place of what was there.
    control.extend_from_slice(&[0, 0]);
    chunk(frames, b"fcTL", &control);
    for part in chunks::of_png(still) {
        let body = part.body.ok_or_else(|| failed("PNG", &"a frame has no pixels"))?;
        match &part.kind {
            b"IDAT" if is_first => chunk(frames, b"IDAT", body),
            b"IDAT" => chunk(frames, b"fdAT", &[&next()[..], body].concat()),
            b"IEND" => {}
            kind if is_first => chunk(head, kind, body),
            _ => {}
        }
    }
    Ok(())
}

fn chunk(file: &mut Vec<u8>, kind: &[u8; 4], body: &[u8]) {
    let mut crc = Crc::new();
    crc.update(kind);
    crc.update(body);
    file.extend_from_slice(&(body.len() as u32).to_be_bytes());
    file.extend_from_slice(kind);
    file.extend_from_slice(body);
    file.extend_from_slice(&crc.sum().to_be_bytes());
}
