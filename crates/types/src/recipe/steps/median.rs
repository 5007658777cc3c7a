//! `median`: takes specks out and keeps edges.

use super::{Bound, CallWriter, RecipeError, StepDefinition, StepReference};
use crate::recipe::parameter::{Parameter, ParameterKind};

/// Replaces every level by the median of the square around it, channel by channel; the edge pixel repeats beyond the
/// edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Median {
    /// How far the square reaches from its middle, pixels; 1 to 20.
    pub radius: u32,
}

impl StepDefinition for Median {
    const REFERENCE: StepReference = StepReference {
        name: "median",
        about: "Replaces every level by the median of the square around it: takes specks out and keeps edges.",
        parameters: &[Parameter {
            name: "radius",
            kind: ParameterKind::Integer { min: 1, max: 20 },
            default: Some("1"),
            about: "How far the square reaches from its middle, pixels: 1 is 3 x 3, 2 is 5 x 5.",
        }],
    };

    fn parse(arguments: &mut Bound) -> Result<Self, RecipeError> {
        Ok(Self {
            radius: arguments.integer("radius")?.unwrap_or(1),
        })
    }

    fn write(&self, call: CallWriter) -> CallWriter {
        call.positional(self.radius)
    }
}
