//! The frames of an animation one after the other, each as a whole picture of what is to be seen then.

use std::io::Cursor;

use ::png::{BlendOp, DisposeOp, FrameControl};
use image_webp::{LoopCount, WebPDecoder};
use pixmill_types::ImageFormat;

use super::{broken, gif, png, webp};
use crate::EngineError;
use crate::mill::Control;
use crate::pixels::{Channels, Image, Sample, Samples, zeros};
use crate::probe::Header;

/// One frame, and how long it is to be seen, milliseconds.
pub(crate) struct Frame {
    pub(crate) image: Image,
    pub(crate) milliseconds: u32,
}

/// The frames of an animation.
pub(crate) enum Frames<'a> {
    Gif(Box<gif::Frames<'a>>),
    Webp(Box<WebPDecoder<Cursor<&'a [u8]>>>, &'a Header, &'a [u8]),
    Png(Box<Apng<'a>>),
}

impl<'a> Frames<'a> {
    /// The frames of a file whose header says that it has several.
    ///
    /// # Errors
    /// As [`super::decode`].
    pub(crate) fn new(input: &'a [u8], header: &'a Header) -> Result<Self, EngineError> {
        match header.format {
            ImageFormat::Gif => Ok(Self::Gif(Box::new(gif::Frames::new(input, header)?))),
            ImageFormat::Webp => Ok(Self::Webp(Box::new(webp::decoder(input, header)?), header, input)),
            ImageFormat::Png => Ok(Self::Png(Box::new(Apng::new(input, header)?))),
            other => Err(EngineError::Internal(format!("{other} has no animations"))),
        }
    }

    /// The next frame; `None` after the last.
    ///
    /// # Errors
    /// As [`super::decode`].
    pub(crate) fn next(&mut self, control: &dyn Control) -> Result<Option<Frame>, EngineError> {
        if control.should_stop() {
            return Err(EngineError::Stopped);
        }
        match self {
            Self::Gif(frames) => {
                let image = frames.next(control)?;
                let milliseconds = frames.milliseconds();
                Ok(image.map(|image| Frame { image, milliseconds }))
            }
            Self::Webp(decoder, header, input) => next_webp(decoder, header, input),
            Self::Png(frames) => frames.next(),
        }
    }

    /// How often all frames are shown; 0 for ever. Known once the first was given.
    pub(crate) fn plays(&self) -> u32 {
        match self {
            Self::Gif(frames) => frames.plays(),
            Self::Webp(decoder, ..) => match decoder.loop_count() {
                LoopCount::Forever => 0,
                LoopCount::Times(times) => u16::from(times).into(),
            },
            Self::Png(frames) => frames.plays,
        }
    }
}

fn next_webp(
    decoder: &mut WebPDecoder<Cursor<&[u8]>>,
    header: &Header,
    input: &[u8],
) -> Result<Option<Frame>, EngineError> {
    let channels = if decoder.has_alpha() {
        Channels::Rgba
    } else {
        Channels::Rgb
    };
    let mut samples = zeros(header.pixels() * channels.count() as u64)?;
    let milliseconds = match decoder.read_frame(&mut samples) {
        Ok(milliseconds) => milliseconds,
        Err(image_webp::DecodingError::NoMoreFrames) => return Ok(None),
        Err(error) => return Err(broken(webp::FORMAT, webp::has_end(input), &error)),
    };
    Ok(Some(Frame {
        image: Image {
            width: header.width,
            height: header.height,
            channels,
            samples: Samples::Eight(samples),
        },
        milliseconds,
    }))
}

/// The frames of an animated PNG, laid on their canvas (W3C PNG, third edition, 13.14).
pub(crate) struct Apng<'a> {
    input: &'a [u8],
    reader: ::png::Reader<Cursor<&'a [u8]>>,
    canvas: Image,
    /// Samples of a frame as they are decoded.
    frame: Samples,
    /// What becomes of the frame that was shown last.
    last: Option<(FrameControl, Option<Image>)>,
    left: u32,
    plays: u32,
}

impl<'a> Apng<'a> {
    fn new(input: &'a [u8], header: &Header) -> Result<Self, EngineError> {
        let reader = png::reader(input, header)?;
        let animation = reader.info().animation_control();
        let plays = animation.map_or(1, |animation| animation.num_plays);
        let canvas = png::blank(&reader, header)?;
        let frame = canvas.try_clone()?.samples;
        Ok(Self {
            input,
            left: header.frames,
            reader,
            canvas,
            frame,
            last: None,
            plays,
        })
    }

    fn next(&mut self) -> Result<Option<Frame>, EngineError> {
        if self.left == 0 {
            return Ok(None);
        }
        let control = loop {
            png::next_frame(&mut self.reader, &mut self.frame)
                .map_err(|error| broken(png::FORMAT, png::has_end(self.input), &error))?;
            // A picture for those who know no animations is no frame of it.
            if let Some(control) = self.reader.info().frame_control() {
                break *control;
            }
        };
        self.left -= 1;
        self.dispose();
        let before = match control.dispose_op {
            DisposeOp::Previous => Some(self.canvas.try_clone()?),
            DisposeOp::None | DisposeOp::Background => None,
        };
        self.draw(&control)?;
        self.last = Some((control, before));
        let denominator = if control.delay_den == 0 {
            100
        } else {
            u32::from(control.delay_den)
        };
        Ok(Some(Frame {
            image: self.canvas.try_clone()?,
            milliseconds: u32::from(control.delay_num) * 1000 / denominator,
        }))
    }

    fn dispose(&mut self) {
        match self.last.take() {
            Some((_, Some(before))) => self.canvas = before,
            Some((control, None)) if control.dispose_op == DisposeOp::Background => {
                let (width, count) = (self.canvas.width as usize, self.canvas.channels.count());
                match &mut self.canvas.samples {
                    Samples::Eight(samples) => rows(samples, width, count, &control).for_each(|row| row.fill(0)),
                    Samples::Sixteen(samples) => rows(samples, width, count, &control).for_each(|row| row.fill(0)),
                }
            }
            Some(_) | None => {}
        }
    }

    fn draw(&mut self, control: &FrameControl) -> Result<(), EngineError> {
        let right = u64::from(control.x_offset) + u64::from(control.width);
        let bottom = u64::from(control.y_offset) + u64::from(control.height);
        if right > self.canvas.width.into() || bottom > self.canvas.height.into() {
            return Err(broken(png::FORMAT, true, &"a frame leaves its canvas"));
        }
        let (width, channels) = (self.canvas.width as usize, self.canvas.channels);
        match (&mut self.canvas.samples, &self.frame) {
            (Samples::Eight(canvas), Samples::Eight(frame)) => lay(canvas, frame, width, channels, control),
            (Samples::Sixteen(canvas), Samples::Sixteen(frame)) => lay(canvas, frame, width, channels, control),
            _ => {
                return Err(EngineError::Internal(
                    "a frame has another depth than its canvas".into(),
                ));
            }
        }
        Ok(())
    }
}

/// The part of every row of a canvas that a frame covers.
fn rows<'s, T>(
    samples: &'s mut [T],
    width: usize,
    count: usize,
    control: &FrameControl,
) -> impl Iterator<Item = &'s mut [T]> {
    let columns = control.x_offset as usize * count..(control.x_offset + control.width) as usize * count;
    samples
        .chunks_exact_mut(width * count)
        .skip(control.y_offset as usize)
        .take(control.height as usize)
        .map(move |row| &mut row[columns.clone()])
}

fn lay<T: Sample>(canvas: &mut [T], frame: &[T], width: usize, channels: Channels, control: &FrameControl) {
    let count = channels.count();
    let lines = frame.chunks_exact(control.width as usize * count);
    for (row, line) in rows(canvas, width, count, control).zip(lines) {
        if control.blend_op == BlendOp::Source || !channels.has_alpha() {
            row.copy_from_slice(line);
            continue;
        }
        for (below, above) in row.chunks_exact_mut(count).zip(line.chunks_exact(count)) {
            over(below, above);
        }
    }
}

/// Lays a pixel over another; neither is multiplied by its alpha (W3C PNG, 13.16).
fn over<T: Sample>(below: &mut [T], above: &[T]) {
    let level = |sample: T| {
        let level: usize = sample.into();
        level as u64
    };
    let colors = above.len() - 1;
    let white = u64::from(T::MAX);
    let (own, other) = (level(above[colors]), level(below[colors]));
    if own == white || other == 0 {
        below.copy_from_slice(above);
        return;
    }
    let behind = other * (white - own);
    let alpha = own * white + behind;
    for (below, above) in below.iter_mut().zip(above).take(colors) {
        let mixed = (level(*above) * own * white + level(*below) * behind + alpha / 2).checked_div(alpha);
        *below = T::whole(mixed.unwrap_or(0) as u32);
    }
    below[colors] = T::whole(((alpha + white / 2) / white) as u32);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pixel_over_another_shows_both() {
        for (above, below, expected) in [
            ([255_u8, 0, 0, 255], [0, 0, 255, 255], [255, 0, 0, 255]),
            ([255, 0, 0, 0], [0, 0, 255, 255], [0, 0, 255, 255]),
            ([255, 0, 0, 128], [0, 0, 255, 255], [128, 0, 127, 255]),
            ([200, 0, 0, 51], [9, 9, 9, 0], [200, 0, 0, 51]),
            // A half over a half: three quarters are there, two thirds of them from above.
            ([255, 0, 0, 128], [0, 0, 255, 128], [170, 0, 85, 192]),
        ] {
            let mut pixel = below;
            over(&mut pixel, &above);
            assert_eq!(pixel, expected, "{above:?} over {below:?}");
        }
    }
}
