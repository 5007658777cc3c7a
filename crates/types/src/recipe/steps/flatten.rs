//! `flatten`: lays the picture on a colour.

use super::{Bound, CallWriter, RecipeError, StepDefinition, StepReference};
use crate::recipe::color::Color;
use crate::recipe::parameter::{Parameter, ParameterKind};

/// Lays a picture with alpha on a colour, so that it has none afterwards; one without alpha stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flatten {
    /// What the picture is laid on; opaque.
    pub background: Color,
}

impl StepDefinition for Flatten {
    const REFERENCE: StepReference = StepReference {
        name: "flatten",
        about: "Lays a picture with alpha on a colour, so that it has none afterwards; one without alpha stays as it is.",
        parameters: &[Parameter {
            name: "background",
            kind: ParameterKind::Color,
            default: Some("white"),
            about: "What the picture is laid on; opaque.",
        }],
    };

    fn parse(arguments: &mut Bound) -> Result<Self, RecipeError> {
        let background = arguments.color("background")?.unwrap_or(Color::WHITE);
        if !background.is_opaque() {
            return Err(arguments.error(format!("background is \"{background}\", allowed is an opaque colour")));
        }
        Ok(Self { background })
    }

    fn write(&self, call: CallWriter) -> CallWriter {
        if self.background == Color::WHITE {
            call
        } else {
            call.positional(self.background)
        }
    }
}
