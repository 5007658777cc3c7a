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

use crate::exif::{self as block, Orientation};
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
    /// What of `input` the plan of an output wants on it; `sides` are those of the output, where they may be others.
    pub(crate) fn wanted(input: &[u8], format: ImageFormat, plan: &EncodePlan, sides: Option<(u32, u32)>) -> Self {
        if !holds(plan.format) {
            return Self::default();
        }
        let exif = || exif(format, input);
        Self {
            icc: if plan.keeps_profile { icc(format, input) } else { None },
            exif: match plan.options.metadata {
                Metadata::Strip => None,
                Metadata::Copyright => exif().and_then(|tiff| block::copyright(&tiff, plan.orientation)),
                Metadata::Keep => exif().and_then(|tiff| block::kept(&tiff, plan.orientation, sides)),
            },
            xmp: match plan.options.metadata {
                Metadata::Keep => xmp(format, input).map(|xmp| turned(xmp, plan.orientation)),
                Metadata::Strip | Metadata::Copyright => None,
            },
        }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.icc.is_none() && self.exif.is_none() && self.xmp.is_none()
    }
}

/// XMP that says `orientation` wherever it says one, as an attribute or as an element (XMP specification, part 2, 3.2).
fn turned(mut xmp: Vec<u8>, orientation: Orientation) -> Vec<u8> {
    const NAME: &[u8] = b"tiff:Orientation";
    let places: Vec<_> = memchr::memmem::find_iter(&xmp, NAME)
        .map(|at| at + NAME.len())
        .collect();
    for place in places {
        let rest = xmp.get_mut(place..).unwrap_or_default();
        // `="6"`, `='6'`, `>6<`, perhaps with space between.
        let value = rest
            .iter()
            .position(|byte| !(byte.is_ascii_whitespace() || b"=\"'>".contains(byte)))
            .filter(|at| *at > 0);
        if let Some(digit @ b'1'..=b'8') = value.and_then(|at| rest.get_mut(at)) {
            *digit = b'0' + orientation.as_exif();
        }
    }
    xmp
}

/// Whether metadata is written to files of that format.
pub(crate) const fn holds(format: ImageFormat) -> bool {
    matches!(
        format,
        ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::Webp | ImageFormat::Tiff | ImageFormat::Avif
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xmp_says_how_the_picture_is_turned_then() {
        for (before, after) in [
            (
                "<rdf tiff:Orientation=\"6\" a=\"6\"/>",
                "<rdf tiff:Orientation=\"1\" a=\"6\"/>",
            ),
            ("<rdf tiff:Orientation = '8'/>", "<rdf tiff:Orientation = '1'/>"),
            (
                "<tiff:Orientation> 3</tiff:Orientation>",
                "<tiff:Orientation> 1</tiff:Orientation>",
            ),
            ("<x>tiff:Orientation6</x>", "<x>tiff:Orientation6</x>"),
            ("<x tiff:Orientation=\"", "<x tiff:Orientation=\""),
            ("no word of it", "no word of it"),
        ] {
            let turned = turned(before.as_bytes().to_vec(), Orientation::UPRIGHT);
            assert_eq!(String::from_utf8(turned).unwrap(), after);
        }
    }
}
