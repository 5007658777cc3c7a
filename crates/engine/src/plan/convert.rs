//! Where the colours of a picture become sRGB.
//!
//! Nothing is converted whose gray is taken first, where the profile leaves gray as it is: ADR 5 says why that is right. Else it is done
//! once, behind whatever makes the picture smaller.

use super::OutputPlan;
use super::geometry::ResizePlan;
use super::operation::Operation;
use super::route::{DecodeChannels, DecodePlan};
use crate::probe::Header;

/// Adds the conversion to what all outputs share, or to those that want it.
pub(super) fn to_srgb(header: &Header, decode: DecodePlan, shared: &mut Vec<Operation>, outputs: &mut [OutputPlan]) {
    let is_luma = decode.channels == DecodeChannels::Luma && !header.color.is_gray();
    if !header.profile.needs_conversion() || is_luma {
        return;
    }
    let takes_gray_first = |output: &OutputPlan| {
        let mut all = shared.iter().chain(&output.operations);
        let first = all.find(|operation| {
            !matches!(
                operation,
                Operation::Orient(_) | Operation::Crop(_) | Operation::Resize(ResizePlan { linear: false, .. })
            )
        });
        header.profile.keeps_gray() && first == Some(&Operation::Grayscale)
    };
    let wanting: Vec<bool> = outputs
        .iter()
        .map(|output| {
            let keeps = output.encode().is_some_and(|encode| encode.keeps_profile);
            !keeps && !takes_gray_first(output)
        })
        .collect();
    let is_wanted_by_all = wanting.iter().all(|wants| *wants);
    let in_shared = leading(shared, header.pixels());
    let all_shrink = outputs
        .iter()
        .all(|output| leading(&output.operations, header.pixels()) > 0);
    if is_wanted_by_all && (in_shared < shared.len() || outputs.len() > 1 && !all_shrink) {
        shared.insert(in_shared, Operation::ToSrgb);
        return;
    }
    for (output, _) in outputs.iter_mut().zip(wanting).filter(|(_, wants)| *wants) {
        let place = leading(&output.operations, header.pixels());
        output.operations.insert(place, Operation::ToSrgb);
    }
}

/// How many operations turn the picture or make it smaller before anything else is done.
fn leading(operations: &[Operation], pixels: u64) -> usize {
    operations
        .iter()
        .take_while(|operation| match operation {
            Operation::Orient(_) | Operation::Crop(_) => true,
            // Light is mixed by the curve of sRGB.
            Operation::Resize(resize) => !resize.linear && u64::from(resize.width) * u64::from(resize.height) < pixels,
            _ => false,
        })
        .count()
}
