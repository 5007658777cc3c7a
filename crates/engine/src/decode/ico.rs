//! Decodes the largest picture of an ICO: a PNG, or a bitmap with a mask of what is see-through.

use super::{bmp, cut_off, png};
use crate::EngineError;
use crate::layout::{bmp as layout, ico};
use crate::mill::Control;
use crate::pixels::{Channels, Image, Samples, zeros};
use crate::plan::DecodePlan;
use crate::probe::{self, Header, ico as heads};

const FORMAT: &str = "ICO";

pub(super) fn decode(input: &[u8], header: &Header, control: &dyn Control) -> Result<Image, EngineError> {
    let cut = || cut_off(FORMAT);
    let count = input.get(4..6).and_then(|count| count.first_chunk()).ok_or_else(cut)?;
    let directory = ico::HEADER..ico::HEADER + usize::from(u16::from_le_bytes(*count)) * ico::ENTRY;
    let mut directory = input.get(directory).ok_or_else(cut)?.to_vec();
    for offset in heads::doubtful(&directory) {
        let head = input.get(offset as usize..).and_then(|rest| rest.get(..heads::HEAD));
        heads::note_bits(&mut directory, offset, head.ok_or_else(cut)?);
    }
    let entry = ico::largest(&directory).ok_or_else(cut)?;
    let start = entry.offset as usize;
    let picture = input.get(start..).ok_or_else(cut)?;
    // Some writers declare too little; what matters is where the file ends.
    if (picture.len() as u64) < u64::from(entry.size) {
        return Err(cut());
    }
    let image = if picture.starts_with(b"\x89PNG") {
        // Of an animation the picture for those who know none: an icon does not move.
        let inner = Header {
            frames: 1,
            ..probe::probe(picture)?
        };
        if (inner.width, inner.height) != (header.width, header.height) {
            return Err(super::other_sides(FORMAT));
        }
        png::decode(picture, &inner, &DecodePlan::GENERAL, control)?.into_eight_bit()
    } else {
        bitmap(picture, header, control)?
    };
    image.try_widen(Channels::Rgba)
}

fn bitmap(picture: &[u8], header: &Header, control: &dyn Control) -> Result<Image, EngineError> {
    let cut = || cut_off(FORMAT);
    let mut bitmap = layout::parse(picture)?;
    if bitmap.is_run_length {
        return Err(EngineError::Unsupported("an ICO with run lengths is not read".into()));
    }
    let palette = bmp::palette(&bitmap, picture, FORMAT)?;
    let has_levels = bitmap.bits == 32;
    if has_levels {
        bitmap.masks[3] = !(bitmap.masks[0] | bitmap.masks[1] | bitmap.masks[2]);
    }
    let stored = picture.get(bitmap.palette_end()..).ok_or_else(cut)?;
    let mut samples = zeros::<u8>(header.pixels() * 4)?;
    bmp::rows(&bitmap, &palette, stored, Channels::Rgba, &mut samples, control)
        .map_err(|error| error.unwrap_or_else(cut))?;
    let is_drawn = samples.as_chunks::<4>().0.iter().any(|pixel| pixel[3] != 0);
    if !has_levels || !is_drawn {
        let color_bytes = bitmap.row_bytes() * u64::from(header.height);
        let mask = usize::try_from(color_bytes).ok().and_then(|bytes| stored.get(bytes..));
        unmask(mask.ok_or_else(cut)?, header, &mut samples)?;
    }
    Ok(Image {
        width: header.width,
        height: header.height,
        channels: Channels::Rgba,
        samples: Samples::Eight(samples),
    })
}

/// Makes opaque what a mask of one bit a pixel, the lowest row first, does not cut out.
fn unmask(mask: &[u8], header: &Header, samples: &mut [u8]) -> Result<(), EngineError> {
    let width = header.width as usize;
    let row_bytes = width.div_ceil(32) * 4;
    let height = header.height as usize;
    if mask.len() < (height - 1) * row_bytes + width.div_ceil(8) {
        return Err(cut_off(FORMAT));
    }
    for (y, row) in samples.chunks_exact_mut(width * 4).enumerate() {
        let line = &mask[(height - 1 - y) * row_bytes..];
        for (x, pixel) in row.as_chunks_mut::<4>().0.iter_mut().enumerate() {
            let is_cut_out = line[x / 8] >> (7 - x % 8) & 1 == 1;
            pixel[3] = if is_cut_out { 0 } else { 255 };
        }
    }
    Ok(())
}
