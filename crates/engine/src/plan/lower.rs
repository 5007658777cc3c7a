//! Turns a recipe's steps into operations and puts them into the cheapest order that gives the same picture.
//!
//! Owns which steps may change places: `grayscale`, `blur` and `resize` are linear and treat every direction alike, so
//! they commute with one another's channels and with turning, up to rounding. Blur and resize keep their order.

use pixmill_types::steps::{Fit, Resize};
use pixmill_types::{OutputSpec, Recipe, Step};

use super::operation::{Operation, ResizePlan};
use crate::exif::Orientation;
use crate::pixels::Shape;

/// A recipe with everything that all its outputs share moved to the front.
#[derive(Debug)]
pub(super) struct Shared<'a> {
    pub(super) grayscale: bool,
    pub(super) steps: Vec<Step>,
    pub(super) outputs: Vec<(Vec<Step>, &'a OutputSpec)>,
}

/// A picture on its way: its shape, and how it is still turned.
#[derive(Debug, Clone, Copy)]
pub(super) struct Underway {
    pub(super) shape: Shape,
    pub(super) orientation: Orientation,
}

/// Moves to the front what all outputs do first, and `grayscale` when every output does it somewhere.
pub(super) fn share(recipe: &Recipe) -> Shared<'_> {
    let mut steps = recipe.steps().to_vec();
    let mut outputs: Vec<_> = recipe
        .outputs()
        .iter()
        .map(|output| (output.steps.clone(), output))
        .collect();
    while let Some(first) = common_first(&outputs) {
        steps.push(first);
        for (own, _) in &mut outputs {
            own.remove(0);
        }
    }
    let is_grayscale = |step: &Step| matches!(step, Step::Grayscale(_));
    let grayscale = steps.iter().any(is_grayscale) || outputs.iter().all(|(own, _)| own.iter().any(is_grayscale));
    if grayscale {
        steps.retain(|step| !is_grayscale(step));
        for (own, _) in &mut outputs {
            own.retain(|step| !is_grayscale(step));
        }
    }
    Shared {
        grayscale,
        steps,
        outputs,
    }
}

fn common_first(outputs: &[(Vec<Step>, &OutputSpec)]) -> Option<Step> {
    let first = *outputs.first()?.0.first()?;
    outputs
        .iter()
        .all(|(own, _)| own.first() == Some(&first))
        .then_some(first)
}

/// The operations for `steps`, with `grayscale` besides when it was moved to the front, in the cheapest order; and what
/// comes out of them.
pub(super) fn lower(steps: &[Step], grayscale: bool, from: Underway) -> (Vec<Operation>, Underway) {
    let mut now = from;
    let mut operations = Vec::new();
    let grayscale = grayscale || steps.iter().any(|step| matches!(step, Step::Grayscale(_)));
    if grayscale && !now.shape.channels.is_gray() {
        push(&mut operations, &mut now, Operation::Grayscale);
    }
    for step in steps {
        match step {
            // Done above, or nothing to do.
            Step::Grayscale(_) => {}
            Step::Orient(_) if now.orientation == Orientation::UPRIGHT => {}
            Step::Orient(_) => {
                let turning = Operation::Orient(now.orientation);
                push(&mut operations, &mut now, turning);
                now.orientation = Orientation::UPRIGHT;
            }
            Step::Blur(blur) => push(&mut operations, &mut now, Operation::Blur(blur.sigma)),
            Step::Resize(resize) => {
                if let Some(plan) = resize_plan(resize, now.shape.width, now.shape.height) {
                    push(&mut operations, &mut now, Operation::Resize(plan));
                }
            }
        }
    }
    turn_where_cheapest(&mut operations, from.shape);
    (operations, now)
}

fn push(operations: &mut Vec<Operation>, now: &mut Underway, operation: Operation) {
    now.shape = operation.shape_after(now.shape);
    operations.push(operation);
}

/// Moves the one turning, if there is one, to where the picture is smallest, and to the first such place.
fn turn_where_cheapest(operations: &mut Vec<Operation>, from: Shape) {
    let turning = operations
        .iter()
        .enumerate()
        .find_map(|(index, operation)| match operation {
            Operation::Orient(orientation) => Some((index, *orientation)),
            Operation::Grayscale | Operation::Blur(_) | Operation::Resize(_) => None,
        });
    let Some((index, orientation)) = turning else {
        return;
    };
    operations.remove(index);
    for operation in &mut operations[index..] {
        *operation = operation.before_turning(orientation);
    }
    // What stood before the turning is as it was; what stood after it is now in the stored frame as well.
    let mut shape = from;
    let (mut cheapest, mut least) = (0, shape.bytes());
    for (position, operation) in operations.iter().enumerate() {
        shape = operation.shape_after(shape);
        if shape.bytes() < least {
            (cheapest, least) = (position + 1, shape.bytes());
        }
    }
    for operation in &mut operations[cheapest..] {
        *operation = operation.before_turning(orientation);
    }
    operations.insert(cheapest, Operation::Orient(orientation));
}

/// Works out the sides of a resize; `None` when it changes nothing.
fn resize_plan(resize: &Resize, width: u32, height: u32) -> Option<ResizePlan> {
    let (from_width, from_height) = (f64::from(width), f64::from(height));
    let scale_x = resize.width.map(|target| f64::from(target) / from_width);
    let scale_y = resize.height.map(|target| f64::from(target) / from_height);
    let largest = if resize.enlarge { f64::INFINITY } else { 1.0 };
    let scaled = |side: f64, scale: f64| (side * scale).round().max(1.0) as u32;
    let both = (scale_x.unwrap_or(f64::INFINITY), scale_y.unwrap_or(f64::INFINITY));
    let plan = match resize.fit {
        Fit::Inside => {
            let scale = both.0.min(both.1).min(largest);
            whole(
                scaled(from_width, scale),
                scaled(from_height, scale),
                width,
                height,
                resize,
            )
        }
        Fit::Fill => whole(
            scaled(from_width, both.0.min(largest)),
            scaled(from_height, both.1.min(largest)),
            width,
            height,
            resize,
        ),
        Fit::Cover => {
            let scale = both.0.max(both.1).min(largest);
            let to_width = resize.width.unwrap_or(width).min(scaled(from_width, scale));
            let to_height = resize.height.unwrap_or(height).min(scaled(from_height, scale));
            let source_width = (f64::from(to_width) / scale).min(from_width);
            let source_height = (f64::from(to_height) / scale).min(from_height);
            ResizePlan {
                width: to_width,
                height: to_height,
                source_left: (from_width - source_width) / 2.0,
                source_top: (from_height - source_height) / 2.0,
                source_width,
                source_height,
                filter: resize.filter,
            }
        }
    };
    let unchanged = plan.width == width && plan.height == height;
    (!unchanged).then_some(plan)
}

fn whole(to_width: u32, to_height: u32, width: u32, height: u32, resize: &Resize) -> ResizePlan {
    ResizePlan {
        width: to_width,
        height: to_height,
        source_left: 0.0,
        source_top: 0.0,
        source_width: f64::from(width),
        source_height: f64::from(height),
        filter: resize.filter,
    }
}
