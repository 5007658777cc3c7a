//! BlurHash (Wolt, "BlurHash Algorithm"): a few cosines of the picture in linear light, as text.
//!
//! What is transparent is laid on white, since a BlurHash holds no alpha.

use std::f64::consts::PI;

use super::{Raster, to_level, to_linear};

const DIGITS: &[u8; 83] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~";

/// The BlurHash of a picture with so many components across and down, 1 to 9 each.
pub(super) fn encode(raster: &Raster, (across, down): (usize, usize)) -> String {
    let linear: Vec<[f64; 3]> = raster.on_white().map(|pixel| pixel.map(to_linear)).collect();
    let components: Vec<[f64; 3]> = (0..down)
        .flat_map(|y| (0..across).map(move |x| (x, y)))
        .map(|place| component(&linear, raster, place))
        .collect();
    let (constant, others) = components.split_first().map_or(([0.0; 3], &[][..]), |(c, o)| (*c, o));
    let mut hash = String::new();
    append(&mut hash, (across - 1) + (down - 1) * 9, 1);
    let largest = others.iter().flatten().map(|factor| factor.abs()).fold(0.0, f64::max);
    let (code, largest) = if others.is_empty() {
        (0, 1.0)
    } else {
        let code = (largest * 166.0 - 0.5).floor().clamp(0.0, 82.0);
        (code as usize, (code + 1.0) / 166.0)
    };
    append(&mut hash, code, 1);
    let [red, green, blue] = constant.map(|factor| usize::from(to_level(factor)));
    append(&mut hash, (red << 16) + (green << 8) + blue, 4);
    for factors in others {
        let [red, green, blue] = factors.map(|factor| {
            let root = (factor / largest).abs().sqrt().copysign(factor);
            (root * 9.0 + 9.5).floor().clamp(0.0, 18.0) as usize
        });
        append(&mut hash, red * 19 * 19 + green * 19 + blue, 2);
    }
    hash
}

/// How much of the product of two cosines there is in each channel.
fn component(linear: &[[f64; 3]], raster: &Raster, (x, y): (usize, usize)) -> [f64; 3] {
    let cosines = |frequency: usize, length: usize| -> Vec<f64> {
        (0..length)
            .map(|place| (PI * frequency as f64 * place as f64 / length as f64).cos())
            .collect()
    };
    let (across, down) = (cosines(x, raster.width), cosines(y, raster.height));
    let mut sums = [0.0; 3];
    for (row, down) in linear.chunks_exact(raster.width).zip(down) {
        for (pixel, across) in row.iter().zip(&across) {
            for (sum, level) in sums.iter_mut().zip(pixel) {
                *sum += level * across * down;
            }
        }
    }
    let scale = if (x, y) == (0, 0) { 1.0 } else { 2.0 } / linear.len() as f64;
    sums.map(|sum| sum * scale)
}

/// Appends a number as so many digits to the base 83.
fn append(hash: &mut String, number: usize, digits: u32) {
    for place in (0..digits).rev() {
        hash.push(char::from(DIGITS[number / 83_usize.pow(place) % 83]));
    }
}
