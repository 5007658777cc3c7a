//! Works out the sides and margins that steps ask for, of a picture of known sides.

use pixmill_types::steps::{Crop, CropAt, Fit, Pad, PadBy, Resize, Rotate, Round};
use pixmill_types::{Focus, Gravity};

use super::geometry::{Margins, PadPlan, ResizePlan, RotatePlan, Window};
use super::lower::Underway;
use super::operation::Operation;
use crate::EngineError;
use crate::exif::Orientation;
use crate::pixels::Shape;

/// What scales a picture for a resize, and what then cuts it for one that covers; nothing when it stays as it is.
pub(crate) fn resize(resize: &Resize, shape: Shape) -> Vec<Operation> {
    let (width, height) = (shape.width, shape.height);
    let (from_width, from_height) = (f64::from(width), f64::from(height));
    let scale_x = resize.width.map(|target| f64::from(target) / from_width);
    let scale_y = resize.height.map(|target| f64::from(target) / from_height);
    let scale_x = scale_x.or(scale_y).unwrap_or(1.0);
    let scale_y = scale_y.unwrap_or(scale_x);
    let largest = if resize.enlarge { f64::INFINITY } else { 1.0 };
    let scaled = |side: f64, scale: f64| (side * scale).round().max(1.0) as u32;
    let plan = |scale_x: f64, scale_y: f64| ResizePlan {
        linear: resize.linear,
        ..ResizePlan::whole(
            shape,
            (scaled(from_width, scale_x), scaled(from_height, scale_y)),
            resize.filter,
        )
    };
    let plan = match resize.fit {
        Fit::Inside | Fit::Contain => {
            let scale = scale_x.min(scale_y).min(largest);
            plan(scale, scale)
        }
        Fit::Outside => {
            let scale = scale_x.max(scale_y).min(largest);
            plan(scale, scale)
        }
        Fit::Fill => plan(scale_x.min(largest), scale_y.min(largest)),
        Fit::Cover => return cover(resize, scale_x.max(scale_y).min(largest), plan, (width, height)),
    };
    changed(plan, width, height)
}

/// As [`resize`], for a picture that is at most of `shape` and may be of any sides up to those: to the largest that may come of
/// it. How far one is enlarged that nobody has seen is as if it had the proportions of `shape`.
pub(super) fn resize_of_bound(resize: &Resize, shape: Shape) -> Vec<Operation> {
    let is_cut = resize.fit == Fit::Cover && resize.gravity != Focus::Attention;
    if resize.enlarge || is_cut {
        return self::resize(resize, shape);
    }
    // No side grows, and one that is asked for is not exceeded unless the other has to be reached.
    let covers = matches!(resize.fit, Fit::Outside | Fit::Cover);
    let most = |target: Option<u32>, own: u32| target.filter(|_| !covers).map_or(own, |target| target.min(own));
    let (width, height) = (most(resize.width, shape.width), most(resize.height, shape.height));
    let plan = ResizePlan {
        linear: resize.linear,
        ..ResizePlan::whole(shape, (width, height), resize.filter)
    };
    let mut operations = changed(plan, shape.width, shape.height);
    if resize.fit == Fit::Cover {
        operations.push(Operation::Attention {
            width: resize.width.map_or(width, |target| target.min(width)),
            height: resize.height.map_or(height, |target| target.min(height)),
        });
    }
    operations
}

/// Scales and cuts. Where the picture is scaled by the filter, the same filter cuts between pixels.
fn cover(
    resize: &Resize,
    scale: f64,
    plan: impl Fn(f64, f64) -> ResizePlan,
    (width, height): (u32, u32),
) -> Vec<Operation> {
    let scaled = plan(scale, scale);
    let to_width = resize.width.unwrap_or(width).min(scaled.width);
    let to_height = resize.height.unwrap_or(height).min(scaled.height);
    let is_scaled = (scaled.width, scaled.height) != (width, height);
    match resize.gravity {
        Focus::Attention => {
            let mut operations = changed(scaled, width, height);
            operations.push(Operation::Attention {
                width: to_width,
                height: to_height,
            });
            operations
        }
        Focus::Place(gravity) if is_scaled => {
            let (from_width, from_height) = (f64::from(width), f64::from(height));
            let source_width = (f64::from(to_width) / scale).min(from_width);
            let source_height = (f64::from(to_height) / scale).min(from_height);
            let (beside, over) = gravity.shares();
            let source = Window {
                left: (from_width - source_width) * beside,
                top: (from_height - source_height) * over,
                width: source_width,
                height: source_height,
                ..scaled.source
            };
            vec![Operation::Resize(ResizePlan {
                width: to_width,
                height: to_height,
                source,
                ..scaled
            })]
        }
        Focus::Place(gravity) => {
            let room = (width - to_width, height - to_height);
            vec![Operation::Crop(around(gravity, room))]
        }
    }
}

fn changed(plan: ResizePlan, width: u32, height: u32) -> Vec<Operation> {
    match (plan.width, plan.height) == (width, height) {
        true => Vec::new(),
        false => vec![Operation::Resize(plan)],
    }
}

/// What fills a picture of `shape` up to the target of a resize.
pub(super) fn pad_to_target(resize: &Resize, shape: Shape) -> Option<Operation> {
    let Focus::Place(gravity) = resize.gravity else {
        return None;
    };
    Some(Operation::Pad(PadPlan {
        margins: around(gravity, room_to(resize.width, resize.height, shape)),
        background: resize.background,
    }))
}

pub(super) fn pad(pad: &Pad, shape: Shape) -> Operation {
    let margins = match pad.by {
        PadBy::Sides {
            left,
            top,
            right,
            bottom,
        } => Margins {
            left,
            top,
            right,
            bottom,
        },
        PadBy::Size { width, height, gravity } => around(gravity, room_to(width, height, shape)),
    };
    Operation::Pad(PadPlan {
        margins,
        background: pad.background,
    })
}

/// Pixels that are lacking to a width and a height.
fn room_to(width: Option<u32>, height: Option<u32>, shape: Shape) -> (u32, u32) {
    (
        width.map_or(0, |width| width.saturating_sub(shape.width)),
        height.map_or(0, |height| height.saturating_sub(shape.height)),
    )
}

/// The margins around a frame that leaves so much room beside and over it together.
fn around(gravity: Gravity, (beside, over): (u32, u32)) -> Margins {
    let (left, top) = gravity.offset(beside, over);
    Margins {
        left,
        top,
        right: beside - left,
        bottom: over - top,
    }
}

/// Whether only the pixels say which part it keeps.
pub(super) fn looks_at_pixels(crop: &Crop) -> bool {
    crop.at == CropAt::Focus(Focus::Attention)
}

/// What is cut off a picture; of one that may be smaller, as little as may be.
pub(super) fn crop(crop: &Crop, from: Underway) -> Result<Operation, EngineError> {
    let shape = from.shape;
    let (left, top) = match crop.at {
        CropAt::Offset { left, top } if !from.is_bound => (left, top),
        CropAt::Offset { .. } | CropAt::Focus(_) => (0, 0),
    };
    for (name, offset, side) in [("left", left, shape.width), ("top", top, shape.height)] {
        if offset >= side {
            return Err(EngineError::Impossible(format!(
                "crop begins at {name} {offset}, the picture has {} x {} pixels there",
                shape.width, shape.height
            )));
        }
    }
    // What lies beyond the picture is left out.
    let width = crop.width.unwrap_or(u32::MAX).min(shape.width - left);
    let height = crop.height.unwrap_or(u32::MAX).min(shape.height - top);
    let room = (shape.width - width, shape.height - height);
    Ok(match crop.at {
        CropAt::Offset { .. } => Operation::Crop(Margins {
            left,
            top,
            right: room.0 - left,
            bottom: room.1 - top,
        }),
        CropAt::Focus(Focus::Place(gravity)) => Operation::Crop(around(gravity, room)),
        CropAt::Focus(Focus::Attention) => Operation::Attention { width, height },
    })
}

/// The turning that an angle is, clockwise, degrees, when it is a multiple of a right one.
pub(super) fn quarter_turn(angle: f32) -> Option<Orientation> {
    if angle % 90.0 != 0.0 {
        return None;
    }
    // At most a whole turn and a multiple of 90.
    Orientation::from_exif(match (angle as i32).rem_euclid(360) {
        90 => 6,
        180 => 3,
        270 => 8,
        _ => 1,
    })
}

pub(super) fn rotate(rotate: &Rotate, shape: Shape) -> Operation {
    if let Some(orientation) = quarter_turn(rotate.angle) {
        return Operation::Orient(orientation);
    }
    let angle = f64::from(rotate.angle);
    let (width, height) = RotatePlan::sides(shape, angle);
    Operation::Rotate(RotatePlan {
        angle,
        filter: rotate.filter,
        background: rotate.background,
        width,
        height,
    })
}

/// Rounds by no more than half the shorter side.
pub(super) fn round(round: &Round, shape: Shape) -> Option<Operation> {
    let shorter = shape.width.min(shape.height);
    let radius = round.radius.pixels(shorter).min(f64::from(shorter) / 2.0);
    Some(Operation::Round(radius))
}
