//! Cuts a picture as early as that gives the same: what comes after works on the part that is kept alone.

use super::geometry::{Margins, PadPlan};
use super::operation::Operation;
use crate::pixels::Shape;
use crate::steps::RowBlur;

/// What looks around each pixel is done on a part of the picture when that is smaller by this at least: the part is copied
/// twice.
const LEAST_SAVED: f64 = 1.0 / 8.0;

/// Adds to `operations`, which begin with a picture of shape `from`, that `margins` are cut off; moves it forward past
/// what works on single pixels, on few around each, or on margins itself. `margins` leave something.
pub(super) fn cut_off(operations: &mut Vec<Operation>, mut margins: Margins, from: Shape) {
    let mut shapes = vec![from];
    for operation in &operations[..] {
        shapes.push(operation.shape_after(shapes[shapes.len() - 1]));
    }
    // What comes after the cut, last first.
    let mut after = Vec::new();
    while let Some(operation) = operations.pop() {
        let before = shapes[operations.len()];
        match operation {
            Operation::Orient(orientation) => {
                margins = margins.before_turning(orientation);
                after.push(operation);
            }
            Operation::Crop(earlier) => margins = margins.zip(earlier, u32::saturating_add),
            Operation::Pad(pad) if leaves_some(before, margins.zip(pad.margins, u32::saturating_sub)) => {
                let kept = Operation::Pad(PadPlan {
                    margins: pad.margins.zip(margins, u32::saturating_sub),
                    ..pad
                });
                margins = margins.zip(pad.margins, u32::saturating_sub);
                if kept.changes(margins.cut_off(before)) {
                    after.push(kept);
                }
            }
            Operation::Resize(resize) if resize.is_smooth() => {
                operations.push(Operation::Resize(resize.without(margins)));
                margins = Margins::NONE;
                break;
            }
            operation => {
                let outer = reach(&operation).map(|reach| margins.zip(Margins::all(reach), u32::saturating_sub));
                match outer {
                    Some(outer) if outer == margins => after.push(operation),
                    Some(outer) if saves(before, outer) => {
                        after.push(Operation::Crop(margins.zip(outer, u32::saturating_sub)));
                        after.push(operation);
                        margins = outer;
                    }
                    Some(_) | None => {
                        operations.push(operation);
                        break;
                    }
                }
            }
        }
    }
    if margins != Margins::NONE {
        operations.push(Operation::Crop(margins));
    }
    operations.extend(after.into_iter().rev());
}

/// How far around a pixel an operation looks to make the same pixel, alike everywhere; `None` when it does other than
/// that.
fn reach(operation: &Operation) -> Option<u32> {
    match operation {
        Operation::Grayscale
        | Operation::Curve(_)
        | Operation::Matrix(_)
        | Operation::ToSrgb
        | Operation::Flatten(_) => Some(0),
        Operation::Blur(sigma) => u32::try_from(RowBlur::radius_of(*sigma)).ok(),
        Operation::Sharpen(step) => u32::try_from(RowBlur::radius_of(step.sigma)).ok(),
        Operation::Median(radius) => Some(*radius),
        Operation::Edge(_) => Some(1),
        Operation::Orient(_)
        | Operation::Crop(_)
        | Operation::Resize(_)
        | Operation::Pad(_)
        | Operation::Rotate(_)
        | Operation::Round(_)
        | Operation::Attention { .. }
        | Operation::Pixelate(_)
        | Operation::Normalise(_)
        | Operation::Watermark(_)
        | Operation::Text(_)
        | Operation::Trim(_) => None,
    }
}

fn leaves_some(shape: Shape, margins: Margins) -> bool {
    margins.cut_off(shape).pixels() > 0
}

/// Whether so much less is worked on that it is worth cutting twice.
fn saves(shape: Shape, margins: Margins) -> bool {
    margins.cut_off(shape).pixels() as f64 <= shape.pixels() as f64 * (1.0 - LEAST_SAVED)
}
