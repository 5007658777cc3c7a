//! ThumbHash (Evan Wallace): cosines of luma, two differences of colour and alpha, as bytes, here in Base64 (RFC 4648, 4).

use std::f64::consts::PI;

use super::Raster;

/// The ThumbHash of a picture of at most 100 pixels a side.
pub(super) fn encode(raster: &Raster) -> String {
    base64(&bytes_of(raster))
}

fn bytes_of(raster: &Raster) -> Vec<u8> {
    let planes = Planes::of(raster);
    let has_alpha = planes.has_alpha;
    let largest = raster.width.max(raster.height) as f64;
    let limit = if has_alpha { 5.0 } else { 7.0 };
    let components = |side: usize| (limit * side as f64 / largest).round().max(1.0) as usize;
    let (across, down) = (components(raster.width), components(raster.height));
    let luma = Channel::of(&planes.luma, raster, across.max(3), down.max(3));
    let yellow_blue = Channel::of(&planes.yellow_blue, raster, 3, 3);
    let red_green = Channel::of(&planes.red_green, raster, 3, 3);
    let alpha = has_alpha.then(|| Channel::of(&planes.alpha, raster, 5, 5));

    let is_landscape = raster.width > raster.height;
    let head = quantized(63.0, luma.constant)
        | quantized(31.5, 1.0 + yellow_blue.constant) << 6
        | quantized(31.5, 1.0 + red_green.constant) << 12
        | quantized(31.0, luma.scale) << 18
        | u32::from(has_alpha) << 23;
    let tail = (if is_landscape { down } else { across }) as u32
        | quantized(63.0, yellow_blue.scale) << 3
        | quantized(63.0, red_green.scale) << 9
        | u32::from(is_landscape) << 15;
    let mut hash = [&head.to_le_bytes()[..3], &tail.to_le_bytes()[..2]].concat();
    if let Some(alpha) = &alpha {
        hash.push((quantized(15.0, alpha.constant) | quantized(15.0, alpha.scale) << 4) as u8);
    }
    let channels = [Some(&luma), Some(&yellow_blue), Some(&red_green), alpha.as_ref()];
    let factors = channels.into_iter().flatten().flat_map(|channel| &channel.factors);
    let nibbles: Vec<u8> = factors.map(|factor| quantized(15.0, *factor) as u8).collect();
    hash.extend(
        nibbles
            .chunks(2)
            .map(|pair| pair[0] | pair.get(1).map_or(0, |high| high << 4)),
    );
    hash
}

/// The picture laid on its own mean colour.
struct Planes {
    luma: Vec<f64>,
    yellow_blue: Vec<f64>,
    red_green: Vec<f64>,
    alpha: Vec<f64>,
    has_alpha: bool,
}

impl Planes {
    fn of(raster: &Raster) -> Self {
        let mut mean = [0.0; 3];
        let mut opaque = 0.0;
        for [colors @ .., alpha] in &raster.pixels {
            let alpha = f64::from(*alpha) / 255.0;
            for (mean, color) in mean.iter_mut().zip(colors) {
                *mean += alpha / 255.0 * f64::from(*color);
            }
            opaque += alpha;
        }
        if opaque > 0.0 {
            mean = mean.map(|sum| sum / opaque);
        }
        let mut planes = Self {
            luma: Vec::new(),
            yellow_blue: Vec::new(),
            red_green: Vec::new(),
            alpha: Vec::new(),
            has_alpha: opaque < raster.pixels.len() as f64,
        };
        for [red, green, blue, alpha] in &raster.pixels {
            let alpha = f64::from(*alpha) / 255.0;
            let mixed = |mean: f64, color: u8| mean * (1.0 - alpha) + alpha / 255.0 * f64::from(color);
            let (red, green, blue) = (mixed(mean[0], *red), mixed(mean[1], *green), mixed(mean[2], *blue));
            planes.luma.push((red + green + blue) / 3.0);
            planes.yellow_blue.push((red + green) / 2.0 - blue);
            planes.red_green.push(red - green);
            planes.alpha.push(alpha);
        }
        planes
    }
}

/// The cosines of a plane.
struct Channel {
    constant: f64,
    /// The others, as parts of the largest, 0 to 1 with none at 0.5.
    factors: Vec<f64>,
    /// The largest of the others.
    scale: f64,
}

impl Channel {
    /// Keeps the upper left triangle of `across` by `down` components.
    fn of(plane: &[f64], raster: &Raster, across: usize, down: usize) -> Self {
        let cosines = |frequency: usize, length: usize| -> Vec<f64> {
            (0..length)
                .map(|place| (PI / length as f64 * frequency as f64 * (place as f64 + 0.5)).cos())
                .collect()
        };
        let mut constant = 0.0;
        let mut factors = Vec::new();
        for y in 0..down {
            let by_row = cosines(y, raster.height);
            for x in (0..across).take_while(|x| x * down < across * (down - y)) {
                let by_column = cosines(x, raster.width);
                // Added up in the order of the reference, since a rounding decides about gray.
                let mut factor = 0.0;
                for (row, by_row) in plane.chunks_exact(raster.width).zip(&by_row) {
                    for (level, by_column) in row.iter().zip(&by_column) {
                        factor += level * by_column * by_row;
                    }
                }
                factor /= plane.len() as f64;
                if (x, y) == (0, 0) {
                    constant = factor;
                } else {
                    factors.push(factor);
                }
            }
        }
        let scale = factors.iter().map(|factor| factor.abs()).fold(0.0, f64::max);
        if scale > 0.0 {
            for factor in &mut factors {
                *factor = 0.5 + 0.5 / scale * *factor;
            }
        }
        Self {
            constant,
            factors,
            scale,
        }
    }
}

/// The nearest whole number of `value` times `steps`.
fn quantized(steps: f64, value: f64) -> u32 {
    (steps * value + 0.5).floor() as u32
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let byte = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= group.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }
}
