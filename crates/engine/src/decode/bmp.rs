//! Decodes BMP with code of our own: palettes, masks of any width and run lengths become 8-bit samples.

use super::{cut_off, rows_or_stop};
use crate::EngineError;
use crate::layout::bmp::{Bitmap, FILE_HEADER, parse};
use crate::mill::Control;
use crate::pixels::{Channels, Image, Samples, zeros};
use crate::probe::Header;

const FORMAT: &str = "BMP";

pub(super) fn decode(input: &[u8], header: &Header, control: &dyn Control) -> Result<Image, EngineError> {
    let cut = || cut_off(FORMAT);
    let bitmap = parse(input.get(FILE_HEADER..).ok_or_else(cut)?)?;
    let place = input
        .get(10..14)
        .and_then(|place| place.first_chunk())
        .ok_or_else(cut)?;
    let place = u32::from_le_bytes(*place) as usize;
    let pixels = input.get(place..).ok_or_else(cut)?;
    // Some writers leave out the last colours, whatever the header says.
    let palette_room = if place < FILE_HEADER + bitmap.header_bytes {
        &input[FILE_HEADER..]
    } else {
        &input[FILE_HEADER..place]
    };
    let palette = palette(&bitmap, palette_room, FORMAT)?;
    let channels = if bitmap.has_alpha() {
        Channels::Rgba
    } else {
        Channels::Rgb
    };
    let mut samples = zeros(header.pixels() * channels.count() as u64)?;
    if bitmap.is_run_length {
        run_lengths(&bitmap, &palette, pixels, &mut samples, control)?;
    } else {
        rows(&bitmap, &palette, pixels, channels, &mut samples, control).map_err(|error| error.unwrap_or_else(cut))?;
    }
    Ok(Image {
        width: header.width,
        height: header.height,
        channels,
        samples: Samples::Eight(samples),
    })
}

/// The colours of a palette that follows the header at the start of `dib`, those that are there: red, green, blue.
pub(super) fn palette(bitmap: &Bitmap, dib: &[u8], format: &str) -> Result<Vec<[u8; 3]>, EngineError> {
    let entries = dib.get(bitmap.header_bytes..).ok_or_else(|| cut_off(format))?;
    Ok(entries
        .chunks_exact(bitmap.palette_entry_bytes)
        .take(bitmap.palette_entries)
        .map(|entry| [entry[2], entry[1], entry[0]])
        .collect())
}

/// Fills `samples`, which has as many rows as are wanted, from rows that are not compressed; `Err(None)` when they
/// are cut off.
pub(super) fn rows(
    bitmap: &Bitmap,
    palette: &[[u8; 3]],
    stored: &[u8],
    channels: Channels,
    samples: &mut [u8],
    control: &dyn Control,
) -> Result<(), Option<EngineError>> {
    let row_bytes = usize::try_from(bitmap.row_bytes()).map_err(|_| None)?;
    let row_samples = bitmap.width as usize * channels.count();
    let height = samples.len() / row_samples;
    if stored.len() / row_bytes < height {
        // The last row may lack what only fills it up.
        let needed = (bitmap.width as usize * usize::from(bitmap.bits)).div_ceil(8);
        if stored.len() < (height - 1) * row_bytes + needed {
            return Err(None);
        }
    }
    let masks = bitmap.masks.map(Mask::new);
    for (y, row) in samples.chunks_exact_mut(row_samples).enumerate() {
        rows_or_stop(y, bitmap.width, control)?;
        let stored_y = if bitmap.is_top_down { y } else { height - 1 - y };
        let line = &stored[stored_y * row_bytes..];
        let pixels = row.chunks_exact_mut(channels.count());
        match bitmap.bits {
            24 => {
                for (pixel, bgr) in pixels.zip(line.as_chunks::<3>().0) {
                    pixel[..3].copy_from_slice(&[bgr[2], bgr[1], bgr[0]]);
                }
            }
            16 => {
                for (pixel, two) in pixels.zip(line.as_chunks::<2>().0) {
                    unmask(&masks, u16::from_le_bytes(*two).into(), pixel);
                }
            }
            32 => {
                for (pixel, four) in pixels.zip(line.as_chunks::<4>().0) {
                    unmask(&masks, u32::from_le_bytes(*four), pixel);
                }
            }
            bits => {
                let bits = usize::from(bits);
                for (x, pixel) in pixels.enumerate() {
                    let byte = line[x * bits / 8];
                    let index = byte >> (8 - bits - x * bits % 8) & (0xff >> (8 - bits));
                    pixel[..3].copy_from_slice(&color(palette, index));
                }
            }
        }
    }
    Ok(())
}

/// An index beyond the palette is black, as every reader has it.
fn color(palette: &[[u8; 3]], index: u8) -> [u8; 3] {
    palette.get(usize::from(index)).copied().unwrap_or_default()
}

/// Where one colour is in a pixel.
#[derive(Debug, Clone, Copy)]
struct Mask {
    mask: u32,
    shift: u32,
    max: u32,
}

impl Mask {
    fn new(mask: u32) -> Self {
        let shift = if mask == 0 { 0 } else { mask.trailing_zeros() };
        Self {
            mask,
            shift,
            max: mask >> shift,
        }
    }

    /// Its level, 0 to 255.
    fn of(self, pixel: u32) -> u8 {
        if self.max == 0 {
            return 0;
        }
        let level = u64::from((pixel & self.mask) >> self.shift);
        ((level * 255 + u64::from(self.max / 2)) / u64::from(self.max)) as u8
    }
}

fn unmask(masks: &[Mask; 4], stored: u32, pixel: &mut [u8]) {
    for (sample, mask) in pixel.iter_mut().zip(masks) {
        *sample = mask.of(stored);
    }
}

/// Run lengths of 4 or 8 bits: pairs of a count and a colour, and escapes. Pixels that are passed over have colour 0.
fn run_lengths(
    bitmap: &Bitmap,
    palette: &[[u8; 3]],
    packed: &[u8],
    samples: &mut [u8],
    control: &dyn Control,
) -> Result<(), EngineError> {
    let (width, height) = (bitmap.width as usize, bitmap.height as usize);
    for pixel in samples.as_chunks_mut::<3>().0 {
        *pixel = color(palette, 0);
    }
    let (mut x, mut y) = (0_usize, 0_usize);
    let mut at = 0;
    let mut put = |x: usize, y: usize, index: u8| {
        // What leaves the picture is cut off.
        if x < width && y < height {
            let row = if bitmap.is_top_down { y } else { height - 1 - y };
            samples.as_chunks_mut::<3>().0[row * width + x] = color(palette, index);
        }
    };
    let is_four = bitmap.bits == 4;
    let nibble = |byte: u8, index: usize| if index.is_multiple_of(2) { byte >> 4 } else { byte & 15 };
    while y < height {
        let Some([count, value]) = packed.get(at..).and_then(|rest| rest.first_chunk::<2>()).copied() else {
            // Some writers leave the end away when all pixels are there.
            return if y + 1 == height && x >= width {
                Ok(())
            } else {
                Err(cut_off(FORMAT))
            };
        };
        at += 2;
        match (count, value) {
            (0, 0) => {
                rows_or_stop(y, bitmap.width, control)?;
                (x, y) = (0, y + 1);
            }
            (0, 1) => return Ok(()),
            (0, 2) => {
                let Some([right, down]) = packed.get(at..).and_then(|rest| rest.first_chunk::<2>()).copied() else {
                    return Err(cut_off(FORMAT));
                };
                at += 2;
                (x, y) = (x + usize::from(right), y + usize::from(down));
            }
            (0, literal) => {
                let literal = usize::from(literal);
                let bytes = if is_four { literal.div_ceil(2) } else { literal };
                let indices = packed.get(at..at + bytes).ok_or_else(|| cut_off(FORMAT))?;
                for index in 0..literal {
                    let value = if is_four {
                        nibble(indices[index / 2], index)
                    } else {
                        indices[index]
                    };
                    put(x + index, y, value);
                }
                x += literal;
                // Literals are filled up to whole words.
                at += bytes.next_multiple_of(2);
            }
            (count, value) => {
                for index in 0..usize::from(count) {
                    put(x + index, y, if is_four { nibble(value, index) } else { value });
                }
                x += usize::from(count);
            }
        }
    }
    Ok(())
}
