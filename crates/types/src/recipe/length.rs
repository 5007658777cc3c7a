//! Lengths as recipes write them: in pixels, or as a part of the picture.

use std::fmt;
use std::str::FromStr;

/// A length within a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Length {
    /// Pixels; 1 to 65,535.
    Pixels(u32),
    /// Of the shorter side of the picture, unless a parameter says otherwise; more than 0, at most 100.
    Percent(f32),
}

/// The text is no length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a length")]
pub struct InvalidLength;

const MAX_PIXELS: u32 = 65_535;

impl Length {
    /// What it is of a side of `side` pixels, pixels.
    #[must_use]
    pub fn pixels(self, side: u32) -> f64 {
        match self {
            Self::Pixels(pixels) => f64::from(pixels),
            Self::Percent(percent) => f64::from(side) * f64::from(percent) / 100.0,
        }
    }
}

impl FromStr for Length {
    type Err = InvalidLength;

    fn from_str(text: &str) -> Result<Self, InvalidLength> {
        match text.strip_suffix('%') {
            Some(percent) => match percent.trim_end().parse::<f32>() {
                Ok(percent) if percent > 0.0 && percent <= 100.0 => Ok(Self::Percent(percent)),
                _ => Err(InvalidLength),
            },
            None => match text.parse() {
                Ok(pixels @ 1..=MAX_PIXELS) => Ok(Self::Pixels(pixels)),
                _ => Err(InvalidLength),
            },
        }
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pixels(pixels) => write!(f, "{pixels}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}
