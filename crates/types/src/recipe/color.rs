//! Colours as recipes write them.

use std::fmt;
use std::str::FromStr;

/// A colour of sRGB with alpha, 8 bits a channel.
///
/// Written `#rgb`, `#rgba`, `#rrggbb` or `#rrggbbaa`, as one of the 16 basic names of CSS, or as `transparent`
/// (CSS Color Module Level 4, 5.2 and 6.1 to 6.3), in small or capital letters. Printed as `#rrggbb`, with `aa` unless it
/// is opaque.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Color {
    /// Red, 0 to 255.
    pub red: u8,
    /// Green, 0 to 255.
    pub green: u8,
    /// Blue, 0 to 255.
    pub blue: u8,
    /// 0 lets everything through, 255 nothing.
    pub alpha: u8,
}

/// The text is no colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a colour")]
pub struct InvalidColor;

const NAMES: &[(&str, Color)] = &[
    ("black", Color::BLACK),
    ("silver", Color::opaque(192, 192, 192)),
    ("gray", Color::opaque(128, 128, 128)),
    ("white", Color::WHITE),
    ("maroon", Color::opaque(128, 0, 0)),
    ("red", Color::opaque(255, 0, 0)),
    ("purple", Color::opaque(128, 0, 128)),
    ("fuchsia", Color::opaque(255, 0, 255)),
    ("green", Color::opaque(0, 128, 0)),
    ("lime", Color::opaque(0, 255, 0)),
    ("olive", Color::opaque(128, 128, 0)),
    ("yellow", Color::opaque(255, 255, 0)),
    ("navy", Color::opaque(0, 0, 128)),
    ("blue", Color::opaque(0, 0, 255)),
    ("teal", Color::opaque(0, 128, 128)),
    ("aqua", Color::opaque(0, 255, 255)),
    ("transparent", Color::TRANSPARENT),
];

impl Color {
    /// `#000000`.
    pub const BLACK: Self = Self::opaque(0, 0, 0);
    /// `#ffffff`.
    pub const WHITE: Self = Self::opaque(255, 255, 255);
    /// Black that lets everything through, as CSS defines it.
    pub const TRANSPARENT: Self = Self {
        alpha: 0,
        ..Self::BLACK
    };

    /// A colour that lets nothing through.
    #[must_use]
    pub const fn opaque(red: u8, green: u8, blue: u8) -> Self {
        Self {
            red,
            green,
            blue,
            alpha: 255,
        }
    }

    /// Whether it lets nothing through.
    #[must_use]
    pub const fn is_opaque(self) -> bool {
        self.alpha == 255
    }

    /// Whether red, green and blue are the same.
    #[must_use]
    pub const fn is_gray(self) -> bool {
        self.red == self.green && self.green == self.blue
    }
}

impl FromStr for Color {
    type Err = InvalidColor;

    fn from_str(text: &str) -> Result<Self, InvalidColor> {
        let Some(digits) = text.strip_prefix('#') else {
            let named = NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
            return named.map(|(_, color)| *color).ok_or(InvalidColor);
        };
        let digit = |index: usize| {
            let digit = digits
                .as_bytes()
                .get(index)
                .map(|digit| char::from(*digit).to_digit(16));
            // 15 x 16 + 15 is 255.
            digit.flatten().map(|digit| digit as u8).ok_or(InvalidColor)
        };
        let channel = |index: usize| match digits.len() {
            3 | 4 => digit(index).map(|digit| digit * 17),
            _ => Ok(digit(2 * index)? * 16 + digit(2 * index + 1)?),
        };
        Ok(Self {
            red: channel(0)?,
            green: channel(1)?,
            blue: channel(2)?,
            alpha: match digits.len() {
                3 | 6 => 255,
                4 | 8 => channel(3)?,
                _ => return Err(InvalidColor),
            },
        })
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            red,
            green,
            blue,
            alpha,
        } = self;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")?;
        if self.is_opaque() {
            Ok(())
        } else {
            write!(f, "{alpha:02x}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_read_as_css_writes_them_and_printed_in_one_way() {
        for (text, expected) in [
            ("#f80", Ok("#ff8800")),
            ("#F80c", Ok("#ff8800cc")),
            ("#12AbEf", Ok("#12abef")),
            ("#12abefff", Ok("#12abef")),
            ("#12abef00", Ok("#12abef00")),
            ("white", Ok("#ffffff")),
            ("Teal", Ok("#008080")),
            ("transparent", Ok("#00000000")),
            ("", Err(InvalidColor)),
            ("#", Err(InvalidColor)),
            ("#12", Err(InvalidColor)),
            ("#12345", Err(InvalidColor)),
            ("#1234567", Err(InvalidColor)),
            ("#123456789", Err(InvalidColor)),
            ("#ggg", Err(InvalidColor)),
            ("#+12", Err(InvalidColor)),
            ("#\u{e9}a", Err(InvalidColor)),
            ("ff8800", Err(InvalidColor)),
            ("mauve", Err(InvalidColor)),
        ] {
            let color = text.parse::<Color>();
            assert_eq!(
                color.map(|color| color.to_string()),
                expected.map(str::to_owned),
                "{text:?}"
            );
            if let Ok(color) = color {
                assert_eq!(color.to_string().parse(), Ok(color));
            }
        }
    }
}
