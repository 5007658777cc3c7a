//! Encodes GIF with the gif crate: a palette of our own choice, pixels opaque or not there.

mod palette;

use ::gif::{Encoder, EncodingError, Frame};

pub(super) use self::palette::Purpose;

use self::palette::Palette;
use super::failed;
use super::sink::Sink;
use crate::EngineError;
use crate::mill::Control;
use crate::pixels::{Channels, Image, Samples};
use crate::plan::EncodePlan;

const FORMAT: &str = "GIF";
const MAX_COLORS: u16 = 256;

pub(super) fn encode(image: Image, plan: &EncodePlan, control: &dyn Control) -> Result<Vec<u8>, EngineError> {
    let frame = frame(image, plan, Purpose::Still, control)?;
    let mut sink = Sink::new(control);
    let written = write(&frame, &mut sink);
    sink.finish(FORMAT, written)
}

fn write(frame: &Frame<'_>, sink: &mut Sink<'_>) -> Result<(), EncodingError> {
    let palette = frame.palette.as_deref().unwrap_or_default();
    let mut encoder = Encoder::new(sink, frame.width, frame.height, palette)?;
    // The palette of the only frame is that of the file.
    let frame = Frame {
        palette: None,
        buffer: (&*frame.buffer).into(),
        ..*frame
    };
    encoder.write_frame(&frame)
}

/// A picture as indices of a palette.
pub(super) fn frame(
    image: Image,
    plan: &EncodePlan,
    purpose: Purpose,
    control: &dyn Control,
) -> Result<Frame<'static>, EngineError> {
    let image = image.into_eight_bit().try_widen(Channels::Rgb)?;
    let (Samples::Eight(samples), Ok(width), Ok(height)) =
        (&image.samples, u16::try_from(image.width), u16::try_from(image.height))
    else {
        return Err(failed(FORMAT, &"it is larger than the plan allows"));
    };
    let most = plan.options.colors.unwrap_or(MAX_COLORS);
    let palette = Palette::of(samples, image.channels, most, purpose, control)?;
    let dithers = plan.options.dither.unwrap_or(true);
    let indices = palette.indices(samples, image.channels, image.width as usize, dithers, control)?;
    Ok(Frame {
        width,
        height,
        transparent: palette.transparent(),
        palette: Some(palette.into_bytes()),
        buffer: indices.into(),
        ..Frame::default()
    })
}
