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
use crate::ycbcr::{self, CHANNELS, Halved, RUN, Shares};

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
    for (run, pixels) in ycbcr::runs(line) {
        for (half, pixels) in pixels.as_chunks::<PIXELS>().0.iter().enumerate() {
            let rgb = ycbcr::scaled(level, level.load_pixels(pixels));
            let at = run * RUN + half * LANES;
            put(level, Shares::FULL.luma(level, rgb), &mut planes.luma, row, at);
            put(level, Shares::FULL.blue(level, rgb), &mut planes.blue, row, at);
            put(level, Shares::FULL.red(level, rgb), &mut planes.red, row, at);
        }
    }
}

/// Converts two rows with one row of chroma of half their size.
#[inline(always)]
fn half<L: Level>(level: L, lines: [&[u8]; 2], planes: &mut Planes, row: usize) {
    let [upper, lower] = lines.map(ycbcr::runs);
    for ((run, upper), (_, lower)) in upper.zip(lower) {
        let Halved { luma, blue, red } = Halved::new(level, &Shares::FULL, [&upper, &lower]);
        for (line, halves) in luma.into_iter().enumerate() {
            for (half, luma) in halves.into_iter().enumerate() {
                put(level, luma, &mut planes.luma, 2 * row + line, run * RUN + half * LANES);
            }
        }
        put(level, blue, &mut planes.blue, row, run * LANES);
        put(level, red, &mut planes.red, row, run * LANES);
    }
}

/// Stores samples of a strip; what lies beyond its width is filled by its edges later.
#[inline(always)]
fn put<L: Level>(level: L, lanes: L::Lanes, strip: &mut Strip, row: usize, at: usize) {
    let begin = strip.begin_of(row) + at;
    if let Some(into) = strip.numbers[begin..].first_chunk_mut::<LANES>() {
        level.store(lanes, bytemuck::cast_mut(into));
    }
}
