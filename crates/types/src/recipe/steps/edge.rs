//! `edge`: shows where levels change.

use super::{Bound, CallWriter, RecipeError, StepDefinition, StepReference};
use crate::recipe::parameter::{Parameter, ParameterKind};

/// Shows in gray how much luma (ITU-R BT.601) changes at every pixel; the edge pixel repeats beyond the edge. Alpha is
/// kept, and what is transparent counts as black.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// How change is measured.
    pub operator: EdgeOperator,
}

/// How `edge` measures change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EdgeOperator {
    /// The length of the gradient after Sobel, a quarter of it: a straight step from black to white is white.
    Sobel,
    /// The magnitude of 8 times the pixel less its 8 neighbours.
    Laplacian,
}

const OPERATORS: &[(&str, EdgeOperator)] = &[("sobel", EdgeOperator::Sobel), ("laplacian", EdgeOperator::Laplacian)];

impl StepDefinition for Edge {
    const REFERENCE: StepReference = StepReference {
        name: "edge",
        about: "Shows in gray how much luma changes at every pixel. Alpha is kept, what is transparent counts as black.",
        parameters: &[Parameter {
            name: "operator",
            kind: ParameterKind::Choice(&["sobel", "laplacian"]),
            default: Some("sobel"),
            about: "A quarter of the length of Sobel's gradient, so that a step from black to white is white; or the \
                    magnitude of 8 times the pixel less its neighbours.",
        }],
    };

    fn parse(arguments: &mut Bound) -> Result<Self, RecipeError> {
        Ok(Self {
            operator: arguments.choice("operator", OPERATORS)?.unwrap_or(EdgeOperator::Sobel),
        })
    }

    fn write(&self, call: CallWriter) -> CallWriter {
        match self.operator {
            EdgeOperator::Sobel => call,
            EdgeOperator::Laplacian => call.positional("laplacian"),
        }
    }
}
