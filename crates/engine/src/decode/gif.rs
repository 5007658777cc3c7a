//! Decodes GIF with the gif crate, and lays every frame on the screen as it is to be seen.

use std::io::Cursor;
use std::num::NonZeroU64;

use ::gif::streaming_decoder::{Block, Decoded, OutputBuffer, StreamingDecoder};
use ::gif::{AnyExtension, DecodeOptions, Decoder, DecodingError, DisposalMethod, Extension, MemoryLimit};

use super::broken;
use super::canvas::Place;
use crate::EngineError;
use crate::mill::Control;
use crate::pixels::{Channels, Image, Samples, zeros};
use crate::probe::{ColorModel, Header, Prober};

const FORMAT: &str = "GIF";
/// What of metadata the decoder keeps; the pixels of a frame are counted here, bytes.
const METADATA_LIMIT: NonZeroU64 = NonZeroU64::new(8 * 1024 * 1024).unwrap();
/// A frame may be larger than its screen, but no larger than this then, pixels.
const FRAME_MAX_PIXELS: usize = 1024 * 1024;
/// The extensions that say how often all frames are shown, the same in all but name.
const REPEATS: [&[u8]; 2] = [b"NETSCAPE2.0", b"ANIMEXTS1.0"];
/// See-through black.
const BARE: [u8; 4] = [0; 4];

pub(super) fn decode(input: &[u8], header: &Header, control: &dyn Control) -> Result<Image, EngineError> {
    let mut frames = Frames::new(input, header)?;
    match frames.next(control)? {
        Some(image) => Ok(image),
        None => Err(broken(FORMAT, has_end(input), &"it holds no picture")),
    }
}

/// The frames of a GIF, one after the other.
pub(crate) struct Frames<'a> {
    input: &'a [u8],
    decoder: Decoder<Cursor<&'a [u8]>>,
    width: usize,
    has_alpha: bool,
    /// What is to be seen, red, green, blue and alpha.
    screen: Vec<[u8; 4]>,
    /// Indices of the frame at hand.
    indices: Vec<u8>,
    /// What becomes of the frame that was shown last.
    disposal: Disposal,
    milliseconds: u32,
}

/// What is done before the next frame is drawn.
enum Disposal {
    Keep,
    Wipe(Place),
    Restore(Place, Vec<[u8; 4]>),
}

impl<'a> Frames<'a> {
    pub(super) fn new(input: &'a [u8], header: &Header) -> Result<Self, EngineError> {
        let mut options = DecodeOptions::new();
        options.set_memory_limit(MemoryLimit::Bytes(METADATA_LIMIT));
        let decoder = options
            .read_info(Cursor::new(input))
            .map_err(|error| damaged(input, &error))?;
        Ok(Self {
            input,
            decoder,
            width: header.width as usize,
            has_alpha: header.color == ColorModel::Rgba,
            screen: zeros(header.pixels())?,
            indices: Vec::new(),
            disposal: Disposal::Keep,
            milliseconds: 0,
        })
    }

    /// The next frame on its screen; `None` after the last.
    pub(super) fn next(&mut self, control: &dyn Control) -> Result<Option<Image>, EngineError> {
        if control.should_stop() {
            return Err(EngineError::Stopped);
        }
        let input = self.input;
        let failed = |error: DecodingError| damaged(input, &error);
        let Some(frame) = self.decoder.next_frame_info().map_err(failed)? else {
            return Ok(None);
        };
        let place = Place {
            left: frame.left.into(),
            top: frame.top.into(),
            width: frame.width.into(),
            height: frame.height.into(),
        };
        let (method, transparent, is_interlaced) = (frame.dispose, frame.transparent, frame.interlaced);
        let milliseconds = u32::from(frame.delay) * 10;
        let (width, height) = self.sides();
        if self.decoder.buffer_size() > self.screen.len().max(FRAME_MAX_PIXELS) {
            return Err(broken(FORMAT, true, &"a frame is far larger than its screen"));
        }
        let seen = place.clipped(width, height);
        self.indices.clear();
        self.indices.resize(self.decoder.buffer_size(), 0);
        // All at once, in the order of the file: by rows an interlaced one that ends with a long code is called cut off (weezl 0.1).
        if !self.decoder.fill_buffer(&mut self.indices).map_err(failed)? && !self.indices.is_empty() {
            return Err(broken(FORMAT, has_end(input), &"image truncated"));
        }
        let mut colors = [[0, 0, 0, 255]; 256];
        let palette = self.decoder.palette().map_err(failed)?;
        for (color, entry) in colors.iter_mut().zip(palette.as_chunks::<3>().0) {
            color[..3].copy_from_slice(entry);
        }
        self.dispose();
        if method == DisposalMethod::Previous {
            let before = self.rows(seen).flat_map(|row| row.to_vec()).collect();
            self.disposal = Disposal::Restore(seen, before);
        } else if method == DisposalMethod::Background {
            self.disposal = Disposal::Wipe(seen);
        }
        let indices = std::mem::take(&mut self.indices);
        let width = place.width as usize;
        for (y, row) in self.rows(seen).enumerate() {
            let stored = if is_interlaced {
                stored_row(y, place.height as usize)
            } else {
                y
            };
            let line = &indices[stored * width..(stored + 1) * width];
            for (pixel, index) in row.iter_mut().zip(line) {
                if transparent != Some(*index) {
                    *pixel = colors[usize::from(*index)];
                }
            }
        }
        self.indices = indices;
        self.milliseconds = milliseconds;
        self.seen().map(Some)
    }

    /// How long the frame that was given last is to be seen.
    pub(super) const fn milliseconds(&self) -> u32 {
        self.milliseconds
    }

    /// How often all frames are shown; 0 for ever. A file says how often they are repeated, before its frames or behind
    /// them; the last to say so counts.
    pub(super) fn plays(&self) -> u32 {
        let (mut decoder, mut rest) = (StreamingDecoder::new(), self.input);
        let (mut plays, mut is_repeats) = (1, false);
        while !rest.is_empty()
            && let Ok((read, decoded)) = decoder.update(rest, &mut OutputBuffer::None)
        {
            rest = &rest[read..];
            match decoded {
                Decoded::SubBlock { ext, is_last } if ext == AnyExtension(Extension::Application as u8) => {
                    match *decoder.last_ext_sub_block() {
                        [1, low, high] if is_repeats => {
                            let repeats = u16::from_le_bytes([low, high]);
                            plays = if repeats == 0 { 0 } else { u32::from(repeats) + 1 };
                        }
                        ref name => is_repeats = REPEATS.contains(&name),
                    }
                    is_repeats &= !is_last;
                }
                Decoded::BlockStart(Block::Trailer) => break,
                _ => {}
            }
        }
        plays
    }

    fn rows(&mut self, place: Place) -> impl Iterator<Item = &mut [[u8; 4]]> {
        place.rows(&mut self.screen, self.width, 1)
    }

    /// Width and height of the screen.
    fn sides(&self) -> (u32, u32) {
        (self.width as u32, (self.screen.len() / self.width) as u32)
    }

    fn dispose(&mut self) {
        match std::mem::replace(&mut self.disposal, Disposal::Keep) {
            Disposal::Keep => {}
            Disposal::Wipe(place) => self.rows(place).for_each(|row| row.fill(BARE)),
            Disposal::Restore(place, before) => {
                for (row, before) in self.rows(place).zip(before.chunks_exact(place.width.max(1) as usize)) {
                    row.copy_from_slice(before);
                }
            }
        }
    }

    /// A picture of the screen.
    fn seen(&self) -> Result<Image, EngineError> {
        let channels = if self.has_alpha { Channels::Rgba } else { Channels::Rgb };
        let count = channels.count();
        let mut samples = zeros::<u8>(self.screen.len() as u64 * count as u64)?;
        for (to, from) in samples.chunks_exact_mut(count).zip(&self.screen) {
            to.copy_from_slice(&from[..count]);
        }
        let (width, height) = self.sides();
        Ok(Image {
            width,
            height,
            channels,
            samples: Samples::Eight(samples),
        })
    }
}

/// Where the row `y` of an interlaced frame comes among `rows` (GIF89a, appendix E): every eighth row, those in the middle between
/// them, and so on.
fn stored_row(y: usize, rows: usize) -> usize {
    let before = |first: usize, step: usize| rows.saturating_sub(first).div_ceil(step);
    match y % 8 {
        0 => y / 8,
        4 => before(0, 8) + y / 8,
        2 | 6 => before(0, 8) + before(4, 8) + y / 4,
        _ => before(0, 8) + before(4, 8) + before(2, 4) + y / 2,
    }
}

fn damaged(input: &[u8], error: &DecodingError) -> EngineError {
    broken(FORMAT, has_end(input), error)
}

/// Whether the blocks go on to a trailer.
fn has_end(input: &[u8]) -> bool {
    matches!(Prober::default().feed(input), Ok(Some(_)))
}
