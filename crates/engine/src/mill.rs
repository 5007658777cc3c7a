//! Carries out a plan: decodes, works, encodes, and minds the time.
//!
//! Owns the order of the work, when memory is freed, and what becomes of a panic in a codec. How a stage works is not
//! known here.

mod frames;
mod look;
mod outputs;

use std::borrow::Cow;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use pixmill_types::{FileFormat, ImageFormat, LimitName, Limits, Recipe};

use crate::EngineError;
use crate::assets::{Assets, NoAssets};
use crate::exif::Orientation;
use crate::metadata::{self, Attachments};
use crate::pixels::{Image, Shape};
use crate::plan::{EncodePlan, FilePlan, InfoPlan, Operation, OutputPlan, Plan, Route, check_output, from_afar, plan};
use crate::probe::{self, Header};
use crate::{content, decode, encode, exif, info, jpeg, profile, steps};

/// Asked between pieces of work whether to go on.
pub trait Control: Sync {
    /// Whether the work is to stop now: cancelled, or out of time.
    fn should_stop(&self) -> bool;
}

/// Goes on to the end.
#[derive(Debug, Clone, Copy)]
pub struct NeverStop;

impl Control for NeverStop {
    fn should_stop(&self) -> bool {
        false
    }
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
            let header = probe::probe_whole(input)?;
            let plan = plan(&header, recipe, limits)?;
            Mill::new(assets, limits, control, input, &header).run(plan)
        },
    )
}

/// Runs `work`; a panic in it becomes the error `on_panic`.
pub(crate) fn guarded<T>(
    on_panic: impl FnOnce() -> EngineError,
    work: impl FnOnce() -> Result<T, EngineError>,
) -> Result<T, EngineError> {
    // Nothing that `work` could leave half-done outlives it: it reads its arguments and returns what it made.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(on_panic()))
}

/// What a panic of a decoder means.
fn damaged(header: &Header) -> EngineError {
    EngineError::Corrupt(format!("the {} is damaged: it upset its decoder", header.format))
}

fn says_orientation(tiff: &[u8]) -> bool {
    exif::orientation_of_tiff(tiff).is_some()
}

fn attached(
    bytes: Vec<u8>,
    encode: &EncodePlan,
    what: &Attachments,
    width: u32,
    height: u32,
) -> Result<Vec<u8>, EngineError> {
    metadata::attach(bytes, encode.format, what, width, height).ok_or_else(|| {
        EngineError::Internal(format!(
            "nothing can be attached to the {} that was made",
            encode.format
        ))
    })
}

struct Mill<'a> {
    assets: &'a dyn Assets,
    limits: &'a Limits,
    control: &'a dyn Control,
    input: &'a [u8],
    header: &'a Header,
    timings: Vec<(&'static str, Duration)>,
    is_animation: bool,
}

impl<'a> Mill<'a> {
    fn new(
        assets: &'a dyn Assets,
        limits: &'a Limits,
        control: &'a dyn Control,
        input: &'a [u8],
        header: &'a Header,
    ) -> Self {
        Self {
            assets,
            limits,
            control,
            input,
            header,
            timings: Vec::new(),
            is_animation: false,
        }
    }

    fn run(mut self, plan: Plan) -> Result<Milled, EngineError> {
        let (input, header) = (self.input, self.header);
        let damaged = || damaged(header);
        let outputs = match &plan.route {
            Route::Copied { encode } => {
                let bytes = self.timed("copy", |_| metadata::copied(input, encode))?;
                vec![Rendered {
                    bytes,
                    format: encode.format.into(),
                    width: header.width,
                    height: header.height,
                }]
            }
            Route::Streamed { stream, encode } => {
                let (mut width, mut height) = (header.width, header.height);
                if stream.turn.swaps_sides() {
                    std::mem::swap(&mut width, &mut height);
                }
                let (attachments, encode) = self.attachments(encode, (width, height));
                let bytes = self.timed("stream", |control| {
                    guarded(damaged, || jpeg::gray_to_gray(input, header, stream, &encode, control))
                })?;
                vec![Rendered {
                    bytes: attached(bytes, &encode, &attachments, width, height)?,
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
                if outputs.iter().any(|output| output.frames > 1) {
                    self.frames(shared, outputs)?
                } else {
                    let image = self.timed("decode", |control| {
                        guarded(damaged, || decode::decode(input, header, decode, control))
                    })?;
                    let image = self.work(image, shared)?;
                    self.outputs(image, outputs)?
                }
            }
        };
        Ok(Milled {
            outputs,
            warnings: plan.into_warnings(),
            timings: self.timings,
        })
    }

    fn output(&mut self, index: usize, image: Image, plan: &OutputPlan) -> Result<Rendered, EngineError> {
        let image = self.own_work(image, plan)?;
        self.file(index, image, plan)
    }

    /// Writes what an output has made of the picture.
    fn file(&mut self, index: usize, image: Image, plan: &OutputPlan) -> Result<Rendered, EngineError> {
        match &plan.file {
            FilePlan::Encode(encode) => {
                let chosen = match &plan.by_content {
                    None => encode,
                    Some(by_content) => match content::format_of(&image) {
                        ImageFormat::Jpeg => &by_content.opaque,
                        ImageFormat::Webp => &by_content.see_through,
                        _ => encode,
                    },
                };
                self.encoded(index, image, chosen)
            }
            FilePlan::Info(info) => self.described(image, info),
        }
    }

    fn encoded(&mut self, index: usize, image: Image, encode: &EncodePlan) -> Result<Rendered, EngineError> {
        let (width, height) = (image.width, image.height);
        check_output(self.limits, index, encode, image.shape())?;
        let (attachments, encode) = self.attachments(encode, (width, height));
        let bytes = self.timed("encode", |control| {
            encode::encode(image, &encode, &attachments, control)
        })?;
        Ok(Rendered {
            bytes: attached(bytes, &encode, &attachments, width, height)?,
            format: encode.format.into(),
            width,
            height,
        })
    }

    fn described(&mut self, image: Image, info: &InfoPlan) -> Result<Rendered, EngineError> {
        let (width, height) = info.sides.unwrap_or((image.width, image.height));
        let afar = from_afar(image.shape());
        let image = self.work(image, &afar)?;
        let (bytes, header) = (self.input.len(), self.header);
        Ok(Rendered {
            bytes: self.timed("info", |_| Ok(info::describe(bytes, header, (width, height), image)))?,
            format: FileFormat::Info,
            width,
            height,
        })
    }

    /// What an output does beyond the shared operations.
    fn own_work(&mut self, image: Image, plan: &OutputPlan) -> Result<Image, EngineError> {
        let operations = self.own_operations(image.shape(), plan)?;
        self.work(image, &operations)
    }

    /// The operations of an output alone, for what is shared as large as it turned out.
    fn own_operations<'p>(&self, shape: Shape, plan: &'p OutputPlan) -> Result<Cow<'p, [Operation]>, EngineError> {
        let Some(later) = &plan.later else {
            return Ok(Cow::Borrowed(&plan.operations));
        };
        let mut operations = later.lower(shape, self.limits)?;
        if plan.operations.contains(&Operation::ToSrgb) {
            operations.insert(0, Operation::ToSrgb);
        }
        Ok(Cow::Owned(operations))
    }

    /// What goes onto an output, and how its encoder is told: an orientation is in the EXIF that is attached, if any is.
    fn attachments(&self, encode: &EncodePlan, sides: (u32, u32)) -> (Attachments, EncodePlan) {
        let attachments = Attachments::wanted(self.input, self.header.format, encode, Some(sides));
        let mut encode = *encode;
        if attachments.exif.as_deref().is_some_and(says_orientation) {
            encode.orientation = Orientation::UPRIGHT;
        }
        (attachments, encode)
    }

    fn work(&mut self, mut image: Image, operations: &[Operation]) -> Result<Image, EngineError> {
        for operation in operations {
            if *operation == Operation::ToSrgb {
                let icc = metadata::icc(self.header.format, self.input).unwrap_or_default();
                image = self.timed(operation.name(), |control| profile::to_srgb(image, &icc, control))?;
                continue;
            }
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
        let took = start.elapsed();
        match self
            .timings
            .iter_mut()
            .find(|(known, _)| self.is_animation && *known == name)
        {
            // Of an animation all frames together.
            Some((_, total)) => *total += took,
            None => self.timings.push((name, took)),
        }
        result
    }
}
