//! `brightness`: multiplies the levels.

use super::{Bound, CallWriter, RecipeError, StepDefinition, StepReference};
use crate::recipe::parameter::{Parameter, ParameterKind};

/// Multiplies every level, as `brightness()` of CSS does (Filter Effects Module Level 1). Alpha is kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Brightness {
    /// 0 is black, 1 changes nothing; 0 to 10.
    pub factor: f32,
}

impl StepDefinition for Brightness {
    const REFERENCE: StepReference = StepReference {
        name: "brightness",
        about: "Multiplies every level, as CSS does. Alpha is kept.",
        parameters: &[Parameter {
            name: "factor",
            kind: ParameterKind::Decimal { min: 0.0, max: 10.0 },
            default: None,
            about: "0 is black, 1 changes nothing.",
        }],
    };

    fn parse(arguments: &mut Bound) -> Result<Self, RecipeError> {
        Ok(Self {
            factor: arguments.required_decimal("factor")?,
        })
    }

    fn write(&self, call: CallWriter) -> CallWriter {
        call.positional(self.factor)
    }
}
