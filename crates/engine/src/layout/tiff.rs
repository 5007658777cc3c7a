//! The directories of a TIFF (TIFF 6.0, its Technical Notes, and BigTIFF): what the first picture is, and where its
//! pieces are.

use crate::EngineError;
use crate::exif::Orientation;
use crate::probe::ColorModel;

/// Byte order and width of offsets, as the first bytes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Order {
    is_big_endian: bool,
    /// BigTIFF: counts and offsets have 64 bits.
    is_big: bool,
}

/// Entries of a directory that are looked at; more than any has.
const MAX_ENTRIES: u64 = 2048;

pub(crate) mod tag {
    pub(crate) const SUBFILE: u16 = 254;
    pub(crate) const WIDTH: u16 = 256;
    pub(crate) const HEIGHT: u16 = 257;
    pub(crate) const BITS: u16 = 258;
    pub(crate) const COMPRESSION: u16 = 259;
    pub(crate) const PHOTOMETRIC: u16 = 262;
    pub(crate) const STRIP_OFFSETS: u16 = 273;
    pub(crate) const ORIENTATION: u16 = 274;
    pub(crate) const SAMPLES: u16 = 277;
    pub(crate) const ROWS_PER_STRIP: u16 = 278;
    pub(crate) const STRIP_BYTES: u16 = 279;
    pub(crate) const PLANAR: u16 = 284;
    pub(crate) const PREDICTOR: u16 = 317;
    pub(crate) const COLOR_MAP: u16 = 320;
    pub(crate) const TILE_WIDTH: u16 = 322;
    pub(crate) const TILE_HEIGHT: u16 = 323;
    pub(crate) const TILE_OFFSETS: u16 = 324;
    pub(crate) const TILE_BYTES: u16 = 325;
    pub(crate) const SUB_DIRECTORIES: u16 = 330;
    pub(crate) const EXTRA_SAMPLES: u16 = 338;
    pub(crate) const SAMPLE_FORMAT: u16 = 339;
    pub(crate) const JPEG_TABLES: u16 = 347;
    pub(crate) const XMP: u16 = 700;
    pub(crate) const ICC: u16 = 34_675;
    pub(crate) const DNG_VERSION: u16 = 50_706;
}

impl Order {
    /// As `II*\0`, `MM\0*` or one of BigTIFF's say; `None` for anything else.
    pub(crate) fn of(magic: &[u8]) -> Option<Self> {
        let (is_big_endian, is_big) = match magic.get(..4)? {
            b"II*\0" => (false, false),
            b"MM\0*" => (true, false),
            b"II+\0" => (false, true),
            b"MM\0+" => (true, true),
            _ => return None,
        };
        Some(Self { is_big_endian, is_big })
    }

    /// What follows the magic: where the first directory is, bytes.
    pub(crate) const fn head_bytes(self) -> usize {
        if self.is_big { 12 } else { 4 }
    }

    /// Where the first directory is, by the head.
    pub(crate) fn first_directory(self, head: &[u8]) -> u64 {
        self.number(&head[if self.is_big { 4 } else { 0 }..])
    }

    /// The number of entries that a directory begins with, bytes.
    pub(crate) const fn count_bytes(self) -> usize {
        if self.is_big { 8 } else { 2 }
    }

    /// The entries and the link of a directory, by its count, bytes.
    ///
    /// # Errors
    /// [`EngineError::Corrupt`] for a directory that is empty or absurdly long.
    pub(crate) fn body_bytes(self, count: &[u8]) -> Result<usize, EngineError> {
        let count = self.number(count);
        if !(1..=MAX_ENTRIES).contains(&count) {
            return Err(corrupt(&format!("has a directory of {count} entries")));
        }
        Ok(count as usize * self.entry_bytes() + self.offset_bytes())
    }

    const fn entry_bytes(self) -> usize {
        if self.is_big { 20 } else { 12 }
    }

    const fn offset_bytes(self) -> usize {
        if self.is_big { 8 } else { 4 }
    }

    /// All of `bytes`, at most 8 of them, as a number.
    fn number(self, bytes: &[u8]) -> u64 {
        let fold = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
        if self.is_big_endian {
            bytes.iter().fold(0, fold)
        } else {
            bytes.iter().rev().fold(0, fold)
        }
    }

    /// Of 16-bit samples in the file.
    pub(crate) const fn sample(self, pair: [u8; 2]) -> u16 {
        if self.is_big_endian {
            u16::from_be_bytes(pair)
        } else {
            u16::from_le_bytes(pair)
        }
    }
}

/// The value of an entry, as it is in the file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Value<'a> {
    pub(crate) tag: u16,
    /// What its numbers are.
    pub(crate) kind: u16,
    pub(crate) count: usize,
    pub(crate) bytes: &'a [u8],
    pub(crate) is_big_endian: bool,
    /// Bytes of a number.
    each: usize,
}

/// A directory as it is in the file.
#[derive(Debug, Clone)]
pub(crate) struct Directory<'a> {
    order: Order,
    /// Entries and link.
    body: &'a [u8],
    /// The whole file where it is at hand: values that do not fit into an entry are elsewhere in it.
    file: Option<&'a [u8]>,
}

impl<'a> Directory<'a> {
    /// The directory of that body, which is as long as [`Order::body_bytes`] says.
    pub(crate) fn new(order: Order, body: &'a [u8], file: Option<&'a [u8]>) -> Self {
        Self { order, body, file }
    }

    /// The first directory of a whole file.
    pub(crate) fn first(file: &'a [u8]) -> Result<Self, EngineError> {
        let order = Order::of(file).ok_or_else(|| corrupt("has no header"))?;
        let head = file.get(4..4 + order.head_bytes()).ok_or_else(cut_off)?;
        Self::at(file, order.first_directory(head))
    }

    /// The directory at that place of a whole file.
    pub(crate) fn at(file: &'a [u8], start: u64) -> Result<Self, EngineError> {
        let order = Order::of(file).ok_or_else(|| corrupt("has no header"))?;
        let start = usize::try_from(start).map_err(|_| cut_off())?;
        let rest = file.get(start..).ok_or_else(cut_off)?;
        let (count, rest) = rest.split_at_checked(order.count_bytes()).ok_or_else(cut_off)?;
        let body = rest.get(..order.body_bytes(count)?).ok_or_else(cut_off)?;
        Ok(Self::new(order, body, Some(file)))
    }

    pub(crate) const fn order(&self) -> Order {
        self.order
    }

    /// Whether another picture follows.
    pub(crate) fn has_next(&self) -> bool {
        let link = self.body.len() - self.order.offset_bytes();
        self.order.number(&self.body[link..]) != 0
    }

    fn entries(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        // The link is shorter than an entry.
        self.body.chunks_exact(self.order.entry_bytes())
    }

    fn entry(&self, tag: u16) -> Option<&'a [u8]> {
        self.entries()
            .find(|entry| self.order.number(&entry[..2]) == u64::from(tag))
    }

    /// The values of its entries, as far as they are at hand.
    pub(crate) fn values(&self) -> impl Iterator<Item = Value<'a>> {
        self.entries().filter_map(|entry| self.value_of(entry))
    }

    /// Whether the directory has that tag, be its value at hand or not.
    pub(crate) fn has(&self, tag: u16) -> bool {
        self.entry(tag).is_some()
    }

    /// What to say of a tag whose value is needed and not at hand: it is not there, or the file ends before it.
    pub(crate) fn lacks(&self, tag: u16, what: &str) -> EngineError {
        if self.has(tag) {
            cut_off()
        } else {
            corrupt(&format!("has no {what}"))
        }
    }

    fn value_of(&self, entry: &'a [u8]) -> Option<Value<'a>> {
        let number = |bytes| self.order.number(bytes);
        let kind = number(&entry[2..4]) as u16;
        let each = match kind {
            1 | 2 | 6 | 7 => 1,
            3 | 8 => 2,
            4 | 9 | 11 | 13 => 4,
            5 | 10 | 12 | 16 | 17 | 18 => 8,
            _ => return None,
        };
        let (count, place) = entry[4..].split_at(self.order.offset_bytes());
        let count = usize::try_from(number(count)).ok()?;
        let length = count.checked_mul(each)?;
        let bytes = if length <= place.len() {
            &place[..length]
        } else {
            let start = usize::try_from(number(place)).ok()?;
            self.file?.get(start..start.checked_add(length)?)?
        };
        Some(Value {
            tag: number(&entry[..2]) as u16,
            kind,
            count,
            bytes,
            is_big_endian: self.order.is_big_endian,
            each,
        })
    }

    fn value(&self, tag: u16) -> Option<Value<'a>> {
        self.value_of(self.entry(tag)?)
    }

    /// The bytes of a tag's value; `None` when there is none, or it is not at hand.
    pub(crate) fn bytes(&self, tag: u16) -> Option<&'a [u8]> {
        self.value(tag).map(|value| value.bytes)
    }

    /// The numbers of a tag's value; `None` when there is none, or it is not at hand.
    pub(crate) fn numbers(&self, tag: u16) -> Option<impl ExactSizeIterator<Item = u64> + use<'a>> {
        let order = self.order;
        let Value { bytes, each, .. } = self.value(tag)?;
        Some(bytes.chunks_exact(each).map(move |bytes| order.number(bytes)))
    }

    /// The first number of a tag's value.
    pub(crate) fn number(&self, tag: u16) -> Option<u64> {
        self.numbers(tag)?.next()
    }
}

/// How a pixel is to be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Photometric {
    WhiteIsZero,
    BlackIsZero,
    Rgb,
    Palette,
    Cmyk,
    YCbCr,
}

/// What a first directory says of its picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Picture {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Of a sample; `None` when the file would have to be looked into and is not at hand.
    pub(crate) bits: Option<u8>,
    /// In a pixel, with those that are neither colour nor alpha.
    pub(crate) samples: usize,
    pub(crate) photometric: Photometric,
    pub(crate) alpha: Alpha,
    /// Whether every channel is stored by itself.
    pub(crate) is_planar: bool,
    pub(crate) compression: u16,
    /// Whether samples are differences from their left neighbours.
    pub(crate) has_differences: bool,
    pub(crate) orientation: Orientation,
}

/// What the first extra sample is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alpha {
    None,
    /// Colours are multiplied by it.
    Premultiplied,
    Straight,
}

impl Picture {
    /// Reads what a directory says.
    ///
    /// # Errors
    /// [`EngineError::Unsupported`] for what is not read, a camera's raw file among it; [`EngineError::Corrupt`] for
    /// what cannot be.
    pub(crate) fn of(directory: &Directory<'_>) -> Result<Self, EngineError> {
        let number = |tag, default| directory.number(tag).unwrap_or(default);
        let is_thumbnail = number(tag::SUBFILE, 0) & 1 == 1 && directory.number(tag::SUB_DIRECTORIES).is_some();
        if directory.bytes(tag::DNG_VERSION).is_some() || is_thumbnail {
            return Err(unsupported("a camera's raw file"));
        }
        let side =
            |tag| u32::try_from(number(tag, 0)).map_err(|_| corrupt("declares a side that is longer than any may be"));
        let photometric = match number(tag::PHOTOMETRIC, u64::MAX) {
            0 => Photometric::WhiteIsZero,
            1 => Photometric::BlackIsZero,
            2 => Photometric::Rgb,
            3 => Photometric::Palette,
            5 => Photometric::Cmyk,
            6 => Photometric::YCbCr,
            32_803 | 34_892 => return Err(unsupported("a camera's raw file")),
            u64::MAX => return Err(corrupt("does not say what its pixels are")),
            other => return Err(unsupported(&format!("a TIFF of photometric interpretation {other}"))),
        };
        let samples = number(tag::SAMPLES, 1);
        let color = photometric.color_samples() as u64;
        if !(color..=color + 8).contains(&samples) {
            return Err(corrupt(&format!(
                "declares {samples} samples a pixel, {color} of them colour"
            )));
        }
        let alpha = match number(tag::EXTRA_SAMPLES, 0) {
            _ if samples == color => Alpha::None,
            // Old writers do not say what a fourth sample is.
            _ if photometric == Photometric::Rgb && samples == 4 && !directory.has(tag::EXTRA_SAMPLES) => {
                Alpha::Straight
            }
            1 => Alpha::Premultiplied,
            2 => Alpha::Straight,
            _ => Alpha::None,
        };
        let compression = compression(number(tag::COMPRESSION, 1))?;
        let has_predictor = matches!(
            compression,
            compression::LZW | compression::DEFLATE | compression::OLD_DEFLATE
        );
        let picture = Self {
            width: side(tag::WIDTH)?,
            height: side(tag::HEIGHT)?,
            bits: bits(directory, samples)?,
            samples: samples as usize,
            photometric,
            alpha,
            is_planar: number(tag::PLANAR, 1) == 2 && samples > 1,
            compression,
            has_differences: match number(tag::PREDICTOR, 1) {
                // Other ways to pack have none, whatever the file says (TIFF 6.0, section 14).
                _ if !has_predictor => false,
                1 => false,
                2 => true,
                _ => return Err(unsupported("a TIFF of floating-point differences")),
            },
            orientation: u32::try_from(number(tag::ORIENTATION, 1))
                .ok()
                .and_then(Orientation::from_exif)
                .unwrap_or_default(),
        };
        let is_known = |allowed: &[u8]| picture.bits.is_none_or(|bits| allowed.contains(&bits));
        let is_read = match photometric {
            Photometric::WhiteIsZero | Photometric::BlackIsZero => is_known(&[1, 2, 4, 8, 16]),
            Photometric::Palette => is_known(&[1, 2, 4, 8]),
            Photometric::Rgb | Photometric::Cmyk => is_known(&[8, 16]),
            Photometric::YCbCr => is_known(&[8]),
        };
        if !is_read {
            let bits = picture.bits.unwrap_or_default();
            return Err(unsupported(&format!("a TIFF of this kind with {bits} bits a sample")));
        }
        Ok(picture)
    }

    /// What a pixel is made of, once decoded.
    pub(crate) const fn color(&self) -> ColorModel {
        let has_alpha = !matches!(self.alpha, Alpha::None);
        match self.photometric {
            Photometric::WhiteIsZero | Photometric::BlackIsZero if has_alpha => ColorModel::GrayAlpha,
            Photometric::WhiteIsZero | Photometric::BlackIsZero => ColorModel::Gray,
            Photometric::Rgb | Photometric::Palette if has_alpha => ColorModel::Rgba,
            Photometric::Rgb | Photometric::Palette => ColorModel::Rgb,
            Photometric::Cmyk => ColorModel::Cmyk { inverted: false },
            Photometric::YCbCr => ColorModel::YCbCr,
        }
    }

    /// What is unpacked of it at a time: the largest strip or tile, and of a JPEG, which may be a progressive one, its
    /// file and its coefficients too, bytes.
    pub(crate) fn unpacked_bytes(&self, directory: &Directory<'_>) -> u64 {
        /// Of a coefficient.
        const COEFFICIENT_BYTES: u64 = 2;
        let (width, height) = Piece::of(directory, self.width, self.height).sides();
        let samples = if self.is_planar { 1 } else { self.samples as u64 };
        // More than any picture has is refused before anything is unpacked.
        let samples = u64::from(width)
            .saturating_mul(u64::from(height))
            .saturating_mul(samples);
        let bits = u64::from(self.bits.unwrap_or(16));
        let each = samples.saturating_mul(bits).div_ceil(8);
        match self.compression {
            compression::JPEG => each.saturating_add(samples.saturating_mul(COEFFICIENT_BYTES + 1)),
            _ => each,
        }
    }

    /// Whether samples have 16 bits once decoded; supposed to where the header alone does not tell.
    pub(crate) fn is_sixteen_bit(&self) -> bool {
        let can_be = !matches!(self.photometric, Photometric::Palette | Photometric::YCbCr);
        self.bits.map_or(can_be, |bits| bits == 16)
    }
}

impl Photometric {
    /// Samples of colour in a pixel.
    pub(crate) const fn color_samples(self) -> usize {
        match self {
            Self::WhiteIsZero | Self::BlackIsZero | Self::Palette => 1,
            Self::Rgb | Self::YCbCr => 3,
            Self::Cmyk => 4,
        }
    }
}

/// What a picture is stored as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Its sides, pixels; one at an edge goes on beyond the picture.
    Tile(u32, u32),
    /// All of the width, and so many rows; the last ends where the picture does.
    Strip(u32, u32),
}

impl Piece {
    pub(crate) fn of(directory: &Directory<'_>, width: u32, height: u32) -> Self {
        let side = |tag| directory.number(tag).and_then(|side| u32::try_from(side).ok());
        match side(tag::TILE_WIDTH).zip(side(tag::TILE_HEIGHT)) {
            Some((width, height)) => Self::Tile(width, height),
            None => Self::Strip(width, side(tag::ROWS_PER_STRIP).unwrap_or(u32::MAX).min(height)),
        }
    }

    /// Width and height, pixels.
    pub(crate) const fn sides(self) -> (u32, u32) {
        match self {
            Self::Tile(width, height) | Self::Strip(width, height) => (width, height),
        }
    }
}

fn bits(directory: &Directory<'_>, samples: u64) -> Result<Option<u8>, EngineError> {
    let formats = directory.numbers(tag::SAMPLE_FORMAT);
    if formats.is_some_and(|mut formats| formats.any(|format| !matches!(format, 1 | 4))) {
        return Err(unsupported("a TIFF of signed or floating-point samples"));
    }
    let Some(mut all) = directory.numbers(tag::BITS) else {
        // One value always fits into its entry; if there is none, a sample is a bit.
        return Ok((samples == 1).then_some(1));
    };
    let first = all.next().unwrap_or(1);
    if all.any(|other| other != first) {
        return Err(unsupported("a TIFF whose channels differ in their bits"));
    }
    Ok(Some(u8::try_from(first).unwrap_or(u8::MAX)))
}

pub(crate) mod compression {
    pub(crate) const NONE: u16 = 1;
    pub(crate) const LZW: u16 = 5;
    pub(crate) const JPEG: u16 = 7;
    pub(crate) const DEFLATE: u16 = 8;
    pub(crate) const OLD_DEFLATE: u16 = 32_946;
    pub(crate) const GROUP_4: u16 = 4;
    pub(crate) const PACK_BITS: u16 = 32_773;
}

fn compression(number: u64) -> Result<u16, EngineError> {
    use self::compression::{DEFLATE, GROUP_4, JPEG, LZW, NONE, OLD_DEFLATE, PACK_BITS};
    match u16::try_from(number) {
        Ok(known @ (NONE | LZW | JPEG | DEFLATE | OLD_DEFLATE | GROUP_4 | PACK_BITS)) => Ok(known),
        _ => Err(unsupported(&format!("a TIFF of compression {number}"))),
    }
}

pub(crate) fn cut_off() -> EngineError {
    EngineError::Truncated("the file ends before its TIFF picture does".into())
}

pub(crate) fn corrupt(how: &str) -> EngineError {
    EngineError::Corrupt(format!("the TIFF {how}"))
}

pub(crate) fn unsupported(what: &str) -> EngineError {
    EngineError::Unsupported(format!(
        "{what} is not read; TIFF of gray, palette, RGB, CMYK or YCbCr is, with 1, 2, 4, 8 or 16 bits a sample, packed \
         with LZW, Deflate, PackBits, JPEG or as fax of group 4"
    ))
}
