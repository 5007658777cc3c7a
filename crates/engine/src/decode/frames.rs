//! The frames of an animation one after the other, each as a whole picture of what is to be seen then.

use ::png::{BlendOp, DisposeOp, FrameControl};
use pixmill_types::ImageFormat;

use super::canvas::{Place, lay};
use super::{broken, gif, png, webp};
use crate::EngineError;
use crate::mill::Control;
use crate::pixels::{Image, Samples};
use crate::probe::Header;

/// One frame, and how long it is to be seen, milliseconds.
pub(crate) struct Frame {
    pub(crate) image: Image,
    pub(crate) milliseconds: u32,
}

/// The frames of an animation.
pub(crate) enum Frames<'a> {
    Gif(Box<gif::Frames<'a>>),
    Webp(Box<webp::Animation<'a>>),
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
            ImageFormat::Webp => Ok(Self::Webp(Box::new(webp::Animation::new(input, header)?))),
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
            Self::Webp(frames) => frames.next(),
            Self::Png(frames) => frames.next(),
        }
    }

    /// How often all frames are shown; 0 for ever. Known once the first was given.
    pub(crate) fn plays(&self) -> u32 {
        match self {
            Self::Gif(frames) => frames.plays(),
            Self::Webp(frames) => frames.plays(),
            Self::Png(frames) => frames.plays,
        }
    }
}

/// The frames of an animated PNG, laid on their canvas (W3C PNG, third edition, 13.14).
pub(crate) struct Apng<'a> {
    input: &'a [u8],
    reader: png::Reader<'a>,
    canvas: Image,
    /// Samples of a frame as they are decoded.
    frame: Samples,
    /// What becomes of the frame that was shown last.
    last: Option<(FrameControl, Option<Image>)>,
    left: u32,
    plays: u32,
}

impl<'a> Apng<'a> {
    pub(super) fn new(input: &'a [u8], header: &Header) -> Result<Self, EngineError> {
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

    /// The next frame; `None` after the last.
    pub(super) fn next(&mut self) -> Result<Option<Frame>, EngineError> {
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
        if self.reader.info().interlaced {
            self.close_rows(&control);
        }
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

    /// Puts the rows of a frame right behind each other: of an interlaced one the png crate (0.18) leaves them as far apart as
    /// those of the canvas.
    fn close_rows(&mut self, control: &FrameControl) {
        fn close<T: Copy>(samples: &mut [T], apart: usize, row: usize, rows: usize) {
            for at in 1..rows {
                samples.copy_within(at * apart..at * apart + row, at * row);
            }
        }
        let count = self.canvas.channels.count();
        let (apart, row) = (self.canvas.width as usize * count, control.width as usize * count);
        let rows = control.height as usize;
        match &mut self.frame {
            Samples::Eight(samples) => close(samples, apart, row, rows),
            Samples::Sixteen(samples) => close(samples, apart, row, rows),
        }
    }

    fn dispose(&mut self) {
        match self.last.take() {
            Some((_, Some(before))) => self.canvas = before,
            Some((control, None)) if control.dispose_op == DisposeOp::Background => {
                let (width, count) = (self.canvas.width as usize, self.canvas.channels.count());
                let place = place(&control);
                match &mut self.canvas.samples {
                    Samples::Eight(samples) => place.rows(samples, width, count).for_each(|row| row.fill(0)),
                    Samples::Sixteen(samples) => place.rows(samples, width, count).for_each(|row| row.fill(0)),
                }
            }
            Some(_) | None => {}
        }
    }

    fn draw(&mut self, control: &FrameControl) -> Result<(), EngineError> {
        let place = place(control);
        if !place.is_within(self.canvas.width, self.canvas.height) {
            return Err(broken(png::FORMAT, true, &"a frame leaves its canvas"));
        }
        let (width, channels) = (self.canvas.width as usize, self.canvas.channels);
        let replaces = control.blend_op == BlendOp::Source;
        match (&mut self.canvas.samples, &self.frame) {
            (Samples::Eight(canvas), Samples::Eight(frame)) => lay((canvas, width), frame, channels, place, replaces),
            (Samples::Sixteen(canvas), Samples::Sixteen(frame)) => {
                lay((canvas, width), frame, channels, place, replaces);
            }
            _ => {
                return Err(EngineError::Internal(
                    "a frame has another depth than its canvas".into(),
                ));
            }
        }
        Ok(())
    }
}

const fn place(control: &FrameControl) -> Place {
    Place {
        left: control.x_offset,
        top: control.y_offset,
        width: control.width,
        height: control.height,
    }
}
