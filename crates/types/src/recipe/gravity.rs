//! Where in a larger frame a smaller one lies, as recipes write it.

use std::fmt;
use std::str::FromStr;

use super::call::word_of;

/// A place of nine: the middle, a side or a corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Gravity {
    /// The middle.
    Center,
    /// The middle of the upper side.
    North,
    /// The right upper corner.
    NorthEast,
    /// The middle of the right side.
    East,
    /// The right lower corner.
    SouthEast,
    /// The middle of the lower side.
    South,
    /// The left lower corner.
    SouthWest,
    /// The middle of the left side.
    West,
    /// The left upper corner.
    NorthWest,
}

impl Gravity {
    /// What recipes call them.
    pub const NAMES: &[&str] = &[
        "center",
        "north",
        "north-east",
        "east",
        "south-east",
        "south",
        "south-west",
        "west",
        "north-west",
    ];

    /// Each by its name.
    pub(crate) const WORDS: &[(&'static str, Self)] = &[
        ("center", Self::Center),
        ("north", Self::North),
        ("north-east", Self::NorthEast),
        ("east", Self::East),
        ("south-east", Self::SouthEast),
        ("south", Self::South),
        ("south-west", Self::SouthWest),
        ("west", Self::West),
        ("north-west", Self::NorthWest),
    ];

    /// The part of the room beside a smaller frame that lies to its left and the part that lies above it: 0, 0.5 or 1.
    #[must_use]
    pub const fn shares(self) -> (f64, f64) {
        match self {
            Self::NorthWest => (0.0, 0.0),
            Self::North => (0.5, 0.0),
            Self::NorthEast => (1.0, 0.0),
            Self::West => (0.0, 0.5),
            Self::Center => (0.5, 0.5),
            Self::East => (1.0, 0.5),
            Self::SouthWest => (0.0, 1.0),
            Self::South => (0.5, 1.0),
            Self::SouthEast => (1.0, 1.0),
        }
    }

    /// How far from the left and from above a smaller frame lies with `beside` pixels of room left and right of it
    /// together, `over` above and below it; of an odd number in the middle the smaller half, pixels.
    #[must_use]
    pub const fn offset(self, beside: u32, over: u32) -> (u32, u32) {
        let (left, above) = self.shares();
        ((beside as f64 * left) as u32, (over as f64 * above) as u32)
    }
}

impl fmt::Display for Gravity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word_of(Self::WORDS, *self))
    }
}

/// What is kept when a part of a picture is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Focus {
    /// What lies there.
    Place(Gravity),
    /// What draws the eye: edges, strong colours, skin.
    Attention,
}

impl Focus {
    /// The middle.
    pub const CENTER: Self = Self::Place(Gravity::Center);
    /// What recipes call what no [`Gravity`] is.
    pub(crate) const ATTENTION: &str = "attention";
}

/// The text names no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no place")]
pub struct InvalidFocus;

impl FromStr for Focus {
    type Err = InvalidFocus;

    fn from_str(text: &str) -> Result<Self, InvalidFocus> {
        if text == Self::ATTENTION {
            return Ok(Self::Attention);
        }
        let place = Gravity::WORDS.iter().find(|(word, _)| *word == text);
        place.map(|(_, gravity)| Self::Place(*gravity)).ok_or(InvalidFocus)
    }
}

impl fmt::Display for Focus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Place(gravity) => gravity.fmt(f),
            Self::Attention => f.write_str(Self::ATTENTION),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_lies_where_its_gravity_says() {
        for (name, expected) in [
            ("center", (3, 4)),
            ("north", (3, 0)),
            ("north-east", (7, 0)),
            ("east", (7, 4)),
            ("south-east", (7, 8)),
            ("south", (3, 8)),
            ("south-west", (0, 8)),
            ("west", (0, 4)),
            ("north-west", (0, 0)),
        ] {
            let gravity = Gravity::WORDS.iter().find(|(word, _)| *word == name);
            assert_eq!(
                gravity.map(|(_, gravity)| gravity.offset(7, 8)),
                Some(expected),
                "{name}"
            );
        }
        assert_eq!(
            Gravity::WORDS.iter().map(|(word, _)| *word).collect::<Vec<_>>(),
            Gravity::NAMES
        );
        assert_eq!(Gravity::SouthEast.offset(u32::MAX, u32::MAX), (u32::MAX, u32::MAX));
    }
}
