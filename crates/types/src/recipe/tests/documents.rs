//! What a document that cannot be read is told.

use super::*;
use crate::{OutputDocument, Scalar, StepDocument};

/// Without the line and column.
fn json_error(text: &str) -> String {
    match serde_json::from_str::<RecipeDocument>(text) {
        Ok(document) => Recipe::try_from(document).unwrap_err().to_string(),
        Err(error) => {
            let message = error.to_string();
            message.split(" at line ").next().unwrap_or_default().to_owned()
        }
    }
}

/// Without the lines that show the place.
fn toml_error(text: &str) -> String {
    match toml::from_str::<RecipeDocument>(text) {
        Ok(document) => Recipe::try_from(document).unwrap_err().to_string(),
        Err(error) => error.message().to_owned(),
    }
}

#[test]
fn what_is_given_twice_is_refused() {
    for (json, expected) in [
        (
            r#"{"steps": [{"op": "blur", "sigma": 2, "sigma": 3}]}"#,
            "steps[0] (blur): parameter \"sigma\" is given twice",
        ),
        (
            r#"{"steps": ["orient", {"sigma": 2, "sigma": 2, "op": "blur"}]}"#,
            "steps[1] (blur): parameter \"sigma\" is given twice",
        ),
        (
            r#"{"steps": [{"op": "blur", "op": "orient"}]}"#,
            "steps[0] (blur): parameter \"op\" is given twice",
        ),
        (
            r#"{"outputs": [{"name": "a", "format": "webp", "name": "b"}]}"#,
            "outputs[0] (webp): parameter \"name\" is given twice",
        ),
        (
            r#"{"outputs": [{"steps": ["blur"], "steps": []}]}"#,
            "outputs[0] (same): parameter \"steps\" is given twice",
        ),
        (
            r#"{"outputs": [{"steps": [{"op": "blur", "sigma": 2, "sigma": 3}]}]}"#,
            "outputs[0].steps[0] (blur): parameter \"sigma\" is given twice",
        ),
        (r#"{"steps": ["blur"], "steps": []}"#, "duplicate field `steps`"),
    ] {
        assert_eq!(json_error(json), expected, "{json}");
    }
}

#[test]
fn a_wrong_type_is_told_with_its_place_and_what_is_allowed() {
    let sigma = "allowed is a number from 0.3 to 100";
    for (json, expected) in [
        (
            r#"{"steps": [{"op": "blur", "sigma": null}]}"#,
            format!("steps[0] (blur): sigma is null, {sigma}"),
        ),
        (
            r#"{"steps": [{"sigma": [2], "op": "blur"}]}"#,
            format!("steps[0] (blur): sigma is a list, {sigma}"),
        ),
        (
            r#"{"outputs": [{"steps": [{"op": "blur", "sigma": {"a": 1}}]}]}"#,
            format!("outputs[0].steps[0] (blur): sigma is a table, {sigma}"),
        ),
        (
            r#"{"steps": [{"op": "blur", "sigma": true}]}"#,
            format!("steps[0] (blur): sigma is \"true\", {sigma}"),
        ),
        (
            r#"{"steps": [{"sigma": 2}]}"#,
            "steps[0]: op is not given, it names the step".to_owned(),
        ),
        (
            r#"{"steps": [{"op": 5}]}"#,
            "steps[0]: op is 5, allowed is the name of a step".to_owned(),
        ),
        (
            r#"{"steps": [{"op": "blurr", "sigma": null}]}"#,
            "steps[0] (blurr): sigma is null, allowed is text, a number, true or false".to_owned(),
        ),
        (
            r#"{"steps": ["orient", null]}"#,
            "invalid type: null, expected steps[1] to be text such as \"blur:2\", or a table with the name of the step \
             under \"op\""
                .to_owned(),
        ),
        (
            r#"{"steps": "orient"}"#,
            "invalid type: string \"orient\", expected steps to be a list of steps".to_owned(),
        ),
        (
            r#"{"outputs": [{"format": "webp", "quality": null}]}"#,
            "outputs[0] (webp): quality is null, allowed is a whole number from 1 to 100".to_owned(),
        ),
        (
            r#"{"outputs": [{"steps": 5}]}"#,
            "invalid type: integer `5`, expected outputs[0].steps to be a list of steps".to_owned(),
        ),
        (
            r#"{"outputs": ["webp"]}"#,
            "invalid type: string \"webp\", expected outputs[0] to be a table such as {\"format\": \"webp\"}"
                .to_owned(),
        ),
        (
            r#"{"outputs": {}}"#,
            "invalid type: map, expected outputs to be a list of tables".to_owned(),
        ),
    ] {
        assert_eq!(json_error(json), expected, "{json}");
    }
    let formats: Vec<_> = OutputSpec::REFERENCE.iter().map(|format| format.name).collect();
    assert_eq!(
        toml_error("[[outputs]]\nformat = ['webp']"),
        format!("outputs[0]: format is a list, allowed is one of {}", formats.join(", "))
    );
    for (value, shown) in [("1979-05-27", "1979-05-27"), ("07:32:00", "07:32:00")] {
        assert_eq!(
            toml_error(&format!("steps = [{{ op = 'blur', sigma = {value} }}]")),
            format!("steps[0] (blur): sigma is a date or time ({shown}), {sigma}")
        );
    }
}

#[test]
fn numbers_that_cannot_be_held_are_refused_by_name() {
    let width = "allowed is a whole number from 1 to 65535";
    for (json, expected) in [
        (
            "9223372036854775807",
            format!("steps[0] (resize): width is \"9223372036854775807\", {width}"),
        ),
        (
            "18446744073709551615",
            format!("steps[0] (resize): width is too large a number (18446744073709551615), {width}"),
        ),
        (
            "18446744073709551616",
            format!("steps[0] (resize): width is too large a number (1.8446744073709552e19), {width}"),
        ),
        (
            "-1e300",
            format!("steps[0] (resize): width is too large a number (-1e300), {width}"),
        ),
        ("1e999", "steps[0]: width: number out of range".to_owned()),
    ] {
        let json = format!(r#"{{"steps": [{{"op": "resize", "width": {json}}}]}}"#);
        assert_eq!(json_error(&json), expected, "{json}");
    }
    for (number, expected) in [
        (
            "99999999999999999999",
            format!("steps[0] (resize): width is too large a number (99999999999999999999), {width}"),
        ),
        (
            "-99999999999999999999",
            format!("steps[0] (resize): width is too large a number (-99999999999999999999), {width}"),
        ),
        (
            "9999999999999999999999999999999999999999",
            "steps[0]: width: integer number overflowed".to_owned(),
        ),
        ("nan", format!("steps[0] (resize): width is \"NaN\", {width}")),
        ("inf", format!("steps[0] (resize): width is \"inf\", {width}")),
    ] {
        let toml = format!("steps = [{{ op = 'resize', width = {number} }}]");
        assert_eq!(toml_error(&toml), expected, "{toml}");
    }
}

#[test]
fn a_document_is_written_as_it_was_read() {
    let json = r#"{"steps":["orient",{"op":"blur","sigma":2}],"outputs":[{"format":"webp","steps":[{"op":"crop","width":9}],"lossless":true,"name":"a"},{"format":"same","steps":[],"quality":0.5}]}"#;
    let document: RecipeDocument = serde_json::from_str(json).unwrap();
    assert_eq!(serde_json::to_string(&document).unwrap(), json);
    assert_eq!(
        serde_json::from_str::<StepDocument>(r#""blur""#).unwrap(),
        StepDocument::Text("blur".to_owned())
    );
    assert_eq!(serde_json::from_str::<OutputDocument>("{}").unwrap().format, "same");
    assert_eq!(serde_json::from_str::<Scalar>("-3").unwrap(), Scalar::Integer(-3));
    assert_eq!(
        serde_json::from_str::<Scalar>("[]").unwrap_err().to_string(),
        "the value is a list, allowed is text, a number, true or false"
    );
}

#[test]
fn a_long_value_is_cut_with_its_length() {
    let name = "a".repeat(65);
    let shown = "a".repeat(40);
    let expected = format!(
        "(webp): name is \"{shown}…\" (65 characters), allowed is 1 to 64 characters of A-Z a-z 0-9 . _ - and {{name}} for \
         the input's name"
    );
    assert_eq!(
        json_error(&format!(r#"{{"outputs": [{{"format": "webp", "name": "{name}"}}]}}"#)),
        format!("outputs[0] {expected}")
    );
    assert_eq!(
        format!("=> webp:name={name}")
            .parse::<Recipe>()
            .unwrap_err()
            .to_string(),
        format!("output 1 {expected}")
    );
    let error = format!("blur | {name}:2").parse::<Recipe>().unwrap_err().to_string();
    let expected = format!("step 2 ({shown}…): unknown step \"{shown}…\" (65 characters), allowed are ");
    assert!(error.starts_with(&expected), "{error}");
}
