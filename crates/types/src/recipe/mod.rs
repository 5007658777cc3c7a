//! Recipes: what to make of an image. Parsed from text or documents, validated, printed in one canonical form.

pub(crate) mod asset;
pub(crate) mod call;
pub(crate) mod color;
pub(crate) mod document;
pub(crate) mod gravity;
pub(crate) mod length;
pub(crate) mod output;
pub(crate) mod parameter;
mod quote;
pub(crate) mod ready;
pub mod steps;
#[cfg(test)]
mod tests;
mod text;
pub(crate) mod words;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{AssetName, ContentHash, RecipeDocument};
use output::OutputSpec;
#[cfg(doc)]
use ready::ReadyRecipe;
use steps::Step;

/// Most steps a recipe may have, over all its outputs.
const MAX_STEPS: usize = 64;
/// Most outputs a recipe may have.
const MAX_OUTPUTS: usize = 16;

/// Ordered steps, then one or more outputs, each of which may add steps of its own.
///
/// Two recipes are equal exactly when their canonical texts ([`fmt::Display`]) are. That text parses back to the same
/// value and is the form a recipe is stored and hashed in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Recipe {
    steps: Vec<Step>,
    outputs: Vec<OutputSpec>,
}

/// A recipe that cannot be accepted: where it is wrong, and what is allowed there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct RecipeError {
    /// Where: `step 2 (blur)`, `outputs[0].steps[1].sigma`.
    pub place: String,
    /// What is wrong there and what is allowed.
    pub problem: String,
}

impl RecipeError {
    pub(crate) fn new(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            problem: problem.into(),
        }
    }
}

impl Recipe {
    /// Makes a recipe from parts.
    ///
    /// # Errors
    /// [`RecipeError`] when there are too many steps or outputs, two outputs of one name and format, or more text than
    /// the canonical form may have.
    pub fn new(steps: Vec<Step>, outputs: Vec<OutputSpec>) -> Result<Self, RecipeError> {
        let outputs = if outputs.is_empty() {
            vec![OutputSpec::default()]
        } else {
            outputs
        };
        if outputs.len() > MAX_OUTPUTS {
            let problem = format!("{} outputs, at most {MAX_OUTPUTS} are allowed", outputs.len());
            return Err(RecipeError::new("outputs", problem));
        }
        let step_count = steps.len() + outputs.iter().map(|output| output.steps.len()).sum::<usize>();
        if step_count > MAX_STEPS {
            return Err(RecipeError::new(
                "steps",
                format!("{step_count} steps, at most {MAX_STEPS} are allowed"),
            ));
        }
        for (index, output) in outputs.iter().enumerate() {
            if outputs[..index].iter().any(|earlier| earlier.takes_name_of(output)) {
                let problem = format!(
                    "the name {:?} is taken by an earlier output, give each its own",
                    output.name
                );
                return Err(RecipeError::new(format!("output {}", index + 1), problem));
            }
        }
        let recipe = Self { steps, outputs };
        // It is stored in that form, and must be read again.
        let length = recipe.to_string().len();
        if length > text::MAX_LEN {
            let problem = format!(
                "{length} bytes long in its compact form, at most {} are allowed",
                text::MAX_LEN
            );
            return Err(RecipeError::new("recipe", problem));
        }
        Ok(recipe)
    }

    /// The steps all outputs share, in order.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The outputs, in order. Never empty.
    #[must_use]
    pub fn outputs(&self) -> &[OutputSpec] {
        &self.outputs
    }

    /// The files of the folder of assets that its steps use, in order; one that several use comes several times.
    pub fn assets(&self) -> impl Iterator<Item = AssetName> {
        let of_outputs = self.outputs.iter().flat_map(|output| &output.steps);
        self.steps.iter().chain(of_outputs).filter_map(Step::asset)
    }

    /// BLAKE3 of the canonical text: stable over releases, equal for equal recipes however they were written.
    #[must_use]
    pub fn hash(&self) -> ContentHash {
        ContentHash::of(self.to_string().as_bytes())
    }
}

impl Default for Recipe {
    /// Orients, turns to grayscale, blurs with sigma 2; output `processed_<name>` in the format of the input.
    fn default() -> Self {
        let steps = vec![
            Step::Orient(steps::Orient {}),
            Step::Grayscale(steps::Grayscale {}),
            Step::Blur(steps::Blur { sigma: 2.0 }),
        ];
        Self {
            steps,
            outputs: vec![OutputSpec::default()],
        }
    }
}

impl fmt::Display for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        text::write_recipe(self, f)
    }
}

impl FromStr for Recipe {
    type Err = RecipeError;

    /// Parses the compact form, such as `orient | grayscale | blur:2 => webp:80`, or the name of a [`ReadyRecipe`].
    fn from_str(text: &str) -> Result<Self, RecipeError> {
        text::parse_recipe(text)
    }
}

impl TryFrom<RecipeDocument> for Recipe {
    type Error = RecipeError;

    fn try_from(document: RecipeDocument) -> Result<Self, RecipeError> {
        document.into_recipe()
    }
}

impl TryFrom<String> for Recipe {
    type Error = RecipeError;

    fn try_from(text: String) -> Result<Self, RecipeError> {
        text.parse()
    }
}

impl From<Recipe> for String {
    fn from(recipe: Recipe) -> Self {
        recipe.to_string()
    }
}
