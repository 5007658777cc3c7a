//! The document form of a recipe, as TOML or JSON deserialises it (`read`).
//!
//! ```toml
//! steps = ["orient", { op = "blur", sigma = 2 }]
//!
//! [[outputs]]
//! format = "webp"
//! quality = 80
//! name = "{name}_small"
//! steps = ["resize:400"]
//! ```

mod read;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::call::{Argument, Call};
use super::output::OutputSpec;
use super::quote::cut;
use super::steps::Step;
use super::text::parse_step;
use super::{Recipe, RecipeError};

/// A recipe as written in a TOML or JSON document. Turn it into a [`Recipe`] to have it checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecipeDocument {
    /// Steps all outputs share.
    #[serde(default, deserialize_with = "read::shared_steps")]
    pub steps: Vec<StepDocument>,
    /// What to write; one `processed_{name}` in the format of the input when there is none.
    #[serde(default, deserialize_with = "read::outputs")]
    pub outputs: Vec<OutputDocument>,
}

/// A step: `"blur:2"`, or a table with its name under `op`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum StepDocument {
    /// The compact form.
    Text(String),
    /// Every parameter by name.
    Table {
        /// The name of the step.
        op: String,
        /// Its parameters.
        #[serde(flatten)]
        parameters: BTreeMap<String, Scalar>,
    },
}

/// An output: its format under `format`, its own steps under `steps`, everything else is a parameter of the format.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OutputDocument {
    /// The name of the format; `same` when not given.
    pub format: String,
    /// Steps after the shared ones.
    pub steps: Vec<StepDocument>,
    /// Parameters of the format.
    #[serde(flatten)]
    pub parameters: BTreeMap<String, Scalar>,
}

/// A value of a parameter.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Scalar {
    /// `true` or `false`.
    Flag(bool),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Decimal(f64),
    /// Any text.
    Text(String),
}

impl Scalar {
    /// As the compact form has it.
    fn into_text(self) -> String {
        match self {
            Self::Flag(flag) => flag.to_string(),
            Self::Integer(number) => number.to_string(),
            Self::Decimal(number) => number.to_string(),
            Self::Text(text) => text,
        }
    }
}

fn same() -> String {
    "same".to_owned()
}

impl RecipeDocument {
    pub(super) fn into_recipe(self) -> Result<Recipe, RecipeError> {
        if self.steps.is_empty() && self.outputs.is_empty() {
            return Err(RecipeError::new(
                "recipe",
                "empty, at least one step or output is needed",
            ));
        }
        let steps = into_steps("steps", self.steps)?;
        let into_output = |(index, output): (usize, OutputDocument)| {
            let place = format!("outputs[{index}]");
            let steps = into_steps(&format!("{place}.steps"), output.steps)?;
            OutputSpec::from_call(steps, into_call(place, output.format, output.parameters))
        };
        let outputs = self
            .outputs
            .into_iter()
            .enumerate()
            .map(into_output)
            .collect::<Result<_, _>>()?;
        Recipe::new(steps, outputs)
    }
}

fn into_steps(place: &str, steps: Vec<StepDocument>) -> Result<Vec<Step>, RecipeError> {
    let into_step = |(index, step)| {
        let place = format!("{place}[{index}]");
        match step {
            StepDocument::Text(text) => parse_step(place, &text),
            StepDocument::Table { op, parameters } => Step::from_call(into_call(place, op, parameters)),
        }
    };
    steps.into_iter().enumerate().map(into_step).collect()
}

fn into_call(place: String, name: String, parameters: BTreeMap<String, Scalar>) -> Call {
    let into_argument = |(name, value): (String, Scalar)| Argument {
        name: Some(name),
        value: value.into_text(),
    };
    Call {
        place: format!("{place} ({})", cut(&name)),
        name,
        arguments: parameters.into_iter().map(into_argument).collect(),
    }
}
