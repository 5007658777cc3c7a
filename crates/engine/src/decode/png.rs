//! Decodes PNG with the png crate: palettes, low depths and transparent colours become whole samples, 16 bits stay. Where
//! luma is all that is wanted, colour is given up row by row.

use std::io::{self, BufRead, Read, Seek, SeekFrom};

use ::png::{BitDepth, ColorType, Decoder, Limits, Transformations};
use bytemuck::Pod;

use super::frames::Apng;
use super::{broken, other_sides, rows_or_stop};
use crate::EngineError;
use crate::chunks;
use crate::mill::Control;
use crate::pixels::{Channels, Image, Samples, zeros};
use crate::plan::{DecodeChannels, DecodePlan};
use crate::probe::Header;
use crate::steps;

pub(super) const FORMAT: &str = "PNG";
/// For palettes and metadata; rows and pixels come on top, bytes.
const METADATA_LIMIT: u64 = 8 * 1024 * 1024;

pub(super) type Reader<'a> = ::png::Reader<Source<'a>>;

/// A file without its `cICP`: no sample depends on it, and of one that is invalid (W3C PNG, third edition, 11.3.2.6), which
/// browsers ignore, the png crate (0.18) would refuse the file.
pub(super) struct Source<'a> {
    /// What is left of the chunk at hand.
    chunk: &'a [u8],
    behind: &'a [u8],
}

impl<'a> Source<'a> {
    fn new(input: &'a [u8]) -> Self {
        let (chunk, behind) = input.split_at(input.len().min(chunks::PNG_SIGNATURE));
        Self { chunk, behind }
    }
}

impl BufRead for Source<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.chunk.is_empty() && !self.behind.is_empty() {
            let (kind, chunk, behind) = chunks::split_png(self.behind);
            self.behind = behind;
            if kind != Some(b"cICP") {
                self.chunk = chunk;
            }
        }
        Ok(self.chunk)
    }

    fn consume(&mut self, count: usize) {
        self.chunk = &self.chunk[count..];
    }
}

impl Read for Source<'_> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(target)?;
        self.consume(count);
        Ok(count)
    }
}

/// The decoder asks for it, and goes forwards alone.
impl Seek for Source<'_> {
    fn seek(&mut self, _to: SeekFrom) -> io::Result<u64> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

pub(super) fn decode(
    input: &[u8],
    header: &Header,
    plan: &DecodePlan,
    control: &dyn Control,
) -> Result<Image, EngineError> {
    if header.frames > 1 {
        let first = Apng::new(input, header)?.next()?;
        let no_frame = || broken(FORMAT, has_end(input), &"its animation has no frame");
        return first.map(|frame| frame.image).ok_or_else(no_frame);
    }
    let mut reader = reader(input, header)?;
    if plan.channels == DecodeChannels::Luma {
        return luma(&mut reader, input, header, control);
    }
    let mut image = blank(&reader, header)?;
    next_frame(&mut reader, &mut image.samples).map_err(|error| broken(FORMAT, has_end(input), &error))?;
    Ok(image)
}

/// Luma of red, green and blue, row by row as they are unpacked: colour is never held as a whole.
fn luma(reader: &mut Reader<'_>, input: &[u8], header: &Header, control: &dyn Control) -> Result<Image, EngineError> {
    let (color, depth) = reader.output_color_type();
    if color != ColorType::Rgb {
        return Err(EngineError::Internal(format!("luma was planned of a PNG of {color:?}")));
    }
    Ok(Image {
        width: header.width,
        height: header.height,
        channels: Channels::Gray,
        samples: match depth {
            BitDepth::Sixteen => Samples::Sixteen(luma_of_rows(reader, u16::from_be, input, header, control)?),
            BitDepth::One | BitDepth::Two | BitDepth::Four | BitDepth::Eight => {
                Samples::Eight(luma_of_rows(reader, u8::from_be, input, header, control)?)
            }
        },
    })
}

fn luma_of_rows<T: Pod + Into<u32> + TryFrom<u32> + Default>(
    reader: &mut Reader<'_>,
    from_big_endian: impl Fn(T) -> T,
    input: &[u8],
    header: &Header,
    control: &dyn Control,
) -> Result<Vec<T>, EngineError> {
    let broken = |error: ::png::DecodingError| broken(FORMAT, has_end(input), &error);
    let mut samples = zeros(header.pixels())?;
    let width = header.width as usize;
    let mut line = vec![T::default(); 3 * width];
    for (row, luma) in samples.chunks_exact_mut(width).enumerate() {
        rows_or_stop(row, header.width, control)?;
        reader.read_row(bytemuck::cast_slice_mut(&mut line)).map_err(broken)?;
        line.iter_mut().for_each(|sample| *sample = from_big_endian(*sample));
        steps::luma_of_row(&line, luma);
    }
    // Once more, for what follows the last row: it is where data is found to be missing or damaged.
    reader.read_row(bytemuck::cast_slice_mut(&mut line)).map_err(broken)?;
    Ok(samples)
}

/// A reader that keeps to the sides of the header.
pub(super) fn reader<'a>(input: &'a [u8], header: &Header) -> Result<Reader<'a>, EngineError> {
    // Two rows of the longest pixels there are.
    let rows = u64::from(header.width) * 16;
    let mut decoder = Decoder::new_with_limits(
        Source::new(input),
        Limits {
            bytes: usize::try_from(METADATA_LIMIT + rows).unwrap_or(usize::MAX),
        },
    );
    decoder.set_transformations(Transformations::EXPAND);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let reader = decoder
        .read_info()
        .map_err(|error| broken(FORMAT, has_end(input), &error))?;
    if (reader.info().width, reader.info().height) != (header.width, header.height) {
        return Err(other_sides(FORMAT));
    }
    Ok(reader)
}

/// A picture of zeros, of the kind that the reader yields.
pub(super) fn blank(reader: &Reader<'_>, header: &Header) -> Result<Image, EngineError> {
    let (color, depth) = reader.output_color_type();
    let channels = match color {
        ColorType::Grayscale => Channels::Gray,
        ColorType::GrayscaleAlpha => Channels::GrayAlpha,
        ColorType::Rgb => Channels::Rgb,
        ColorType::Rgba => Channels::Rgba,
        ColorType::Indexed => {
            return Err(EngineError::Internal("a palette was not expanded".into()));
        }
    };
    let count = header.pixels() * channels.count() as u64;
    Ok(Image {
        width: header.width,
        height: header.height,
        channels,
        samples: match depth {
            BitDepth::Sixteen => Samples::Sixteen(zeros(count)?),
            BitDepth::One | BitDepth::Two | BitDepth::Four | BitDepth::Eight => Samples::Eight(zeros(count)?),
        },
    })
}

/// Reads the next frame into the first of `samples`.
pub(super) fn next_frame(reader: &mut Reader<'_>, samples: &mut Samples) -> Result<(), ::png::DecodingError> {
    match samples {
        Samples::Sixteen(samples) => {
            reader.next_frame(bytemuck::cast_slice_mut(samples))?;
            for sample in samples {
                *sample = u16::from_be(*sample);
            }
        }
        Samples::Eight(samples) => {
            reader.next_frame(samples)?;
        }
    }
    Ok(())
}

pub(super) fn has_end(input: &[u8]) -> bool {
    chunks::of_png(input).any(|chunk| chunk.kind == *b"IEND")
}
