//! Decodes JPEG XL with jxl, the decoder of browsers; of an animation the first frame.
//!
//! Colours come out as the file's profile means them, or as sRGB where its own space is none that has a profile.

use std::panic::{AssertUnwindSafe, catch_unwind};

use jxl::api::{
    AlphaMode, Endianness, Event, JxlColorEncoding, JxlColorProfile, JxlColorType, JxlDataFormat, JxlDecoder,
    JxlDecoderOptions, JxlOutputBuffer, JxlParallelRunner, JxlParallelRunnerFun, JxlPixelFormat, ProfileLevel,
};
use jxl::error::Error;

use super::{cut_off, other_sides};
use crate::EngineError;
use crate::layout::jxl::corrupt;
use crate::mill::{Control, NeverStop};
use crate::pixels::{Channels, Image, Samples, zeros};
use crate::probe::{Header, probe};

const FORMAT: &str = "JPEG XL";
/// What the decoder is given at a time, bytes; between two of them it is asked whether to go on.
const PIECE_BYTES: usize = 64 * 1024;
/// Beside red, green and blue, which gray is decoded as, as well.
const COLORS: u64 = 3;
/// The largest picture of which it is asked what frames it has: 256 MiB a plane.
const MOST_PIXELS_ASKED: u64 = 1 << 26;
/// Sides below which planes are as large as if they had it, pixels.
const SMALLEST_WIDTH: u64 = 16;

pub(super) fn decode(input: &[u8], header: &Header, control: &dyn Control) -> Result<Image, EngineError> {
    let channels = channels_of(header);
    let count = header.pixels() * channels.count() as u64;
    let mut image = Image {
        width: header.width,
        height: header.height,
        channels,
        samples: if header.sixteen_bit {
            Samples::Sixteen(zeros(count)?)
        } else {
            Samples::Eight(zeros(count)?)
        },
    };
    let (bytes, each): (&mut [u8], _) = match &mut image.samples {
        Samples::Eight(samples) => (samples, 1),
        Samples::Sixteen(samples) => (bytemuck::cast_slice_mut(samples), 2),
    };
    let row = header.width as usize * channels.count() * each;
    let mut buffers = [JxlOutputBuffer::new(bytes, header.height as usize, row)];
    let mut reading = Reading::new(input, options(header), control);
    reading.begin(header)?;
    while !matches!(reading.next(Some(&mut buffers))?, Event::FrameComplete { .. }) {}
    Ok(image)
}

/// What the pixels that [`decode`] gives are in, if that is not sRGB.
pub(crate) fn icc(file: &[u8]) -> Option<Vec<u8>> {
    let header = probe(file).ok()?;
    unharmed(|| {
        let mut reading = Reading::new(file, options(&header), &NeverStop);
        reading.begin(&header).ok()?;
        let profile = reading.decoder.output_color_profile()?;
        let srgb = JxlColorEncoding::srgb(header.color.is_gray());
        if profile.same_color_encoding(&JxlColorProfile::Simple(srgb)) {
            return None;
        }
        Some(profile.try_as_icc()?.into_owned())
    })
}

/// Whether the file is one frame that nothing else is needed for, and says so at once. Not asked of pictures that are larger than
/// most limits let through: the decoder makes room for what later frames may need as soon as it has seen the first.
pub(crate) fn is_one_frame(file: &[u8], header: &Header) -> bool {
    /// Decodes nothing: what is to be decoded before the first frame is seen is a frame of its own.
    struct Refuse;
    impl Control for Refuse {
        fn should_stop(&self) -> bool {
            true
        }
    }
    if header.pixels() > MOST_PIXELS_ASKED {
        return false;
    }
    let mut options = options(header);
    options.scan_frames_only = true;
    let is_last = unharmed(|| {
        let mut reading = Reading::new(file, options, &Refuse);
        let begins = reading.advance(None).ok()? == Event::BasicInfo;
        let shows = begins && reading.advance(None).ok()? == Event::FrameHeader;
        shows.then(|| reading.decoder.scanned_frames().iter().any(|frame| frame.is_last))
    });
    is_last.unwrap_or(false)
}

/// What `work` gives; nothing when it upsets the decoder, which whoever decodes will see.
fn unharmed<T>(work: impl FnOnce() -> Option<T>) -> Option<T> {
    // Nothing that `work` could leave half-done outlives it: it reads its arguments and returns what it made.
    catch_unwind(AssertUnwindSafe(work)).ok().flatten()
}

fn channels_of(header: &Header) -> Channels {
    match (header.color.is_gray(), header.color.has_alpha()) {
        (true, false) => Channels::Gray,
        (true, true) => Channels::GrayAlpha,
        (false, false) => Channels::Rgb,
        (false, true) => Channels::Rgba,
    }
}

fn options(header: &Header) -> JxlDecoderOptions {
    let planes = COLORS + u64::from(header.color.has_alpha());
    let samples = u64::from(header.width).max(SMALLEST_WIDTH) * u64::from(header.height) * planes;
    let mut options = JxlDecoderOptions::default();
    options.adjust_orientation = false;
    options.alpha_mode = AlphaMode::Unpremultiplied;
    options.max_profile_level = ProfileLevel::Main10;
    // No frame may be larger than the picture.
    options.sample_limit = Some(usize::try_from(samples + 1).unwrap_or(usize::MAX));
    options
}

/// A file on its way through the decoder.
struct Reading<'a> {
    decoder: JxlDecoder,
    rest: &'a [u8],
    /// What of `rest` the decoder was given.
    piece: &'a [u8],
    runner: StoppingRunner<'a>,
}

impl<'a> Reading<'a> {
    fn new(file: &'a [u8], options: JxlDecoderOptions, control: &'a dyn Control) -> Self {
        Self {
            decoder: JxlDecoder::new(options),
            rest: file,
            piece: &[],
            runner: StoppingRunner { control },
        }
    }

    /// Reads up to the first frame, and says how its pixels are wanted.
    fn begin(&mut self, header: &Header) -> Result<(), EngineError> {
        while self.next(None)? != Event::BasicInfo {}
        let info = self.decoder.basic_info();
        let sides = info.map(|info| info.size);
        if sides != Some((header.width as usize, header.height as usize)) {
            return Err(other_sides(FORMAT));
        }
        let extra = info.map_or(0, |info| info.extra_channels.len());
        let format = JxlPixelFormat {
            color_type: match channels_of(header) {
                Channels::Gray => JxlColorType::Grayscale,
                Channels::GrayAlpha => JxlColorType::GrayscaleAlpha,
                Channels::Rgb => JxlColorType::Rgb,
                Channels::Rgba => JxlColorType::Rgba,
            },
            color_data_format: Some(if header.sixteen_bit {
                JxlDataFormat::U16 {
                    endianness: Endianness::native(),
                    bit_depth: 16,
                }
            } else {
                JxlDataFormat::U8 { bit_depth: 8 }
            }),
            extra_channel_format: vec![None; extra],
        };
        self.decoder.set_pixel_format(format).map_err(|error| broken(&error))
    }

    /// The next event that is not a want of bytes.
    fn next(&mut self, mut buffers: Option<&mut [JxlOutputBuffer<'_>]>) -> Result<Event, EngineError> {
        loop {
            if self.runner.control.should_stop() {
                return Err(EngineError::Stopped);
            }
            let buffers = buffers.as_deref_mut();
            match self.advance(buffers) {
                Ok(Event::NeedMoreInput { .. }) if self.rest.is_empty() => return Err(cut_off(FORMAT)),
                Ok(Event::NeedMoreInput { .. }) => {}
                Ok(Event::Complete) => return Err(corrupt("has no frame that is to be seen")),
                Ok(event) => return Ok(event),
                Err(_) if self.runner.control.should_stop() => return Err(EngineError::Stopped),
                Err(error) => return Err(broken(&error)),
            }
        }
    }

    /// Gives the decoder the next piece when it has used up the one before.
    fn advance(&mut self, buffers: Option<&mut [JxlOutputBuffer<'_>]>) -> Result<Event, Error> {
        if self.piece.is_empty() {
            (self.piece, self.rest) = self.rest.split_at(self.rest.len().min(PIECE_BYTES));
        }
        self.decoder.process(&mut self.piece, buffers, Some(&mut self.runner))
    }
}

/// Does one piece of the work after the other on the calling thread, for as long as it is to go on.
struct StoppingRunner<'a> {
    control: &'a dyn Control,
}

impl JxlParallelRunner for StoppingRunner<'_> {
    fn run(&mut self, count: usize, work: &JxlParallelRunnerFun<'_>) -> Result<(), Error> {
        for index in 0..count {
            if self.control.should_stop() {
                return Err(Error::ApiUsageError("the work is to stop"));
            }
            work(index)?;
        }
        Ok(())
    }

    fn num_threads(&self) -> usize {
        1
    }

    fn run_ordered(&mut self, count: usize, _: Option<usize>, work: &JxlParallelRunnerFun<'_>) -> Result<(), Error> {
        self.run(count, work)
    }
}

fn broken(why: &Error) -> EngineError {
    super::broken(FORMAT, true, why)
}
