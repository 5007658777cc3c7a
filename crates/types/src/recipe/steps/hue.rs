//! `hue`: turns the colours around the wheel.

use super::{Bound, CallWriter, RecipeError, StepDefinition, StepReference};
use crate::recipe::parameter::{Parameter, ParameterKind};

/// Turns the hue, as `hue-rotate()` of CSS does (Filter Effects Module Level 1). Alpha is kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hue {
    /// Angle, degrees; -360 to 360.
    pub degrees: f32,
}

impl StepDefinition for Hue {
    const REFERENCE: StepReference = StepReference {
        name: "hue",
        about: "Turns the hue, as hue-rotate() of CSS does. Alpha is kept.",
        parameters: &[Parameter {
            name: "degrees",
            kind: ParameterKind::Decimal {
                min: -360.0,
                max: 360.0,
            },
            default: None,
            about: "Angle, degrees.",
        }],
    };

    fn parse(arguments: &mut Bound) -> Result<Self, RecipeError> {
        Ok(Self {
            degrees: arguments.required_decimal("degrees")?,
        })
    }

    fn write(&self, call: CallWriter) -> CallWriter {
        call.positional(self.degrees)
    }
}
