//! A step or output format as written: a name and arguments, before anybody knows whether they make sense.
//!
//! Both ways of writing a recipe meet here, so that every range is checked, and every error worded, in one place.

use std::fmt::Write as _;
use std::str::FromStr;

use super::RecipeError;
use super::asset::AssetName;
use super::color::Color;
use super::gravity::{Focus, Gravity};
use super::length::Length;
use super::parameter::{Parameter, ParameterKind, list_of};
use super::quote::shortened;
use super::words::Words;

/// One argument as written.
#[derive(Debug, Clone)]
pub(crate) struct Argument {
    /// The parameter's name; `None` when it was given by position.
    pub(crate) name: Option<String>,
    pub(crate) value: String,
}

/// `name:positional,key=value`.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// Where it was written, for errors.
    pub(crate) place: String,
    pub(crate) name: String,
    pub(crate) arguments: Vec<Argument>,
}

impl Call {
    /// Pairs the arguments with `parameters`; positional ones in order.
    pub(crate) fn bind(self, parameters: &'static [Parameter]) -> Result<Bound, RecipeError> {
        let mut values: Vec<Option<String>> = vec![None; parameters.len()];
        let mut position = 0;
        for argument in self.arguments {
            let index = match &argument.name {
                Some(name) => parameters.iter().position(|p| p.name == name).ok_or_else(|| {
                    let name = shortened(name);
                    let problem = format!("unknown parameter {name}, allowed are {}", list_of(parameters));
                    RecipeError::new(&self.place, problem)
                })?,
                None => {
                    position += 1;
                    position - 1
                }
            };
            let Some(slot) = values.get_mut(index) else {
                let problem = format!("too many arguments, allowed are {}", list_of(parameters));
                return Err(RecipeError::new(&self.place, problem));
            };
            if argument.name.is_none() && parameters[index].kind == ParameterKind::OutputName {
                let problem = format!(
                    "{} stands for no parameter, those here are given by name: {}",
                    shortened(&argument.value),
                    list_of(parameters)
                );
                return Err(RecipeError::new(&self.place, problem));
            }
            if slot.replace(argument.value).is_some() {
                let problem = format!("parameter {:?} is given twice", parameters[index].name);
                return Err(RecipeError::new(&self.place, problem));
            }
        }
        Ok(Bound {
            place: self.place,
            parameters,
            values,
        })
    }
}

/// Arguments paired with their parameters; each is taken out once, checked against its range.
#[derive(Debug)]
pub(crate) struct Bound {
    place: String,
    parameters: &'static [Parameter],
    values: Vec<Option<String>>,
}

impl Bound {
    /// A decimal number within the parameter's range; `None` when it was not given.
    pub(crate) fn decimal(&mut self, name: &str) -> Result<Option<f32>, RecipeError> {
        let Some((parameter, text)) = self.take(name) else {
            return Ok(None);
        };
        let ParameterKind::Decimal { min, max } = parameter.kind else {
            unreachable!("{name} is declared a decimal")
        };
        match text.parse::<f32>() {
            // Adding 0 makes 0 of -0, so that equal recipes have equal texts.
            Ok(value) if (min..=max).contains(&value) => Ok(Some(value + 0.0)),
            _ => Err(self.invalid(parameter, &text)),
        }
    }

    /// A decimal number within the parameter's range, which must be given.
    pub(crate) fn required_decimal(&mut self, name: &str) -> Result<f32, RecipeError> {
        self.decimal(name)?
            .ok_or_else(|| self.error(format!("{name} is not given, it is needed")))
    }

    /// A whole number within the parameter's range; `None` when it was not given.
    pub(crate) fn integer(&mut self, name: &str) -> Result<Option<u32>, RecipeError> {
        let Some((parameter, text)) = self.take(name) else {
            return Ok(None);
        };
        let ParameterKind::Integer { min, max } = parameter.kind else {
            unreachable!("{name} is declared an integer")
        };
        match text.parse::<u32>() {
            Ok(value) if (min..=max).contains(&value) => Ok(Some(value)),
            _ => Err(self.invalid(parameter, &text)),
        }
    }

    /// The index of one of the parameter's words; `None` when it was not given.
    pub(crate) fn choice<T: Copy>(&mut self, name: &str, values: &[(&str, T)]) -> Result<Option<T>, RecipeError> {
        let Some((parameter, text)) = self.take(name) else {
            return Ok(None);
        };
        match values.iter().find(|(word, _)| *word == text) {
            Some((_, value)) => Ok(Some(*value)),
            None => Err(self.invalid(parameter, &text)),
        }
    }

    /// `true` or `false`; `None` when it was not given.
    pub(crate) fn flag(&mut self, name: &str) -> Result<Option<bool>, RecipeError> {
        self.choice(name, &[("true", true), ("false", false)])
    }

    /// A colour; `None` when it was not given.
    pub(crate) fn color(&mut self, name: &str) -> Result<Option<Color>, RecipeError> {
        self.parsed(name)
    }

    /// The name of an asset; `None` when it was not given.
    pub(crate) fn asset(&mut self, name: &str) -> Result<Option<AssetName>, RecipeError> {
        let Some((parameter, text)) = self.take(name) else {
            return Ok(None);
        };
        match text.parse() {
            Ok(asset) => Ok(Some(asset)),
            Err(_) => Err(self.invalid(parameter, &text)),
        }
    }

    /// A place of nine; `None` when it was not given.
    pub(crate) fn gravity(&mut self, name: &str) -> Result<Option<Gravity>, RecipeError> {
        self.choice(name, Gravity::WORDS)
    }

    /// A place of nine or `attention`; `None` when it was not given.
    pub(crate) fn focus(&mut self, name: &str) -> Result<Option<Focus>, RecipeError> {
        self.parsed(name)
    }

    /// A length; `None` when it was not given.
    pub(crate) fn length(&mut self, name: &str) -> Result<Option<Length>, RecipeError> {
        self.parsed(name)
    }

    /// Text that is drawn; `None` when it was not given.
    pub(crate) fn words(&mut self, name: &str) -> Result<Option<Words>, RecipeError> {
        let Some((_, text)) = self.take(name) else {
            return Ok(None);
        };
        text.parse()
            .map(Some)
            .map_err(|error| self.error(format!("{name} {error}")))
    }

    /// A length, which must be given.
    pub(crate) fn required_length(&mut self, name: &str) -> Result<Length, RecipeError> {
        self.parsed(name)?
            .ok_or_else(|| self.error(format!("{name} is not given, it is needed")))
    }

    /// Any text; `None` when it was not given.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        self.take(name).map(|(_, text)| text)
    }

    pub(crate) fn error(&self, problem: impl Into<String>) -> RecipeError {
        RecipeError::new(&self.place, problem)
    }

    fn parsed<T: FromStr>(&mut self, name: &str) -> Result<Option<T>, RecipeError> {
        let Some((parameter, text)) = self.take(name) else {
            return Ok(None);
        };
        text.parse().map(Some).map_err(|_| self.invalid(parameter, &text))
    }

    fn take(&mut self, name: &str) -> Option<(&'static Parameter, String)> {
        let index = self.parameters.iter().position(|parameter| parameter.name == name)?;
        self.values[index].take().map(|text| (&self.parameters[index], text))
    }

    fn invalid(&self, parameter: &Parameter, text: &str) -> RecipeError {
        self.error(format!(
            "{} is {}, allowed is {}",
            parameter.name,
            shortened(text),
            parameter.kind
        ))
    }
}

/// What recipes call `value`.
pub(crate) fn word_of<T: Copy + PartialEq>(words: &[(&'static str, T)], value: T) -> &'static str {
    words
        .iter()
        .find(|(_, known)| *known == value)
        .map_or("", |(word, _)| word)
}

/// Prints a call canonically: the first argument by position when it is the first parameter, the rest by name.
pub(crate) struct CallWriter {
    text: String,
    arguments: usize,
}

impl CallWriter {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            text: name.to_owned(),
            arguments: 0,
        }
    }

    pub(crate) fn positional(mut self, value: impl std::fmt::Display) -> Self {
        self.separate();
        let _infallible = write!(self.text, "{value}");
        self
    }

    pub(crate) fn named(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        self.separate();
        let _infallible = write!(self.text, "{name}={value}");
        self
    }

    /// Adds the value by its name unless it is the default.
    pub(crate) fn unless<T: std::fmt::Display + PartialEq>(self, name: &str, value: T, default: T) -> Self {
        if value == default {
            self
        } else {
            self.named(name, value)
        }
    }

    pub(crate) fn finish(self) -> String {
        self.text
    }

    fn separate(&mut self) {
        self.text.push(if self.arguments == 0 { ':' } else { ',' });
        self.arguments += 1;
    }
}
