//! Plans: from a header and a recipe to the operations that are carried out, in order, with their sizes.
//!
//! Owns what is pushed into the decoder, what outputs share and where the picture is turned. Touches no pixel and
//! allocates nothing of the image's size.

mod color;
mod convert;
mod derive;
mod early;
mod geometry;
mod ledger;
mod lower;
mod memory;
mod operation;
mod pushdown;
mod route;
mod sides;
mod stage;
mod time;

use std::fmt;
use std::time::Duration;

use pixmill_types::{FileFormat, ImageFormat, Limits, Metadata, OutputFormat, Recipe, Step};

pub(crate) use self::color::{ColorMatrix, Tone};
pub(crate) use self::derive::runs;
pub(crate) use self::geometry::{Margins, PadPlan, ResizePlan, RotatePlan};
pub(crate) use self::ledger::check_output;
pub(crate) use self::lower::{Later, from_afar};
pub(crate) use self::operation::{EncodePlan, InfoPlan, Operation, PixelatePlan};
pub(crate) use self::route::{DecodeChannels, DecodePlan, DecodeScale, Route, StreamPlan};
pub(crate) use self::sides::resize as resize_operations;
pub use self::stage::Stage;

use self::ledger::Ledger;
use self::lower::Underway;
use crate::EngineError;
use crate::metadata;
use crate::pixels::{Channels, Depth, Shape};
use crate::probe::{ColorModel, Header, Profile};

/// What will be done to an image, as data. `Display` prints it for people.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(crate) route: Route,
    outputs: usize,
    stages: Vec<Stage>,
    warnings: Vec<String>,
    memory_bytes: u64,
}

/// What one output takes beyond the shared operations.
#[derive(Debug, Clone)]
pub(crate) struct OutputPlan {
    pub(crate) operations: Vec<Operation>,
    /// The output whose first resize its own continues; `None` when it begins with what all outputs share.
    pub(crate) from: Option<usize>,
    pub(crate) file: FilePlan,
    /// What the operations stand for, when only what outputs share says how large the picture is.
    pub(crate) later: Option<Later>,
    /// Whether nobody asked for a quality, so that pixels of the same format may be left alone.
    pub(crate) is_of_any_quality: bool,
    /// Frames of an animation that it keeps; 1 for a still picture.
    pub(crate) frames: u32,
    /// How it is written instead once it is seen, when the recipe leaves the format to its content.
    pub(crate) by_content: Option<ByContent>,
}

/// How a picture that is no drawing is written when the recipe leaves that to its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ByContent {
    pub(crate) opaque: EncodePlan,
    pub(crate) see_through: EncodePlan,
}

/// What the file of an output is made of the picture.
#[derive(Debug, Clone)]
pub(crate) enum FilePlan {
    Encode(EncodePlan),
    Info(InfoPlan),
}

impl OutputPlan {
    /// Whether both are files of one picture, which is then made once.
    pub(crate) fn shows_the_same(&self, other: &Self) -> bool {
        let are_planned = self.later.is_none() && other.later.is_none();
        are_planned && self.from == other.from && self.operations == other.operations
    }

    /// Whether it begins with a resize that leaves what it reads as it is.
    pub(crate) fn resizes_first(&self) -> bool {
        matches!(self.operations.first(), Some(Operation::Resize(resize)) if self.later.is_none() && !resize.linear)
    }

    /// How the picture is encoded; nothing when there will be none.
    fn encode(&self) -> Option<&EncodePlan> {
        match &self.file {
            FilePlan::Encode(encode) => Some(encode),
            FilePlan::Info(_) => None,
        }
    }
}

impl Plan {
    /// Estimated peak memory of carrying it out, without the input, bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.memory_bytes
    }

    /// How long it takes on [`Plan::machine`], estimated, all stages one after the other.
    #[must_use]
    pub fn estimated_time(&self) -> Duration {
        self.stages.iter().map(Stage::estimated_time).sum()
    }

    /// The machine whose speed the estimates are for.
    #[must_use]
    pub fn machine(&self) -> &'static str {
        time::MACHINE
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
        let several = self.outputs > 1;
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
        writeln!(f, "memory at the peak, estimated, without the input: {memory}")?;
        let time = stage::Milliseconds(self.estimated_time());
        write!(f, "time, a rough estimate for {}: {time}", self.machine())
    }
}

/// Plans `recipe` for an image with this header. Allocates nothing of the image's size.
///
/// # Errors
/// [`EngineError::Limit`] when the header, a picture on the way, an output or the estimated memory exceeds its limit;
/// [`EngineError::Corrupt`] for a header without pixels; [`EngineError::Impossible`] when a step asks for what the
/// picture does not have, or an output is larger than its format can hold.
pub fn plan(header: &Header, recipe: &Recipe, limits: &Limits) -> Result<Plan, EngineError> {
    header.check(limits)?;
    let wanted = recipe;
    let recipe = lower::share(recipe, header);
    let decode = pushdown::decode(header, recipe.grayscale);
    let decoded = Underway {
        shape: decoded_shape(header, decode),
        orientation: header.orientation,
        is_bound: false,
    };
    let (mut shared, split) = lower::lower(&recipe.steps, recipe.grayscale, decoded)?;
    let mut loses_alpha = false;
    let mut outputs: Vec<_> = recipe
        .outputs
        .iter()
        .map(|(steps, spec)| {
            let is_moving = header.frames > 1 && !spec.options.first_frame;
            let is_auto = spec.format == OutputFormat::Auto;
            let format = match spec.format_for(header.format) {
                FileFormat::Image(_) if is_auto && is_moving => FileFormat::Image(ImageFormat::Webp),
                format => format,
            };
            let mut steps = steps.clone();
            if matches!(format, FileFormat::Image(format) if !holds_orientation(format)) {
                steps.push(Step::Orient(pixmill_types::steps::Orient {}));
            }
            let (operations, end) = lower::lower(&steps, false, split)?;
            let is_gray = end.shape.channels.is_gray();
            let is_same_kind = is_gray == header.color.is_gray();
            // A WebP is always of three colours, whose profile no gray one is, and `auto` may choose it.
            let is_of_colours = |format| is_auto || format == ImageFormat::Webp;
            let takes_profile = |format| metadata::holds(format) && !(is_gray && is_of_colours(format));
            let encode = |format| EncodePlan {
                format,
                quality: spec.quality_for(format).unwrap_or(100),
                effort: spec.effort_for(format),
                options: spec.options,
                keeps_profile: spec.options.keeps_profile
                    && is_same_kind
                    && takes_profile(format)
                    && header.profile.needs_conversion(),
                orientation: end.orientation,
            };
            let (file, is_animation) = match format {
                FileFormat::Image(format) => {
                    loses_alpha |= format == ImageFormat::Jpeg && end.shape.channels.has_alpha();
                    (FilePlan::Encode(encode(format)), is_moving && format.is_animated())
                }
                FileFormat::Info => {
                    let described = lower::described(wanted, spec, decoded)?;
                    (FilePlan::Info(InfoPlan::of(&described)), false)
                }
            };
            let later = split.is_bound.then_some(Later {
                steps,
                orientation: split.orientation,
            });
            Ok(OutputPlan {
                operations,
                from: None,
                file,
                later,
                is_of_any_quality: spec.quality.is_none() && !spec.options.codes_jpeg(),
                frames: if is_animation { header.frames } else { 1 },
                by_content: (is_auto && !is_moving).then(|| ByContent {
                    opaque: encode(ImageFormat::Jpeg),
                    see_through: encode(ImageFormat::Webp),
                }),
            })
        })
        .collect::<Result<_, EngineError>>()?;
    convert::to_srgb(header, decode, &mut shared, &mut outputs);
    let warnings = warnings(header, &outputs, loses_alpha);
    let count = outputs.len();
    let route = pushdown::route(header, decode, shared, outputs);
    let (stages, memory_bytes) = account(header, &route, limits)?;
    Ok(Plan {
        warnings,
        route,
        outputs: count,
        stages,
        memory_bytes,
    })
}

/// Whether a file of that format can say how its picture is turned. If not, it is turned before.
const fn holds_orientation(format: ImageFormat) -> bool {
    matches!(
        format,
        ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::Webp | ImageFormat::Tiff
    )
}

/// The stages of a route, and the memory it takes at its peak, bytes.
fn account(header: &Header, route: &Route, limits: &Limits) -> Result<(Vec<Stage>, u64), EngineError> {
    let mut ledger = Ledger::new(limits);
    match route {
        Route::Copied { encode } => ledger.copy(header, encode, decoded_shape(header, DecodePlan::GENERAL))?,
        Route::Streamed { stream, encode } => ledger.stream(header, stream, encode)?,
        Route::Staged {
            decode,
            shared,
            outputs,
        } => {
            let shape = decoded_shape(header, *decode);
            let is_moving = outputs.iter().any(|output| output.frames > 1);
            ledger.repeat(if is_moving { header.frames } else { 1 });
            ledger.decode(header, decode, shape);
            if is_moving {
                // The decoder waits for the next frame with all it has.
                ledger.hold(memory::decoding(header, decode, shape) - shape.bytes());
            }
            let split = ledger.operate(None, shared, shape)?;
            if is_moving {
                // Frames are worked on for each output apart, on a copy of what they share.
                for (index, output) in outputs.iter().enumerate() {
                    ledger.keep_beside(split.bytes());
                    ledger.repeat(output.frames);
                    let end = ledger.operate(Some(index), &output.operations, split)?;
                    ledger.file(index, output, end)?;
                }
            } else {
                account_runs(&mut ledger, outputs, split)?;
            }
        }
    }
    ledger.close()
}

/// The outputs of a still picture: what is held for others beside each, and what a run of them does once.
fn account_runs(ledger: &mut Ledger<'_>, outputs: &[OutputPlan], split: Shape) -> Result<(), EngineError> {
    let mut kept: Vec<Option<Shape>> = vec![None; outputs.len()];
    let mut shared = Some(split);
    for run in runs(outputs) {
        let index = run.outputs.start;
        let first = &outputs[index];
        let source = match run.from {
            None => &mut shared,
            Some(from) => &mut kept[from],
        };
        let from = source.unwrap_or(split);
        if run.is_last_of_source {
            *source = None;
        }
        let held = |shared: Option<Shape>, kept: &[Option<Shape>]| -> u64 {
            kept.iter().chain([&shared]).flatten().map(|shape| shape.bytes()).sum()
        };
        let beside = held(shared, &kept);
        let (begin, rest) = first.operations.split_at(usize::from(first.resizes_first()));
        // A resize reads what is kept for others where it is; anything else works on a copy.
        ledger.keep_beside(if begin.is_empty() || run.is_last_of_source {
            beside
        } else {
            beside - from.bytes()
        });
        let begun = ledger.continue_from(index, begin, from, run.from)?;
        if run.is_source {
            kept[index] = Some(begun);
        }
        let beside = held(shared, &kept);
        ledger.keep_beside(beside);
        let end = ledger.operate(Some(index), rest, begun)?;
        for index in run.outputs.clone() {
            // All files of a run but its last are written of a copy.
            let is_copied = index + 1 < run.outputs.end;
            ledger.keep_beside(beside + if is_copied { end.bytes() } else { 0 });
            ledger.file(index, &outputs[index], end)?;
        }
    }
    Ok(())
}

fn decoded_shape(header: &Header, decode: DecodePlan) -> Shape {
    Shape {
        width: decode.scale.side(header.width),
        height: decode.scale.side(header.height),
        channels: match (decode.channels, header.color) {
            (DecodeChannels::Luma, _) | (_, ColorModel::Gray) => Channels::Gray,
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

fn warnings(header: &Header, outputs: &[OutputPlan], loses_alpha: bool) -> Vec<String> {
    let mut warnings = Vec::new();
    let flattened = outputs.iter().filter(|output| header.frames > 1 && output.frames == 1);
    let flattened = flattened
        .filter_map(OutputPlan::encode)
        .find(|encode| !encode.options.first_frame);
    if let Some(encode) = flattened {
        warnings.push(format!(
            "the image is an animation of {} frames; {} holds none, its first frame is taken",
            header.frames, encode.format
        ));
    }
    if header.has_more_pages && header.format == ImageFormat::Jxl {
        warnings.push("the JPEG XL is an animation; its first frame is taken".to_owned());
    } else if header.has_more_pages {
        warnings.push(format!("the {} has several pages; its first is taken", header.format));
    }
    if header.profile == Profile::Ignored {
        warnings.push("the colour profile is damaged or for pixels of another kind; it is ignored".to_owned());
    }
    for encode in outputs.iter().filter_map(OutputPlan::encode) {
        let wants_profile = encode.options.keeps_profile && header.profile.needs_conversion();
        let wants_metadata = encode.options.metadata != Metadata::Strip || wants_profile;
        if wants_metadata && !metadata::holds(encode.format) {
            warnings.push(format!("metadata is not written to {}; it is left out", encode.format));
        } else if wants_profile && !encode.keeps_profile {
            warnings.push(format!(
                "the colour profile does not fit the pixels of the {}; they become sRGB instead",
                encode.format
            ));
        }
        if encode.options.keeps_profile && matches!(header.color, ColorModel::Cmyk { .. }) {
            warnings.push("inks are not written; they become sRGB, and their profile is left out".to_owned());
        }
    }
    if loses_alpha {
        warnings.push("JPEG holds no transparency; what is transparent is laid on white".to_owned());
    }
    warnings
}
