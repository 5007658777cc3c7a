//! Encodes BMP, not compressed: gray with a palette of 8 bits, RGB in 24, with alpha in 32 and the header of version 4.

use super::failed;
use super::sink::Sink;
use crate::EngineError;
use crate::layout::bmp::FILE_HEADER;
use crate::mill::Control;
use crate::pixels::{Channels, Image, Samples};

const FORMAT: &str = "BMP";
const INFO_BYTES: u32 = 40;
const VERSION_4_BYTES: u32 = 108;
/// 72 dots an inch, as dots a metre.
const DOTS: u32 = 2835;
const BITFIELDS: u32 = 3;
const SRGB: &[u8; 4] = b"BGRs";

pub(super) fn encode(image: Image, control: &dyn Control) -> Result<Vec<u8>, EngineError> {
    let image = image.into_eight_bit();
    let image = if image.channels == Channels::GrayAlpha {
        image.try_widen(Channels::Rgba)?
    } else {
        image
    };
    let mut sink = Sink::new(control);
    let whole = write(&image, &mut sink).ok_or_else(|| failed(FORMAT, &"it is larger than a BMP can be"))?;
    if !whole {
        return Err(sink.refusal(FORMAT));
    }
    sink.finish::<EngineError>(FORMAT, Ok(()))
}

/// Writes the file; `Some(false)` when the sink takes no more, `None` when the format holds no such picture.
fn write(image: &Image, sink: &mut Sink<'_>) -> Option<bool> {
    let Samples::Eight(samples) = &image.samples else {
        return None;
    };
    let count = image.channels.count();
    let (header_bytes, palette_bytes) = match image.channels {
        Channels::Gray => (INFO_BYTES, 256 * 4),
        Channels::Rgb => (INFO_BYTES, 0),
        Channels::GrayAlpha | Channels::Rgba => (VERSION_4_BYTES, 0),
    };
    let row_bytes = (image.width as usize).checked_mul(count)?.next_multiple_of(4);
    let pixel_bytes = u32::try_from(row_bytes.checked_mul(image.height as usize)?).ok()?;
    let start = FILE_HEADER as u32 + header_bytes + palette_bytes;
    let mut head = b"BM".to_vec();
    for number in [
        start.checked_add(pixel_bytes)?,
        0,
        start,
        header_bytes,
        image.width,
        image.height,
    ] {
        head.extend_from_slice(&number.to_le_bytes());
    }
    head.extend_from_slice(&1_u16.to_le_bytes());
    head.extend_from_slice(&(count as u16 * 8).to_le_bytes());
    let compression = if count == 4 { BITFIELDS } else { 0 };
    for number in [compression, pixel_bytes, DOTS, DOTS, 0, 0] {
        head.extend_from_slice(&number.to_le_bytes());
    }
    if count == 4 {
        for mask in [0x00ff_0000_u32, 0x0000_ff00, 0x0000_00ff, 0xff00_0000] {
            head.extend_from_slice(&mask.to_le_bytes());
        }
        head.extend_from_slice(SRGB);
        head.resize(FILE_HEADER + header_bytes as usize, 0);
    }
    for level in 0..=255_u8 {
        if palette_bytes > 0 {
            head.extend_from_slice(&[level, level, level, 0]);
        }
    }
    let mut goes_on = sink.append(&head);
    let mut line = Vec::with_capacity(row_bytes);
    for row in samples.chunks_exact(image.width as usize * count).rev() {
        line.clear();
        match count {
            3 => line.extend(row.as_chunks::<3>().0.iter().flat_map(|[r, g, b]| [*b, *g, *r])),
            4 => line.extend(row.as_chunks::<4>().0.iter().flat_map(|[r, g, b, a]| [*b, *g, *r, *a])),
            _ => line.extend_from_slice(row),
        }
        line.resize(row_bytes, 0);
        goes_on = goes_on && sink.append(&line);
    }
    Some(goes_on)
}
