//! Writes JSON (RFC 8259): objects of texts, numbers, flags, lists and objects, in the order they are given.

use std::fmt::Write as _;

/// An object that is being written.
pub(super) struct Object {
    text: String,
}

impl Object {
    pub(super) fn new() -> Self {
        Self { text: "{".to_owned() }
    }

    pub(super) fn text(&mut self, name: &str, value: &str) -> &mut Self {
        self.name(name);
        quote(&mut self.text, value);
        self
    }

    pub(super) fn number(&mut self, name: &str, value: u64) -> &mut Self {
        self.name(name);
        let _infallible = write!(self.text, "{value}");
        self
    }

    /// A number from 0 to 1, to four places.
    pub(super) fn fraction(&mut self, name: &str, value: f64) -> &mut Self {
        self.name(name);
        let _infallible = write!(self.text, "{}", (value * 1e4).round() / 1e4);
        self
    }

    pub(super) fn flag(&mut self, name: &str, value: bool) -> &mut Self {
        self.name(name);
        let _infallible = write!(self.text, "{value}");
        self
    }

    pub(super) fn object(&mut self, name: &str, value: Self) -> &mut Self {
        self.name(name);
        self.text.push_str(&value.finish());
        self
    }

    pub(super) fn list(&mut self, name: &str, values: impl Iterator<Item = Self>) -> &mut Self {
        self.name(name);
        let values: Vec<_> = values.map(Self::finish).collect();
        let _infallible = write!(self.text, "[{}]", values.join(","));
        self
    }

    pub(super) fn finish(mut self) -> String {
        self.text.push('}');
        self.text
    }

    fn name(&mut self, name: &str) {
        if self.text.len() > 1 {
            self.text.push(',');
        }
        quote(&mut self.text, name);
        self.text.push(':');
    }
}

fn quote(text: &mut String, value: &str) {
    text.push('"');
    for character in value.chars() {
        match character {
            '"' | '\\' => text.extend(['\\', character]),
            '\0'..='\u{1f}' => {
                let _infallible = write!(text, "\\u{:04x}", u32::from(character));
            }
            other => text.push(other),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_special_is_escaped() {
        let mut inner = Object::new();
        inner.fraction("third", 1.0 / 3.0);
        let mut object = Object::new();
        object
            .text("a\"b", "back\\slash, \"quotes\",\nline, \u{e9}")
            .number("n", u64::MAX)
            .flag("f", false)
            .list("l", [inner, Object::new()].into_iter())
            .object("o", Object::new());
        assert_eq!(
            object.finish(),
            r#"{"a\"b":"back\\slash, \"quotes\",\u000aline, é","n":18446744073709551615,"f":false,"l":[{"third":0.3333},{}],"o":{}}"#
        );
    }
}
