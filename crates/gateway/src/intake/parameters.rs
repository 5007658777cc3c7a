//! What a client may say about a task besides its image, the same in a form and in a query.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use jiff::SignedDuration;
use jiff::civil::DateTime;
use jiff::fmt::temporal::Pieces;
use pixmill_types::{Priority, Recipe, RecipeDocument, RecipeError, Timestamp};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::error::Problem;
use crate::problem::ProblemCode;

/// Longest recipe a query may carry, characters; percent-encoded at its worst it still fits a URL.
const MAX_QUERY_RECIPE_CHARS: usize = 2_000;
const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// Parameters as text, before anybody knows whether they make sense.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawParameters {
    /// What to make of the image: the compact form, or a JSON or TOML document. Without it, the picture is turned
    /// upright, to grayscale, and blurred with sigma 2. A form field of this name wins over it, and may be longer.
    #[param(max_length = 2_000, nullable = false, example = "orient | grayscale | blur:2")]
    pub(crate) recipe: Option<String>,
    /// How urgent it is: 0 (whenever there is nothing else) to 9 (before all others).
    #[param(value_type = Option<u8>, nullable = false, minimum = 0, maximum = 9, default = 5)]
    pub(crate) priority: Option<String>,
    /// Earliest start, RFC 3339; the past means now, and no more than 30 days ahead.
    #[param(value_type = Option<String>, nullable = false, format = DateTime, example = "2026-01-01T06:00:00Z")]
    pub(crate) not_before: Option<String>,
    /// The image's file name, when its bytes are the body, or to override the one in the form.
    #[param(nullable = false)]
    pub(crate) filename: Option<String>,
}

/// Parameters that make sense.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Parameters {
    pub(crate) recipe: Recipe,
    pub(crate) priority: Priority,
    pub(crate) not_before: Option<Timestamp>,
}

impl RawParameters {
    /// Takes what is given from `form`, the rest from `self`.
    pub(crate) fn overridden_by(self, form: Self) -> Self {
        Self {
            recipe: form.recipe.or(self.recipe),
            priority: form.priority.or(self.priority),
            not_before: form.not_before.or(self.not_before),
            filename: form.filename.or(self.filename),
        }
    }

    /// Bounds what a URL may carry, so that one that is too long is told apart from one that is not HTTP.
    ///
    /// # Errors
    /// A problem when the recipe belongs in a form.
    pub(crate) fn within_query_bounds(self) -> Result<Self, Problem> {
        let characters = self.recipe.as_deref().map_or(0, |recipe| recipe.chars().count());
        if characters > MAX_QUERY_RECIPE_CHARS {
            let detail = format!(
                "the recipe has {characters} characters, a query may have one of {MAX_QUERY_RECIPE_CHARS}; send a longer \
                 one in a form"
            );
            return Err(Problem::new(ProblemCode::InvalidQuery, detail)
                .parameter("recipe")
                .limit(
                    "max_query_recipe_chars",
                    MAX_QUERY_RECIPE_CHARS as u64,
                    Some(characters as u64),
                ));
        }
        Ok(self)
    }

    /// Makes sense of the parameters. A blank recipe is as good as none: forms send those.
    ///
    /// # Errors
    /// A problem that names the parameter and what is allowed.
    pub(crate) fn check(&self, max_start_delay: Duration) -> Result<Parameters, Problem> {
        Ok(Parameters {
            recipe: match self.recipe.as_deref().map(str::trim) {
                None | Some("") => Recipe::default(),
                Some(text) => parse_recipe(text)?,
            },
            priority: match self.priority.as_deref() {
                None => Priority::default(),
                Some(text) => parse_priority(text.trim())?,
            },
            not_before: match self.not_before.as_deref() {
                None => None,
                Some(text) => parse_not_before(text.trim(), max_start_delay)?,
            },
        })
    }
}

/// Parses whichever form the recipe is written in. A JSON document starts with `{`.
fn parse_recipe(text: &str) -> Result<Recipe, Problem> {
    let recipe = if text.starts_with('{') {
        let document = serde_json::from_str::<RecipeDocument>(text);
        document
            .map_err(|error| RecipeError {
                place: "recipe (JSON)".to_owned(),
                problem: error.to_string(),
            })?
            .try_into()
    } else if is_toml(text) {
        let document = toml::from_str::<RecipeDocument>(text);
        document.map_err(|error| toml_error(text, &error))?.try_into()
    } else {
        text.parse()
    };
    Ok(recipe?)
}

/// Whether the first line that is no comment names a table or sets a key: in a compact recipe `:`, `|` or `=>` comes before
/// any other `=`.
fn is_toml(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with('#'));
    first.is_some_and(|line| {
        let from_sign = line.find([':', '|', '=']).map(|place| &line[place..]);
        line.starts_with('[') || from_sign.is_some_and(|rest| rest.starts_with('=') && !rest.starts_with("=>"))
    })
}

/// The parser's own text spans lines, to show the place.
fn toml_error(text: &str, error: &toml::de::Error) -> RecipeError {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    RecipeError {
        place: "recipe (TOML)".to_owned(),
        problem: format!("{} at line {line} column {column}", error.message()),
    }
}

fn parse_priority(text: &str) -> Result<Priority, Problem> {
    text.parse::<u8>()
        .ok()
        .and_then(|number| Priority::try_from(number).ok())
        .ok_or_else(|| {
            invalid(
                "priority",
                format!("priority is {:?}", shorten(text)),
                "a whole number from 0 to 9",
            )
        })
}

/// The earliest start; `None` when it is before the epoch, which is as good as now.
fn parse_not_before(text: &str, max_delay: Duration) -> Result<Option<Timestamp>, Problem> {
    let since_epoch = since_epoch(text).ok_or_else(|| {
        let detail = format!("not_before is {:?}", shorten(text));
        invalid("not_before", detail, "a time such as 2026-12-24T18:00:00Z (RFC 3339)")
    })?;
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let delay = u64::try_from(since_epoch.as_secs()).unwrap_or(0).saturating_sub(now);
    if delay > max_delay.as_secs() {
        let detail = format!(
            "not_before is {delay} s ahead, at most {} s are allowed",
            max_delay.as_secs()
        );
        return Err(Problem::new(ProblemCode::NotBeforeTooFar, detail)
            .parameter("not_before")
            .limit("max_start_delay_seconds", max_delay.as_secs(), Some(delay)));
    }
    Ok(u64::try_from(since_epoch.as_millis()).ok().map(Timestamp::from_millis))
}

/// The time from the epoch to the one that `text` says, which has an offset. Taken from its parts: jiff's own timestamps end
/// a day before the year 9999 does.
fn since_epoch(text: &str) -> Option<SignedDuration> {
    let pieces = Pieces::parse(text).ok()?;
    let local = pieces.date().to_datetime(pieces.time()?).duration_since(EPOCH);
    let offset = pieces.to_numeric_offset()?;
    Some(local - SignedDuration::from_secs(offset.seconds().into()))
}

/// A form field, or a parameter that stands for one, is not as it must be.
pub(crate) fn invalid(
    name: impl Into<Cow<'static, str>>,
    detail: impl Into<Cow<'static, str>>,
    allowed: impl Into<Cow<'static, str>>,
) -> Problem {
    let (detail, allowed) = (detail.into(), allowed.into());
    Problem::new(ProblemCode::InvalidField, format!("{detail}, allowed is {allowed}"))
        .parameter(name)
        .allowed(allowed)
}

/// Enough of a client's text to recognise it by.
pub(crate) fn shorten(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MONTH: Duration = Duration::from_secs(30 * 24 * 60 * 60);

    fn check(parameters: RawParameters) -> Result<Parameters, ProblemCode> {
        parameters.check(MONTH).map_err(|problem| problem.code())
    }

    #[test]
    fn every_way_to_write_a_recipe_gives_the_same() {
        let expected: Recipe = "orient | blur:3 => webp:80".parse().unwrap();
        for text in [
            "orient | blur:3 => webp:80",
            "  orient|blur:sigma=3=>webp:80 \n",
            r#"{"steps": ["orient", {"op": "blur", "sigma": 3}], "outputs": [{"format": "webp", "quality": 80}]}"#,
            "steps = [\"orient\", \"blur:3\"]\n[[outputs]]\nformat = \"webp\"\nquality = 80\n",
        ] {
            assert_eq!(parse_recipe(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn forms_are_told_apart_by_their_first_line() {
        let expected: Recipe = "text:\"[a] = b\",gravity=north => webp".parse().unwrap();
        for text in [
            "text:\"[a] = b\",gravity=north => webp",
            "# a: b\n\nsteps = [{ op = \"text\", text = \"[a] = b\", gravity = \"north\" }]\n[[outputs]]\nformat = \"webp\"",
            "[[outputs]]\nformat = \"webp\"\nsteps = ['text:\"[a] = b\",gravity=north']",
            "{\"steps\": [{\"op\": \"text\", \"text\": \"[a] = b\", \"gravity\": \"north\"}], \"outputs\": [{\"format\": \"webp\"}]}",
        ] {
            let recipe = parse_recipe(text).unwrap();
            let steps = [recipe.steps(), &recipe.outputs()[0].steps].concat();
            assert_eq!(steps, expected.steps(), "{text}");
        }
        assert!(parse_recipe("text:[a]").is_ok());
        assert_eq!(parse_recipe("=> webp").unwrap(), "=> webp".parse().unwrap());
    }

    #[test]
    fn recipes_that_make_no_sense_are_refused() {
        for text in [
            "sketch",
            "blur:0",
            "{",
            "{\"step\": []}",
            "steps = [",
            "steps = [1]",
            "blur:2 => heic",
        ] {
            let problem = parse_recipe(text).unwrap_err();
            assert_eq!(problem.code(), ProblemCode::InvalidRecipe, "{text}");
        }
    }

    #[test]
    fn a_blank_recipe_is_as_good_as_none() {
        let parameters = RawParameters {
            recipe: Some(" \n".to_owned()),
            ..RawParameters::default()
        };
        assert_eq!(check(parameters), check(RawParameters::default()));
    }

    #[test]
    fn start_times_are_bounded() {
        let at = |text: &str| {
            check(RawParameters {
                not_before: Some(text.to_owned()),
                ..RawParameters::default()
            })
            .map(|parameters| parameters.not_before)
        };
        assert_eq!(
            at("2001-09-09T01:46:40.5Z"),
            Ok(Some(Timestamp::from_millis(1_000_000_000_500)))
        );
        assert_eq!(
            at("2001-09-09T03:46:40+02:00"),
            Ok(Some(Timestamp::from_millis(1_000_000_000_000)))
        );
        assert_eq!(at("1950-01-01T00:00:00Z"), Ok(None));
        for far in [
            "9999-01-01T00:00:00Z",
            "9999-12-31T23:59:59Z",
            "9999-12-31T23:59:59.999-23:59",
        ] {
            assert_eq!(at(far), Err(ProblemCode::NotBeforeTooFar), "{far}");
        }
        for wrong in [
            "",
            "tomorrow",
            "2026-12-24",
            "1000000000",
            "2026-12-24T18:00:00",
            "10000-01-01T00:00:00Z",
        ] {
            assert_eq!(at(wrong), Err(ProblemCode::InvalidField), "{wrong}");
        }
    }
}
