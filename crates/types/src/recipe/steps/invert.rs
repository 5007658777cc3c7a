//! `invert`: makes a negative.

use super::{Bound, CallWriter, RecipeError, StepDefinition, StepReference};
use crate::recipe::parameter::{Parameter, ParameterKind};

/// Makes a negative, as `invert()` of CSS does (Filter Effects Module Level 1). Alpha is kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Invert {
    /// 0 changes nothing, 0.5 is gray, 1 is the negative.
    pub amount: f32,
}

impl StepDefinition for Invert {
    const REFERENCE: StepReference = StepReference {
        name: "invert",
        about: "Makes a negative, as CSS does. Alpha is kept.",
        parameters: &[Parameter {
            name: "amount",
            kind: ParameterKind::Decimal { min: 0.0, max: 1.0 },
            default: Some("1"),
            about: "0 changes nothing, 0.5 is gray, 1 is the negative.",
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
