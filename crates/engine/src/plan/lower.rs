//! Turns a recipe's steps into operations and puts them into the cheapest order that gives the same picture.
//!
//! Owns which steps may change places, up to rounding: `grayscale` with those that [`lets_luma_pass`] names, turnings
//! with what [`Operation::before_turning`] has a twin for, what is cut off with what [`early`](super::early) says. All
//! others keep their order.

use pixmill_types::steps::{Filter, Fit, Orient, Resize};
use pixmill_types::{Color, Focus, Limits, OutputFormat, OutputSpec, Recipe, Step};

use super::color::{ColorMatrix, Tone};
use super::ledger::Ledger;
use super::operation::{Operation, PixelatePlan, TrimPlan};
use super::{early, sides};
use crate::EngineError;
use crate::exif::Orientation;
use crate::info;
use crate::pixels::Shape;
use crate::probe::Header;

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
    /// Whether the picture may be smaller, since it was trimmed.
    pub(super) is_bound: bool,
}

/// Steps that are lowered again once it is known how large the picture is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Later {
    pub(super) steps: Vec<Step>,
    /// How the picture is still turned before them.
    pub(super) orientation: Orientation,
}

impl Later {
    /// The operations for a picture of `shape`.
    ///
    /// # Errors
    /// As of [`plan`](super::plan): what was planned was the largest picture that a trim may leave, but one that is not
    /// as wide may be enlarged to more.
    pub(crate) fn lower(&self, shape: Shape, limits: &Limits) -> Result<Vec<Operation>, EngineError> {
        let from = Underway {
            shape,
            orientation: self.orientation,
            is_bound: false,
        };
        let (operations, _) = lower(&self.steps, false, from)?;
        let mut ledger = Ledger::new(limits);
        ledger.operate(None, &operations, shape)?;
        ledger.close()?;
        Ok(operations)
    }
}

/// Moves to the front what all outputs do first, and `grayscale` when every output does it somewhere. Where some outputs
/// may keep a profile that the others have pixels converted of, what looks at colours is done by each.
pub(super) fn share<'r>(recipe: &'r Recipe, header: &Header) -> Shared<'r> {
    let may_keep_profile = |output: &OutputSpec| output.options.keeps_profile;
    let colours_differ = header.profile.needs_conversion()
        && recipe.outputs().len() > 1
        && recipe.outputs().iter().any(may_keep_profile);
    let is_shared = |step: &Step| !colours_differ || leaves_colours(step);
    let mut steps = Vec::new();
    let mut outputs: Vec<_> = recipe
        .outputs()
        .iter()
        .map(|output| {
            let own = steps_of(recipe, output);
            ([recipe.steps(), &own].concat(), output)
        })
        .collect();
    while let Some(first) = common_first(&outputs).filter(is_shared) {
        steps.push(first);
        for (own, _) in &mut outputs {
            own.remove(0);
        }
    }
    let all_pass = steps.iter().all(lets_luma_pass);
    let all_take = outputs.iter().all(|(own, _)| takes_colour_first(own));
    let grayscale = !colours_differ && (takes_colour_first(&steps) || all_pass && all_take);
    Shared {
        grayscale,
        steps,
        outputs,
    }
}

/// What comes before facts are collected, whatever the recipe says: they are about an upright picture, which is looked at
/// from afar.
const FROM_AFAR: &[Step] = &[
    Step::Orient(Orient {}),
    Step::Resize(Resize {
        width: Some(info::MAX_SIDE),
        height: Some(info::MAX_SIDE),
        fit: Fit::Inside,
        filter: Filter::Bilinear,
        enlarge: false,
        gravity: Focus::CENTER,
        background: Color::WHITE,
        linear: false,
    }),
];

/// The steps of an output, with those that come before facts are collected. How large the picture was is known beforehand
/// unless it is trimmed; then it is made small last.
fn steps_of(recipe: &Recipe, output: &OutputSpec) -> Vec<Step> {
    let is_trimmed = [recipe.steps(), &output.steps]
        .concat()
        .iter()
        .any(|step| matches!(step, Step::Trim(_)));
    let before_file = match output.format {
        OutputFormat::Info if is_trimmed => &FROM_AFAR[..1],
        OutputFormat::Info => FROM_AFAR,
        OutputFormat::Same | OutputFormat::Auto | OutputFormat::Fixed(_) => &[],
    };
    [&output.steps, before_file].concat()
}

/// Makes a picture of that shape as small as it is looked at.
pub(crate) fn from_afar(shape: Shape) -> Vec<Operation> {
    let small = FROM_AFAR.iter().filter_map(|step| match step {
        Step::Resize(resize) => Some(sides::resize(resize, shape)),
        _ => None,
    });
    small.flatten().filter(|operation| operation.changes(shape)).collect()
}

/// The picture that an output for facts is about: `from` after the steps of the recipe and its own, upright.
///
/// # Errors
/// As [`lower`].
pub(super) fn described(recipe: &Recipe, output: &OutputSpec, from: Underway) -> Result<Underway, EngineError> {
    let steps = [recipe.steps(), &output.steps, &FROM_AFAR[..1]].concat();
    Ok(lower(&steps, false, from)?.1)
}

fn common_first(outputs: &[(Vec<Step>, &OutputSpec)]) -> Option<Step> {
    let first = outputs.first()?.0.first()?;
    outputs
        .iter()
        .all(|(own, _)| own.first() == Some(first))
        .then(|| first.clone())
}

/// Whether a step does the same to pixels of any profile, but for rounding.
fn leaves_colours(step: &Step) -> bool {
    match step {
        Step::Orient(_) | Step::Flip(_) | Step::Flop(_) => true,
        Step::Crop(step) => !sides::looks_at_pixels(step),
        Step::Resize(step) => !step.linear && step.gravity != Focus::Attention && step.fit != Fit::Contain,
        Step::Grayscale(_)
        | Step::Blur(_)
        | Step::Pad(_)
        | Step::Rotate(_)
        | Step::Flatten(_)
        | Step::Round(_)
        | Step::Trim(_)
        | Step::Brightness(_)
        | Step::Contrast(_)
        | Step::Gamma(_)
        | Step::Invert(_)
        | Step::Threshold(_)
        | Step::Saturation(_)
        | Step::Hue(_)
        | Step::Sepia(_)
        | Step::Tint(_)
        | Step::Sharpen(_)
        | Step::Pixelate(_)
        | Step::Median(_)
        | Step::Edge(_)
        | Step::Normalise(_)
        | Step::Watermark(_)
        | Step::Text(_) => false,
    }
}

/// Whether luma of the step's result is the step's result of luma, up to rounding: then grayscale may come before it.
fn lets_luma_pass(step: &Step) -> bool {
    match step {
        Step::Orient(_) | Step::Grayscale(_) | Step::Blur(_) | Step::Flip(_) | Step::Flop(_) | Step::Round(_) => true,
        // Levels of light are no linear function of levels, and colour is looked at to find what draws the eye.
        Step::Resize(step) => !step.linear && step.gravity != Focus::Attention && step.background.is_gray(),
        Step::Crop(step) => !sides::looks_at_pixels(step),
        // A background that has colour gives it to the picture.
        Step::Pad(step) => step.background.is_gray(),
        Step::Rotate(step) => sides::quarter_turn(step.angle).is_some() || step.background.is_gray(),
        Step::Flatten(step) => step.background.is_gray(),
        // Linear, and nothing is cut off.
        Step::Invert(_) => true,
        Step::Brightness(step) => step.factor <= 1.0,
        Step::Contrast(step) => step.factor <= 1.0,
        // Begin with luma themselves.
        Step::Threshold(_) | Step::Edge(_) => true,
        // A mean.
        Step::Pixelate(_) => true,
        Step::Saturation(_) | Step::Hue(_) | Step::Gamma(_) | Step::Sepia(_) | Step::Trim(_) => false,
        // A mean of the picture and the colours of the text.
        Step::Text(step) => step.is_gray(),
        Step::Sharpen(_) | Step::Median(_) | Step::Normalise(_) | Step::Tint(_) | Step::Watermark(_) => false,
    }
}

/// Whether the colour may be taken out before all of `steps`.
fn takes_colour_first(steps: &[Step]) -> bool {
    steps
        .iter()
        .take_while(|step| lets_luma_pass(step))
        .any(|step| matches!(step, Step::Grayscale(_) | Step::Threshold(_) | Step::Edge(_)))
}

/// The operations for `steps`, with `grayscale` besides when it was moved to the front, in the cheapest order; and what
/// comes out of them.
///
/// # Errors
/// [`EngineError::Impossible`] when a step asks for what the picture does not have.
pub(super) fn lower(
    steps: &[Step],
    grayscale: bool,
    from: Underway,
) -> Result<(Vec<Operation>, Underway), EngineError> {
    let trim = steps.iter().position(|step| matches!(step, Step::Trim(_)));
    let mut lowered = Lowered {
        operations: Vec::new(),
        from: from.shape,
        now: from,
    };
    if grayscale || takes_colour_first(steps) {
        lowered.take_colour();
    }
    for step in &steps[..trim.unwrap_or(steps.len())] {
        lowered.step(step)?;
    }
    let now = lowered.now;
    let mut operations = turn_where_cheapest(lowered.operations, from.shape);
    let Some(index) = trim else {
        return Ok((operations, now));
    };
    let (first, rest) = steps[index..].split_at(1);
    if let [Step::Trim(trim)] = first {
        operations.push(Operation::Trim(TrimPlan {
            tolerance: trim.tolerance,
            later: Later {
                steps: rest.to_vec(),
                orientation: now.orientation,
            },
        }));
    }
    let bound = Underway { is_bound: true, ..now };
    let (more, end) = lower(rest, false, bound)?;
    operations.extend(more);
    Ok((operations, end))
}

/// Operations as they are being lowered.
struct Lowered {
    operations: Vec<Operation>,
    /// The shape before them.
    from: Shape,
    /// The picture after them.
    now: Underway,
}

impl Lowered {
    fn step(&mut self, step: &Step) -> Result<(), EngineError> {
        let shape = self.now.shape;
        match step {
            Step::Grayscale(_) => self.take_colour(),
            Step::Orient(_) => {
                self.push(Operation::Orient(self.now.orientation));
                self.now.orientation = Orientation::UPRIGHT;
            }
            Step::Flip(_) => self.push(Operation::Orient(Orientation::UPSIDE_DOWN)),
            Step::Flop(_) => self.push(Operation::Orient(Orientation::MIRRORED)),
            Step::Blur(blur) => self.push(Operation::Blur(blur.sigma)),
            Step::Resize(resize) => {
                if self.now.is_bound {
                    self.extend(sides::resize_of_bound(resize, shape));
                } else {
                    self.extend(sides::resize(resize, shape));
                }
                if resize.fit == Fit::Contain {
                    self.extend(sides::pad_to_target(resize, self.now.shape));
                }
            }
            Step::Crop(crop) => self.extend(Some(sides::crop(crop, self.now)?)),
            Step::Pad(pad) => self.extend(Some(sides::pad(pad, shape))),
            Step::Rotate(rotate) => self.extend(Some(sides::rotate(rotate, shape))),
            Step::Flatten(step) => self.extend(Some(Operation::Flatten(step.background))),
            Step::Round(round) => self.extend(sides::round(round, shape)),
            // Lowering ends before one.
            Step::Trim(_) => {}
            Step::Brightness(step) => self.tone(Tone::Brightness(step.factor)),
            Step::Contrast(step) => self.tone(Tone::Contrast(step.factor)),
            Step::Gamma(step) => self.tone(Tone::Gamma(step.gamma)),
            Step::Invert(step) => self.tone(Tone::Invert(step.amount)),
            Step::Threshold(step) => {
                self.take_colour();
                self.tone(Tone::Threshold(step.level));
            }
            // Gray stays gray under the two that follow.
            Step::Saturation(_) | Step::Hue(_) if shape.channels.is_gray() => {}
            Step::Saturation(step) => self.matrix(ColorMatrix::saturate(step.factor)),
            Step::Hue(step) => self.matrix(ColorMatrix::hue_rotate(step.degrees)),
            Step::Sepia(step) => self.matrix(ColorMatrix::sepia(step.amount)),
            Step::Sharpen(step) => self.push(Operation::Sharpen(*step)),
            Step::Pixelate(step) => self.push(Operation::Pixelate(PixelatePlan::of(step))),
            Step::Median(step) => self.push(Operation::Median(step.radius)),
            Step::Edge(step) => {
                self.take_colour();
                self.push(Operation::Edge(step.operator));
            }
            Step::Tint(step) => self.matrix(ColorMatrix::tint(step.color, step.amount)),
            Step::Watermark(step) => self.push(Operation::Watermark(*step)),
            Step::Text(step) => self.push(Operation::Text(step.clone())),
            Step::Normalise(step) => self.push(Operation::Normalise(*step)),
        }
        Ok(())
    }

    fn take_colour(&mut self) {
        if !self.now.shape.channels.is_gray() {
            self.push(Operation::Grayscale);
        }
    }

    /// Adds a function of one level, to the table before it when there is one.
    fn tone(&mut self, tone: Tone) {
        if let Some(Operation::Curve(tones)) = self.operations.last_mut() {
            tones.push(tone);
        } else {
            self.operations.push(Operation::Curve(vec![tone]));
        }
    }

    /// Adds a matrix, into the one before it when nothing is cut off between the two.
    fn matrix(&mut self, matrix: ColorMatrix) {
        if let Some(Operation::Matrix(before)) = self.operations.last_mut()
            && before.stays_in_range()
        {
            *before = before.then(&matrix);
        } else {
            self.push(Operation::Matrix(matrix));
        }
    }

    /// Adds what changes something.
    fn extend(&mut self, operations: impl IntoIterator<Item = Operation>) {
        for operation in operations {
            if !operation.changes(self.now.shape) {
                continue;
            }
            match operation {
                Operation::Crop(margins) => {
                    self.now.shape = margins.cut_off(self.now.shape);
                    early::cut_off(&mut self.operations, margins, self.from);
                }
                other => self.push(other),
            }
        }
    }

    fn push(&mut self, operation: Operation) {
        self.now.shape = operation.shape_after(self.now.shape);
        self.operations.push(operation);
    }
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
