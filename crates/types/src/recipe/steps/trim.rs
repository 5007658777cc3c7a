//! `trim`: cuts off a border of one colour.

use super::{Bound, CallWriter, RecipeError, StepDefinition, StepReference};
use crate::recipe::parameter::{Parameter, ParameterKind};

/// Cuts off the rows and columns along the edges that have the colour of the left upper corner. A picture that has
/// nothing else stays as it is. All frames of an animation are cut alike, to the smallest box that holds what any of
/// them shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trim {
    /// How far each channel of a pixel may be from that of the corner, levels of 255; colours multiplied by alpha.
    pub tolerance: u32,
}

const TOLERANCE: u32 = 10;

impl StepDefinition for Trim {
    const REFERENCE: StepReference = StepReference {
        name: "trim",
        about: "Cuts off the rows and columns along the edges that have the colour of the left upper corner. A picture that \
                has nothing else stays as it is. All frames of an animation are cut alike, to the smallest box that holds \
                what any of them shows.",
        parameters: &[Parameter {
            name: "tolerance",
            kind: ParameterKind::Integer { min: 0, max: 254 },
            default: Some("10"),
            about: "How far each channel of a pixel may be from that of the corner, levels of 255; colours count as \
                    multiplied by alpha.",
        }],
    };

    fn parse(arguments: &mut Bound) -> Result<Self, RecipeError> {
        Ok(Self {
            tolerance: arguments.integer("tolerance")?.unwrap_or(TOLERANCE),
        })
    }

    fn write(&self, call: CallWriter) -> CallWriter {
        if self.tolerance == TOLERANCE {
            call
        } else {
            call.positional(self.tolerance)
        }
    }
}
