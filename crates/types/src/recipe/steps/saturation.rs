//! `saturation`: makes colours stronger or weaker.

use super::{Bound, CallWriter, RecipeError, StepDefinition, StepReference};
use crate::recipe::parameter::{Parameter, ParameterKind};

/// Multiplies the saturation, as `saturate()` of CSS does (Filter Effects Module Level 1). Alpha is kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Saturation {
    /// 0 takes the colour out, 1 changes nothing; 0 to 10.
    pub factor: f32,
}

impl StepDefinition for Saturation {
    const REFERENCE: StepReference = StepReference {
        name: "saturation",
        about: "Multiplies the saturation, as saturate() of CSS does. Alpha is kept.",
        parameters: &[Parameter {
            name: "factor",
            kind: ParameterKind::Decimal { min: 0.0, max: 10.0 },
            default: None,
            about: "0 takes the colour out, 1 changes nothing.",
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
