//! More channels for a picture: gray becomes colour, alpha is added opaque.

use pixmill_types::Color;

use crate::EngineError;
use crate::pixels::{Channels, Image, Sample, map_depths, zeros};

/// The picture with at least the channels it has.
pub(super) fn convert(image: Image, to: Channels) -> Result<Image, EngineError> {
    let from = image.channels;
    if from == to {
        return Ok(image);
    }
    Ok(Image {
        channels: to,
        samples: map_depths!(&image.samples, samples => converted(samples, from, to)?),
        ..image
    })
}

fn converted<T: Sample>(samples: &[T], from: Channels, to: Channels) -> Result<Vec<T>, EngineError> {
    let mut converted = zeros((samples.len() / from.count() * to.count()) as u64)?;
    convert_row(samples, from, &mut converted, to);
    Ok(converted)
}

/// Writes pixels of `from_channels` as ones of `to_channels`, which are at least these.
pub(super) fn convert_row<T: Sample>(from: &[T], from_channels: Channels, to: &mut [T], to_channels: Channels) {
    let (from_count, to_count) = (from_channels.count(), to_channels.count());
    if from_count == to_count {
        to.copy_from_slice(from);
        return;
    }
    let opaque = T::of_level(255);
    let (from_colors, to_colors) = (from_channels.to_opaque().count(), to_channels.to_opaque().count());
    for (to, from) in to.chunks_exact_mut(to_count).zip(from.chunks_exact(from_count)) {
        if from_colors == to_colors {
            to[..to_colors].copy_from_slice(&from[..from_colors]);
        } else {
            to[..to_colors].fill(from[0]);
        }
        if to_count > to_colors {
            to[to_colors] = from.get(from_colors).copied().unwrap_or(opaque);
        }
    }
}

/// One pixel of `color`, which the channels can hold.
pub(super) fn pixel<T: Sample>(color: Color, channels: Channels) -> Vec<T> {
    let mut levels = match channels.is_gray() {
        true => vec![color.red],
        false => vec![color.red, color.green, color.blue],
    };
    if channels.has_alpha() {
        levels.push(color.alpha);
    }
    levels.into_iter().map(T::of_level).collect()
}
