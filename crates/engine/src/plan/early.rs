//! Cuts a picture as early as that gives the same: what comes after works on the part that is kept alone.

use super::geometry::{Margins, PadPlan};
use super::operation::Operation;
use crate::pixels::Shape;
use crate::steps::RowBlur;

/// A blur is done on a part of the picture when that is smaller by this part at least: the part is copied twice.
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
            Operation::Grayscale | Operation::Curve(_) | Operation::Matrix(_) | Operation::Flatten(_) => {
                after.push(operation);
            }
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
            Operation::Blur(sigma) => {
                let reach = u32::try_from(RowBlur::radius_of(sigma)).unwrap_or(u32::MAX);
                let outer = margins.zip(Margins::all(reach), u32::saturating_sub);
                let saved = 1.0 - outer.cut_off(before).pixels() as f64 / before.pixels() as f64;
                if saved < LEAST_SAVED {
                    operations.push(operation);
                    break;
                }
                after.push(Operation::Crop(margins.zip(outer, u32::saturating_sub)));
                after.push(operation);
                margins = outer;
            }
            Operation::Resize(resize) if resize.is_smooth() => {
                operations.push(Operation::Resize(resize.without(margins)));
                margins = Margins::NONE;
                break;
            }
            Operation::Resize(_)
            | Operation::Pad(_)
            | Operation::Rotate(_)
            | Operation::Round(_)
            | Operation::Attention { .. }
            | Operation::Trim(_) => {
                operations.push(operation);
                break;
            }
        }
    }
    if margins != Margins::NONE {
        operations.push(Operation::Crop(margins));
    }
    operations.extend(
        after
            .into_iter()
            .rev()
            .filter(|operation| *operation != Operation::Crop(Margins::NONE)),
    );
}

fn leaves_some(shape: Shape, margins: Margins) -> bool {
    margins.cut_off(shape).pixels() > 0
}
