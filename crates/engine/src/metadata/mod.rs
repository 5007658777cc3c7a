//! What a file carries beside its pixels: found in one, attached to another.
//!
//! Knows how JPEG, PNG and WebP wrap EXIF, XMP and colour profiles; of what is in them only what `exif` and `profile` know.

mod attach;
mod copy;
mod find;

pub(crate) use self::attach::attach;
pub(crate) use self::copy::copied;
pub(crate) use self::find::{exif, icc, xmp};

use pixmill_types::{ImageFormat, Metadata};

use crate::exif as block;
use crate::plan::EncodePlan;

/// What is attached to a finished file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Attachments {
    /// A colour profile.
    pub(crate) icc: Option<Vec<u8>>,
    /// A TIFF block.
    pub(crate) exif: Option<Vec<u8>>,
    /// An XML document.
    pub(crate) xmp: Option<Vec<u8>>,
}

impl Attachments {
    /// What of `input` the plan of an output wants on it.
    pub(crate) fn wanted(input: &[u8], format: ImageFormat, plan: &EncodePlan) -> Self {
        if !holds(plan.format) {
            return Self::default();
        }
        let exif = || exif(format, input);
        Self {
            icc: if plan.keeps_profile { icc(format, input) } else { None },
            exif: match plan.options.metadata {
                Metadata::Strip => None,
                Metadata::Copyright => exif().and_then(|tiff| block::copyright(&tiff, plan.orientation)),
                Metadata::Keep => exif().and_then(|tiff| block::kept(&tiff, plan.orientation)),
            },
            xmp: match plan.options.metadata {
                Metadata::Keep => xmp(format, input),
                Metadata::Strip | Metadata::Copyright => None,
            },
        }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.icc.is_none() && self.exif.is_none() && self.xmp.is_none()
    }
}

/// Whether metadata is written to files of that format.
pub(crate) const fn holds(format: ImageFormat) -> bool {
    matches!(
        format,
        ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::Webp | ImageFormat::Tiff | ImageFormat::Avif
    )
}
