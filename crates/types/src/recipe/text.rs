//! The compact form of a recipe.
//!
//! ```text
//! recipe   = [ pipeline ] [ "=>" output { ";" output } ]
//! pipeline = call { "|" call }
//! output   = [ pipeline "|" ] call          the last call names a format
//! call     = name [ ":" argument { "," argument } ]
//! argument = value | name "=" value
//! ```
//! or the name of a ready recipe, alone.
//! White space around every part is ignored. A value in quotes may contain anything ([`quote`]); no other contains any of
//! `| ; , =` or `=>`. A `:` may stand in one, as the name ends at the first.

use std::fmt;

use super::call::{Argument, Call};
use super::output::OutputSpec;
use super::ready::ReadyRecipe;
use super::steps::Step;
use super::{Recipe, RecipeError, quote};

/// The longest compact form accepted, bytes.
pub(super) const MAX_LEN: usize = 8 * 1024;

pub(super) fn parse_recipe(text: &str) -> Result<Recipe, RecipeError> {
    if text.len() > MAX_LEN {
        return Err(RecipeError::new(
            "recipe",
            format!("{} bytes long, at most {MAX_LEN} are allowed", text.len()),
        ));
    }
    if let Some(ready) = ReadyRecipe::named(text.trim()) {
        return parse_recipe(ready.text);
    }
    let (pipeline, outputs) = match quote::split_once(text, "=>") {
        Some((pipeline, outputs)) => (pipeline, Some(outputs)),
        None => (text, None),
    };
    if pipeline.trim().is_empty() && outputs.is_none() {
        return Err(RecipeError::new(
            "recipe",
            "empty, at least one step or output is needed",
        ));
    }
    let steps = match pipeline.trim() {
        "" => Vec::new(),
        pipeline => parse_steps("step", pipeline).map_err(|error| naming_recipes(error, text))?,
    };
    let outputs = match outputs {
        None => Vec::new(),
        Some(outputs) => quote::split(outputs, ";")
            .enumerate()
            .map(|(index, output)| parse_output(index + 1, output))
            .collect::<Result<_, _>>()?,
    };
    Recipe::new(steps, outputs)
}

/// A word that stands alone may be meant as the name of a ready recipe.
fn naming_recipes(error: RecipeError, text: &str) -> RecipeError {
    let is_known = Step::REFERENCE.iter().any(|step| step.name == text.trim());
    if is_known || text.contains(['|', ':', ',', '=']) {
        return error;
    }
    let problem = format!("{}; or, alone, the recipes {}", error.problem, ReadyRecipe::names());
    RecipeError::new(error.place, problem)
}

/// Parses one step as documents may write it: `blur:2`.
pub(super) fn parse_step(place: String, text: &str) -> Result<Step, RecipeError> {
    Step::from_call(parse_call(place, text)?)
}

fn parse_steps(kind: &str, pipeline: &str) -> Result<Vec<Step>, RecipeError> {
    let parse = |(index, text)| parse_step(format!("{kind} {}", index + 1), text);
    quote::split(pipeline, "|").enumerate().map(parse).collect()
}

fn parse_output(number: usize, text: &str) -> Result<OutputSpec, RecipeError> {
    let (pipeline, format) = match quote::rsplit_once(text, "|") {
        Some((pipeline, format)) => (Some(pipeline), format),
        None => (None, text),
    };
    let steps = match pipeline {
        Some(pipeline) => parse_steps(&format!("output {number}, step"), pipeline)?,
        None => Vec::new(),
    };
    OutputSpec::from_call(steps, parse_call(format!("output {number}"), format)?)
}

fn parse_call(place: String, text: &str) -> Result<Call, RecipeError> {
    let (name, arguments) = match text.split_once(':') {
        Some((name, arguments)) => (name.trim(), Some(arguments)),
        None => (text.trim(), None),
    };
    if name.is_empty() {
        return Err(RecipeError::new(
            place,
            "empty, expected a name such as grayscale or blur:2",
        ));
    }
    let place = format!("{place} ({})", quote::cut(name));
    let parse_argument = |argument| {
        let (name, value) = match quote::split_once(argument, "=") {
            Some((name, value)) => (Some(name.trim().to_owned()), value),
            None => (None, argument),
        };
        let value = quote::value(value.trim()).map_err(|problem| RecipeError::new(&place, problem))?;
        Ok(Argument { name, value })
    };
    let arguments = arguments
        .map(|list| quote::split(list, ",").map(parse_argument).collect())
        .transpose()?
        .unwrap_or_default();
    Ok(Call {
        place,
        name: name.to_owned(),
        arguments,
    })
}

pub(super) fn write_recipe(recipe: &Recipe, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (index, step) in recipe.steps().iter().enumerate() {
        write!(f, "{}{step}", if index == 0 { "" } else { " | " })?;
    }
    if recipe.outputs() == [OutputSpec::default()] && !recipe.steps().is_empty() {
        return Ok(());
    }
    f.write_str(if recipe.steps().is_empty() { "=> " } else { " => " })?;
    for (index, output) in recipe.outputs().iter().enumerate() {
        write!(f, "{}{output}", if index == 0 { "" } else { " ; " })?;
    }
    Ok(())
}
