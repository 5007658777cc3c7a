//! Colour weighted by its alpha, at 16 bits, for steps that mix pixels otherwise than by sums.

use super::Sample;

const WHOLE: u64 = 65_535;

/// Turns a row of pixels with alpha into pixels of 16 bits whose colours are multiplied by their alpha.
pub(crate) fn to_premultiplied<S: Sample>(samples: &[S], numbers: &mut [u16], channels: usize) {
    let max = u64::from(S::MAX);
    for (numbers, pixel) in numbers.chunks_exact_mut(channels).zip(samples.chunks_exact(channels)) {
        let ([color_numbers @ .., alpha_number], [colors @ .., alpha]) = (numbers, pixel) else {
            continue;
        };
        let alpha = u64::from(alpha.level());
        *alpha_number = (alpha * (WHOLE / max)) as u16;
        for (number, color) in color_numbers.iter_mut().zip(colors) {
            *number = rounded(u64::from(color.level()) * alpha * WHOLE, max * max) as u16;
        }
    }
}

/// Turns such pixels back; those of no alpha become black.
pub(crate) fn from_premultiplied<S: Sample>(numbers: &[u16], samples: &mut [S], channels: usize) {
    let max = u64::from(S::MAX);
    for (numbers, pixel) in numbers.chunks_exact(channels).zip(samples.chunks_exact_mut(channels)) {
        let ([color_numbers @ .., alpha_number], [colors @ .., alpha]) = (numbers, pixel) else {
            continue;
        };
        let weight = u64::from(*alpha_number);
        *alpha = S::whole(rounded(weight * max, WHOLE) as u32);
        for (color, number) in colors.iter_mut().zip(color_numbers) {
            let unweighted = if weight == 0 {
                0
            } else {
                rounded(u64::from(*number) * max, weight).min(max)
            };
            *color = S::whole(unweighted as u32);
        }
    }
}

const fn rounded(number: u64, divisor: u64) -> u64 {
    (number + divisor / 2) / divisor
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opaque_pixels_come_back_as_they_were_and_unseen_ones_black() {
        for color in 0..=255_u8 {
            let mut numbers = [0; 4];
            let mut back = [1_u8; 4];
            to_premultiplied(&[color, 255, color, 0], &mut numbers, 2);
            from_premultiplied(&numbers, &mut back, 2);
            assert_eq!(back, [color, 255, 0, 0]);
        }
    }

    #[test]
    fn half_transparent_pixels_come_back_as_they_were() {
        for color in 0..=255_u8 {
            let mut numbers = [0; 4];
            let mut back = [0_u8; 4];
            to_premultiplied(&[color, 9, 255 - color, 128], &mut numbers, 4);
            from_premultiplied(&numbers, &mut back, 4);
            assert_eq!(back, [color, 9, 255 - color, 128]);
        }
    }
}
