//! `pad`: adds a border.

use super::{Bound, CallWriter, RecipeError, StepDefinition, StepReference};
use crate::recipe::color::Color;
use crate::recipe::gravity::Gravity;
use crate::recipe::parameter::{Parameter, ParameterKind};

/// Adds a border of one colour. The picture gains alpha when the colour has some, and colour when it has that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pad {
    /// How far.
    pub by: PadBy,
    /// What the border is filled with.
    pub background: Color,
}

/// How far `pad` goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PadBy {
    /// So many pixels on each side.
    Sides {
        /// Pixels.
        left: u32,
        /// Pixels.
        top: u32,
        /// Pixels.
        right: u32,
        /// Pixels.
        bottom: u32,
    },
    /// Up to a size; a side that is longer already stays as it is.
    Size {
        /// Pixels. At least one of the two is present.
        width: Option<u32>,
        /// Pixels.
        height: Option<u32>,
        /// Where in it the picture lies.
        gravity: Gravity,
    },
}

const BORDER: ParameterKind = ParameterKind::Integer { min: 0, max: 65_535 };
const SIDE: ParameterKind = ParameterKind::Integer { min: 1, max: 65_535 };

const fn border(name: &'static str, about: &'static str) -> Parameter {
    Parameter {
        name,
        kind: BORDER,
        default: None,
        about,
    }
}

impl StepDefinition for Pad {
    const REFERENCE: StepReference = StepReference {
        name: "pad",
        about: "Adds a border: so many pixels on the sides, or as many as a size needs. The picture gains alpha when the \
                background has some, and colour when it has that.",
        parameters: &[
            border("all", "Pixels on every side that is not given by itself."),
            border("left", "Pixels on the left; as `all`."),
            border("top", "Pixels above; as `all`."),
            border("right", "Pixels on the right; as `all`."),
            border("bottom", "Pixels below; as `all`."),
            Parameter {
                name: "width",
                kind: SIDE,
                default: None,
                about: "Least width of the result, pixels; a wider picture stays as it is.",
            },
            Parameter {
                name: "height",
                kind: SIDE,
                default: None,
                about: "Least height of the result, pixels; a higher picture stays as it is.",
            },
            Parameter {
                name: "gravity",
                kind: ParameterKind::Gravity,
                default: Some("center"),
                about: "Where the picture lies in `width` and `height`.",
            },
            Parameter {
                name: "background",
                kind: ParameterKind::Color,
                default: Some("white"),
                about: "What the border is filled with.",
            },
        ],
    };

    fn parse(arguments: &mut Bound) -> Result<Self, RecipeError> {
        let all = arguments.integer("all")?;
        let mut given = all.is_some();
        let mut side = |name| -> Result<u32, RecipeError> {
            let own = arguments.integer(name)?;
            given |= own.is_some();
            Ok(own.or(all).unwrap_or(0))
        };
        let sides = PadBy::Sides {
            left: side("left")?,
            top: side("top")?,
            right: side("right")?,
            bottom: side("bottom")?,
        };
        let (width, height) = (arguments.integer("width")?, arguments.integer("height")?);
        let (gravity, background) = (arguments.gravity("gravity")?, arguments.color("background")?);
        let by = match (given, width.is_some() || height.is_some()) {
            (true, true) => {
                return Err(arguments.error("a size is given beside pixels of a side, only one of them may be"));
            }
            (false, false) => {
                return Err(arguments.error("neither pixels of a side nor width or height are given, they are needed"));
            }
            (true, false) if gravity.is_some() => {
                return Err(arguments
                    .error("gravity is given without width or height, it says where in these the picture lies"));
            }
            (true, false) => sides,
            (false, true) => PadBy::Size {
                width,
                height,
                gravity: gravity.unwrap_or(Gravity::Center),
            },
        };
        Ok(Self {
            by,
            background: background.unwrap_or(Color::WHITE),
        })
    }

    fn write(&self, mut call: CallWriter) -> CallWriter {
        match self.by {
            PadBy::Sides {
                left,
                top,
                right,
                bottom,
            } if left == top && left == right && left == bottom => call = call.positional(left),
            PadBy::Sides {
                left,
                top,
                right,
                bottom,
            } => {
                for (name, pixels) in [("left", left), ("top", top), ("right", right), ("bottom", bottom)] {
                    if pixels != 0 {
                        call = call.named(name, pixels);
                    }
                }
            }
            PadBy::Size { width, height, gravity } => {
                for (name, pixels) in [("width", width), ("height", height)] {
                    if let Some(pixels) = pixels {
                        call = call.named(name, pixels);
                    }
                }
                if gravity != Gravity::Center {
                    call = call.named("gravity", gravity);
                }
            }
        }
        if self.background != Color::WHITE {
            call = call.named("background", self.background);
        }
        call
    }
}
