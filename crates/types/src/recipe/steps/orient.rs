//! `orient`: turns the picture upright.

use super::{Bound, CallWriter, RecipeError, StepDefinition, StepReference};

/// Applies the EXIF orientation (values 2 to 8) once, so that outputs need none. Without the tag, or with a value
/// outside 1 to 8, it does nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Orient {}

impl StepDefinition for Orient {
    const REFERENCE: StepReference = StepReference {
        name: "orient",
        about: "Turns and mirrors the picture upright, as its EXIF orientation says.",
        parameters: &[],
    };

    fn parse(_: &mut Bound) -> Result<Self, RecipeError> {
        Ok(Self {})
    }

    fn write(&self, call: CallWriter) -> CallWriter {
        call
    }
}
