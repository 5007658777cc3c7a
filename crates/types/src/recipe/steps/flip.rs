//! `flip`: mirrors top to bottom.

use super::{Bound, CallWriter, RecipeError, StepDefinition, StepReference};

/// Mirrors the picture top to bottom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flip {}

impl StepDefinition for Flip {
    const REFERENCE: StepReference = StepReference {
        name: "flip",
        about: "Mirrors the picture top to bottom.",
        parameters: &[],
    };

    fn parse(_: &mut Bound) -> Result<Self, RecipeError> {
        Ok(Self {})
    }

    fn write(&self, call: CallWriter) -> CallWriter {
        call
    }
}
