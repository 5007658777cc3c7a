//! The one thing pixmill reads of EXIF and writes to it: the orientation.
//!
//! Knows the TIFF structure of an EXIF block (CIPA DC-008, TIFF 6.0), not how a file format wraps it.

/// How a stored picture is turned, as EXIF tag 0x0112 numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Orientation(u8);

impl Default for Orientation {
    fn default() -> Self {
        Self::UPRIGHT
    }
}

const ORIENTATION_TAG: u16 = 0x0112;
const TYPE_SHORT: u16 = 3;
const TYPE_LONG: u16 = 4;

impl Orientation {
    /// Stored as it is to be seen.
    pub const UPRIGHT: Self = Self(1);
    /// Turning upright mirrors left to right.
    pub(crate) const MIRRORED: Self = Self(2);
    /// Turning upright mirrors top to bottom.
    pub(crate) const UPSIDE_DOWN: Self = Self(4);

    /// The orientation of that number; `None` outside 1 to 8.
    #[must_use]
    pub const fn from_exif(value: u32) -> Option<Self> {
        match value {
            1..=8 => Some(Self(value as u8)),
            _ => None,
        }
    }

    /// The number in EXIF, 1 to 8.
    #[must_use]
    pub const fn as_exif(self) -> u8 {
        self.0
    }

    /// Turning upright from this orientation, then from `next`, as one.
    #[must_use]
    pub(crate) const fn then(self, next: Self) -> Self {
        let (swap, x, y) = self.axes();
        let (next_swap, next_x, next_y) = next.axes();
        // The second maps what the first made of each axis.
        let (x, y) = if next_swap { (y, x) } else { (x, y) };
        Self::of_axes(swap != next_swap, x == next_x, y == next_y)
    }

    /// What turns back.
    #[must_use]
    pub(crate) const fn inverse(self) -> Self {
        match self.0 {
            6 => Self(8),
            8 => Self(6),
            own => Self(own),
        }
    }

    /// Whether an axis changes its direction when the picture is turned upright.
    pub(crate) const fn mirrors(self) -> bool {
        !matches!(self.0, 1 | 5)
    }

    /// Whether the axes change places when the picture is turned upright, then whether each keeps its direction.
    pub(crate) const fn axes(self) -> (bool, bool, bool) {
        match self.0 {
            2 => (false, false, true),
            3 => (false, false, false),
            4 => (false, true, false),
            5 => (true, true, true),
            6 => (true, false, true),
            7 => (true, false, false),
            8 => (true, true, false),
            _ => (false, true, true),
        }
    }

    const fn of_axes(swap: bool, x: bool, y: bool) -> Self {
        Self(match (swap, x, y) {
            (false, true, true) => 1,
            (false, false, true) => 2,
            (false, false, false) => 3,
            (false, true, false) => 4,
            (true, true, true) => 5,
            (true, false, true) => 6,
            (true, false, false) => 7,
            (true, true, false) => 8,
        })
    }

    /// Whether width and height change places when the picture is turned upright.
    #[must_use]
    pub const fn swaps_sides(self) -> bool {
        self.as_exif() >= 5
    }
}

/// Finds the orientation in a TIFF block (what follows `Exif\0\0` in a JPEG, the whole of a PNG's `eXIf`).
pub(crate) fn orientation_of_tiff(tiff: &[u8]) -> Option<Orientation> {
    let big_endian = match tiff.get(..4)? {
        b"II*\0" => false,
        b"MM\0*" => true,
        _ => return None,
    };
    let short = |at: usize| -> Option<u16> {
        let bytes = tiff.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if big_endian {
            u16::from_be_bytes(bytes)
        } else {
            u16::from_le_bytes(bytes)
        })
    };
    let long = |at: usize| -> Option<u32> {
        let bytes = tiff.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if big_endian {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        })
    };
    let directory = long(4)? as usize;
    let entries = usize::from(short(directory)?);
    for index in 0..entries {
        let entry = directory.checked_add(2 + index * 12)?;
        if short(entry)? != ORIENTATION_TAG {
            continue;
        }
        let value = match short(entry + 2)? {
            TYPE_SHORT => u32::from(short(entry + 8)?),
            TYPE_LONG => long(entry + 8)?,
            _ => return None,
        };
        return Orientation::from_exif(value);
    }
    None
}

/// Finds the orientation in an EXIF block that may or may not begin with `Exif\0\0`: WebP writers disagree on it.
pub(crate) fn orientation_of_block(block: &[u8]) -> Option<Orientation> {
    orientation_of_tiff(block.strip_prefix(b"Exif\0\0").unwrap_or(block))
}

/// Makes a TIFF block that holds nothing but the orientation.
pub(crate) fn tiff_with(orientation: Orientation) -> [u8; 26] {
    let mut tiff = *b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0\0\0\0";
    tiff[19] = orientation.as_exif();
    tiff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turnings_make_a_group() {
        let all: Vec<_> = (1..=8).filter_map(Orientation::from_exif).collect();
        for one in &all {
            assert_eq!(one.then(one.inverse()), Orientation::UPRIGHT);
            for two in &all {
                for three in &all {
                    assert_eq!(one.then(*two).then(*three), one.then(two.then(*three)));
                }
            }
        }
        // A quarter turn clockwise, then left to right, is the falling diagonal.
        assert_eq!(Orientation(6).then(Orientation(2)), Orientation(5));
    }

    #[test]
    fn what_is_written_is_read() {
        for value in 1..=8 {
            let orientation = Orientation::from_exif(value);
            assert_eq!(orientation_of_tiff(&tiff_with(orientation.unwrap())), orientation);
        }
    }

    #[test]
    fn a_little_endian_block_is_read() {
        let tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
        assert_eq!(orientation_of_tiff(tiff), Orientation::from_exif(6));
    }

    #[test]
    fn nonsense_is_no_orientation() {
        let out_of_range = tiff_with(Orientation(9));
        let directory_outside = b"MM\0*\xff\xff\xff\xff\0\x01";
        for block in [&out_of_range[..], directory_outside, b"", b"MM\0*", b"GIF89a"] {
            assert_eq!(orientation_of_tiff(block), None, "{block:?}");
        }
        for length in 0..18 {
            assert_eq!(orientation_of_tiff(&tiff_with(Orientation(6))[..length]), None);
        }
    }
}
