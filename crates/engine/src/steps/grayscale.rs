//! Takes the colour out: luma after ITU-R BT.601, with the rounding of Pillow's `convert("L")`.

use crate::pixels::{Channels, Image, Samples};
use crate::simd::{self, Kernel, Level};

/// 0.299, 0.587 and 0.114 in 65,536ths; they add up to 65,536.
const RED: u32 = 19_595;
const GREEN: u32 = 38_470;
const BLUE: u32 = 7_471;

/// Replaces colour by luma, in place. Alpha is kept; a gray picture stays as it is.
pub(super) fn grayscale(mut image: Image) -> Image {
    match (&mut image.samples, image.channels) {
        (_, Channels::Gray | Channels::GrayAlpha) => return image,
        (Samples::Eight(samples), Channels::Rgb) => compact::<_, 3, 1>(samples, |[r, g, b]| [luma(r, g, b)]),
        (Samples::Eight(samples), Channels::Rgba) => compact::<_, 4, 2>(samples, |[r, g, b, a]| [luma(r, g, b), a]),
        (Samples::Sixteen(samples), Channels::Rgb) => compact::<_, 3, 1>(samples, |[r, g, b]| [luma(r, g, b)]),
        (Samples::Sixteen(samples), Channels::Rgba) => compact::<_, 4, 2>(samples, |[r, g, b, a]| [luma(r, g, b), a]),
    }
    image.channels = image.channels.to_gray();
    image
}

/// Turns every pixel of `FROM` samples into one of `TO`, fewer, towards the front of the same memory.
fn compact<T: Copy, const FROM: usize, const TO: usize>(samples: &mut Vec<T>, convert: impl Fn([T; FROM]) -> [T; TO]) {
    const { assert!(TO < FROM) };
    let pixels = samples.len() / FROM;
    for pixel in 0..pixels {
        let mut from = [samples[pixel * FROM]; FROM];
        from.copy_from_slice(&samples[pixel * FROM..][..FROM]);
        samples[pixel * TO..][..TO].copy_from_slice(&convert(from));
    }
    samples.truncate(pixels * TO);
    samples.shrink_to_fit();
}

/// Luma of a row of red, green and blue.
pub(crate) fn luma_of_row<T: Copy + Into<u32> + TryFrom<u32> + Default>(colours: &[T], lumas: &mut [T]) {
    simd::run(LumaOfRow { colours, lumas });
}

struct LumaOfRow<'a, T> {
    colours: &'a [T],
    lumas: &'a mut [T],
}

impl<T: Copy + Into<u32> + TryFrom<u32> + Default> Kernel for LumaOfRow<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self, _: impl Level) {
        let (colours, _) = self.colours.as_chunks::<3>();
        for (to, [red, green, blue]) in self.lumas.iter_mut().zip(colours) {
            *to = luma(*red, *green, *blue);
        }
    }
}

#[inline(always)]
pub(super) fn luma<T: Copy + Into<u32> + TryFrom<u32> + Default>(red: T, green: T, blue: T) -> T {
    let weighted = RED * red.into() + GREEN * green.into() + BLUE * blue.into();
    // The weights add up to one, so the result is within the range of what went in.
    T::try_from((weighted + 0x8000) >> 16).unwrap_or_default()
}
