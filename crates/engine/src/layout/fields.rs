//! Directories of TIFF as they are written; and EXIF as a TIFF carries it, among the fields that store the picture.
//!
//! Knows which fields describe a picture. What they say matters to nobody here.

use super::tiff::{Directory, Value, tag};

pub(crate) const BYTE: u16 = 1;
const SHORT: u16 = 3;
const LONG: u16 = 4;
const RATIONAL: u16 = 5;
pub(crate) const UNDEFINED: u16 = 7;

/// What begins a file of the byte order that is written, without where its first directory is.
pub(crate) const HEAD: &[u8] = b"II*\0";
const CAMERA: u16 = 34_665;
const PLACE: u16 = 34_853;
/// A directory of a directory, for formats of the last century.
const INTEROPERABILITY: u16 = 40_965;
/// Fields of the first directory that say something about the picture and nothing about how it is stored: description, make,
/// model, software, date, artist, host, ratings, copyright, and what Windows writes.
const DESCRIBING: &[u16] = &[
    270, 271, 272, 305, 306, 315, 316, 18_246, 18_249, 33_432, 40_091, 40_092, 40_093, 40_094, 40_095,
];
/// More than EXIF of a JPEG can have, bytes.
const MAX_BYTES: usize = 1024 * 1024;

/// A field, its value from the lowest byte on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    tag: u16,
    kind: u16,
    count: u32,
    value: Vec<u8>,
}

impl Field {
    pub(crate) fn shorts(tag: u16, numbers: &[u16]) -> Self {
        Self::new(
            tag,
            SHORT,
            numbers.len(),
            numbers.iter().flat_map(|n| n.to_le_bytes()).collect(),
        )
    }

    pub(crate) fn longs(tag: u16, numbers: &[u32]) -> Self {
        Self::new(
            tag,
            LONG,
            numbers.len(),
            numbers.iter().flat_map(|n| n.to_le_bytes()).collect(),
        )
    }

    pub(crate) fn rational(tag: u16, [over, under]: [u32; 2]) -> Self {
        Self::new(tag, RATIONAL, 1, [over.to_le_bytes(), under.to_le_bytes()].concat())
    }

    /// A field of bytes that `kind` calls so or leaves undefined.
    pub(crate) fn bytes(tag: u16, kind: u16, value: Vec<u8>) -> Self {
        Self::new(tag, kind, value.len(), value)
    }

    fn new(tag: u16, kind: u16, count: usize, value: Vec<u8>) -> Self {
        Self {
            tag,
            kind,
            // Values are counted from what is far smaller than 4 GiB.
            count: count as u32,
            value,
        }
    }

    /// A field of another file; `None` for kinds that only BigTIFF has.
    fn of(value: &Value<'_>) -> Option<Self> {
        let unit = match value.kind {
            1 | 2 | 6 | 7 => 1,
            3 | 8 => 2,
            4 | 5 | 9..=11 | 13 => 4,
            12 => 8,
            _ => return None,
        };
        let mut bytes = value.bytes.to_vec();
        if value.is_big_endian {
            bytes.chunks_exact_mut(unit).for_each(<[u8]>::reverse);
        }
        Some(Self::new(value.tag, value.kind, value.count, bytes))
    }
}

/// A directory that begins at `start`, the values that do not fit into it behind; no other follows. `None` beyond 4 GiB.
pub(crate) fn directory(fields: &[Field], start: u32) -> Option<Vec<u8>> {
    let mut sorted: Vec<_> = fields.iter().collect();
    sorted.sort_by_key(|field| field.tag);
    let mut made = (sorted.len() as u16).to_le_bytes().to_vec();
    let mut behind = start.checked_add(u32::try_from(2 + 12 * sorted.len() + 4).ok()?)?;
    let mut values = Vec::new();
    for field in sorted {
        made.extend_from_slice(&field.tag.to_le_bytes());
        made.extend_from_slice(&field.kind.to_le_bytes());
        made.extend_from_slice(&field.count.to_le_bytes());
        let length = field.value.len();
        if length <= 4 {
            made.extend_from_slice(&field.value);
            made.resize(made.len() + 4 - length, 0);
            continue;
        }
        made.extend_from_slice(&behind.to_le_bytes());
        values.extend_from_slice(&field.value);
        // Values begin at even places.
        values.resize(values.len() + length % 2, 0);
        behind = behind.checked_add(u32::try_from(length + length % 2).ok()?)?;
    }
    made.extend_from_slice(&[0; 4]);
    made.append(&mut values);
    Some(made)
}

/// What EXIF says of a picture.
#[derive(Debug, Default)]
pub(crate) struct Exif {
    main: Vec<Field>,
    camera: Vec<Field>,
    place: Vec<Field>,
}

impl Exif {
    /// EXIF of a block, or of a TIFF; `None` when there is none.
    pub(crate) fn of(file: &[u8]) -> Option<Self> {
        let first = Directory::first(file).ok()?;
        let mut left = MAX_BYTES;
        let mut take = |value: Value<'_>| {
            left = left.checked_sub(value.bytes.len())?;
            Field::of(&value)
        };
        let main = first.values().filter(|value| DESCRIBING.contains(&value.tag));
        let main = main.filter_map(&mut take).collect();
        let mut linked = |tag| -> Vec<Field> {
            let place = first.number(tag).and_then(|place| Directory::at(file, place).ok());
            let values = place.iter().flat_map(Directory::values);
            let values = values.filter(|value| value.tag != INTEROPERABILITY);
            values.filter_map(&mut take).collect()
        };
        let exif = Self {
            main,
            camera: linked(CAMERA),
            place: linked(PLACE),
        };
        let is_empty = exif.main.is_empty() && exif.camera.is_empty() && exif.place.is_empty();
        (!is_empty).then_some(exif)
    }

    /// Adds its fields to those of a first directory. Returns the directories that some of them refer to, which are to lie at
    /// `at`; `None` beyond 4 GiB.
    pub(crate) fn add_to(self, fields: &mut Vec<Field>, at: u32) -> Option<Vec<u8>> {
        let mut made = Vec::new();
        fields.extend(self.main);
        for (tag, linked) in [(CAMERA, self.camera), (PLACE, self.place)] {
            if !linked.is_empty() {
                let start = at.checked_add(u32::try_from(made.len()).ok()?)?;
                fields.push(Field::longs(tag, &[start]));
                made.append(&mut directory(&linked, start)?);
            }
        }
        Some(made)
    }

    /// A block of EXIF, which says that the picture is upright.
    pub(crate) fn block(self) -> Option<Vec<u8>> {
        let start = HEAD.len() as u32 + 4;
        let mut fields = vec![Field::shorts(tag::ORIENTATION, &[1])];
        let linked = self.add_to(&mut fields, start)?;
        let main = start + linked.len() as u32;
        Some([HEAD, &main.to_le_bytes(), &linked, &directory(&fields, main)?].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Model, and a camera's directory of one field, from the highest byte on.
    const BLOCK: &[u8] = b"MM\0*\0\0\0\x08\0\x03\x01\x10\0\x02\0\0\0\x02M\0\0\0\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\
        \x87\x69\0\x04\0\0\0\x01\0\0\0\x32\0\0\0\0\0\x01\x82\x9a\0\x05\0\0\0\x01\0\0\0\x44\0\0\0\0\0\0\0\x01\0\0\0\x7d";

    #[test]
    fn exif_is_written_in_our_byte_order_and_read_again() {
        let made = Exif::of(BLOCK).unwrap().block().unwrap();
        let first = Directory::first(&made).unwrap();
        assert_eq!(first.bytes(272), Some(&b"M\0"[..]));
        assert_eq!(first.number(tag::ORIENTATION), Some(1));
        let camera = Directory::at(&made, first.number(CAMERA).unwrap()).unwrap();
        assert_eq!(camera.bytes(33_434), Some(&[1, 0, 0, 0, 125, 0, 0, 0][..]));
        assert_eq!(Exif::of(&made).unwrap().block().unwrap(), made);
    }

    #[test]
    fn a_block_that_is_cut_off_gives_what_is_there() {
        for length in 0..BLOCK.len() {
            let _any = Exif::of(&BLOCK[..length]).and_then(Exif::block);
        }
        assert!(Exif::of(b"II*\0\x08\0\0\0\0\0\0\0\0\0").is_none());
    }

    #[test]
    fn a_directory_beyond_four_gigabytes_is_refused() {
        let long = Field::bytes(700, BYTE, vec![0; 9]);
        assert!(directory(std::slice::from_ref(&long), u32::MAX - 20).is_none());
        assert_eq!(directory(&[long], 8).unwrap().len(), 2 + 12 + 4 + 10);
    }
}
