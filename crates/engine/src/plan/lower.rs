//! Turns a recipe's steps into operations and puts them into the cheapest order that gives the same picture.
//!
//! Owns which steps may change places, up to rounding: `grayscale` with those that [`lets_luma_pass`] names, turnings
//! with what [`Operation::before_turning`] has a twin for. All others keep their order.

use pixmill_types::steps::{Fit, Resize};
use pixmill_types::{OutputSpec, Recipe, Step};

use super::color::{ColorMatrix, Tone};
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
    let all_pass = steps.iter().all(lets_luma_pass);
    let grayscale = takes_colour_first(&steps) || all_pass && outputs.iter().all(|(own, _)| takes_colour_first(own));
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

/// Whether luma of the step's result is the step's result of luma, up to rounding: then grayscale may come before it.
fn lets_luma_pass(step: &Step) -> bool {
    match step {
        Step::Orient(_) | Step::Grayscale(_) | Step::Blur(_) | Step::Resize(_) | Step::Flip(_) | Step::Flop(_) => true,
        // Linear, and nothing is cut off.
        Step::Invert(_) => true,
        Step::Brightness(step) => step.factor <= 1.0,
        Step::Contrast(step) => step.factor <= 1.0,
        // Begins with luma itself.
        Step::Threshold(_) => true,
        Step::Saturation(_) | Step::Hue(_) | Step::Gamma(_) | Step::Sepia(_) => false,
    }
}

/// Whether the colour may be taken out before all of `steps`.
fn takes_colour_first(steps: &[Step]) -> bool {
    steps
        .iter()
        .take_while(|step| lets_luma_pass(step))
        .any(|step| matches!(step, Step::Grayscale(_) | Step::Threshold(_)))
}

/// The operations for `steps`, with `grayscale` besides when it was moved to the front, in the cheapest order; and what
/// comes out of them.
pub(super) fn lower(steps: &[Step], grayscale: bool, from: Underway) -> (Vec<Operation>, Underway) {
    let mut now = from;
    let mut operations = Vec::new();
    if grayscale || takes_colour_first(steps) {
        take_colour(&mut operations, &mut now);
    }
    for step in steps {
        lower_step(step, &mut operations, &mut now);
    }
    (turn_where_cheapest(operations, from.shape), now)
}

fn lower_step(step: &Step, operations: &mut Vec<Operation>, now: &mut Underway) {
    match step {
        Step::Grayscale(_) => take_colour(operations, now),
        Step::Orient(_) => {
            push(operations, now, Operation::Orient(now.orientation));
            now.orientation = Orientation::UPRIGHT;
        }
        Step::Flip(_) => push(operations, now, Operation::Orient(Orientation::UPSIDE_DOWN)),
        Step::Flop(_) => push(operations, now, Operation::Orient(Orientation::MIRRORED)),
        Step::Blur(blur) => push(operations, now, Operation::Blur(blur.sigma)),
        Step::Resize(resize) => {
            if let Some(plan) = resize_plan(resize, now.shape.width, now.shape.height) {
                push(operations, now, Operation::Resize(plan));
            }
        }
        Step::Brightness(step) => tone(operations, Tone::Brightness(step.factor)),
        Step::Contrast(step) => tone(operations, Tone::Contrast(step.factor)),
        Step::Gamma(step) => tone(operations, Tone::Gamma(step.gamma)),
        Step::Invert(step) => tone(operations, Tone::Invert(step.amount)),
        Step::Threshold(step) => {
            take_colour(operations, now);
            tone(operations, Tone::Threshold(step.level));
        }
        // Gray stays gray under the two that follow.
        Step::Saturation(_) | Step::Hue(_) if now.shape.channels.is_gray() => {}
        Step::Saturation(step) => matrix(operations, now, ColorMatrix::saturate(step.factor)),
        Step::Hue(step) => matrix(operations, now, ColorMatrix::hue_rotate(step.degrees)),
        Step::Sepia(step) => matrix(operations, now, ColorMatrix::sepia(step.amount)),
    }
}

fn take_colour(operations: &mut Vec<Operation>, now: &mut Underway) {
    if !now.shape.channels.is_gray() {
        push(operations, now, Operation::Grayscale);
    }
}

/// Adds a function of one level, to the table before it when there is one.
fn tone(operations: &mut Vec<Operation>, tone: Tone) {
    if let Some(Operation::Curve(tones)) = operations.last_mut() {
        tones.push(tone);
    } else {
        operations.push(Operation::Curve(vec![tone]));
    }
}

/// Adds a matrix, into the one before it when nothing is cut off between the two.
fn matrix(operations: &mut Vec<Operation>, now: &mut Underway, matrix: ColorMatrix) {
    if let Some(Operation::Matrix(before)) = operations.last_mut()
        && before.stays_in_range()
    {
        *before = before.then(&matrix);
    } else {
        push(operations, now, Operation::Matrix(matrix));
    }
}

fn push(operations: &mut Vec<Operation>, now: &mut Underway, operation: Operation) {
    now.shape = operation.shape_after(now.shape);
    operations.push(operation);
}

/// Makes one turning of those that can meet, and moves it to where the picture is smallest, to the first such place.
fn turn_where_cheapest(operations: Vec<Operation>, mut from: Shape) -> Vec<Operation> {
    let mut placed = Vec::with_capacity(operations.len());
    // Operations for the picture as it is before `turning`.
    let mut run = Vec::new();
    let mut turning = Orientation::UPRIGHT;
    for operation in operations {
        if let Operation::Orient(next) = operation {
            turning = turning.then(next);
        } else if let Some(earlier) = operation.before_turning(turning) {
            run.push(earlier);
        } else {
            from = place(&mut placed, std::mem::take(&mut run), turning, from);
            turning = Orientation::UPRIGHT;
            run.push(operation);
        }
    }
    place(&mut placed, run, turning, from);
    placed
}

/// Adds `run` with `turning` at its cheapest place; returns the shape after it.
fn place(placed: &mut Vec<Operation>, run: Vec<Operation>, turning: Orientation, from: Shape) -> Shape {
    let mut shape = from;
    let mut shapes = vec![from];
    for operation in &run {
        shape = operation.shape_after(shape);
        shapes.push(shape);
    }
    if turning == Orientation::UPRIGHT {
        placed.extend(run);
        return shape;
    }
    // Places from which everything that follows can be done on the turned picture.
    let turned: Vec<_> = run
        .iter()
        .map(|operation| operation.before_turning(turning.inverse()))
        .collect();
    let first = turned.iter().rposition(Option::is_none).map_or(0, |last| last + 1);
    let cheapest = (first..shapes.len())
        .min_by_key(|place| shapes[*place].bytes())
        .unwrap_or(first);
    placed.extend(run.into_iter().take(cheapest));
    placed.push(Operation::Orient(turning));
    placed.extend(turned.into_iter().skip(cheapest).flatten());
    Operation::Orient(turning).shape_after(shape)
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
