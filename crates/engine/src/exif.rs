//! What pixmill reads of EXIF and writes to it: the orientation, and whose the picture is.
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

/// A TIFF block, as numbers.
#[derive(Debug, Clone, Copy)]
struct Block<'a> {
    bytes: &'a [u8],
    is_big_endian: bool,
}

/// An entry of a directory: where it is in the block, and what it says.
#[derive(Debug, Clone, Copy)]
struct Entry {
    at: usize,
    tag: u16,
    kind: u16,
    count: u32,
}

impl<'a> Block<'a> {
    fn new(bytes: &'a [u8]) -> Option<Self> {
        let is_big_endian = match bytes.get(..4)? {
            b"II*\0" => false,
            b"MM\0*" => true,
            _ => return None,
        };
        Some(Self { bytes, is_big_endian })
    }

    fn short(&self, at: usize) -> Option<u16> {
        let bytes = self.bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if self.is_big_endian {
            u16::from_be_bytes(bytes)
        } else {
            u16::from_le_bytes(bytes)
        })
    }

    fn long(&self, at: usize) -> Option<u32> {
        let bytes = self.bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if self.is_big_endian {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        })
    }

    fn first_directory(&self) -> Option<usize> {
        Some(self.long(4)? as usize)
    }

    /// The entries of a directory, as far as the block holds them.
    fn entries(self, directory: usize) -> impl Iterator<Item = Entry> + use<'a> {
        let count = usize::from(self.short(directory).unwrap_or(0));
        (0..count).map_while(move |index| {
            let at = directory.checked_add(2 + index * 12)?;
            Some(Entry {
                at,
                tag: self.short(at)?,
                kind: self.short(at + 2)?,
                count: self.long(at + 4)?,
            })
        })
    }

    /// Where the link to the next directory is, and what it says.
    fn link(&self, directory: usize) -> Option<(usize, usize)> {
        let at = directory.checked_add(2 + usize::from(self.short(directory)?) * 12)?;
        Some((at, self.long(at)? as usize))
    }
}

/// Finds the orientation in a TIFF block (what follows `Exif\0\0` in a JPEG, the whole of a PNG's `eXIf`).
pub(crate) fn orientation_of_tiff(tiff: &[u8]) -> Option<Orientation> {
    let block = Block::new(tiff)?;
    let mut entries = block.entries(block.first_directory()?);
    let entry = entries.find(|entry| entry.tag == ORIENTATION_TAG)?;
    let value = match entry.kind {
        TYPE_SHORT => u32::from(block.short(entry.at + 8)?),
        TYPE_LONG => block.long(entry.at + 8)?,
        _ => return None,
    };
    Orientation::from_exif(value)
}

/// A TIFF block with its orientation set to `orientation`, and with width and height set to `sides` where those are given,
/// each where it says one; and without its thumbnail, which shows the picture as it was. `None` when it is none.
pub(crate) fn kept(tiff: &[u8], orientation: Orientation, sides: Option<(u32, u32)>) -> Option<Vec<u8>> {
    /// Where the directory of EXIF itself is, and what it calls the sides (CIPA DC-008, 4.6.3 and 4.6.6).
    const EXIF_AT: u16 = 0x8769;
    const PIXELS_ACROSS: u16 = 0xa002;
    const PIXELS_DOWN: u16 = 0xa003;
    const WIDTH: u16 = 0x0100;
    const HEIGHT: u16 = 0x0101;
    const THUMBNAIL_AT: u16 = 0x0201;
    const THUMBNAIL_BYTES: u16 = 0x0202;
    let block = Block::new(tiff)?;
    let directory = block.first_directory()?;
    let mut kept = tiff.to_vec();
    for entry in block.entries(directory) {
        if entry.tag == ORIENTATION_TAG {
            let value = u16::from(orientation.as_exif());
            let value = if block.is_big_endian {
                value.to_be_bytes()
            } else {
                value.to_le_bytes()
            };
            kept.get_mut(entry.at + 8..entry.at + 10)?.copy_from_slice(&value);
            let kind = if block.is_big_endian { [0, 3] } else { [3, 0] };
            kept.get_mut(entry.at + 2..entry.at + 4)?.copy_from_slice(&kind);
        }
    }
    if let Some((width, height)) = sides {
        let pointer = block.entries(directory).find(|entry| entry.tag == EXIF_AT);
        let inner = pointer.and_then(|entry| block.long(entry.at + 8));
        let inner = inner.into_iter().flat_map(|at| block.entries(at as usize));
        for entry in block.entries(directory).chain(inner) {
            let value = match entry.tag {
                WIDTH | PIXELS_ACROSS => width,
                HEIGHT | PIXELS_DOWN => height,
                _ => continue,
            };
            if [TYPE_SHORT, TYPE_LONG].contains(&entry.kind) && entry.count == 1 {
                let (kind, value) = if block.is_big_endian {
                    (TYPE_LONG.to_be_bytes(), value.to_be_bytes())
                } else {
                    (TYPE_LONG.to_le_bytes(), value.to_le_bytes())
                };
                kept.get_mut(entry.at + 2..entry.at + 4)?.copy_from_slice(&kind);
                kept.get_mut(entry.at + 8..entry.at + 12)?.copy_from_slice(&value);
            }
        }
    }
    if let Some((at, next)) = block.link(directory) {
        kept.get_mut(at..at + 4)?.fill(0);
        let value_of = |tag| {
            let entry = block.entries(next).find(|entry| entry.tag == tag)?;
            block.long(entry.at + 8).map(|value| value as usize)
        };
        if let (Some(start), Some(length), true) = (value_of(THUMBNAIL_AT), value_of(THUMBNAIL_BYTES), next > 0)
            && let Some(thumbnail) = kept.get_mut(start..start.saturating_add(length))
        {
            thumbnail.fill(0);
        }
    }
    Some(kept)
}

/// A TIFF block of nothing but Artist, Copyright and `orientation`; `None` when neither of the first two is there.
pub(crate) fn copyright(tiff: &[u8], orientation: Orientation) -> Option<Vec<u8>> {
    const ARTIST: u16 = 0x013b;
    const COPYRIGHT: u16 = 0x8298;
    const TYPE_ASCII: u16 = 2;
    /// Longer than any name.
    const MAX_BYTES: u32 = 8 * 1024;
    let block = Block::new(tiff)?;
    let text = |tag: u16| {
        let is_it = |entry: &Entry| entry.tag == tag && entry.kind == TYPE_ASCII && entry.count <= MAX_BYTES;
        let entry = block.entries(block.first_directory()?).find(is_it)?;
        let start = if entry.count <= 4 {
            entry.at + 8
        } else {
            block.long(entry.at + 8)? as usize
        };
        tiff.get(start..start.checked_add(entry.count as usize)?)
    };
    let texts: Vec<_> = [ARTIST, COPYRIGHT]
        .into_iter()
        .filter_map(|tag| Some((tag, text(tag)?)))
        .filter(|(_, text)| !text.is_empty())
        .collect();
    if texts.is_empty() {
        return None;
    }
    let entries = 1 + texts.len() as u16;
    let mut behind = 8 + 2 + 12 * u32::from(entries) + 4;
    let mut made = b"MM\0*\0\0\0\x08".to_vec();
    made.extend_from_slice(&entries.to_be_bytes());
    made.extend_from_slice(&tiff_with(orientation)[10..22]);
    let mut values = Vec::new();
    for (tag, text) in texts {
        for number in [tag, TYPE_ASCII] {
            made.extend_from_slice(&number.to_be_bytes());
        }
        made.extend_from_slice(&(text.len() as u32).to_be_bytes());
        if text.len() <= 4 {
            made.extend_from_slice(text);
            made.resize(made.len() + 4 - text.len(), 0);
        } else {
            made.extend_from_slice(&behind.to_be_bytes());
            behind += text.len() as u32;
            values.extend_from_slice(text);
        }
    }
    made.extend_from_slice(&[0; 4]);
    made.extend_from_slice(&values);
    Some(made)
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
    fn what_is_kept_says_the_new_orientation_and_no_thumbnail() {
        // The orientation, then a directory of a thumbnail of four bytes.
        let tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\x1a\0\0\0\
            \x02\0\x01\x02\x04\0\x01\0\0\0\x38\0\0\0\x02\x02\x04\0\x01\0\0\0\x04\0\0\0\0\0\0\0face";
        let kept = kept(tiff, Orientation::UPRIGHT, None).unwrap();
        assert_eq!(orientation_of_tiff(&kept), Some(Orientation::UPRIGHT));
        assert_eq!(&kept[22..26], [0; 4]);
        assert!(kept.ends_with(&[0; 4]) && kept.len() == tiff.len());
        for length in 0..tiff.len() {
            let _any = super::kept(&tiff[..length], Orientation::UPRIGHT, Some((1, 2)));
        }
    }

    #[test]
    fn what_is_kept_says_the_new_sides() {
        // Width, and a directory of EXIF with both sides: 16 bits each, and of the last one 32.
        let tiff = b"MM\0*\0\0\0\x08\0\x02\x01\0\0\x03\0\0\0\x01\x02\x80\0\0\x87\x69\0\x04\0\0\0\x01\0\0\0\x26\0\0\0\0\
            \0\x02\xa0\x02\0\x03\0\0\0\x01\x02\x80\0\0\xa0\x03\0\x04\0\0\0\x01\0\0\x01\xe0\0\0\0\0";
        let kept = kept(tiff, Orientation::UPRIGHT, Some((70_000, 150))).unwrap();
        let block = Block::new(&kept).unwrap();
        for (at, tag, side) in [(10, 0x0100, 70_000), (40, 0xa002, 70_000), (52, 0xa003, 150)] {
            assert_eq!((block.short(at), block.short(at + 2)), (Some(tag), Some(TYPE_LONG)));
            assert_eq!(block.long(at + 8), Some(side), "{tag:x}");
        }
        for length in 0..tiff.len() {
            let _any = super::kept(&tiff[..length], Orientation::UPRIGHT, Some((1, 2)));
        }
    }

    #[test]
    fn copyright_is_taken_alone() {
        let tiff = b"II*\0\x08\0\0\0\x02\0\x0f\x01\x02\0\x03\0\0\0me\0\0\x98\x82\x02\0\x06\0\0\0\x26\0\0\0\
            \0\0\0\0mine.\0";
        let made = copyright(tiff, Orientation(6)).unwrap();
        assert_eq!(orientation_of_tiff(&made), Orientation::from_exif(6));
        assert!(made.ends_with(b"mine.\0") && !made.windows(2).any(|two| two == b"me"));
        assert_eq!(copyright(&tiff_with(Orientation(6)), Orientation(1)), None);
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
