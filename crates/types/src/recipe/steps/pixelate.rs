//! `pixelate`: makes squares of one colour.

use super::{Bound, CallWriter, RecipeError, StepDefinition, StepReference};
use crate::recipe::parameter::{Parameter, ParameterKind};

/// Gives every square the mean of its pixels. Squares are laid out from the upper left corner; those at the right and at
/// the bottom may be cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pixelate {
    /// Side of a square, pixels; 2 to 1,000.
    pub size: u32,
}

impl StepDefinition for Pixelate {
    const REFERENCE: StepReference = StepReference {
        name: "pixelate",
        about: "Gives every square, from the upper left corner on, the mean of its pixels.",
        parameters: &[Parameter {
            name: "size",
            kind: ParameterKind::Integer { min: 2, max: 1_000 },
            default: Some("16"),
            about: "Side of a square, pixels.",
        }],
    };

    fn parse(arguments: &mut Bound) -> Result<Self, RecipeError> {
        Ok(Self {
            size: arguments.integer("size")?.unwrap_or(16),
        })
    }

    fn write(&self, call: CallWriter) -> CallWriter {
        call.positional(self.size)
    }
}
