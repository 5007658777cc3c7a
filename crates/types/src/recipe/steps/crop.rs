//! `crop`: cuts a part out.

use super::{Bound, CallWriter, RecipeError, StepDefinition, StepReference};
use crate::recipe::gravity::{Focus, Gravity};
use crate::recipe::parameter::{Parameter, ParameterKind};

/// Keeps a part of the picture. What of it lies beyond the picture is left out; a part that begins beyond the picture
/// cannot be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crop {
    /// Width of the part, pixels; up to the right edge when `None`.
    pub width: Option<u32>,
    /// Height of the part, pixels; down to the lower edge when `None`.
    pub height: Option<u32>,
    /// Where it lies.
    pub at: CropAt,
}

/// Where the part that `crop` keeps lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CropAt {
    /// So many pixels from the left and from above.
    Offset {
        /// Pixels.
        left: u32,
        /// Pixels.
        top: u32,
    },
    /// Where a focus says.
    Focus(Focus),
}

const SIDE: ParameterKind = ParameterKind::Integer { min: 1, max: 65_535 };
const OFFSET: ParameterKind = ParameterKind::Integer { min: 0, max: 65_535 };

impl StepDefinition for Crop {
    const REFERENCE: StepReference = StepReference {
        name: "crop",
        about: "Keeps a part of the picture: a box from `left` and `top`, or a size where `gravity` says. What of it lies \
                beyond the picture is left out; a box that begins beyond the picture is an error.",
        parameters: &[
            Parameter {
                name: "width",
                kind: SIDE,
                default: None,
                about: "Width of the part, pixels; up to the right edge when not given.",
            },
            Parameter {
                name: "height",
                kind: SIDE,
                default: None,
                about: "Height of the part, pixels; down to the lower edge when not given.",
            },
            Parameter {
                name: "left",
                kind: OFFSET,
                default: None,
                about: "Pixels cut off on the left; 0 when only `top` is given.",
            },
            Parameter {
                name: "top",
                kind: OFFSET,
                default: None,
                about: "Pixels cut off above; 0 when only `left` is given.",
            },
            Parameter {
                name: "gravity",
                kind: ParameterKind::Focus,
                default: Some("center"),
                about: "Where the part lies when neither `left` nor `top` is given; with `attention` where edges, \
                        strong colours and skin are, of all frames of an animation together.",
            },
        ],
    };

    fn parse(arguments: &mut Bound) -> Result<Self, RecipeError> {
        let (width, height) = (arguments.integer("width")?, arguments.integer("height")?);
        let at = match (
            arguments.integer("left")?,
            arguments.integer("top")?,
            arguments.focus("gravity")?,
        ) {
            (None, None, focus) => CropAt::Focus(focus.unwrap_or(Focus::CENTER)),
            (left, top, None) => CropAt::Offset {
                left: left.unwrap_or(0),
                top: top.unwrap_or(0),
            },
            (_, _, Some(_)) => {
                return Err(arguments.error("gravity is given beside left or top, only one of them may be"));
            }
        };
        match (width, height, at) {
            (None, None, CropAt::Focus(_)) => {
                Err(arguments.error("neither width, height, left nor top is given, at least one is needed"))
            }
            _ => Ok(Self { width, height, at }),
        }
    }

    fn write(&self, mut call: CallWriter) -> CallWriter {
        if let Some(width) = self.width {
            call = call.positional(width);
        }
        if let Some(height) = self.height {
            call = call.named("height", height);
        }
        match self.at {
            CropAt::Offset { left, top } => call.named("left", left).named("top", top),
            CropAt::Focus(Focus::Place(Gravity::Center)) => call,
            CropAt::Focus(focus) => call.named("gravity", focus),
        }
    }
}
