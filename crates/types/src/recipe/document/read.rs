//! Reads the document form. Knows places, names and kinds of values; what a value means is for [`Recipe`](crate::Recipe)
//! to say.
//!
//! By hand: what serde derives takes a key that is given twice, and tells of a wrong value neither where it stands nor what
//! is allowed there.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{OutputDocument, Scalar, StepDocument};
use crate::recipe::RecipeError;
use crate::recipe::output::OutputSpec;
use crate::recipe::parameter::StepReference;
use crate::recipe::quote::{cut, shortened};
use crate::recipe::steps::Step;

/// The key under which the crate `toml` hands out a date or time, in a table of its own.
const TOML_DATE: &str = "$__toml_private_datetime";
/// From here on a number with a fraction may stand for a whole one that was written, and differ from it.
const TOO_LARGE: f64 = i64::MAX as f64;
const NAME_OF_STEP: &str = "op";
const NAME_OF_FORMAT: &str = "format";
const STEPS_OF_OUTPUT: &str = "steps";
/// What is allowed where nothing more is known.
const ANY_SCALAR: &str = "text, a number, true or false";

pub(super) fn shared_steps<'de, D: Deserializer<'de>>(document: D) -> Result<Vec<StepDocument>, D::Error> {
    steps_at("steps").deserialize(document)
}

pub(super) fn outputs<'de, D: Deserializer<'de>>(document: D) -> Result<Vec<OutputDocument>, D::Error> {
    let outputs = ListAt {
        place: "outputs",
        items: "tables",
        item_at: OneOutput,
    };
    outputs.deserialize(document)
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(document: D) -> Result<Self, D::Error> {
        match Given::deserialize(document)? {
            Given::Scalar(scalar) => Ok(scalar),
            other @ Given::Other(_) => Err(de::Error::custom(format!(
                "the value is {other}, allowed is {ANY_SCALAR}"
            ))),
        }
    }
}

impl<'de> Deserialize<'de> for StepDocument {
    fn deserialize<D: Deserializer<'de>>(document: D) -> Result<Self, D::Error> {
        OneStep("step".to_owned()).deserialize(document)
    }
}

impl<'de> Deserialize<'de> for OutputDocument {
    fn deserialize<D: Deserializer<'de>>(document: D) -> Result<Self, D::Error> {
        OneOutput("output".to_owned()).deserialize(document)
    }
}

/// A value that was given, whether or not a parameter can take it.
enum Given {
    Scalar(Scalar),
    /// No parameter takes it; what it is, for the error.
    Other(String),
}

impl Given {
    fn too_large(number: impl fmt::Display) -> Self {
        Self::Other(format!("too large a number ({number})"))
    }
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scalar(Scalar::Text(text)) => f.write_str(&shortened(text)),
            Self::Scalar(scalar) => f.write_str(&scalar.clone().into_text()),
            Self::Other(description) => f.write_str(description),
        }
    }
}

impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(document: D) -> Result<Self, D::Error> {
        document.deserialize_any(GivenVisitor)
    }
}

struct GivenVisitor;

impl<'de> Visitor<'de> for GivenVisitor {
    type Value = Given;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(ANY_SCALAR)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Given, E> {
        Ok(Given::Scalar(Scalar::Flag(flag)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Given, E> {
        Ok(Given::Scalar(Scalar::Integer(number)))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Given, E> {
        Ok(i64::try_from(number).map_or_else(
            |_| Given::too_large(number),
            |number| Given::Scalar(Scalar::Integer(number)),
        ))
    }

    fn visit_i128<E>(self, number: i128) -> Result<Given, E> {
        Ok(Given::too_large(number))
    }

    fn visit_u128<E>(self, number: u128) -> Result<Given, E> {
        Ok(Given::too_large(number))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Given, E> {
        if number.is_finite() && number.abs() >= TOO_LARGE {
            return Ok(Given::too_large(format_args!("{number:e}")));
        }
        Ok(Given::Scalar(Scalar::Decimal(number)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Given, E> {
        Ok(Given::Scalar(Scalar::Text(text.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Given, E> {
        Ok(Given::Other("null".to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Given, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Given::Other("a list".to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<Given, A::Error> {
        while let Some(key) = table.next_key::<String>()? {
            if key == TOML_DATE {
                let date: String = table.next_value()?;
                return Ok(Given::Other(format!("a date or time ({})", cut(&date))));
            }
            table.next_value::<IgnoredAny>()?;
        }
        Ok(Given::Other("a table".to_owned()))
    }
}

/// What a table gives by name. It is judged when all of it was read, as the name of the step or format, which says what is
/// allowed, may come last.
#[derive(Default)]
struct Named {
    values: BTreeMap<String, Given>,
    twice: Option<String>,
}

impl Named {
    fn read<'de, A: MapAccess<'de>>(&mut self, place: &str, name: String, table: &mut A) -> Result<(), A::Error> {
        let value = table.next_value().map_err(|error| {
            // The parser refuses a number that it cannot hold without saying which; a second line only repeats the name.
            let problem = error.to_string();
            let problem = problem.lines().next().unwrap_or_default();
            de::Error::custom(format!("{place}: {}: {problem}", cut(&name)))
        })?;
        match self.values.entry(name) {
            Entry::Vacant(free) => {
                free.insert(value);
            }
            Entry::Occupied(taken) => {
                let name = taken.key().clone();
                self.is_twice(name);
            }
        }
        Ok(())
    }

    fn is_twice(&mut self, name: String) {
        self.twice.get_or_insert(name);
    }

    /// The text under `name`; `None` when it was not given.
    fn text(&mut self, place: &str, name: &str, allowed: impl fmt::Display) -> Result<Option<String>, RecipeError> {
        match self.values.remove(name) {
            None => Ok(None),
            Some(Given::Scalar(Scalar::Text(text))) => Ok(Some(text)),
            Some(other) => Err(RecipeError::new(
                place,
                format!("{name} is {other}, allowed is {allowed}"),
            )),
        }
    }

    /// The parameters of what is called `name`, which is one of `known`.
    fn parameters(
        self,
        place: &str,
        name: &str,
        known: &[StepReference],
    ) -> Result<BTreeMap<String, Scalar>, RecipeError> {
        let place = || format!("{place} ({})", cut(name));
        if let Some(twice) = self.twice {
            let problem = format!("parameter {} is given twice", shortened(&twice));
            return Err(RecipeError::new(place(), problem));
        }
        let into_parameter = |(parameter, given): (String, Given)| match given {
            Given::Scalar(scalar) => Ok((parameter, scalar)),
            other @ Given::Other(_) => {
                let problem = format!(
                    "{} is {other}, allowed is {}",
                    cut(&parameter),
                    allowed(known, name, &parameter)
                );
                Err(RecipeError::new(place(), problem))
            }
        };
        self.values.into_iter().map(into_parameter).collect()
    }
}

/// What the parameter of a step or format takes.
fn allowed(known: &[StepReference], name: &str, parameter: &str) -> String {
    let reference = known.iter().find(|reference| reference.name == name);
    let mut parameters = reference.into_iter().flat_map(|reference| reference.parameters);
    match parameters.find(|known| known.name == parameter) {
        Some(parameter) => parameter.kind.to_string(),
        None => ANY_SCALAR.to_owned(),
    }
}

/// The list at a place.
struct ListAt<'a, S> {
    place: &'a str,
    /// What stands in it, for the error.
    items: &'static str,
    /// What reads the item at a place.
    item_at: fn(String) -> S,
}

fn steps_at(place: &str) -> ListAt<'_, OneStep> {
    ListAt {
        place,
        items: "steps",
        item_at: OneStep,
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for ListAt<'_, S> {
    type Value = Vec<S::Value>;

    fn deserialize<D: Deserializer<'de>>(self, document: D) -> Result<Self::Value, D::Error> {
        document.deserialize_seq(self)
    }
}

impl<'de, S: DeserializeSeed<'de>> Visitor<'de> for ListAt<'_, S> {
    type Value = Vec<S::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to be a list of {}", self.place, self.items)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed((self.item_at)(format!("{}[{}]", self.place, items.len())))? {
            items.push(item);
        }
        Ok(items)
    }
}

/// The step at a place.
struct OneStep(String);

impl<'de> DeserializeSeed<'de> for OneStep {
    type Value = StepDocument;

    fn deserialize<D: Deserializer<'de>>(self, document: D) -> Result<StepDocument, D::Error> {
        document.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for OneStep {
    type Value = StepDocument;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = &self.0;
        write!(
            f,
            "{place} to be text such as \"blur:2\", or a table with the name of the step under {NAME_OF_STEP:?}"
        )
    }

    fn visit_str<E>(self, text: &str) -> Result<StepDocument, E> {
        Ok(StepDocument::Text(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<StepDocument, A::Error> {
        let place = self.0.as_str();
        let mut named = Named::default();
        while let Some(name) = table.next_key()? {
            named.read(place, name, &mut table)?;
        }
        let step = || {
            let Some(op) = named.text(place, NAME_OF_STEP, "the name of a step")? else {
                let problem = format!("{NAME_OF_STEP} is not given, it names the step");
                return Err(RecipeError::new(place, problem));
            };
            let parameters = named.parameters(place, &op, Step::REFERENCE)?;
            Ok(StepDocument::Table { op, parameters })
        };
        step().map_err(de::Error::custom)
    }
}

/// The output at a place.
struct OneOutput(String);

impl<'de> DeserializeSeed<'de> for OneOutput {
    type Value = OutputDocument;

    fn deserialize<D: Deserializer<'de>>(self, document: D) -> Result<OutputDocument, D::Error> {
        document.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for OneOutput {
    type Value = OutputDocument;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to be a table such as {{\"format\": \"webp\"}}", self.0)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<OutputDocument, A::Error> {
        let place = self.0.as_str();
        let mut named = Named::default();
        let mut steps = None;
        while let Some(name) = table.next_key::<String>()? {
            if name != STEPS_OF_OUTPUT {
                named.read(place, name, &mut table)?;
                continue;
            }
            let read = table.next_value_seed(steps_at(&format!("{place}.{STEPS_OF_OUTPUT}")))?;
            if steps.replace(read).is_some() {
                named.is_twice(name);
            }
        }
        let output = || -> Result<OutputDocument, RecipeError> {
            let known: Vec<_> = OutputSpec::REFERENCE.iter().map(|format| format.name).collect();
            let format = named.text(place, NAME_OF_FORMAT, format_args!("one of {}", known.join(", ")))?;
            let format = format.unwrap_or_else(super::same);
            let parameters = named.parameters(place, &format, OutputSpec::REFERENCE)?;
            Ok(OutputDocument {
                format,
                steps: steps.unwrap_or_default(),
                parameters,
            })
        };
        output().map_err(de::Error::custom)
    }
}
