//! What the file of an output holds: a picture, or facts about one.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ImageFormat;

/// What the file of an output holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum FileFormat {
    /// A picture.
    Image(ImageFormat),
    /// Facts about a picture, as JSON.
    Info,
}

impl FileFormat {
    const INFO: &str = "info";

    /// The stable lower-case name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Image(format) => format.as_str(),
            Self::Info => Self::INFO,
        }
    }

    /// The registered media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Image(format) => format.media_type(),
            Self::Info => "application/json",
        }
    }

    /// The usual file name extension.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Image(format) => format.extensions()[0],
            Self::Info => "json",
        }
    }

    /// The format of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            Self::INFO => Some(Self::Info),
            _ => ImageFormat::from_name(name).map(Self::Image),
        }
    }

    /// The names of all of them.
    pub fn names() -> impl Iterator<Item = &'static str> {
        ImageFormat::ALL
            .into_iter()
            .map(ImageFormat::as_str)
            .chain([Self::INFO])
    }
}

impl From<ImageFormat> for FileFormat {
    fn from(format: ImageFormat) -> Self {
        Self::Image(format)
    }
}

impl PartialEq<ImageFormat> for FileFormat {
    fn eq(&self, other: &ImageFormat) -> bool {
        *self == Self::Image(*other)
    }
}

impl TryFrom<String> for FileFormat {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        Self::from_name(&name).ok_or("not a format of outputs")
    }
}

impl From<FileFormat> for String {
    fn from(format: FileFormat) -> Self {
        format.as_str().to_owned()
    }
}

impl fmt::Display for FileFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
