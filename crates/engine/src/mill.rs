//! Carries out a plan: decodes, works, encodes, and minds the time.
//!
//! Owns the order of the work, when memory is freed, and what becomes of a panic in a codec. How a stage works is not
//! known here.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use pixmill_types::{FileFormat, LimitName, Limits, Recipe};

use crate::EngineError;
use crate::assets::{Assets, NoAssets};
use crate::pixels::Image;
use crate::plan::{FilePlan, Operation, OutputPlan, Plan, Route, check_output, from_afar, plan};
use crate::probe::{self, Header};
use crate::{decode, encode, info, jpeg, steps};

/// Asked between pieces of work whether to go on.
pub trait Control: Sync {
    /// Whether the work is to stop now: cancelled, or out of time.
    fn should_stop(&self) -> bool;
}

/// One finished output.
#[derive(Clone)]
pub struct Rendered {
    /// The file.
    pub bytes: Vec<u8>,
    /// What it holds.
    pub format: FileFormat,
    /// Width of the picture, pixels.
    pub width: u32,
    /// Height of the picture, pixels.
    pub height: u32,
}

impl fmt::Debug for Rendered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            bytes,
            format,
            width,
            height,
        } = self;
        write!(f, "Rendered({format}, {width} x {height}, {} bytes)", bytes.len())
    }
}

/// What milling one image brought.
#[derive(Debug, Clone)]
pub struct Milled {
    /// One output for each of the recipe's, in its order.
    pub outputs: Vec<Rendered>,
    /// What a person should know although it worked.
    pub warnings: Vec<String>,
    /// Time spent in each stage, in order.
    pub timings: Vec<(&'static str, Duration)>,
}

/// Mills one image.
///
/// The same input and recipe give the same outputs. A panic inside a decoder counts as a damaged file, one elsewhere as
/// a defect; either is reported by the process's panic hook as well.
///
/// # Errors
/// [`EngineError`], split by what the owner of the image can do about it.
pub fn mill(input: &[u8], recipe: &Recipe, limits: &Limits, control: &dyn Control) -> Result<Milled, EngineError> {
    mill_with(&NoAssets, input, recipe, limits, control)
}

/// Mills one image by a recipe that may name assets.
///
/// # Errors
/// As [`mill`]; [`EngineError::Impossible`] for an asset that cannot be used.
pub fn mill_with(
    assets: &dyn Assets,
    input: &[u8],
    recipe: &Recipe,
    limits: &Limits,
    control: &dyn Control,
) -> Result<Milled, EngineError> {
    guarded(
        || EngineError::Internal("milling failed on a defect of the engine".into()),
        || {
            limits.check(LimitName::InputBytes, input.len() as u64)?;
            let header = probe::with_late_orientation(probe::probe(input)?, input);
            let plan = plan(&header, recipe, limits)?;
            Mill::new(assets, limits, control).run(input, &header, plan)
        },
    )
}

/// Runs `work`; a panic in it becomes the error `on_panic`.
fn guarded<T>(
    on_panic: impl FnOnce() -> EngineError,
    work: impl FnOnce() -> Result<T, EngineError>,
) -> Result<T, EngineError> {
    // Nothing that `work` could leave half-done outlives it: it reads its arguments and returns what it made.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(on_panic()))
}

/// The file that is milled.
struct Input<'a> {
    input: &'a [u8],
    header: &'a Header,
}

struct Mill<'a> {
    assets: &'a dyn Assets,
    limits: &'a Limits,
    control: &'a dyn Control,
    timings: Vec<(&'static str, Duration)>,
}

impl<'a> Mill<'a> {
    fn new(assets: &'a dyn Assets, limits: &'a Limits, control: &'a dyn Control) -> Self {
        Self {
            assets,
            limits,
            control,
            timings: Vec::new(),
        }
    }

    fn run(mut self, input: &[u8], header: &Header, plan: Plan) -> Result<Milled, EngineError> {
        let damaged = || EngineError::Corrupt(format!("the {} is damaged: it upset its decoder", header.format));
        let outputs = match &plan.route {
            Route::Streamed { stream, encode } => {
                let bytes = self.timed("stream", |control| {
                    guarded(damaged, || jpeg::gray_to_gray(input, header, stream, encode, control))
                })?;
                let (mut width, mut height) = (header.width, header.height);
                if stream.turn.swaps_sides() {
                    std::mem::swap(&mut width, &mut height);
                }
                vec![Rendered {
                    bytes,
                    format: encode.format.into(),
                    width,
                    height,
                }]
            }
            Route::Staged {
                decode,
                shared,
                outputs,
            } => {
                let image = self.timed("decode", |control| {
                    guarded(damaged, || decode::decode(input, header, decode, control))
                })?;
                let image = self.work(image, shared)?;
                self.outputs(&Input { input, header }, image, outputs)?
            }
        };
        Ok(Milled {
            outputs,
            warnings: plan.into_warnings(),
            timings: self.timings,
        })
    }

    fn outputs(&mut self, of: &Input<'_>, image: Image, plans: &[OutputPlan]) -> Result<Vec<Rendered>, EngineError> {
        let mut outputs = Vec::with_capacity(plans.len());
        if let Some((last, others)) = plans.split_last() {
            for (index, output) in others.iter().enumerate() {
                outputs.push(self.output(of, index, image.try_clone()?, output)?);
            }
            outputs.push(self.output(of, others.len(), image, last)?);
        }
        Ok(outputs)
    }

    fn output(
        &mut self,
        of: &Input<'_>,
        index: usize,
        image: Image,
        plan: &OutputPlan,
    ) -> Result<Rendered, EngineError> {
        let image = match &plan.later {
            Some(later) => {
                let operations = later.lower(image.shape(), self.limits)?;
                self.work(image, &operations)?
            }
            None => self.work(image, &plan.operations)?,
        };
        let (width, height) = (image.width, image.height);
        match &plan.file {
            FilePlan::Encode(encode) => {
                check_output(self.limits, index, encode, image.shape())?;
                Ok(Rendered {
                    bytes: self.timed("encode", |control| encode::encode(image, encode, control))?,
                    format: encode.format.into(),
                    width,
                    height,
                })
            }
            FilePlan::Info(info) => {
                let (width, height) = info.sides.unwrap_or((width, height));
                let afar = from_afar(image.shape());
                let image = self.work(image, &afar)?;
                let describe = |_: &dyn Control| Ok(info::describe(of.input.len(), of.header, (width, height), image));
                Ok(Rendered {
                    bytes: self.timed("info", describe)?,
                    format: FileFormat::Info,
                    width,
                    height,
                })
            }
        }
    }

    fn work(&mut self, mut image: Image, operations: &[Operation]) -> Result<Image, EngineError> {
        for operation in operations {
            let assets = self.assets;
            image = self.timed(operation.name(), |control| {
                steps::apply(operation, image, assets, control)
            })?;
            if let Operation::Trim(trim) = operation {
                // The operations behind it are those for the largest picture that might have been left.
                let operations = trim.later.lower(image.shape(), self.limits)?;
                return self.work(image, &operations);
            }
        }
        Ok(image)
    }

    /// Runs a stage unless the work is to stop, and notes how long it took.
    fn timed<T>(
        &mut self,
        name: &'static str,
        stage: impl FnOnce(&dyn Control) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        if self.control.should_stop() {
            return Err(EngineError::Stopped);
        }
        let start = Instant::now();
        let result = stage(self.control);
        self.timings.push((name, start.elapsed()));
        result
    }
}
