//! What a step or an output format can be told: names, ranges and defaults, written once for parser, errors and docs.

use std::fmt;

use super::gravity::{Focus, Gravity};
use super::words::Words;

/// One parameter of a step or of an output format.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameter {
    /// Its name in documents and in `name=value`. The first parameter of a step may also be given by position.
    pub name: &'static str,
    /// What values it takes.
    pub kind: ParameterKind,
    /// What it is when it is not given; `None` when it must be given or depends on others.
    pub default: Option<&'static str>,
    /// One sentence for the docs, with the unit.
    pub about: &'static str,
}

/// The values a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ParameterKind {
    /// A number with a fraction, both ends included.
    Decimal {
        /// The smallest value.
        min: f32,
        /// The largest value.
        max: f32,
    },
    /// A whole number, both ends included.
    Integer {
        /// The smallest value.
        min: u32,
        /// The largest value.
        max: u32,
    },
    /// One of some words.
    Choice(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// A [`Color`](crate::Color).
    Color,
    /// A [`Gravity`](crate::Gravity).
    Gravity,
    /// A [`Focus`](crate::Focus).
    Focus,
    /// A [`Length`](crate::Length).
    Length,
    /// The name of a file in the folder of assets.
    AssetName,
    /// [`Words`].
    Words,
    /// An output name: letters, digits, `.`, `_`, `-`, and `{name}` for the input's name.
    OutputName,
}

impl fmt::Display for ParameterKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decimal { min, max } => write!(f, "a number from {min} to {max}"),
            Self::Integer { min, max } => write!(f, "a whole number from {min} to {max}"),
            Self::Choice(words) => write!(f, "one of {}", words.join(", ")),
            Self::Flag => f.write_str("true or false"),
            Self::Color => {
                f.write_str("a colour: #rgb, #rrggbb, #rrggbbaa, a basic name of CSS such as white, or transparent")
            }
            Self::Gravity => write!(f, "one of {}", Gravity::NAMES.join(", ")),
            Self::Focus => write!(f, "one of {}, {}", Gravity::NAMES.join(", "), Focus::ATTENTION),
            Self::Length => f.write_str("a whole number of pixels from 1 to 65535, or a percentage up to 100%"),
            Self::AssetName => {
                f.write_str("a file of the assets: 1 to 64 characters of A-Z a-z 0-9 . _ -, no dot or dash first")
            }
            Self::Words => write!(
                f,
                "1 to {} characters, in quotes where a separator is among them",
                Words::MAX_CHARS
            ),
            Self::OutputName => f.write_str("1 to 64 characters of A-Z a-z 0-9 . _ - and {name} for the input's name"),
        }
    }
}

/// One step or output format as the reference documents it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepReference {
    /// Its name in recipes.
    pub name: &'static str,
    /// One sentence.
    pub about: &'static str,
    /// Its parameters.
    pub parameters: &'static [Parameter],
}

/// The parameters' names for an error message.
pub(crate) fn list_of(parameters: &[Parameter]) -> String {
    if parameters.is_empty() {
        return "none".to_owned();
    }
    parameters
        .iter()
        .map(|parameter| parameter.name)
        .collect::<Vec<_>>()
        .join(", ")
}
