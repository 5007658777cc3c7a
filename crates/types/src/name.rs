//! File names of clients, made harmless: one form to show, one form to store under.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ImageFormat;

/// The longest display name, characters.
const DISPLAY_MAX_CHARS: usize = 255;
/// The longest segment made from a client's name, bytes; leaves room for a prefix and a suffix within the 255 bytes
/// that file systems allow.
const SEGMENT_MAX_BYTES: usize = 120;
const FALLBACK: &str = "image";

/// A client's file name as shown back to it: the last part of the path, without control and text-direction
/// characters, at most 255 characters, never empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct DisplayName(String);

impl DisplayName {
    /// Takes whatever a client sent as a file name.
    #[must_use]
    pub fn from_client(name: &str) -> Self {
        let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
        let visible: String = last.chars().filter(|c| !is_invisible(*c)).collect();
        let trimmed = visible.trim();
        if matches!(trimmed, "" | "." | "..") {
            return Self(FALLBACK.to_owned());
        }
        Self(shorten(trimmed, DISPLAY_MAX_CHARS, |text| text.chars().count()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name to store the file under: characters outside `[A-Za-z0-9._-]` become `_`, at most 120 bytes.
    #[must_use]
    pub fn segment(&self) -> Segment {
        let replaced: String = self
            .0
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') {
                    c
                } else {
                    '_'
                }
            })
            .collect();
        // A leading dot hides a file, a leading dash looks like an option to a shell's user.
        let visible = match replaced.strip_prefix(['.', '-']) {
            Some(rest) => format!("_{rest}"),
            None => replaced,
        };
        Segment(shorten(&visible, SEGMENT_MAX_BYTES, str::len))
    }
}

impl From<String> for DisplayName {
    fn from(name: String) -> Self {
        Self::from_client(&name)
    }
}

impl From<DisplayName> for String {
    fn from(name: DisplayName) -> Self {
        name.0
    }
}

impl fmt::Display for DisplayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The last part of a blob's key: 1 to 200 bytes of `[A-Za-z0-9._-]`, not starting with `.` or `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Segment(String);

impl Segment {
    /// Takes a segment that is already in its stored form; `None` when it is not.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let well_formed = (1..=200).contains(&text.len())
            && !text.starts_with(['.', '-'])
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        well_formed.then(|| Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name without its extension: `photo` of `photo.jpg`.
    #[must_use]
    pub fn stem(&self) -> &str {
        split_extension(&self.0).0
    }

    /// This name with an extension that fits `format`: kept when it already does, replaced when it is another image
    /// format's, appended otherwise.
    #[must_use]
    pub fn with_format(&self, format: ImageFormat) -> Self {
        let (stem, extension) = split_extension(&self.0);
        if format.has_extension(extension) {
            return self.clone();
        }
        let is_image_extension = ImageFormat::ALL.iter().any(|known| known.has_extension(extension));
        let base = if is_image_extension { stem } else { &self.0 };
        Self(format!("{base}.{}", format.extensions()[0]))
    }
}

impl TryFrom<String> for Segment {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("not a stored file name")
    }
}

impl From<Segment> for String {
    fn from(segment: Segment) -> Self {
        segment.0
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Control characters, and the format characters that reorder or hide text (Unicode category Cf as far as it is
/// about direction, joining and tags).
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// `("photo", "jpg")` of `photo.jpg`; no extension when the dot comes first or nothing follows it.
fn split_extension(name: &str) -> (&str, &str) {
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() && !extension.is_empty() => (stem, extension),
        _ => (name, ""),
    }
}

/// Cuts the stem so that `name` measures at most `max`; the extension survives unless it is absurd itself.
fn shorten(name: &str, max: usize, measure: impl Fn(&str) -> usize) -> String {
    if measure(name) <= max {
        return name.to_owned();
    }
    let (stem, extension) = split_extension(name);
    let (stem, tail) = match extension {
        "" => (name, String::new()),
        extension if measure(extension) <= 10 => (stem, format!(".{extension}")),
        _ => (name, String::new()),
    };
    let mut kept = String::new();
    for c in stem.chars() {
        let mut longer = kept.clone();
        longer.push(c);
        if measure(&longer) + measure(&tail) > max {
            break;
        }
        kept = longer;
    }
    kept + &tail
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_names_become_harmless() {
        let long = "a".repeat(10_000);
        let long_photo = format!("{long}.jpeg");
        for (client, display, segment) in [
            ("my_photo.jpg", "my_photo.jpg", "my_photo.jpg"),
            ("../../etc/passwd", "passwd", "passwd"),
            ("..\\..\\boot.ini", "boot.ini", "boot.ini"),
            ("C:\\Users\\me\\My Photo.JPG", "My Photo.JPG", "My_Photo.JPG"),
            ("", "image", "image"),
            ("..", "image", "image"),
            ("a/..", "image", "image"),
            ("/", "image", "image"),
            (".htaccess", ".htaccess", "_htaccess"),
            ("-rf.png", "-rf.png", "_rf.png"),
            ("📷 été.png", "📷 été.png", "___t_.png"),
            ("a\u{202e}gpj.exe", "agpj.exe", "agpj.exe"),
            ("a\0b\r\n\tc.png", "abc.png", "abc.png"),
            (&long, &long[..255], &long[..120]),
            (
                &long_photo,
                &format!("{}.jpeg", &long[..250]),
                &format!("{}.jpeg", &long[..115]),
            ),
        ] {
            let name = DisplayName::from_client(client);
            assert_eq!(name.as_str(), display, "display of {client:?}");
            assert_eq!(name.segment().as_str(), segment, "segment of {client:?}");
            assert_eq!(Segment::parse(segment), Some(name.segment()));
        }
    }

    #[test]
    fn extensions_follow_the_format() {
        for (name, format, expected) in [
            ("photo.jpg", ImageFormat::Jpeg, "photo.jpg"),
            ("photo.JPEG", ImageFormat::Jpeg, "photo.JPEG"),
            ("photo.jpg", ImageFormat::Png, "photo.png"),
            ("photo", ImageFormat::Webp, "photo.webp"),
            ("v1.2", ImageFormat::Jpeg, "v1.2.jpg"),
        ] {
            let segment = Segment::parse(name).unwrap();
            assert_eq!(segment.with_format(format).as_str(), expected);
        }
    }

    #[test]
    fn segments_refuse_paths() {
        for wrong in ["", ".", "..", ".a", "-a", "a/b", "a\\b", "a b", "é", &"a".repeat(201)] {
            assert_eq!(Segment::parse(wrong), None, "{wrong:?}");
        }
    }
}
