//! `sepia`: tones like an old photo.

use super::{Bound, CallWriter, RecipeError, StepDefinition, StepReference};
use crate::recipe::parameter::{Parameter, ParameterKind};

/// Tones like an old photo, as `sepia()` of CSS does (Filter Effects Module Level 1). Alpha is kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sepia {
    /// 0 changes nothing, 1 is all sepia.
    pub amount: f32,
}

impl StepDefinition for Sepia {
    const REFERENCE: StepReference = StepReference {
        name: "sepia",
        about: "Tones like an old photo, as CSS does. Alpha is kept.",
        parameters: &[Parameter {
            name: "amount",
            kind: ParameterKind::Decimal { min: 0.0, max: 1.0 },
            default: Some("1"),
            about: "0 changes nothing, 1 is all sepia.",
        }],
    };

    fn parse(arguments: &mut Bound) -> Result<Self, RecipeError> {
        Ok(Self {
            amount: arguments.decimal("amount")?.unwrap_or(1.0),
        })
    }

    fn write(&self, call: CallWriter) -> CallWriter {
        call.positional(self.amount)
    }
}
