//! `gamma`: bends the levels.

use super::{Bound, CallWriter, RecipeError, StepDefinition, StepReference};
use crate::recipe::parameter::{Parameter, ParameterKind};

/// Raises every level, from 0 to 1, to the power 1 / gamma, as ImageMagick's `-gamma` does. Alpha is kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gamma {
    /// Above 1 the middle levels get lighter, below 1 darker; 0.1 to 10.
    pub gamma: f32,
}

impl StepDefinition for Gamma {
    const REFERENCE: StepReference = StepReference {
        name: "gamma",
        about: "Raises every level, from 0 to 1, to the power 1 / gamma. Alpha is kept.",
        parameters: &[Parameter {
            name: "gamma",
            kind: ParameterKind::Decimal { min: 0.1, max: 10.0 },
            default: None,
            about: "Above 1 the middle levels get lighter, below 1 darker.",
        }],
    };

    fn parse(arguments: &mut Bound) -> Result<Self, RecipeError> {
        Ok(Self {
            gamma: arguments.required_decimal("gamma")?,
        })
    }

    fn write(&self, call: CallWriter) -> CallWriter {
        call.positional(self.gamma)
    }
}
