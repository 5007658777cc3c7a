//! Decodes WebP with image-webp; of an animation the first frame, on its canvas.
//!
//! Frames of an animation are given to that library as pictures of their own and laid on the canvas here: it leaves what
//! was to be disposed of where it was, and darkens by a level what is blended.

use std::io::Cursor;

use image_webp::WebPDecoder;

use super::canvas::{Place, lay};
use super::frames::Frame;
use super::{broken, other_sides};
use crate::EngineError;
use crate::chunks::{RIFF_HEADER, append_webp, of_riff, of_webp};
use crate::pixels::{Channels, Image, Samples, zeros};
use crate::probe::{ColorModel, Header};

pub(super) const FORMAT: &str = "WebP";
/// For metadata, bytes; pixels come on top.
const METADATA_LIMIT: u64 = 8 * 1024 * 1024;
/// What an `ANMF` chunk begins with before the chunks of its picture (RFC 9649, section 2.7.1.1), bytes.
const FRAME_HEAD: usize = 16;

pub(super) fn decode(input: &[u8], header: &Header) -> Result<Image, EngineError> {
    let no_picture = || broken(FORMAT, has_end(input), &"it holds no picture");
    if of_webp(input).any(|chunk| chunk.kind == *b"ANMF") {
        let first = Animation::new(input, header)?.next()?;
        return first.map(|frame| frame.image).ok_or_else(no_picture);
    }
    let sides = (header.width, header.height);
    if of_webp(input).next().is_none_or(|first| first.kind != *b"VP8X") {
        return picture(decoder(input, sides)?, has_end(input));
    }
    // The picture alone: what else there is, or is said to be and is not, does not matter.
    let file = file_of(input.get(RIFF_HEADER..).unwrap_or_default(), sides).ok_or_else(no_picture)?;
    let image = picture(decoder(&file, sides)?, has_end(input))?;
    if header.color == ColorModel::Rgba {
        return image.try_widen(Channels::Rgba);
    }
    Ok(image)
}

/// Decodes a still picture.
fn picture(mut decoder: WebPDecoder<Cursor<&[u8]>>, has_end: bool) -> Result<Image, EngineError> {
    let (width, height) = decoder.dimensions();
    let channels = if decoder.has_alpha() {
        Channels::Rgba
    } else {
        Channels::Rgb
    };
    let mut samples = zeros(u64::from(width) * u64::from(height) * channels.count() as u64)?;
    decoder
        .read_image(&mut samples)
        .map_err(|error| broken(FORMAT, has_end, &error))?;
    Ok(Image {
        width,
        height,
        channels,
        samples: Samples::Eight(samples),
    })
}

/// A decoder that keeps to the sides that were declared.
fn decoder(input: &[u8], (width, height): (u32, u32)) -> Result<WebPDecoder<Cursor<&[u8]>>, EngineError> {
    let failed = |error: image_webp::DecodingError| broken(FORMAT, has_end(input), &error);
    let mut decoder = WebPDecoder::new(Cursor::new(input)).map_err(failed)?;
    let pixels = u64::from(width) * u64::from(height);
    decoder.set_memory_limit(usize::try_from(METADATA_LIMIT + pixels * 8).unwrap_or(usize::MAX));
    if decoder.dimensions() != (width, height) {
        return Err(other_sides(FORMAT));
    }
    Ok(decoder)
}

/// Whether the file is as long as its RIFF header says.
fn has_end(input: &[u8]) -> bool {
    let declared = input
        .get(4..8)
        .and_then(|size| size.first_chunk::<4>())
        .map_or(u64::MAX, |size| u64::from(u32::from_le_bytes(*size)) + 8);
    input.len() as u64 >= declared
}

/// The frames of an animation, laid on their canvas, which is see-through to begin with: the background that a file
/// names is for programs to heed or not (RFC 9649, section 2.7.1), and those that show WebP do not.
pub(crate) struct Animation<'a> {
    input: &'a [u8],
    /// Bodies of `ANMF` chunks to come; `None` for one that the file cuts off.
    frames: std::vec::IntoIter<Option<&'a [u8]>>,
    plays: u32,
    has_alpha: bool,
    width: u32,
    height: u32,
    /// Red, green, blue and alpha.
    canvas: Vec<u8>,
    /// What the frame that was shown last leaves see-through before the next one comes.
    disposed: Option<Place>,
}

impl<'a> Animation<'a> {
    pub(super) fn new(input: &'a [u8], header: &Header) -> Result<Self, EngineError> {
        let (mut frames, mut plays) = (Vec::new(), 0);
        for chunk in of_webp(input) {
            match (&chunk.kind, chunk.body) {
                (b"ANMF", body) => frames.push(body),
                (b"ANIM", Some([_, _, _, _, low, high, ..])) => plays = u16::from_le_bytes([*low, *high]).into(),
                _ => {}
            }
        }
        Ok(Self {
            input,
            frames: frames.into_iter(),
            plays,
            has_alpha: header.color == ColorModel::Rgba,
            width: header.width,
            height: header.height,
            canvas: zeros(header.pixels() * 4)?,
            disposed: None,
        })
    }

    /// How often all frames are shown; 0 for ever.
    pub(super) fn plays(&self) -> u32 {
        self.plays
    }

    pub(super) fn next(&mut self) -> Result<Option<Frame>, EngineError> {
        let Some(body) = self.frames.next() else {
            return Ok(None);
        };
        let Some((head, chunks)) = body.and_then(|body| body.split_first_chunk::<FRAME_HEAD>()) else {
            return Err(broken(FORMAT, has_end(self.input), &"a frame is too short"));
        };
        let number = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], 0]);
        let place = Place {
            left: number(0) * 2,
            top: number(3) * 2,
            width: number(6) + 1,
            height: number(9) + 1,
        };
        let (replaces, is_disposed) = (head[15] & 2 != 0, head[15] & 1 != 0);
        if !place.is_within(self.width, self.height) {
            return Err(broken(FORMAT, true, &"a frame leaves its canvas"));
        }
        let no_picture = || broken(FORMAT, has_end(self.input), &"a frame has no picture");
        let file = file_of(chunks, (place.width, place.height)).ok_or_else(no_picture)?;
        let frame = picture(decoder(&file, (place.width, place.height))?, has_end(self.input))?;
        let width = self.width as usize;
        if let Some(disposed) = self.disposed.take() {
            disposed.rows(&mut self.canvas, width, 4).for_each(|row| row.fill(0));
        }
        let Samples::Eight(samples) = &frame.samples else {
            return Err(EngineError::Internal("a WebP has more than 8 bits".into()));
        };
        match frame.channels {
            Channels::Rgba => lay((&mut self.canvas, width), samples, frame.channels, place, replaces),
            _ => {
                let lines = samples.chunks_exact(place.width as usize * 3);
                for (row, line) in place.rows(&mut self.canvas, width, 4).zip(lines) {
                    for (pixel, [red, green, blue]) in row.as_chunks_mut::<4>().0.iter_mut().zip(line.as_chunks().0) {
                        *pixel = [*red, *green, *blue, u8::MAX];
                    }
                }
            }
        }
        self.disposed = is_disposed.then_some(place);
        Ok(Some(Frame {
            image: self.shown()?,
            milliseconds: number(12),
        }))
    }

    /// The canvas as it is, in the channels that the file has.
    fn shown(&self) -> Result<Image, EngineError> {
        let channels = if self.has_alpha { Channels::Rgba } else { Channels::Rgb };
        let pixels = self.canvas.len() / 4;
        let mut samples = zeros((pixels * channels.count()) as u64)?;
        if self.has_alpha {
            samples.copy_from_slice(&self.canvas);
        } else {
            let shown = samples.as_chunks_mut::<3>().0.iter_mut();
            for (shown, [red, green, blue, _]) in shown.zip(self.canvas.as_chunks().0) {
                *shown = [*red, *green, *blue];
            }
        }
        Ok(Image {
            width: self.width,
            height: self.height,
            channels,
            samples: Samples::Eight(samples),
        })
    }
}

/// A file of one picture alone, of the chunks of a frame or a file; `None` where they have none that is whole.
fn file_of(chunks: &[u8], (width, height): (u32, u32)) -> Option<Vec<u8>> {
    /// That the picture has alpha.
    const ALPHA: u32 = 0x10;
    let (mut alpha, mut bits) = (None, None);
    for chunk in of_riff(chunks, 0) {
        match &chunk.kind {
            b"ALPH" => alpha = Some(chunk.body?),
            b"VP8 " | b"VP8L" => {
                bits = Some((chunk.kind, chunk.body?));
                break;
            }
            _ => {}
        }
    }
    let (kind, bits) = bits?;
    let mut file = b"RIFF\0\0\0\0WEBP".to_vec();
    if let Some(alpha) = alpha.filter(|_| kind == *b"VP8 ") {
        let sides = [width - 1, height - 1].map(u32::to_le_bytes);
        let mut head = ALPHA.to_le_bytes().to_vec();
        sides.iter().for_each(|side| head.extend_from_slice(&side[..3]));
        append_webp(&mut file, b"VP8X", &head);
        append_webp(&mut file, b"ALPH", alpha);
    }
    append_webp(&mut file, &kind, bits);
    let size = u32::try_from(file.len() - 8).ok()?;
    file[4..8].copy_from_slice(&size.to_le_bytes());
    Some(file)
}
