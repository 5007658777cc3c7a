//! Makes gray and RGB of the samples that a TIFF stores.

use crate::EngineError;
use crate::layout::tiff::{Alpha, Directory, Photometric, Picture, corrupt, tag};
use crate::pixels::{Channels, Sample, zeros};

/// What a pixel is made of in the end.
pub(super) fn channels(picture: &Picture) -> Channels {
    let opaque = match picture.photometric {
        Photometric::WhiteIsZero | Photometric::BlackIsZero => Channels::Gray,
        Photometric::Rgb | Photometric::Palette | Photometric::Cmyk | Photometric::YCbCr => Channels::Rgb,
    };
    match (opaque, super::has_alpha(picture)) {
        (opaque, false) => opaque,
        (Channels::Gray, true) => Channels::GrayAlpha,
        (_, true) => Channels::Rgba,
    }
}

/// Turns stored samples into those of [`channels`].
pub(super) fn finish<T: Sample + Default>(
    mut raw: Vec<T>,
    picture: &Picture,
    bits: u8,
    directory: &Directory<'_>,
) -> Result<Vec<T>, EngineError> {
    match picture.photometric {
        Photometric::Palette => raw = palette(&raw, bits, super::has_alpha(picture), directory)?,
        Photometric::Cmyk => inks_to_rgb(&mut raw),
        Photometric::YCbCr if picture.compression != crate::layout::tiff::compression::JPEG => ycbcr_to_rgb(&mut raw),
        Photometric::YCbCr | Photometric::Rgb => {}
        Photometric::WhiteIsZero | Photometric::BlackIsZero => {
            let largest = (1_u32 << bits) - 1;
            let is_negative = picture.photometric == Photometric::WhiteIsZero;
            let count = channels(picture).count();
            for pixel in raw.chunks_exact_mut(count) {
                for sample in &mut *pixel {
                    *sample = T::whole(sample.level() * (T::MAX / largest));
                }
                if is_negative {
                    pixel[0] = T::whole(T::MAX - pixel[0].level());
                }
            }
        }
    }
    if super::has_alpha(picture) && picture.alpha == Alpha::Premultiplied {
        divide_by_alpha(&mut raw, channels(picture).count());
    }
    Ok(raw)
}

/// Looks indices up, which alpha may follow: the map has all reds, then all greens, then all blues, 16 bits each.
fn palette<T: Sample + Default>(
    stored: &[T],
    bits: u8,
    has_alpha: bool,
    directory: &Directory<'_>,
) -> Result<Vec<T>, EngineError> {
    let map: Vec<u64> = directory
        .numbers(tag::COLOR_MAP)
        .ok_or_else(|| directory.lacks(tag::COLOR_MAP, "palette"))?
        .collect();
    let entries = 1 << bits;
    if map.len() != 3 * entries {
        return Err(corrupt(&format!(
            "has a palette of {} numbers, not {}",
            map.len(),
            3 * entries
        )));
    }
    // Some writers fill in 8 bits alone.
    let shift = if map.iter().all(|level| *level < 256) { 0 } else { 8 };
    let (before, after) = if has_alpha { (2, 4) } else { (1, 3) };
    let mut samples = zeros::<T>((stored.len() / before * after) as u64)?;
    let largest = (1_u32 << bits) - 1;
    for (pixel, stored) in samples.chunks_exact_mut(after).zip(stored.chunks_exact(before)) {
        let index: usize = stored[0].into();
        let colors = [0, 1, 2].map(|channel| T::whole((map[channel * entries + index] >> shift) as u32 & 255));
        pixel[..3].copy_from_slice(&colors);
        if has_alpha {
            pixel[3] = T::whole(stored[1].level() * (T::MAX / largest));
        }
    }
    Ok(samples)
}

/// What an ink and black let through, in place.
fn inks_to_rgb<T: Sample>(raw: &mut Vec<T>) {
    let pixels = raw.len() / 4;
    let white = u64::from(T::MAX);
    for pixel in 0..pixels {
        let paper = white - u64::from(raw[pixel * 4 + 3].level());
        for channel in 0..3 {
            let through = white - u64::from(raw[pixel * 4 + channel].level());
            raw[pixel * 3 + channel] = T::whole(((through * paper + white / 2) / white) as u32);
        }
    }
    raw.truncate(pixels * 3);
}

/// BT.601 over the full range, as JFIF has it.
fn ycbcr_to_rgb<T: Sample>(raw: &mut [T]) {
    for pixel in raw.as_chunks_mut::<3>().0 {
        let [luma, blue, red] = pixel.map(|sample| sample.level() as f32);
        let (blue, red) = (blue - 128.0, red - 128.0);
        *pixel = [
            luma + 1.402 * red,
            luma - 0.344_136 * blue - 0.714_136 * red,
            luma + 1.772 * blue,
        ]
        .map(T::nearest);
    }
}

fn divide_by_alpha<T: Sample>(raw: &mut [T], count: usize) {
    let white = u64::from(T::MAX);
    for pixel in raw.chunks_exact_mut(count) {
        let (colors, alpha) = pixel.split_at_mut(count - 1);
        let alpha = u64::from(alpha[0].level());
        for color in colors {
            let straight = (u64::from(color.level()) * white + alpha / 2).checked_div(alpha);
            *color = T::whole(straight.unwrap_or(0).min(white) as u32);
        }
    }
}
