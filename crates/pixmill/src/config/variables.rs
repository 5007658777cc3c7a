//! Finds variables of the environment that look like settings and are none.
//!
//! They are told, not refused: others put variables there too, and a start must not hang on that.

use std::ffi::{OsStr, OsString};

use super::{FILE_VARIABLE, all_settings};

/// What all our variables begin with.
const PREFIX: &str = "PIXMILL_";
/// What the tests of the workspace read, which leave them to the processes they start.
const OF_TESTS: [&str; 2] = ["PIXMILL_TEST_", "PIXMILL_CORPORA"];

/// One line for each variable that is no setting, in the order of their names.
pub(super) fn warnings(environment: impl Iterator<Item = (OsString, OsString)>) -> Vec<String> {
    let known: Vec<String> = all_settings()
        .map(|setting| setting.variable())
        .chain([FILE_VARIABLE.to_owned()])
        .collect();
    let mut unknown: Vec<String> = environment
        .filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            let is_expected = known.contains(&name)
                || OF_TESTS.iter().any(|start| name.starts_with(start))
                || is_of_kubernetes(&name, &value);
            (name.starts_with(PREFIX) && !is_expected).then_some(name)
        })
        .collect();
    unknown.sort();
    unknown
        .into_iter()
        .map(|name| {
            let meant = nearest(&name, &known).map_or_else(String::new, |meant| format!(" (did you mean {meant}?)"));
            format!(
                "unknown setting {name} in the environment{meant}, see `pixmill config --reference` for all of them"
            )
        })
        .collect()
}

/// Whether Kubernetes, or Docker with links, has set the variable for a service whose name begins with pixmill.
/// <https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables>
fn is_of_kubernetes(name: &str, value: &OsStr) -> bool {
    let is_of_a_port = |(_, port): (&str, &str)| port.starts_with(|c: char| c.is_ascii_digit());
    name.ends_with("_SERVICE_HOST")
        || name.ends_with("_SERVICE_PORT")
        || name.contains("_SERVICE_PORT_")
        || name.split_once("_PORT_").is_some_and(is_of_a_port)
        || (name.ends_with("_PORT") && value.to_str().is_some_and(|value| value.contains("://")))
}

/// The known name that was probably meant: begun or continued by the given one, or few letters away.
fn nearest<'a>(given: &str, known: &'a [String]) -> Option<&'a str> {
    let given = given.strip_prefix(PREFIX)?;
    let candidates = known.iter().filter_map(|name| {
        let other = name.strip_prefix(PREFIX)?;
        let letters = distance(given.as_bytes(), other.as_bytes());
        let shorter = given.len().min(other.len());
        let is_begun = shorter >= 4 && (given.starts_with(other) || other.starts_with(given));
        (is_begun || letters <= (shorter / 3).max(1)).then_some((letters, name.as_str()))
    });
    candidates.min().map(|(_, name)| name)
}

/// Letters to add, drop or replace to make one word of the other: the distance of Levenshtein.
fn distance(from: &[u8], to: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &str, value: &str) -> Option<String> {
        warnings([(name.into(), value.into())].into_iter()).pop()
    }

    #[test]
    fn the_setting_that_was_meant_is_named() {
        for (name, meant) in [
            ("PIXMILL_SLOT", Some("PIXMILL_SLOTS")),
            ("PIXMILL_MAX_PIXLES", Some("PIXMILL_MAX_PIXELS")),
            ("PIXMILL_MAX_TASK_MEMORY", Some("PIXMILL_MAX_TASK_MEMORY_BYTES")),
            ("PIXMILL_DATA_DIR", Some("PIXMILL_DATA")),
            ("PIXMILL_CONFG", Some("PIXMILL_CONFIG")),
            ("PIXMILL_PORT", None),
            ("PIXMILL_", None),
        ] {
            let line = told(name, "secret").unwrap();
            assert!(
                line.starts_with(&format!("unknown setting {name} in the environment")),
                "{line}"
            );
            match meant {
                Some(meant) => assert!(line.contains(&format!("did you mean {meant}?")), "{line}"),
                None => assert!(!line.contains("did you mean"), "{line}"),
            }
            assert!(!line.contains("secret"), "{line}");
        }
    }

    #[test]
    fn what_others_set_is_not_told() {
        for (name, value) in [
            ("PIXMILL_SLOTS", "3"),
            ("PIXMILL_CONFIG", "pixmill.toml"),
            ("PIXMILL_TEST_FULL", "1"),
            ("PIXMILL_CORPORA", "/pictures"),
            ("PIXMILLS", "1"),
            ("OTHER_PIXMILL_SLOT", "1"),
            ("PIXMILL_SERVICE_HOST", "10.0.0.1"),
            ("PIXMILL_SERVICE_PORT", "8000"),
            ("PIXMILL_GATEWAY_SERVICE_PORT_HTTP", "8000"),
            ("PIXMILL_PORT", "tcp://10.0.0.1:8000"),
            ("PIXMILL_GATEWAY_PORT_8000_TCP", "tcp://10.0.0.1:8000"),
            ("PIXMILL_GATEWAY_PORT_8000_TCP_ADDR", "10.0.0.1"),
        ] {
            assert_eq!(told(name, value), None, "{name}");
        }
    }
}
