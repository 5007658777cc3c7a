//! Lays a picture with alpha on white, for formats that hold none.

use crate::pixels::{Image, Samples};

const WHITE: u32 = 255;

/// The picture without alpha; one of 8 bits that has alpha is laid on white, in place.
pub(super) fn on_white(mut image: Image) -> Image {
    if !image.channels.has_alpha() {
        return image;
    }
    let channels = image.channels.count();
    if let Samples::Eight(samples) = &mut image.samples {
        let pixels = samples.len() / channels;
        let colors = channels - 1;
        for pixel in 0..pixels {
            let alpha = u32::from(samples[pixel * channels + colors]);
            for color in 0..colors {
                let above = u32::from(samples[pixel * channels + color]) * alpha;
                let mixed = (above + WHITE * (255 - alpha) + 127) / 255;
                samples[pixel * colors + color] = mixed as u8;
            }
        }
        samples.truncate(pixels * colors);
    }
    image.channels = image.channels.to_opaque();
    image
}
