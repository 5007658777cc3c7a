//! `blur`: Gaussian blur.

use super::{Bound, CallWriter, RecipeError, StepDefinition, StepReference};
use crate::recipe::parameter::{Parameter, ParameterKind};

/// Convolves with a Gaussian; the edge pixel repeats beyond the edge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Blur {
    /// Standard deviation of the Gaussian, pixels; 0.3 to 100.
    pub sigma: f32,
}

impl StepDefinition for Blur {
    const REFERENCE: StepReference = StepReference {
        name: "blur",
        about: "Gaussian blur; the edge pixel repeats beyond the edge.",
        parameters: &[Parameter {
            name: "sigma",
            kind: ParameterKind::Decimal { min: 0.3, max: 100.0 },
            default: Some("2"),
            about: "Standard deviation of the Gaussian, pixels.",
        }],
    };

    fn parse(arguments: &mut Bound) -> Result<Self, RecipeError> {
        Ok(Self {
            sigma: arguments.decimal("sigma")?.unwrap_or(2.0),
        })
    }

    fn write(&self, call: CallWriter) -> CallWriter {
        call.positional(self.sigma)
    }
}
