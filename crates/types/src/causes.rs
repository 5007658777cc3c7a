//! Errors for people: what went wrong and why, in one line.

use std::error::Error;
use std::fmt::{Display, Formatter, Result};

/// Prints an error and the causes behind it, each after a colon. What was said already is not said again: many libraries
/// have their cause both in their text and behind it.
#[derive(Debug, Clone, Copy)]
pub struct Causes<'a>(pub &'a (dyn Error + 'static));

impl Display for Causes<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let mut said = self.0.to_string();
        let mut cause = self.0.source();
        while let Some(error) = cause {
            let text = error.to_string();
            if !said.contains(&text) {
                said.push_str(": ");
                said.push_str(&text);
            }
            cause = error.source();
        }
        f.write_str(&said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Link {
        text: &'static str,
        source: Option<Box<Link>>,
    }

    fn link(text: &'static str, source: Option<Link>) -> Link {
        Link {
            text,
            source: source.map(Box::new),
        }
    }

    #[test]
    fn causes_follow_each_other_and_none_is_said_twice() {
        let refused = || link("connection refused", None);
        let plain = link("cannot ask Redis", Some(refused()));
        assert_eq!(Causes(&plain).to_string(), "cannot ask Redis: connection refused");
        let twice = link("cannot ask Redis: connection refused", Some(refused()));
        assert_eq!(Causes(&twice).to_string(), "cannot ask Redis: connection refused");
        let deep = link(
            "the broker is away",
            Some(link("I/O: connection refused", Some(refused()))),
        );
        assert_eq!(Causes(&deep).to_string(), "the broker is away: I/O: connection refused");
        assert_eq!(Causes(&refused()).to_string(), "connection refused");
    }
}
