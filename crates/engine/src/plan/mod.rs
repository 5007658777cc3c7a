//! Plans: from a header and a recipe to the operations that are carried out, in order, with their sizes.
//!
//! Owns what is pushed into the decoder, what outputs share and where the picture is turned. Touches no pixel and
//! allocates nothing of the image's size.

mod color;
mod ledger;
mod lower;
mod memory;
mod operation;
mod stage;

use std::fmt;

use pixmill_types::{ImageFormat, Limits, Recipe};

pub(crate) use self::color::{ColorMatrix, Tone};
pub(crate) use self::operation::{DecodeMode, EncodePlan, Operation, ResizePlan};
pub use self::stage::Stage;

use self::ledger::Ledger;
use self::lower::Underway;
use crate::EngineError;
use crate::pixels::{Channels, Depth, Shape};
use crate::probe::{ColorModel, Header};

/// What will be done to an image, as data. `Display` prints it for people.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(crate) decode: DecodeMode,
    pub(crate) shared: Vec<Operation>,
    pub(crate) outputs: Vec<OutputPlan>,
    stages: Vec<Stage>,
    warnings: Vec<String>,
    memory_bytes: u64,
}

/// What one output takes beyond the shared operations.
#[derive(Debug, Clone)]
pub(crate) struct OutputPlan {
    pub(crate) operations: Vec<Operation>,
    pub(crate) encode: EncodePlan,
}

impl Plan {
    /// Estimated peak memory of carrying it out, without the input, bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.memory_bytes
    }

    /// The stages in the order they run: decoding, what outputs share, then each output's own.
    #[must_use]
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// What a person should know before it runs.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    pub(crate) fn into_warnings(self) -> Vec<String> {
        self.warnings
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let several = self.outputs.len() > 1;
        let mut output = None;
        for (index, stage) in self.stages.iter().enumerate() {
            if several && stage.output != output {
                output = stage.output;
                if let Some(number) = output {
                    writeln!(f, "output {}", number + 1)?;
                }
            }
            writeln!(f, "{:>3}. {stage}", index + 1)?;
        }
        for warning in &self.warnings {
            writeln!(f, "note: {warning}")?;
        }
        let memory = stage::Megabytes(self.memory_bytes);
        write!(f, "memory at the peak, estimated, without the input: {memory}")
    }
}

/// Plans `recipe` for an image with this header. Allocates nothing of the image's size.
///
/// # Errors
/// [`EngineError::Limit`] when the header, a picture on the way, an output or the estimated memory exceeds its limit;
/// [`EngineError::Corrupt`] for a header without pixels; [`EngineError::Impossible`] when an output is larger than its
/// format can hold.
pub fn plan(header: &Header, recipe: &Recipe, limits: &Limits) -> Result<Plan, EngineError> {
    header.check(limits)?;
    let recipe = lower::share(recipe);
    let mode = decode_mode(header, recipe.grayscale);
    let decoded = Underway {
        shape: decoded_shape(header, mode),
        orientation: header.orientation,
    };
    let mut ledger = Ledger::new(limits);
    ledger.decode(header, mode, decoded.shape);
    let (shared, split) = lower::lower(&recipe.steps, recipe.grayscale, decoded);
    ledger.operate(None, &shared, decoded.shape)?;

    let mut outputs = Vec::with_capacity(recipe.outputs.len());
    for (index, (steps, spec)) in recipe.outputs.iter().enumerate() {
        // All outputs but the last work on a copy of what they share.
        let is_last = index + 1 == recipe.outputs.len();
        ledger.keep_beside(if is_last { 0 } else { split.shape.bytes() });
        let (operations, end) = lower::lower(steps, false, split);
        ledger.operate(Some(index), &operations, split.shape)?;
        let format = spec.format_for(header.format);
        let encode = EncodePlan {
            format,
            quality: spec.quality_for(format).unwrap_or(100),
            orientation: end.orientation,
        };
        ledger.encode(index, &encode, end.shape)?;
        outputs.push(OutputPlan { operations, encode });
    }
    let (stages, memory_bytes) = ledger.close()?;
    Ok(Plan {
        warnings: warnings(header, &outputs),
        decode: mode,
        shared,
        outputs,
        stages,
        memory_bytes,
    })
}

/// Luma alone is enough when nothing after needs colour and the file keeps luma apart.
fn decode_mode(header: &Header, grayscale: bool) -> DecodeMode {
    match (header.format, header.color) {
        (ImageFormat::Jpeg, ColorModel::YCbCr) if grayscale => DecodeMode::Luma,
        _ => DecodeMode::Full,
    }
}

fn decoded_shape(header: &Header, mode: DecodeMode) -> Shape {
    Shape {
        width: header.width,
        height: header.height,
        channels: match (mode, header.color) {
            (DecodeMode::Luma, _) | (_, ColorModel::Gray) => Channels::Gray,
            (_, ColorModel::GrayAlpha) => Channels::GrayAlpha,
            (_, ColorModel::Rgb | ColorModel::YCbCr | ColorModel::Cmyk { .. }) => Channels::Rgb,
            (_, ColorModel::Rgba) => Channels::Rgba,
        },
        depth: if header.sixteen_bit {
            Depth::Sixteen
        } else {
            Depth::Eight
        },
    }
}

fn warnings(header: &Header, outputs: &[OutputPlan]) -> Vec<String> {
    let mut warnings = Vec::new();
    if header.frames > 1 {
        warnings.push(format!(
            "the image is an animation of {} frames; its first frame is taken",
            header.frames
        ));
    }
    let loses_alpha = outputs.iter().any(|output| output.encode.format == ImageFormat::Jpeg);
    if loses_alpha && matches!(header.color, ColorModel::GrayAlpha | ColorModel::Rgba) {
        warnings.push("JPEG holds no transparency; what is transparent is laid on white".to_owned());
    }
    warnings
}
