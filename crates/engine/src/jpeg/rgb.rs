//! Encodes a colour picture that lies in memory, a row of MCUs at a time.
//!
//! Luma and chroma are worked out in 128ths of a level and stay so up to quantization. Chroma of half the size is the mean of
//! two by two pixels; beyond its edges the picture repeats them.

use pixmill_types::Subsampling;

use super::strip::Strip;
use super::write::{Rows, Target, Writer};
use crate::EngineError;
use crate::encode::Sink;
use crate::mill::Control;
use crate::plan::EncodePlan;
use crate::simd::{self, Kernel, LANES, Level, PIXELS};

/// Samples of a pixel.
const CHANNELS: usize = 3;
/// Pixels that are converted at a time.
const RUN: usize = 2 * LANES;
/// The middle of the range in 128ths.
const MIDDLE: i16 = 128 << 7;

/// Encodes red, green and blue of a picture of `width` x `height` pixels.
///
/// # Errors
/// [`EngineError::Stopped`] when `control` says so, [`EngineError::Internal`] when memory is lacking.
pub(crate) fn encode_rgb(
    samples: &[u8],
    width: u32,
    height: u32,
    plan: &EncodePlan,
    control: &dyn Control,
) -> Result<Vec<u8>, EngineError> {
    let subsampling = plan.subsampling();
    let target = Target {
        chroma: Some(subsampling),
        ..Target::of(width, height, plan)?
    };
    let mut writer = Writer::new(Sink::new(control), target)?;
    let mut planes = Planes::new(width as usize, subsampling)?;
    let line = width as usize * CHANNELS;
    for lines in samples.chunks(line * planes.luma_rows()) {
        simd::run(Convert {
            lines,
            planes: &mut planes,
        });
        planes.repeat_edges(lines.len() / line);
        writer.mcu_row(&[&planes.luma, &planes.blue, &planes.red].map(Rows::of))?;
    }
    writer.finish()
}

/// Strips of luma and of chroma.
struct Planes {
    /// Luma rows and columns that share a sample of chroma.
    shared: usize,
    luma: Strip,
    blue: Strip,
    red: Strip,
}

impl Planes {
    fn new(width: usize, subsampling: Subsampling) -> Result<Self, EngineError> {
        /// Rows of a block.
        const ROWS: usize = 8;
        let shared = match subsampling {
            Subsampling::None => 1,
            Subsampling::Half => 2,
        };
        Ok(Self {
            shared,
            luma: Strip::new(width, ROWS * shared)?,
            blue: Strip::new(width.div_ceil(shared), ROWS)?,
            red: Strip::new(width.div_ceil(shared), ROWS)?,
        })
    }

    const fn luma_rows(&self) -> usize {
        8 * self.shared
    }

    /// Repeats what lies at the edges of the first `count` rows.
    fn repeat_edges(&mut self, count: usize) {
        self.luma.repeat_edges(count);
        for chroma in [&mut self.blue, &mut self.red] {
            chroma.repeat_edges(count.div_ceil(self.shared));
        }
    }
}

/// Converts a few rows of pixels.
struct Convert<'c> {
    lines: &'c [u8],
    planes: &'c mut Planes,
}

impl Kernel for Convert<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self, level: impl Level) {
        let Self { lines, planes } = self;
        let line = planes.luma.width * CHANNELS;
        for (index, lines) in lines.chunks(line * planes.shared).enumerate() {
            let (upper, lower) = lines.split_at(line);
            if planes.shared == 1 {
                whole(level, upper, planes, index);
            } else {
                // The last row of an odd number counts twice.
                half(
                    level,
                    [upper, if lower.is_empty() { upper } else { lower }],
                    planes,
                    index,
                );
            }
        }
    }
}

/// Converts a row whose chroma has its size.
#[inline(always)]
fn whole(level: impl Level, line: &[u8], planes: &mut Planes, row: usize) {
    for (run, pixels) in runs(line) {
        for (half, pixels) in pixels.as_chunks::<PIXELS>().0.iter().enumerate() {
            let rgb = scaled(level, level.load_pixels(pixels));
            let at = run * RUN + half * LANES;
            put(level, luma(level, rgb), &mut planes.luma, row, at);
            put(level, blue(level, rgb), &mut planes.blue, row, at);
            put(level, red(level, rgb), &mut planes.red, row, at);
        }
    }
}

/// Converts two rows with one row of chroma of half their size.
#[inline(always)]
fn half<L: Level>(level: L, lines: [&[u8]; 2], planes: &mut Planes, row: usize) {
    for ((run, upper), (_, lower)) in runs(lines[0]).zip(runs(lines[1])) {
        let mut means = [[level.splat(0); CHANNELS]; 2];
        let halves = upper.as_chunks::<PIXELS>().0.iter().zip(lower.as_chunks::<PIXELS>().0);
        for (half, ((upper, lower), means)) in halves.zip(&mut means).enumerate() {
            let (upper, lower) = (level.load_pixels(upper), level.load_pixels(lower));
            let at = run * RUN + half * LANES;
            put(level, luma(level, scaled(level, upper)), &mut planes.luma, 2 * row, at);
            put(
                level,
                luma(level, scaled(level, lower)),
                &mut planes.luma,
                2 * row + 1,
                at,
            );
            // The sum of two is in halves of a level.
            *means = std::array::from_fn(|channel| level.shift_left::<6>(level.add(upper[channel], lower[channel])));
        }
        let [one, other] = means;
        let at = run * LANES;
        let both = level.pair_means(blue(level, one), blue(level, other));
        put(level, both, &mut planes.blue, row, at);
        let both = level.pair_means(red(level, one), red(level, other));
        put(level, both, &mut planes.red, row, at);
    }
}

/// Runs of pixels of a line, counted; the last pixel is repeated to fill the last of them.
#[inline(always)]
fn runs(line: &[u8]) -> impl Iterator<Item = (usize, [u8; RUN * CHANNELS])> {
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
fn scaled<L: Level>(level: L, rgb: [L::Lanes; CHANNELS]) -> [L::Lanes; CHANNELS] {
    rgb.map(|channel| level.shift_left::<7>(channel))
}

/// The sum of shares of red, green and blue in 32,768ths.
#[inline(always)]
fn mixed<L: Level>(level: L, rgb: [L::Lanes; CHANNELS], shares: [i16; CHANNELS]) -> L::Lanes {
    let [red, green, blue] = std::array::from_fn(|channel| level.multiply_fraction(rgb[channel], shares[channel]));
    level.add(level.add(red, green), blue)
}

/// As JFIF defines luma: 0.299, 0.587 and 0.114.
#[inline(always)]
fn luma<L: Level>(level: L, rgb: [L::Lanes; CHANNELS]) -> L::Lanes {
    mixed(level, rgb, [9_798, 19_235, 3_735])
}

/// Cb: -0.168736, -0.331264 and 0.5.
#[inline(always)]
fn blue<L: Level>(level: L, rgb: [L::Lanes; CHANNELS]) -> L::Lanes {
    level.add(mixed(level, rgb, [-5_529, -10_855, 16_384]), level.splat(MIDDLE))
}

/// Cr: 0.5, -0.418688 and -0.081312.
#[inline(always)]
fn red<L: Level>(level: L, rgb: [L::Lanes; CHANNELS]) -> L::Lanes {
    level.add(mixed(level, rgb, [16_384, -13_720, -2_664]), level.splat(MIDDLE))
}

/// Stores samples of a strip; what lies beyond its width is filled by its edges later.
#[inline(always)]
fn put<L: Level>(level: L, lanes: L::Lanes, strip: &mut Strip, row: usize, at: usize) {
    let begin = strip.begin_of(row) + at;
    if let Some(into) = strip.numbers[begin..].first_chunk_mut::<LANES>() {
        level.store(lanes, bytemuck::cast_mut(into));
    }
}
