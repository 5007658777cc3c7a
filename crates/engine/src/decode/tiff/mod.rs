//! Decodes the first picture of a TIFF with code of our own, strip by strip or tile by tile.
//!
//! The tiff crate reads no palettes, allocates what a JPEG within declares, and brings a third of a minute of
//! dependencies.

mod color;
mod unpack;

use self::unpack::Unpacker;
use super::cut_off;
use crate::EngineError;
use crate::layout::tiff::{
    Alpha, Directory, Order, Photometric, Picture, Piece, compression, corrupt, tag, unsupported,
};
use crate::metadata;
use crate::mill::Control;
use crate::pixels::{Image, Sample, Samples, zeros};
use crate::probe::{Header, Profile};
use crate::profile;

const FORMAT: &str = "TIFF";
/// A tile may be larger than its picture, but no larger than this then, pixels.
const TILE_MAX_PIXELS: u64 = 1024 * 1024;
const FILL_ORDER: u16 = 266;
const SUBSAMPLING: u16 = 530;

pub(super) fn decode(input: &[u8], header: &Header, control: &dyn Control) -> Result<Image, EngineError> {
    let directory = Directory::first(input)?;
    let picture = Picture::of(&directory)?;
    if (picture.width, picture.height) != (header.width, header.height) {
        return Err(super::other_sides(FORMAT));
    }
    let Some(bits) = picture.bits else {
        return Err(directory.lacks(tag::BITS, "number of bits"));
    };
    if directory.number(FILL_ORDER) == Some(2) {
        return Err(unsupported("a TIFF whose bits are in reverse"));
    }
    let is_subsampled = picture.photometric == Photometric::YCbCr
        && picture.compression != compression::JPEG
        && !directory
            .numbers(SUBSAMPLING)
            .is_some_and(|mut by| by.all(|by| by == 1));
    if is_subsampled || picture.is_planar && picture.compression == compression::JPEG {
        return Err(unsupported(
            "a TIFF of subsampled colour that is no JPEG, or of a JPEG for every channel",
        ));
    }
    if picture.has_differences && bits < 8 {
        return Err(corrupt("has differences of less than a byte"));
    }
    let pieces = Pieces::of(&directory, &picture, bits)?;
    let kept = picture.photometric.color_samples() + usize::from(has_alpha(&picture));
    let count = header.pixels() * kept as u64;
    let inks = (header.profile == Profile::Inks).then(|| metadata::icc(header.format, input).unwrap_or_default());
    let samples = if bits == 16 {
        let mut raw = zeros::<u16>(count)?;
        pieces.read(input, &directory, &mut raw, kept, control)?;
        match inks {
            Some(icc) => profile::inks_to_srgb(&Samples::Sixteen(raw), header.width, &icc, control)?,
            None => Samples::Sixteen(color::finish(raw, &picture, bits, &directory)?),
        }
    } else {
        let mut raw = zeros::<u8>(count)?;
        pieces.read(input, &directory, &mut raw, kept, control)?;
        match inks {
            Some(icc) => profile::inks_to_srgb(&Samples::Eight(raw), header.width, &icc, control)?,
            None => Samples::Eight(color::finish(raw, &picture, bits, &directory)?),
        }
    };
    Ok(Image {
        width: header.width,
        height: header.height,
        channels: color::channels(&picture),
        samples,
    })
}

/// Whether alpha is kept: beside inks it is not.
fn has_alpha(picture: &Picture) -> bool {
    let can_be = matches!(
        picture.photometric,
        Photometric::WhiteIsZero | Photometric::BlackIsZero | Photometric::Rgb | Photometric::Palette
    );
    can_be && picture.alpha != Alpha::None
}

/// Where the pieces of a picture are: strips, or tiles.
struct Pieces {
    picture: Picture,
    bits: usize,
    order: Order,
    /// Sides of a piece, pixels; those of a strip end where the picture does.
    width: u32,
    height: u32,
    is_tiled: bool,
    offsets: Vec<u64>,
    /// `None` where a writer of old has not said it: pixels that are not packed take what they take, and of packed ones there is
    /// but one piece, which says itself where it ends.
    bytes: Option<Vec<u64>>,
}

impl Pieces {
    fn of(directory: &Directory<'_>, picture: &Picture, bits: u8) -> Result<Self, EngineError> {
        let piece = Piece::of(directory, picture.width, picture.height);
        let ((width, height), is_tiled) = (piece.sides(), matches!(piece, Piece::Tile(..)));
        if width == 0 || height == 0 {
            return Err(corrupt("has pieces without pixels"));
        }
        let pixels = u64::from(width) * u64::from(height);
        let largest = TILE_MAX_PIXELS.max(2 * u64::from(picture.width) * u64::from(picture.height));
        if pixels > largest {
            return Err(corrupt(&format!(
                "has tiles of {width} x {height} pixels, larger than itself"
            )));
        }
        let (offsets, lengths) = if is_tiled {
            (tag::TILE_OFFSETS, tag::TILE_BYTES)
        } else {
            (tag::STRIP_OFFSETS, tag::STRIP_BYTES)
        };
        let places = directory.numbers(offsets);
        let offsets: Vec<u64> = places.ok_or_else(|| directory.lacks(offsets, "pixels"))?.collect();
        let bytes: Option<Vec<u64>> = directory.numbers(lengths).map(Iterator::collect);
        if bytes.is_none() && directory.has(lengths) {
            return Err(cut_off(FORMAT));
        }
        let planes = if picture.is_planar { picture.samples } else { 1 };
        let needed = u64::from(picture.width.div_ceil(width)) * u64::from(picture.height.div_ceil(height));
        let needed = needed * planes as u64;
        let has_all = |list: &[u64]| list.len() as u64 >= needed;
        let is_told = bytes
            .as_deref()
            .map_or(picture.compression == compression::NONE || needed == 1, has_all);
        if !has_all(&offsets) || !is_told {
            return Err(corrupt("does not say where all of its pieces are"));
        }
        Ok(Self {
            picture: *picture,
            bits: bits.into(),
            order: directory.order(),
            width,
            height,
            is_tiled,
            offsets,
            bytes,
        })
    }

    /// Reads every piece into `raw`, which has `kept` samples a pixel, as they are stored.
    fn read<T: Sample>(
        &self,
        input: &[u8],
        directory: &Directory<'_>,
        raw: &mut [T],
        kept: usize,
        control: &dyn Control,
    ) -> Result<(), EngineError> {
        let (planes, in_piece) = if self.picture.is_planar {
            (kept, 1)
        } else {
            (1, self.picture.samples)
        };
        let unpacker = Unpacker::new(directory, &self.picture, in_piece, self.height)?;
        let across = self.picture.width.div_ceil(self.width);
        let each = across * self.picture.height.div_ceil(self.height);
        let row_bytes = (self.width as usize * in_piece * self.bits).div_ceil(8);
        let mut unpacked = zeros::<u8>(row_bytes as u64 * u64::from(self.height))?;
        for plane in 0..planes {
            for piece in 0..each {
                if control.should_stop() {
                    return Err(EngineError::Stopped);
                }
                let (left, top) = (piece % across * self.width, piece / across * self.height);
                let rows = if self.is_tiled {
                    self.height
                } else {
                    self.height.min(self.picture.height - top)
                };
                let packed = self.packed(input, plane * each as usize + piece as usize)?;
                let bytes = &mut unpacked[..row_bytes * rows as usize];
                if !unpacker.unpack(packed, self.width, rows, bytes)? {
                    return Err(match self.bytes {
                        None => cut_off(FORMAT),
                        Some(_) => corrupt("is damaged: a piece holds fewer pixels than it should"),
                    });
                }
                let seen = rows.min(self.picture.height - top);
                let columns = self.width.min(self.picture.width - left) as usize;
                for (y, row) in (top..top + seen).zip(bytes.chunks_exact_mut(row_bytes)) {
                    if self.picture.has_differences {
                        self.sum(row, in_piece);
                    }
                    let start = (y as usize * self.picture.width as usize + left as usize) * kept;
                    let line = &mut raw[start..start + columns * kept];
                    self.keep(row, in_piece, plane, line, kept);
                }
            }
        }
        Ok(())
    }

    fn packed<'a>(&self, input: &'a [u8], piece: usize) -> Result<&'a [u8], EngineError> {
        let start = usize::try_from(self.offsets[piece]).unwrap_or(usize::MAX);
        let rest = input.get(start..).ok_or_else(|| cut_off(FORMAT))?;
        match &self.bytes {
            None => Ok(rest),
            Some(bytes) => {
                let length = usize::try_from(bytes[piece]).unwrap_or(usize::MAX);
                rest.get(..length).ok_or_else(|| cut_off(FORMAT))
            }
        }
    }

    /// Makes samples of what are differences from the pixel to the left.
    fn sum(&self, row: &mut [u8], in_piece: usize) {
        if self.bits == 8 {
            for at in in_piece..row.len() {
                row[at] = row[at].wrapping_add(row[at - in_piece]);
            }
            return;
        }
        let pairs = row.as_chunks_mut::<2>().0;
        for at in in_piece..pairs.len() {
            let sum = self
                .order
                .sample(pairs[at])
                .wrapping_add(self.order.sample(pairs[at - in_piece]));
            // The order is its own inverse.
            pairs[at] = self.order.sample(sum.to_ne_bytes()).to_ne_bytes();
        }
    }

    /// Takes the samples that are kept out of a row as it is stored.
    fn keep<T: Sample>(&self, row: &[u8], in_piece: usize, plane: usize, line: &mut [T], kept: usize) {
        for (x, pixel) in line.chunks_exact_mut(kept).enumerate() {
            if self.picture.is_planar {
                pixel[plane] = self.sample(row, x);
            } else {
                for (index, sample) in pixel.iter_mut().enumerate() {
                    *sample = self.sample(row, x * in_piece + index);
                }
            }
        }
    }

    fn sample<T: Sample>(&self, row: &[u8], index: usize) -> T {
        T::whole(match self.bits {
            8 => row[index].into(),
            16 => self.order.sample([row[index * 2], row[index * 2 + 1]]).into(),
            bits => {
                let at = index * bits;
                u32::from(row[at / 8]) >> (8 - bits - at % 8) & ((1 << bits) - 1)
            }
        })
    }
}
