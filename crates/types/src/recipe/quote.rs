//! Quotes in the compact form: what stands in them separates nothing.
//!
//! ```text
//! value  = { any character but a quote } | quote { character | escape } quote
//! escape = \" | \\ | \n                     a quote, a backslash, a new line
//! ```

use std::fmt::{self, Write as _};

const QUOTE: char = '"';
const ESCAPE: char = '\\';
/// The most of a value that errors repeat, characters.
const SHOWN_CHARS: usize = 40;

/// Where `separator` begins outside of quotes, bytes, from the left.
fn places<'a>(text: &'a str, separator: &'a str) -> impl Iterator<Item = usize> + 'a {
    let mut is_quoted = false;
    let mut is_escaped = false;
    text.char_indices().filter_map(move |(place, character)| {
        match character {
            _ if is_escaped => is_escaped = false,
            QUOTE => is_quoted = !is_quoted,
            ESCAPE => is_escaped = is_quoted,
            _ => return (!is_quoted && text[place..].starts_with(separator)).then_some(place),
        }
        None
    })
}

/// The parts between separators that are not in quotes, at least one.
pub(super) fn split<'a>(text: &'a str, separator: &'a str) -> impl Iterator<Item = &'a str> {
    let ends = places(text, separator).map(Some).chain([None]);
    let mut begin = 0;
    ends.map(move |end| {
        let part = &text[begin..end.unwrap_or(text.len())];
        begin = end.map_or(text.len(), |end| end + separator.len());
        part
    })
}

/// What stands before the first separator that is not in quotes, and what behind it.
pub(super) fn split_once<'a>(text: &'a str, separator: &str) -> Option<(&'a str, &'a str)> {
    let place = places(text, separator).next()?;
    Some((&text[..place], &text[place + separator.len()..]))
}

/// What stands before the last separator that is not in quotes, and what behind it.
pub(super) fn rsplit_once<'a>(text: &'a str, separator: &str) -> Option<(&'a str, &'a str)> {
    let place = places(text, separator).last()?;
    Some((&text[..place], &text[place + separator.len()..]))
}

/// The value that `text` stands for, in quotes or not.
///
/// # Errors
/// What is wrong with its quotes.
pub(super) fn value(text: &str) -> Result<String, String> {
    let Some(quoted) = text.strip_prefix(QUOTE) else {
        return match text.contains(QUOTE) {
            true => Err(format!(
                "a quote stands within {}, allowed is all of a value in quotes, with \\\" for a quote in it",
                shortened(text)
            )),
            false => Ok(text.to_owned()),
        };
    };
    let mut value = String::with_capacity(quoted.len());
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            QUOTE if characters.as_str().is_empty() => return Ok(value),
            QUOTE => {
                let rest = shortened(characters.as_str());
                return Err(format!(
                    "{rest} follows a value in quotes, allowed is the next separator"
                ));
            }
            ESCAPE => match characters.next() {
                Some('n') => value.push('\n'),
                Some(escaped @ (QUOTE | ESCAPE)) => value.push(escaped),
                Some(other) => {
                    return Err(format!(
                        "\\{} stands in quotes, allowed are \\\", \\\\ and \\n",
                        other.escape_default()
                    ));
                }
                None => break,
            },
            other => value.push(other),
        }
    }
    Err(format!("the quote that begins {} is not closed", shortened(text)))
}

/// What was given, in quotes, for an error: a long one is cut, and its length told.
pub(super) fn shortened(text: &str) -> String {
    let length = text.chars().count();
    if length <= SHOWN_CHARS {
        return format!("{text:?}");
    }
    format!("{:?} ({length} characters)", cut(text))
}

/// A name for the place of an error, without quotes.
pub(super) fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A value as the canonical form writes it, in quotes.
pub(super) struct Quoted<'a>(pub(super) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char(QUOTE)?;
        for character in self.0.chars() {
            match character {
                '\n' => f.write_str("\\n")?,
                QUOTE | ESCAPE => write!(f, "{ESCAPE}{character}")?,
                other => f.write_char(other)?,
            }
        }
        f.write_char(QUOTE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_in_quotes_separate_nothing() {
        for (text, expected) in [
            ("a|b", &["a", "b"][..]),
            (r#"a:"x|y" | "|""#, &[r#"a:"x|y" "#, r#" "|""#]),
            (r#""a\"|b"|c"#, &[r#""a\"|b""#, "c"]),
            (r#""a\\"|b"#, &[r#""a\\""#, "b"]),
            // Outside of quotes a backslash is one.
            (r"a\|b", &[r"a\", "b"]),
            (r#"a|"b|c"#, &["a", r#""b|c"#]),
            ("", &[""]),
            ("|", &["", ""]),
        ] {
            assert_eq!(split(text, "|").collect::<Vec<_>>(), expected, "{text}");
        }
        assert_eq!(split_once(r#""=>" => b => c"#, "=>"), Some((r#""=>" "#, " b => c")));
        assert_eq!(rsplit_once(r#"a | b:"|""#, "|"), Some(("a ", r#" b:"|""#)));
        assert_eq!(split_once(r#""a,b"#, ","), None);
    }

    #[test]
    fn what_is_cut_says_so() {
        for (text, expected) in [
            ("a\"b".to_owned(), r#""a\"b""#.to_owned()),
            ("é".repeat(40), format!("{:?}", "é".repeat(40))),
            ("é".repeat(41), format!("\"{}…\" (41 characters)", "é".repeat(40))),
        ] {
            assert_eq!(shortened(&text), expected);
        }
        assert_eq!(cut(&"é".repeat(41)), format!("{}…", "é".repeat(40)));
    }

    #[test]
    fn what_is_quoted_comes_back() {
        for text in ["", "a", "a\"b", "\\", "\\n", "x\ny", "\"\\\"", "é | ; , = =>"] {
            assert_eq!(value(&Quoted(text).to_string()).as_deref(), Ok(text));
        }
        assert_eq!(value(r"50%\").as_deref(), Ok(r"50%\"));
        for (text, expected) in [
            (r#"a"b"#, "a quote stands within \"a\\\"b\""),
            (r#""ab"#, "the quote that begins \"\\\"ab\" is not closed"),
            (r#""ab\"#, "is not closed"),
            (r#""a"b"#, "\"b\" follows a value in quotes"),
            (r#""\t""#, "\\t stands in quotes"),
        ] {
            let error = value(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
