//! Rules that move work into the decoder of a JPEG. Each gives the picture of the plain plan within a tolerance that
//! `tests/it/pushdown.rs` names.

use pixmill_types::ImageFormat;

use super::OutputPlan;
use super::operation::Operation;
use super::route::{DecodeChannels, DecodePlan, Route, StreamPlan};
use crate::probe::{ColorModel, Header, Streaming};
use crate::steps::RowBlur;

/// From this sigma on, a blurred JPEG is worked on at half the size: there is nothing left of the frequencies that this
/// leaves out. Pixels.
const HALF_FROM_SIGMA: f32 = 2.5;

/// What is decoded for a recipe that needs luma alone or every channel.
pub(super) fn decode(header: &Header, needs_luma_alone: bool) -> DecodePlan {
    let is_luma = match (header.format, header.color) {
        (ImageFormat::Jpeg, ColorModel::YCbCr) => needs_luma_alone,
        (ImageFormat::Jpeg, ColorModel::Gray) => true,
        _ => false,
    };
    DecodePlan {
        channels: if is_luma {
            DecodeChannels::Luma
        } else {
            DecodeChannels::All
        },
        by_core: is_luma && header.streaming != Streaming::No,
        ..DecodePlan::GENERAL
    }
}

/// The way to carry out what was lowered onto a picture decoded as a whole.
pub(super) fn route(header: &Header, decode: DecodePlan, shared: Vec<Operation>, outputs: Vec<OutputPlan>) -> Route {
    if let Some(route) = streamed(header, decode, &shared, &outputs) {
        return route;
    }
    let (mut decode, mut shared, mut outputs) = (decode, shared, outputs);
    blur_on_the_way(&mut decode, &mut shared, &mut outputs);
    Route::Staged {
        decode,
        shared,
        outputs,
    }
}

/// From luma of a JPEG to one gray JPEG, with nothing but a blur between.
fn streamed(header: &Header, decode: DecodePlan, shared: &[Operation], outputs: &[OutputPlan]) -> Option<Route> {
    let [output] = outputs else {
        return None;
    };
    let is_gray_jpeg = output.encode.format == ImageFormat::Jpeg && decode.channels == DecodeChannels::Luma;
    if !decode.by_core || !is_gray_jpeg {
        return None;
    }
    let sigma = match (shared, &output.operations[..]) {
        ([], []) => None,
        ([Operation::Blur(sigma)], []) | ([], [Operation::Blur(sigma)]) => Some(*sigma),
        _ => return None,
    };
    let is_half = sigma.is_some_and(|sigma| sigma >= HALF_FROM_SIGMA);
    let worked_on = sigma.map(|sigma| if is_half { sigma / 2.0 } else { sigma });
    worked_on.is_none_or(RowBlur::takes).then(|| Route::Streamed {
        stream: StreamPlan {
            sigma,
            is_half,
            drops_colour: !header.color.is_gray(),
        },
        encode: output.encode,
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
    let blur = operations
        .iter()
        .position(|operation| matches!(operation, Operation::Blur(_)));
    // Turning leaves a blur as it is.
    let is_first = blur.is_some_and(|index| {
        operations[..index]
            .iter()
            .all(|operation| matches!(operation, Operation::Orient(_)))
    });
    if let (true, Some(index)) = (is_first, blur) {
        if let Operation::Blur(sigma) = operations[index] {
            if RowBlur::takes(sigma) {
                decode.blur = Some(sigma);
                operations.remove(index);
            }
        }
    }
}
