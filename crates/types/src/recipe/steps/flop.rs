//! `flop`: mirrors left to right.

use super::{Bound, CallWriter, RecipeError, StepDefinition, StepReference};

/// Mirrors the picture left to right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flop {}

impl StepDefinition for Flop {
    const REFERENCE: StepReference = StepReference {
        name: "flop",
        about: "Mirrors the picture left to right.",
        parameters: &[],
    };

    fn parse(_: &mut Bound) -> Result<Self, RecipeError> {
        Ok(Self {})
    }

    fn write(&self, call: CallWriter) -> CallWriter {
        call
    }
}
