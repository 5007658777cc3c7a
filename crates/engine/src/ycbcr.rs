//! From red, green and blue of eight bits to luma and chroma in 128ths of a level, by vectors.

use crate::simd::{LANES, Level, PIXELS};

/// Samples of a pixel.
pub(crate) const CHANNELS: usize = 3;
/// Pixels that are converted at a time.
pub(crate) const RUN: usize = 2 * LANES;

/// What red, green and blue count for luma and chroma, in 32,768ths (ITU-R BT.601).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shares {
    luma: [i16; CHANNELS],
    blue: [i16; CHANNELS],
    red: [i16; CHANNELS],
    /// Luma of black, in 128ths.
    black: i16,
}

impl Shares {
    /// As JFIF defines them: 0.299, 0.587 and 0.114; -0.168736, -0.331264 and 0.5; 0.5, -0.418688 and -0.081312.
    pub(crate) const FULL: Self = Self {
        luma: [9_798, 19_235, 3_735],
        blue: [-5_529, -10_855, 16_384],
        red: [16_384, -13_720, -2_664],
        black: 0,
    };
    /// The same for luma from 16 to 235 and chroma from 16 to 240: 219 and 224 of 255 of them.
    pub(crate) const LIMITED: Self = Self {
        luma: [8_414, 16_520, 3_208],
        blue: [-4_857, -9_535, 14_392],
        red: [14_392, -12_052, -2_340],
        black: 16 << 7,
    };
    /// Chroma of gray, in 128ths.
    const MIDDLE: i16 = 128 << 7;

    /// Luma of pixels in 128ths.
    #[inline(always)]
    pub(crate) fn luma<L: Level>(&self, level: L, rgb: [L::Lanes; CHANNELS]) -> L::Lanes {
        level.add(mixed(level, rgb, self.luma), level.splat(self.black))
    }

    /// Cb.
    #[inline(always)]
    pub(crate) fn blue<L: Level>(&self, level: L, rgb: [L::Lanes; CHANNELS]) -> L::Lanes {
        level.add(mixed(level, rgb, self.blue), level.splat(Self::MIDDLE))
    }

    /// Cr.
    #[inline(always)]
    pub(crate) fn red<L: Level>(&self, level: L, rgb: [L::Lanes; CHANNELS]) -> L::Lanes {
        level.add(mixed(level, rgb, self.red), level.splat(Self::MIDDLE))
    }
}

/// Two rows of a run: luma row by row, chroma the mean of two by two pixels.
pub(crate) struct Halved<L: Level> {
    pub(crate) luma: [[L::Lanes; 2]; 2],
    pub(crate) blue: L::Lanes,
    pub(crate) red: L::Lanes,
}

impl<L: Level> Halved<L> {
    /// Converts a run of two rows.
    #[inline(always)]
    pub(crate) fn new(level: L, shares: &Shares, rows: [&[u8; RUN * CHANNELS]; 2]) -> Self {
        let mut luma = [[level.splat(0); 2]; 2];
        let mut means = [[level.splat(0); CHANNELS]; 2];
        let [upper, lower] = rows.map(|row| row.as_chunks::<PIXELS>().0);
        for (half, (upper, lower)) in upper.iter().zip(lower).enumerate() {
            let (upper, lower) = (level.load_pixels(upper), level.load_pixels(lower));
            luma[0][half] = shares.luma(level, scaled(level, upper));
            luma[1][half] = shares.luma(level, scaled(level, lower));
            // The sum of two is in halves of a level.
            means[half] =
                std::array::from_fn(|channel| level.shift_left::<6>(level.add(upper[channel], lower[channel])));
        }
        let [one, other] = means;
        Self {
            luma,
            blue: level.pair_means(shares.blue(level, one), shares.blue(level, other)),
            red: level.pair_means(shares.red(level, one), shares.red(level, other)),
        }
    }
}

/// Runs of pixels of a line, counted; the last pixel is repeated to fill the last of them.
#[inline(always)]
pub(crate) fn runs(line: &[u8]) -> impl Iterator<Item = (usize, [u8; RUN * CHANNELS])> {
    line.chunks(RUN * CHANNELS).enumerate().map(|(index, pixels)| {
        let run = pixels.first_chunk::<{ RUN * CHANNELS }>().copied();
        (index, run.unwrap_or_else(|| filled_up(pixels)))
    })
}

#[cold]
fn filled_up(pixels: &[u8]) -> [u8; RUN * CHANNELS] {
    let last = pixels.last_chunk::<CHANNELS>().copied().unwrap_or_default();
    let mut run = [0; RUN * CHANNELS];
    for pixel in run.as_chunks_mut::<CHANNELS>().0 {
        *pixel = last;
    }
    run[..pixels.len()].copy_from_slice(pixels);
    run
}

/// Levels in 128ths.
#[inline(always)]
pub(crate) fn scaled<L: Level>(level: L, rgb: [L::Lanes; CHANNELS]) -> [L::Lanes; CHANNELS] {
    rgb.map(|channel| level.shift_left::<7>(channel))
}

/// The sum of shares of red, green and blue.
#[inline(always)]
fn mixed<L: Level>(level: L, rgb: [L::Lanes; CHANNELS], shares: [i16; CHANNELS]) -> L::Lanes {
    let [red, green, blue] = std::array::from_fn(|channel| level.multiply_fraction(rgb[channel], shares[channel]));
    level.add(level.add(red, green), blue)
}
