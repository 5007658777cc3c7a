//! Text that is drawn on a picture.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::quote::Quoted;

/// What is drawn: 1 to 1,000 characters, lines separated by `\n`; something in it is no white space, and nothing a control
/// character. Prints itself in the quotes of the compact form. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Words(Arc<str>);

/// Why a text cannot be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidWords {
    /// It is longer than it may be.
    #[error("has {0} characters, at most {max} are allowed", max = Words::MAX_CHARS)]
    TooLong(usize),
    /// There is nothing to be seen in it.
    #[error("is blank, allowed are characters that can be seen, spaces and new lines")]
    Blank,
    /// It has a character that stands for no sign.
    #[error("has the control character U+{code:04X}, allowed are characters that can be seen, spaces and new lines", code = *.0 as u32)]
    Control(char),
}

impl Words {
    /// The longest text, characters.
    pub const MAX_CHARS: usize = 1_000;

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Words {
    type Err = InvalidWords;

    fn from_str(text: &str) -> Result<Self, InvalidWords> {
        /// Other ways to end a line, which Unicode has beside control characters.
        const SEPARATORS: [char; 2] = ['\u{2028}', '\u{2029}'];
        // Forms send lines as Windows ends them.
        let text = text.replace("\r\n", "\n");
        let length = text.chars().count();
        if length > Self::MAX_CHARS {
            return Err(InvalidWords::TooLong(length));
        }
        let is_control = |character: &char| *character != '\n' && character.is_control();
        if let Some(control) = text.chars().find(|one| is_control(one) || SEPARATORS.contains(one)) {
            return Err(InvalidWords::Control(control));
        }
        if text.trim().is_empty() {
            return Err(InvalidWords::Blank);
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Quoted(&self.0).fmt(f)
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_bounded_and_hold_no_control_characters() {
        for (text, expected) in [
            ("a\r\nb", Ok("\"a\\nb\"")),
            ("\u{202b}שלום\u{202c}", Ok("\"\u{202b}שלום\u{202c}\"")),
            (" a ", Ok("\" a \"")),
            ("", Err(InvalidWords::Blank)),
            (" \n\u{a0}", Err(InvalidWords::Blank)),
            ("a\rb", Err(InvalidWords::Control('\r'))),
            ("a\tb", Err(InvalidWords::Control('\t'))),
            ("a\0", Err(InvalidWords::Control('\0'))),
            ("a\u{85}", Err(InvalidWords::Control('\u{85}'))),
            ("a\u{2028}b", Err(InvalidWords::Control('\u{2028}'))),
        ] {
            let words = text.parse::<Words>();
            assert_eq!(
                words.map(|words| words.to_string()),
                expected.map(str::to_owned),
                "{text:?}"
            );
        }
        assert!("é".repeat(1_000).parse::<Words>().is_ok());
        assert_eq!("é".repeat(1_001).parse::<Words>(), Err(InvalidWords::TooLong(1_001)));
    }
}
