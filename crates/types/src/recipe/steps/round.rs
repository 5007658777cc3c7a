//! `round`: rounds the corners.

use super::{Bound, CallWriter, RecipeError, StepDefinition, StepReference};
use crate::recipe::length::Length;
use crate::recipe::parameter::{Parameter, ParameterKind};

/// Makes the corners transparent beyond an arc. The picture gains alpha.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Round {
    /// Radius of the arcs; of what is more than half the shorter side, that half is taken.
    pub radius: Length,
}

impl StepDefinition for Round {
    const REFERENCE: StepReference = StepReference {
        name: "round",
        about: "Rounds the corners: what lies beyond an arc becomes transparent. The picture gains alpha.",
        parameters: &[Parameter {
            name: "radius",
            kind: ParameterKind::Length,
            default: None,
            about: "Radius of the arcs, pixels or percent of the shorter side, half of which is the most: 50% makes a \
                    circle of a square.",
        }],
    };

    fn parse(arguments: &mut Bound) -> Result<Self, RecipeError> {
        Ok(Self {
            radius: arguments.required_length("radius")?,
        })
    }

    fn write(&self, call: CallWriter) -> CallWriter {
        call.positional(self.radius)
    }
}
