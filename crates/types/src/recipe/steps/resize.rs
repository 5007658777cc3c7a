//! `resize`: changes width and height.

use super::{Bound, CallWriter, RecipeError, StepDefinition, StepReference};
use crate::recipe::call::word_of;
use crate::recipe::color::Color;
use crate::recipe::gravity::Focus;
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
    /// What is kept when `cover` cuts something off, or where in the target `contain` puts the picture: there never
    /// [`Focus::Attention`].
    pub gravity: Focus,
    /// What `contain` fills the rest of the target with.
    pub background: Color,
    /// Whether light is mixed, not levels: levels are taken out of the curve of sRGB before, and put back afterwards.
    pub linear: bool,
}

/// What `resize` does when the aspect ratio of the target differs from the picture's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// Fits within the target; one side may end up smaller.
    Inside,
    /// At least as large as the target; one side may end up larger.
    Outside,
    /// Fits within the target, of which a background fills the rest.
    Contain,
    /// Fills the target and cuts off what is over.
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

const FITS: &[(&str, Fit)] = &[
    ("inside", Fit::Inside),
    ("outside", Fit::Outside),
    ("contain", Fit::Contain),
    ("cover", Fit::Cover),
    ("fill", Fit::Fill),
];
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
                kind: ParameterKind::Choice(&["inside", "outside", "contain", "cover", "fill"]),
                default: Some("inside"),
                about: "When the aspect ratios differ: fit within, be as large at least, fit within and fill up, fill and cut \
                        off, or stretch.",
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
            Parameter {
                name: "gravity",
                kind: ParameterKind::Focus,
                default: Some("center"),
                about: "What `cover` keeps, or where `contain` puts the picture.",
            },
            Parameter {
                name: "background",
                kind: ParameterKind::Color,
                default: Some("white"),
                about: "What `contain` fills the rest with.",
            },
            Parameter {
                name: "linear",
                kind: ParameterKind::Flag,
                default: Some("false"),
                about: "Whether light is mixed and not levels, so that fine bright detail keeps its brightness; slower.",
            },
        ],
    };

    fn parse(arguments: &mut Bound) -> Result<Self, RecipeError> {
        let (gravity, background) = (arguments.focus("gravity")?, arguments.color("background")?);
        let step = Self {
            width: arguments.integer("width")?,
            height: arguments.integer("height")?,
            fit: arguments.choice("fit", FITS)?.unwrap_or(Fit::Inside),
            filter: arguments.choice("filter", FILTERS)?.unwrap_or(Filter::Lanczos3),
            enlarge: arguments.flag("enlarge")?.unwrap_or(false),
            gravity: gravity.unwrap_or(Focus::CENTER),
            background: background.unwrap_or(Color::WHITE),
            linear: arguments.flag("linear")?.unwrap_or(false),
        };
        let problem = match (step.width, step.height, step.fit) {
            (None, None, _) => "neither width nor height is given, at least one is needed",
            (None, _, Fit::Contain | Fit::Cover | Fit::Fill) | (_, None, Fit::Contain | Fit::Cover | Fit::Fill) => {
                "this fit needs both width and height, give both or leave fit at inside"
            }
            (_, _, Fit::Inside | Fit::Outside | Fit::Fill) if gravity.is_some() => {
                "gravity is given, it needs a fit of cover or contain"
            }
            (_, _, Fit::Contain) if gravity == Some(Focus::Attention) => {
                "gravity is \"attention\", it needs a fit of cover"
            }
            (_, _, Fit::Inside | Fit::Outside | Fit::Cover | Fit::Fill) if background.is_some() => {
                "background is given, it needs a fit of contain"
            }
            _ => return Ok(step),
        };
        Err(arguments.error(problem))
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
        if self.gravity != Focus::CENTER {
            call = call.named("gravity", self.gravity);
        }
        if self.background != Color::WHITE {
            call = call.named("background", self.background);
        }
        if self.linear {
            call = call.named("linear", true);
        }
        call
    }
}
