//! Looks at what a picture is of, to choose the format that fits it.

use pixmill_types::ImageFormat;

use crate::pixels::{Image, Sample, Samples};

/// A drawing has at most that many colours, or grays.
const DRAWING_COLORS: usize = 256;
const DRAWING_GRAYS: usize = 64;
/// Or so many of a hundred of its pixels equal those beside and above them.
const DRAWING_FLAT: usize = 75;

/// The format that fits the picture, as [`pixmill_types::OutputFormat::AUTO_RULE`] says.
pub(crate) fn format_of(image: &Image) -> ImageFormat {
    match &image.samples {
        Samples::Eight(samples) => choose(image, samples),
        Samples::Sixteen(samples) => choose(image, samples),
    }
}

fn choose<T: Sample + PartialEq + std::hash::Hash + Eq>(image: &Image, samples: &[T]) -> ImageFormat {
    if is_drawing(image, samples) {
        return ImageFormat::Png;
    }
    let count = image.channels.count();
    let white: usize = T::MAX as usize;
    let is_see_through = |pixel: &[T]| pixel.last().is_some_and(|alpha| Into::<usize>::into(*alpha) < white);
    if image.channels.has_alpha() && samples.chunks_exact(count).any(is_see_through) {
        ImageFormat::Webp
    } else {
        ImageFormat::Jpeg
    }
}

fn is_drawing<T: Eq + std::hash::Hash>(image: &Image, samples: &[T]) -> bool {
    let count = image.channels.count();
    let most = if image.channels.is_gray() {
        DRAWING_GRAYS
    } else {
        DRAWING_COLORS
    };
    let mut colors = std::collections::HashSet::new();
    for pixel in samples.chunks_exact(count) {
        if colors.insert(pixel) && colors.len() > most {
            break;
        }
    }
    if colors.len() <= most {
        return true;
    }
    let row = image.width as usize * count;
    let mut flat = 0_usize;
    for (above, line) in samples.chunks_exact(row).zip(samples.chunks_exact(row).skip(1)) {
        let pixels = line.chunks_exact(count);
        let pairs = pixels
            .clone()
            .zip(pixels.skip(1))
            .zip(above.chunks_exact(count).skip(1));
        flat += pairs.filter(|((left, own), above)| own == left && own == above).count();
    }
    flat * 100 >= samples.len() / count * DRAWING_FLAT
}
