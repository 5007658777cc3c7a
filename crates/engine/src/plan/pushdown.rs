//! Rules that move work into the decoder of a JPEG or a PNG. Each gives the picture of the plain plan within a tolerance that
//! `tests/it/pushdown.rs` names.

use pixmill_types::ImageFormat;

use super::OutputPlan;
use super::derive;
use super::geometry::{Margins, ResizePlan};
use super::operation::{EncodePlan, Operation};
use super::route::{DecodeChannels, DecodePlan, DecodeScale, Route, StreamPlan};
use crate::exif::Orientation;
use crate::jpeg::frequencies;
use crate::probe::{ColorModel, Header, Streaming};
use crate::steps::RowBlur;

/// From this sigma on, a blurred JPEG is worked on at half the size: nothing that can be seen is left of the frequencies
/// that this leaves out. Below, Pillow's result is up to half a decibel nearer to the exact one than that of half the size.
/// Pixels.
const HALF_FROM_SIGMA: f32 = 4.0;

/// A picture that is decoded smaller has this many times the sides of what a resize makes of it, at least: as much as
/// libvips leaves. The result was then 44 to 49 dB from that of the whole picture; 40 where nothing was left to resize.
const LEAST_LEFT: f64 = 2.0;
/// The same where every output is lossy and not of a high quality, which takes more from it: 44 to 50 dB from that of the
/// whole picture, on one full of fine detail 38 to 44.
const LEAST_LEFT_FOR_COARSE: f64 = 1.25;

/// What is decoded for a recipe that needs luma alone or every channel.
pub(super) fn decode(header: &Header, needs_luma_alone: bool) -> DecodePlan {
    let is_luma = match (header.format, header.color) {
        (ImageFormat::Jpeg, ColorModel::YCbCr) => needs_luma_alone && header.profile.keeps_gray(),
        (ImageFormat::Jpeg, ColorModel::Gray) => true,
        // Row by row, as they come.
        (ImageFormat::Png, ColorModel::Rgb) => {
            let comes_in_rows = !header.multi_pass && header.frames == 1;
            needs_luma_alone && comes_in_rows && header.profile.keeps_gray()
        }
        _ => false,
    };
    DecodePlan {
        channels: if is_luma {
            DecodeChannels::Luma
        } else {
            DecodeChannels::All
        },
        by_core: is_luma && header.streaming.has_luma(),
        ..DecodePlan::GENERAL
    }
}

/// The way to carry out what was lowered onto a picture decoded as a whole.
pub(super) fn route(header: &Header, decode: DecodePlan, shared: Vec<Operation>, outputs: Vec<OutputPlan>) -> Route {
    if let Some(route) =
        copied(header, decode, &shared, &outputs).or_else(|| streamed(header, decode, &shared, &outputs))
    {
        return route;
    }
    let (mut decode, mut shared, mut outputs) = (decode, shared, outputs);
    blur_on_the_way(&mut decode, &mut shared, &mut outputs);
    decode_smaller(header, &mut decode, &mut shared, &mut outputs);
    derive::derive(&mut outputs);
    Route::Staged {
        decode,
        shared,
        outputs,
    }
}

/// A JPEG of which nothing is wanted but a JPEG of the same pixels.
fn copied(header: &Header, decode: DecodePlan, shared: &[Operation], outputs: &[OutputPlan]) -> Option<Route> {
    let [output] = outputs else {
        return None;
    };
    let encode = *output.encode()?;
    let is_jpeg = header.format == ImageFormat::Jpeg && encode.format == ImageFormat::Jpeg;
    let has_inks = matches!(header.color, ColorModel::Cmyk { .. });
    let drops_colour = decode.channels == DecodeChannels::Luma && !header.color.is_gray();
    let is_left_alone = !drops_colour && shared.is_empty() && output.operations.is_empty() && output.is_of_any_quality;
    (is_jpeg && !has_inks && is_left_alone).then_some(Route::Copied { encode })
}

/// From luma of a JPEG to one gray JPEG, with nothing but a blur and a turning between.
fn streamed(header: &Header, decode: DecodePlan, shared: &[Operation], outputs: &[OutputPlan]) -> Option<Route> {
    let [output] = outputs else {
        return None;
    };
    let encode = *output.encode()?;
    let is_gray_jpeg = encode.format == ImageFormat::Jpeg && decode.channels == DecodeChannels::Luma;
    if !decode.by_core || !is_gray_jpeg {
        return None;
    }
    let (mut sigma, mut turn) = (None, Orientation::UPRIGHT);
    for operation in shared.iter().chain(&output.operations) {
        match operation {
            Operation::Blur(blur) if sigma.is_none() => sigma = Some(*blur),
            Operation::Orient(orientation) if turn == Orientation::UPRIGHT => turn = *orientation,
            _ => return None,
        }
    }
    // A block that the picture fills in part would bring what its encoder put beyond the edge into the edge.
    let has_whole_blocks = header.width.is_multiple_of(8) && header.height.is_multiple_of(8);
    let is_half = has_whole_blocks && sigma.is_some_and(|sigma| sigma >= HALF_FROM_SIGMA);
    if turn != Orientation::UPRIGHT && !has_whole_blocks {
        return None;
    }
    let worked_on = sigma.map(|sigma| if is_half { sigma / 2.0 } else { sigma });
    worked_on.is_none_or(RowBlur::takes).then(|| Route::Streamed {
        stream: StreamPlan {
            sigma,
            frequencies: sigma
                .filter(|_| !is_half)
                .and_then(|sigma| frequencies(sigma, encode.quality)),
            is_half,
            drops_colour: !header.color.is_gray(),
            turn,
        },
        encode,
    })
}

/// A blur that comes first is done on the rows as they are decoded.
fn blur_on_the_way(decode: &mut DecodePlan, shared: &mut Vec<Operation>, outputs: &mut [OutputPlan]) {
    if !decode.by_core || decode.channels != DecodeChannels::Luma {
        return;
    }
    let operations = match outputs {
        [only] if shared.is_empty() => &mut only.operations,
        _ => shared,
    };
    // Turning leaves a blur as it is.
    let first = operations
        .iter()
        .position(|operation| !matches!(operation, Operation::Orient(_)));
    let Some(index) = first else {
        return;
    };
    if let Operation::Blur(sigma) = operations[index]
        && RowBlur::takes(sigma)
    {
        decode.blur = Some(sigma);
        operations.remove(index);
    }
}

/// Before a resize that makes the picture smaller, a picture is decoded that is smaller already; what is cut off before
/// is cut off that.
fn decode_smaller(header: &Header, decode: &mut DecodePlan, shared: &mut [Operation], outputs: &mut [OutputPlan]) {
    let can_be_smaller = match decode.channels {
        DecodeChannels::Luma => decode.by_core && decode.blur.is_none(),
        DecodeChannels::All => header.color == ColorModel::YCbCr && header.streaming == Streaming::Colour,
    };
    let are_coarse = outputs
        .iter()
        .all(|output| output.encode().is_some_and(EncodePlan::is_coarse));
    let operations = outputs.iter_mut().map(|output| &mut output.operations[..]);
    let first: Option<Vec<_>> = match shared {
        [] => operations.map(First::of).collect(),
        [Operation::Crop(margins)] => First::after(margins, operations),
        shared => First::of(shared).map(|first| vec![first]),
    };
    let (true, Some(mut first)) = (can_be_smaller, first) else {
        return;
    };
    let least_left = if are_coarse { LEAST_LEFT_FOR_COARSE } else { LEAST_LEFT };
    let is_enough = |scale: &DecodeScale| {
        let least = least_left * f64::from(scale.denominator());
        first.iter().flat_map(|first| &first.resizes).all(|resize| {
            resize.source.width >= f64::from(resize.width) * least
                && resize.source.height >= f64::from(resize.height) * least
        })
    };
    if let (false, Some(scale)) = (first.is_empty(), DecodeScale::REDUCED.into_iter().find(is_enough)) {
        for first in &mut first {
            first.shrink_source((header.width, header.height), scale);
        }
        decode.by_core = true;
        decode.scale = scale;
    }
}

/// What a picture that is decoded smaller changes: what is first cut off it, and how it is then made smaller.
struct First<'a> {
    crop: Option<&'a mut Margins>,
    resizes: Vec<&'a mut ResizePlan>,
}

impl<'a> First<'a> {
    fn of(operations: &'a mut [Operation]) -> Option<Self> {
        let (crop, resize) = match operations {
            [Operation::Crop(margins), Operation::Resize(resize), ..] => (Some(margins), resize),
            [Operation::Resize(resize), ..] => (None, resize),
            _ => return None,
        };
        let resizes = vec![resize];
        Self::can_be_of(resizes[0]).then_some(Self { crop, resizes })
    }

    /// Light cannot be taken out of levels that were mixed already.
    fn can_be_of(resize: &ResizePlan) -> bool {
        resize.is_smooth() && !resize.linear
    }

    /// What all `outputs` cut off together.
    fn after(margins: &'a mut Margins, outputs: impl Iterator<Item = &'a mut [Operation]>) -> Option<Vec<Self>> {
        let resizes: Option<Vec<_>> = outputs
            .map(|operations| match operations {
                [Operation::Resize(resize), ..] if Self::can_be_of(resize) => Some(resize),
                _ => None,
            })
            .collect();
        Some(vec![Self {
            crop: Some(margins),
            resizes: resizes?,
        }])
    }

    /// Makes it one for a picture of these sides that is decoded to a part of them.
    fn shrink_source(&mut self, (width, height): (u32, u32), scale: DecodeScale) {
        let denominator = scale.denominator();
        for resize in &mut self.resizes {
            resize.shrink_source(denominator);
        }
        let Some(margins) = &mut self.crop else {
            return;
        };
        // A pixel that is kept in part is kept; the resize then begins and ends within it.
        let beyond = |side: u32, margin: u32| scale.side(side) - scale.side(side - margin);
        let whole = **margins;
        **margins = Margins {
            left: whole.left / denominator,
            top: whole.top / denominator,
            right: beyond(width, whole.right),
            bottom: beyond(height, whole.bottom),
        };
        let part = |margin: u32| f64::from(margin % denominator) / f64::from(denominator);
        for resize in &mut self.resizes {
            resize.source.left += part(whole.left);
            resize.source.top += part(whole.top);
        }
    }
}
