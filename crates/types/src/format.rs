//! The image formats pixmill reads and writes, with their names on the wire and on disk.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A file format of images. What a file is, is decided by its content, never by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageFormat {
    /// ISO/IEC 10918-1.
    Jpeg,
    /// ISO/IEC 15948.
    Png,
    /// RFC 9649.
    Webp,
    /// GIF 87a and 89a.
    Gif,
    /// TIFF 6.0 and BigTIFF.
    Tiff,
    /// Windows bitmaps.
    Bmp,
    /// Windows icons. Read alone.
    Ico,
    /// The Quite OK Image format, version 1.0.
    Qoi,
    /// Netpbm: PBM, PGM, PPM and PAM. Read alone.
    Pnm,
    /// AV1 Image File Format. Written alone.
    Avif,
    /// ISO/IEC 18181. Read alone.
    Jxl,
}

/// What a format is called.
struct Names {
    name: &'static str,
    media_type: &'static str,
    extensions: &'static [&'static str],
}

impl ImageFormat {
    /// Every format.
    pub const ALL: [Self; 11] = [
        Self::Jpeg,
        Self::Png,
        Self::Webp,
        Self::Gif,
        Self::Tiff,
        Self::Bmp,
        Self::Ico,
        Self::Qoi,
        Self::Pnm,
        Self::Avif,
        Self::Jxl,
    ];

    /// The formats that are read, for people.
    pub const READ: &'static str = "JPEG, PNG, WebP, GIF, TIFF, BMP, ICO, QOI, PNM and JXL";

    const fn names(self) -> Names {
        let (name, media_type, extensions): (_, _, &[&str]) = match self {
            Self::Jpeg => ("jpeg", "image/jpeg", &["jpg", "jpeg", "jpe", "jfif"]),
            Self::Png => ("png", "image/png", &["png", "apng"]),
            Self::Webp => ("webp", "image/webp", &["webp"]),
            Self::Gif => ("gif", "image/gif", &["gif"]),
            Self::Tiff => ("tiff", "image/tiff", &["tiff", "tif"]),
            Self::Bmp => ("bmp", "image/bmp", &["bmp", "dib"]),
            Self::Ico => ("ico", "image/vnd.microsoft.icon", &["ico"]),
            Self::Qoi => ("qoi", "image/qoi", &["qoi"]),
            Self::Pnm => ("pnm", "image/x-portable-anymap", &["pnm", "ppm", "pgm", "pbm", "pam"]),
            Self::Avif => ("avif", "image/avif", &["avif"]),
            Self::Jxl => ("jxl", "image/jxl", &["jxl"]),
        };
        Names {
            name,
            media_type,
            extensions,
        }
    }

    /// The stable lower-case name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.names().name
    }

    /// The registered media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        self.names().media_type
    }

    /// File name extensions in use for the format, the usual one first.
    #[must_use]
    pub const fn extensions(self) -> &'static [&'static str] {
        self.names().extensions
    }

    /// Whether files of this format are read.
    #[must_use]
    pub const fn is_read(self) -> bool {
        !matches!(self, Self::Avif)
    }

    /// Whether files of this format are written.
    #[must_use]
    pub const fn is_written(self) -> bool {
        !matches!(self, Self::Ico | Self::Pnm | Self::Jxl)
    }

    /// Whether files of this format may hold an animation that is kept.
    #[must_use]
    pub const fn is_animated(self) -> bool {
        matches!(self, Self::Png | Self::Webp | Self::Gif)
    }

    /// The format of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "jpg" => Some(Self::Jpeg),
            "tif" => Some(Self::Tiff),
            _ => Self::ALL.into_iter().find(|format| format.as_str() == name),
        }
    }

    /// Whether files of this format usually carry the extension `extension` (no dot, any case).
    #[must_use]
    pub fn has_extension(self, extension: &str) -> bool {
        self.extensions()
            .iter()
            .any(|known| known.eq_ignore_ascii_case(extension))
    }
}

impl fmt::Display for ImageFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_to_be_read_is_what_is_read() {
        let said = ImageFormat::READ.to_lowercase().replace(" and ", ", ");
        let read = ImageFormat::ALL.into_iter().filter(|format| format.is_read());
        assert_eq!(said, read.map(ImageFormat::as_str).collect::<Vec<_>>().join(", "));
        for format in ImageFormat::ALL {
            assert_eq!(ImageFormat::from_name(format.as_str()), Some(format));
        }
    }
}
