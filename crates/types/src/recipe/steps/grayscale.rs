//! `grayscale`: takes the colour out.

use super::{Bound, CallWriter, RecipeError, StepDefinition, StepReference};

/// Replaces colour by luma, Y = 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601). Alpha is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grayscale {}

impl StepDefinition for Grayscale {
    const REFERENCE: StepReference = StepReference {
        name: "grayscale",
        about: "Takes the colour out: luma after ITU-R BT.601. Alpha is kept.",
        parameters: &[],
    };

    fn parse(_: &mut Bound) -> Result<Self, RecipeError> {
        Ok(Self {})
    }

    fn write(&self, call: CallWriter) -> CallWriter {
        call
    }
}
