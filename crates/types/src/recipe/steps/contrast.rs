//! `contrast`: spreads the levels about the middle.

use super::{Bound, CallWriter, RecipeError, StepDefinition, StepReference};
use crate::recipe::parameter::{Parameter, ParameterKind};

/// Multiplies the distance of every level from the middle, as `contrast()` of CSS does (Filter Effects Module Level 1). Alpha is kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contrast {
    /// 0 is gray, 1 changes nothing; 0 to 10.
    pub factor: f32,
}

impl StepDefinition for Contrast {
    const REFERENCE: StepReference = StepReference {
        name: "contrast",
        about: "Multiplies the distance of every level from the middle, as CSS does. Alpha is kept.",
        parameters: &[Parameter {
            name: "factor",
            kind: ParameterKind::Decimal { min: 0.0, max: 10.0 },
            default: None,
            about: "0 is gray, 1 changes nothing.",
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
