//! Luma of a JPEG in strips: into another JPEG as it comes, or into a picture; on the way blurred, if that is asked.

use super::corrupt;
use super::edges::Edges;
use super::entropy::Entropy;
use super::frequencies::blur_among;
use super::inverse::{Quantizer, Side, inverse};
use super::markers::Sequential;
use super::strip::Strip;
use super::write::{HalfRows, Rows, Target, Writer};
use crate::EngineError;
use crate::encode::Sink;
use crate::mill::Control;
use crate::pixels::{Channels, Image, Samples, zeros};
use crate::plan::{DecodeScale, EncodePlan, StreamPlan};
use crate::probe::Header;
use crate::simd::{self, Kernel, LANES, Level};
use crate::steps::{RowBlur, narrow};

/// Decodes luma into a picture of the size of `scale`, blurred when there is a `sigma`.
pub(crate) fn decode_luma(
    input: &[u8],
    header: &Header,
    scale: DecodeScale,
    sigma: Option<f32>,
    control: &dyn Control,
) -> Result<Image, EngineError> {
    let file = parse(input, header)?;
    let rows = LumaRows::new(&file, side_of(scale))?;
    let (width, height) = (rows.strip.width, rows.height);
    let mut samples = zeros::<u8>((width * height) as u64)?;
    let mut plane = samples.chunks_exact_mut(width);
    stream(rows, sigma, control, |made| {
        for (row, line) in (0..made.count).zip(&mut plane) {
            narrow(
                &made.strip.numbers[made.strip.begin_of(made.row + row)..][..width],
                line,
            );
        }
        Ok(())
    })?;
    Ok(Image {
        width: width as u32,
        height: height as u32,
        channels: Channels::Gray,
        samples: Samples::Eight(samples),
    })
}

/// Makes a gray JPEG of the luma of another, strip by strip.
pub(crate) fn gray_to_gray(
    input: &[u8],
    header: &Header,
    plan: &StreamPlan,
    encode: &EncodePlan,
    control: &dyn Control,
) -> Result<Vec<u8>, EngineError> {
    let file = parse(input, header)?;
    let (side, sigma) = match plan.is_half {
        true => (Side::Four, plan.sigma.map(|sigma| sigma / 2.0)),
        false => (Side::Eight, plan.sigma),
    };
    let target = Target {
        turn: plan.turn,
        ..Target::of(header.width, header.height, encode)?
    };
    let mut writer = Writer::new(Sink::new(control), target)?;
    if let (Some(among), Some(sigma)) = (plan.frequencies, sigma) {
        blur_among(&file, among, sigma, &mut writer, control)?;
        return writer.finish();
    }
    let mut rows = LumaRows::new(&file, side)?;
    if plan.is_half {
        rows.note_edges(&file)?;
    }
    stream(rows, sigma, control, |made| {
        for row in (0..made.count).step_by(side.samples()) {
            let begin = made.strip.begin_of(made.row + row);
            let rows = Rows {
                numbers: &made.strip.numbers,
                begin,
                stride: made.strip.stride,
            };
            match side {
                Side::Four => writer.mcu_row(&[HalfRows(rows)])?,
                _ => writer.mcu_row(&[rows])?,
            }
        }
        Ok(())
    })?;
    writer.finish()
}

pub(super) fn parse<'a>(input: &'a [u8], header: &Header) -> Result<Sequential<'a>, EngineError> {
    let file = Sequential::parse(input)?;
    if (file.width, file.height) != (header.width as usize, header.height as usize) {
        return Err(corrupt("declares two different sizes"));
    }
    Ok(file)
}

pub(super) const fn side_of(scale: DecodeScale) -> Side {
    match scale {
        DecodeScale::Whole => Side::Eight,
        DecodeScale::Half => Side::Four,
        DecodeScale::Quarter => Side::Two,
        DecodeScale::Eighth => Side::One,
    }
}

/// Rows that are finished: `count` of them from `row` of a strip on. What lies behind them up to a whole block, and
/// beside them, repeats their edges.
struct Made<'a> {
    strip: &'a Strip,
    row: usize,
    count: usize,
}

/// Hands on the rows as they are finished.
fn stream(
    mut rows: LumaRows<'_>,
    sigma: Option<f32>,
    control: &dyn Control,
    mut take: impl FnMut(Made<'_>) -> Result<(), EngineError>,
) -> Result<(), EngineError> {
    let mut blur = sigma.map(|sigma| Blur::new(sigma, &rows)).transpose()?;
    while let Some(count) = rows.next(control)? {
        match &mut blur {
            None => take(Made {
                strip: &rows.strip,
                row: 0,
                count,
            })?,
            Some(blur) => blur.take(&rows, count, &mut take)?,
        }
    }
    Ok(())
}

/// A blur between the rows that are decoded and those that are handed on.
struct Blur {
    rows: RowBlur,
    made: Strip,
    /// What lies beyond the first and the last row, where that is none of the picture's own.
    beyond: Option<Strip>,
    /// The row behind the last that is handed on.
    end: usize,
    /// Rows taken, and the next to be handed on.
    taken: usize,
    given: usize,
}

impl Blur {
    fn new(sigma: f32, rows: &LumaRows<'_>) -> Result<Self, EngineError> {
        // A row above and one below, which repeat.
        let above = usize::from(rows.edges.is_some());
        let beyond = rows.edges.as_ref().map(|_| Strip::new(rows.strip.width, 1));
        Ok(Self {
            rows: RowBlur::new(sigma, rows.strip.width, rows.height + 2 * above)?,
            made: Strip::new(rows.strip.width, RowBlur::ROWS)?,
            beyond: beyond.transpose()?,
            end: rows.height + above,
            taken: 0,
            given: above,
        })
    }

    /// Takes what is beyond the first or the last row.
    fn take_beyond(&mut self, (edge, corners): &(Vec<u16>, (u16, u16))) {
        if let Some(strip) = &mut self.beyond {
            let begin = strip.begin_of(0);
            strip.numbers[begin..begin + edge.len()].copy_from_slice(edge);
            strip.put_beyond([*corners].into_iter());
            self.rows.take(self.taken, &strip.numbers, begin);
            self.taken += 1;
        }
    }

    fn take(
        &mut self,
        decoded: &LumaRows<'_>,
        count: usize,
        take: &mut impl FnMut(Made<'_>) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let strip = &decoded.strip;
        if let (0, Some(edges)) = (self.taken, &decoded.edges) {
            self.take_beyond(&edges.top);
        }
        for row in 0..count {
            self.rows.take(self.taken, &strip.numbers, strip.begin_of(row));
            self.taken += 1;
            if let Some(edges) = decoded.edges.as_ref().filter(|_| self.taken == self.end) {
                self.take_beyond(&edges.bottom);
            }
            if self.taken < self.rows.rows_before(self.given) {
                continue;
            }
            // The last row makes everything that is left.
            while self.given < self.end && self.taken >= self.rows.rows_before(self.given) {
                let count = RowBlur::ROWS.min(self.end - self.given);
                let (begin, stride) = (self.made.begin_of(0), self.made.stride);
                self.rows.make(self.given, &mut self.made.numbers, begin, stride);
                self.made.repeat_edges(count);
                self.given += count;
                take(Made {
                    strip: &self.made,
                    row: 0,
                    count,
                })?;
            }
        }
        Ok(())
    }
}

/// Decodes luma, one row of MCUs at a time.
struct LumaRows<'a> {
    entropy: Entropy<'a>,
    quantizer: Quantizer,
    side: Side,
    /// Blocks of luma in an MCU along its width.
    across: usize,
    strip: Strip,
    /// Rows of the picture, and those that were decoded.
    height: usize,
    decoded: usize,
    rows_in_strip: usize,
    /// What is repeated beyond the edges, where that is not the outermost samples.
    edges: Option<Edges>,
}

impl<'a> LumaRows<'a> {
    fn new(file: &Sequential<'a>, side: Side) -> Result<Self, EngineError> {
        let luma = file.components.first().ok_or_else(|| corrupt("has no components"))?;
        let wanted: Vec<_> = (0..file.components.len())
            .map(|index| (index == 0).then(|| side.last_coefficient()))
            .collect();
        let scaled = |pixels: usize| (pixels * side.samples()).div_ceil(8);
        let rows_in_strip = luma.down * side.samples();
        Ok(Self {
            entropy: Entropy::new(file, &wanted)?,
            quantizer: Quantizer::new(&luma.quantizer),
            side,
            across: luma.across,
            strip: Strip::new(scaled(file.width), rows_in_strip)?,
            height: scaled(file.height),
            decoded: 0,
            rows_in_strip,
            edges: None,
        })
    }

    /// Has what lies at the edges of the whole picture repeated beyond those of the smaller one. All its blocks are whole.
    fn note_edges(&mut self, file: &Sequential<'_>) -> Result<(), EngineError> {
        let blocks = (file.width / 8, file.height / 8);
        self.edges = Some(Edges::new(blocks, self.rows_in_strip)?);
        Ok(())
    }

    /// Decodes the next rows into the strip and says how many they are; `None` after the last.
    fn next(&mut self, control: &dyn Control) -> Result<Option<usize>, EngineError> {
        let count = self.rows_in_strip.min(self.height - self.decoded);
        if count == 0 {
            self.entropy.check()?;
            return Ok(None);
        }
        if control.should_stop() {
            return Err(EngineError::Stopped);
        }
        simd::run(DecodeStrip(self))?;
        self.strip.repeat_edges(count);
        if let Some(edges) = &self.edges {
            let beyond = edges.left.iter().copied().zip(edges.right.iter().copied());
            self.strip.put_beyond(beyond.take(count));
        }
        self.decoded += count;
        Ok(Some(count))
    }
}

struct DecodeStrip<'s, 'a>(&'s mut LumaRows<'a>);

impl Kernel for DecodeStrip<'_, '_> {
    type Output = Result<(), EngineError>;

    #[inline(always)]
    fn run(self, level: impl Level) -> Result<(), EngineError> {
        let LumaRows {
            entropy,
            quantizer,
            side,
            across,
            strip,
            edges,
            decoded,
            rows_in_strip,
            ..
        } = self.0;
        let above = *decoded / side.samples();
        let rows = above..above + *rows_in_strip / side.samples();
        let mcus = entropy.mcus_in_row();
        for first in (0..mcus).step_by(LANES) {
            let count = LANES.min(mcus - first);
            let edges = edges
                .as_mut()
                .filter(|edges| edges.touch(rows.clone(), first * *across, count * *across));
            entropy.want_all(0, edges.is_some());
            entropy.mcus(count)?;
            let mut edges = edges;
            for (row, block, group) in entropy.groups(0, count) {
                if let Some(edges) = &mut edges {
                    edges.take(group, quantizer, (above + row, row), first * *across + block);
                }
                let begin = strip.begin_of(row * side.samples()) + (first * *across + block) * side.samples();
                inverse(level, group, quantizer, *side, &mut strip.numbers, begin, strip.stride);
            }
        }
        Ok(())
    }
}
