//! `resize`: changes width and height.

use super::{Bound, CallWriter, RecipeError, StepDefinition, StepReference};
use crate::recipe::call::word_of;
use crate::recipe::parameter::{Parameter, ParameterKind};

/// Scales the picture. With one side given, the other follows from the aspect ratio.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Resize {
    /// Target width, pixels; 1 to 65,535.
    pub width: Option<u32>,
    /// Target height, pixels; 1 to 65,535. At least one of the two is present.
    pub height: Option<u32>,
    /// What to do when the aspect ratios differ.
    pub fit: Fit,
    /// The resampling filter.
    pub filter: Filter,
    /// Whether a picture smaller than the target is enlarged.
    pub enlarge: bool,
}

/// What `resize` does when the aspect ratio of the target differs from the picture's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// Fits within the target; one side may end up smaller.
    Inside,
    /// Fills the target and cuts off what is over, evenly on both sides.
    Cover,
    /// Stretches to the target.
    Fill,
}

/// The resampling filter of `resize`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    /// Lanczos windowed sinc, 3 lobes: the sharpest.
    Lanczos3,
    /// Cubic convolution of Catmull and Rom (a = -0.5).
    CatmullRom,
    /// Linear interpolation, widened when shrinking.
    Bilinear,
    /// Area average.
    Box,
    /// The nearest pixel, no mixing.
    Nearest,
}

const FITS: &[(&str, Fit)] = &[("inside", Fit::Inside), ("cover", Fit::Cover), ("fill", Fit::Fill)];
const FILTERS: &[(&str, Filter)] = &[
    ("lanczos3", Filter::Lanczos3),
    ("catmull_rom", Filter::CatmullRom),
    ("bilinear", Filter::Bilinear),
    ("box", Filter::Box),
    ("nearest", Filter::Nearest),
];
const SIDE: ParameterKind = ParameterKind::Integer { min: 1, max: 65_535 };

impl StepDefinition for Resize {
    const REFERENCE: StepReference = StepReference {
        name: "resize",
        about: "Scales the picture; with one side given, the other follows from the aspect ratio.",
        parameters: &[
            Parameter {
                name: "width",
                kind: SIDE,
                default: None,
                about: "Target width, pixels.",
            },
            Parameter {
                name: "height",
                kind: SIDE,
                default: None,
                about: "Target height, pixels.",
            },
            Parameter {
                name: "fit",
                kind: ParameterKind::Choice(&["inside", "cover", "fill"]),
                default: Some("inside"),
                about: "When the aspect ratios differ: fit within, fill and cut off, or stretch.",
            },
            Parameter {
                name: "filter",
                kind: ParameterKind::Choice(&["lanczos3", "catmull_rom", "bilinear", "box", "nearest"]),
                default: Some("lanczos3"),
                about: "The resampling filter.",
            },
            Parameter {
                name: "enlarge",
                kind: ParameterKind::Flag,
                default: Some("false"),
                about: "Whether a smaller picture is enlarged.",
            },
        ],
    };

    fn parse(arguments: &mut Bound) -> Result<Self, RecipeError> {
        let step = Self {
            width: arguments.integer("width")?,
            height: arguments.integer("height")?,
            fit: arguments.choice("fit", FITS)?.unwrap_or(Fit::Inside),
            filter: arguments.choice("filter", FILTERS)?.unwrap_or(Filter::Lanczos3),
            enlarge: arguments.flag("enlarge")?.unwrap_or(false),
        };
        match (step.width, step.height, step.fit) {
            (None, None, _) => Err(arguments.error("neither width nor height is given, at least one is needed")),
            (Some(_), Some(_), _) | (_, _, Fit::Inside) => Ok(step),
            (_, _, Fit::Cover | Fit::Fill) => {
                Err(arguments.error("this fit needs both width and height, give both or leave fit at inside"))
            }
        }
    }

    fn write(&self, mut call: CallWriter) -> CallWriter {
        if let Some(width) = self.width {
            call = call.positional(width);
        }
        if let Some(height) = self.height {
            call = call.named("height", height);
        }
        if self.fit != Fit::Inside {
            call = call.named("fit", word_of(FITS, self.fit));
        }
        if self.filter != Filter::Lanczos3 {
            call = call.named("filter", word_of(FILTERS, self.filter));
        }
        if self.enlarge {
            call = call.named("enlarge", true);
        }
        call
    }
}
