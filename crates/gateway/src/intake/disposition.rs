//! What the headers of a part say: the name of the field and of the file (RFC 7578, RFC 8187, and what browsers do).

use super::multipart::malformed;
use crate::error::Problem;

/// `Content-Disposition` of one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Disposition {
    /// The name of the field.
    pub(crate) field: String,
    /// The name of the file; `filename*` wins over `filename`.
    pub(crate) filename: Option<String>,
}

impl Disposition {
    /// Reads the header section of a part, without its last line end.
    ///
    /// # Errors
    /// A problem when it does not say which field the part is.
    pub(crate) fn from_headers(headers: &[u8]) -> Result<Self, Problem> {
        let text = String::from_utf8_lossy(headers);
        let disposition = text
            .split("\r\n")
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("content-disposition"))
            .map(|(_, value)| value)
            .ok_or_else(|| malformed("a part has no Content-Disposition"))?;
        let (kind, rest) = disposition.split_once(';').unwrap_or((disposition, ""));
        if !kind.trim().eq_ignore_ascii_case("form-data") {
            return Err(malformed("the Content-Disposition of a part is not form-data"));
        }
        let mut field = None;
        let mut plain = None;
        let mut extended = None;
        for (name, value) in parameters(rest) {
            match name.as_str() {
                "name" => field = field.or(Some(value)),
                "filename" => plain = plain.or(Some(value)),
                "filename*" => extended = extended.or_else(|| decode_extended(&value)),
                _ => {}
            }
        }
        Ok(Self {
            field: field.ok_or_else(|| malformed("a part has no name"))?,
            filename: extended.or(plain),
        })
    }
}

/// `; name=value; name="value"` as pairs, names in lower case. What cannot be read is passed over.
pub(crate) fn parameters(text: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([';', ' ', '\t']);
        let Some((name, after)) = rest.split_once('=') else {
            return pairs;
        };
        let after = after.trim_start();
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => unquote(quoted),
            None => {
                let end = after.find(';').unwrap_or(after.len());
                (after[..end].trim().to_owned(), &after[end..])
            }
        };
        pairs.push((name.trim().to_ascii_lowercase(), value));
        rest = next.find(';').map_or("", |at| &next[at..]);
    }
}

/// The text up to the closing quote, and what follows it. A backslash escapes a quote or a backslash only: clients
/// that send Windows paths do not escape theirs.
fn unquote(quoted: &str) -> (String, &str) {
    let mut value = String::new();
    let mut chars = quoted.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => match chars.next_if(|(_, next)| matches!(next, '"' | '\\')) {
                Some((_, escaped)) => value.push(escaped),
                None => value.push('\\'),
            },
            _ => value.push(c),
        }
    }
    (value, "")
}

/// `UTF-8'en'na%C3%AFve.png` (RFC 8187, section 3.2); `None` when it is not of that form.
fn decode_extended(value: &str) -> Option<String> {
    let (charset, rest) = value.split_once('\'')?;
    let (_, encoded) = rest.split_once('\'')?;
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = std::str::from_utf8(after.get(..2)?).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &after[2..];
    }
    if charset.eq_ignore_ascii_case("utf-8") {
        String::from_utf8(bytes).ok()
    } else if charset.eq_ignore_ascii_case("iso-8859-1") {
        Some(bytes.into_iter().map(char::from).collect())
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dispositions_of_real_clients() {
        for (header, field, filename) in [
            (
                r#"form-data; name="file"; filename="my_photo.jpg""#,
                "file",
                Some("my_photo.jpg"),
            ),
            (r#"form-data; name="recipe""#, "recipe", None),
            ("form-data; name=file; filename=a.png", "file", Some("a.png")),
            (
                r#"FORM-DATA;NAME="file" ; FileName = "a b.png""#,
                "file",
                Some("a b.png"),
            ),
            (
                r#"form-data; filename="name=x;.png"; name="file""#,
                "file",
                Some("name=x;.png"),
            ),
            (
                r#"form-data; name="file"; filename="a\"b.png""#,
                "file",
                Some("a\"b.png"),
            ),
            (
                r#"form-data; name="file"; filename="C:\photos\new.jpg""#,
                "file",
                Some(r"C:\photos\new.jpg"),
            ),
            (
                r#"form-data; name="file"; filename="été 📷.png""#,
                "file",
                Some("été 📷.png"),
            ),
            (
                "form-data; name=\"file\"; filename=\"x.png\"; filename*=UTF-8''%c3%a9t%C3%A9.png",
                "file",
                Some("été.png"),
            ),
            (
                "form-data; name=\"file\"; filename*=iso-8859-1'fr'%e9.png",
                "file",
                Some("é.png"),
            ),
            (
                "form-data; name=\"file\"; filename=\"x.png\"; filename*=UTF-8''%zz",
                "file",
                Some("x.png"),
            ),
            (r#"form-data; name="file"; filename="open"#, "file", Some("open")),
        ] {
            let headers = format!("Content-Type: image/png\r\ncontent-disposition:  {header}");
            let disposition = Disposition::from_headers(headers.as_bytes()).unwrap();
            assert_eq!(
                (disposition.field.as_str(), disposition.filename.as_deref()),
                (field, filename),
                "{header}"
            );
        }
    }

    #[test]
    fn parts_without_a_field_are_refused() {
        for headers in [
            "",
            "Content-Type: image/png",
            "Content-Disposition: form-data",
            "Content-Disposition: attachment; name=a",
        ] {
            assert!(Disposition::from_headers(headers.as_bytes()).is_err(), "{headers:?}");
        }
    }
}
