//! Lines: paragraphs broken where they may be (UAX 14), each line in the order it is seen (UAX 9).

use std::ops::Range;

use pixmill_types::Words;
use unicode_bidi::{Level, ParagraphBidiInfo};
use unicode_linebreak::linebreaks;

use super::face::Faces;
use super::shaping::{Glyph, Run, Shaped, runs, shaped};
use crate::EngineError;
use crate::mill::Control;

/// Glyphs that a font may make of a character, on average.
const MOST_GLYPHS_PER_CHAR: usize = 4;
/// Glyphs that a font may make of few characters.
const MOST_GLYPHS_OF_FEW: usize = 64;

/// One line.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// From left to right.
    pub(super) glyphs: Vec<Glyph>,
    /// Ems.
    pub(super) width: f32,
}

/// The lines of a text, none wider than `most` ems unless it is a single letter; `None` when there are more glyphs than a
/// sane font makes.
///
/// # Errors
/// [`EngineError::Stopped`] when `control` says so.
pub(super) fn lines(
    words: &Words,
    faces: &Faces,
    most: f32,
    control: &dyn Control,
) -> Result<Option<Vec<Line>>, EngineError> {
    let mut glyphs_left = MOST_GLYPHS_OF_FEW + MOST_GLYPHS_PER_CHAR * words.as_str().chars().count();
    let mut lines = Vec::new();
    for text in words.as_str().split('\n') {
        let paragraph = Paragraph::new(text, faces, control);
        for line in paragraph.broken(most)? {
            let line = paragraph.line(line)?;
            let Some(left) = glyphs_left.checked_sub(line.glyphs.len()) else {
                return Ok(None);
            };
            glyphs_left = left;
            lines.push(line);
        }
    }
    Ok(Some(lines))
}

struct Paragraph<'a> {
    text: &'a str,
    bidi: ParagraphBidiInfo<'a>,
    runs: Vec<Run>,
    faces: &'a Faces,
    control: &'a dyn Control,
}

impl<'a> Paragraph<'a> {
    fn new(text: &'a str, faces: &'a Faces, control: &'a dyn Control) -> Self {
        let bidi = ParagraphBidiInfo::new(text, None);
        Self {
            text,
            runs: runs(text, &bidi.levels, faces),
            bidi,
            faces,
            control,
        }
    }

    fn shaped(&self, line: &Range<usize>, run: &Run, level: Level) -> Result<Shaped, EngineError> {
        if self.control.should_stop() {
            return Err(EngineError::Stopped);
        }
        shaped(self.text, line, run, level, self.faces).map_err(|error| EngineError::Internal(error.to_string()))
    }

    /// Where lines begin and end, bytes; without the white space at their ends.
    fn broken(&self, most: f32) -> Result<Vec<Range<usize>>, EngineError> {
        let whole = 0..self.text.len();
        let mut clusters = Vec::new();
        for run in &self.runs {
            clusters.extend(self.shaped(&whole, run, self.bidi.levels[run.bytes.start])?.advances);
        }
        clusters.sort_by_key(|(place, _)| *place);
        let mut breaker = Breaker {
            text: self.text,
            clusters,
            most,
            lines: Vec::new(),
            begin: 0,
        };
        let mut begin = 0;
        for (end, _) in linebreaks(self.text) {
            breaker.take(begin..end);
            begin = end;
        }
        Ok(breaker.finish())
    }

    /// The glyphs of a line.
    fn line(&self, bytes: Range<usize>) -> Result<Line, EngineError> {
        let mut line = Line::default();
        if bytes.is_empty() {
            return Ok(line);
        }
        let (levels, seen) = self.bidi.visual_runs(bytes.clone());
        for part in seen {
            let level = levels[part.start];
            let is_within = |run: &&Run| run.bytes.start < part.end && part.start < run.bytes.end;
            let mut within: Vec<&Run> = self.runs.iter().filter(is_within).collect();
            if level.is_rtl() {
                within.reverse();
            }
            for run in within {
                let shaped = self.shaped(&bytes, &run.within(&part), level)?;
                let moved = shaped.glyphs.into_iter().map(|glyph| Glyph {
                    x: line.width + glyph.x,
                    ..glyph
                });
                line.glyphs.extend(moved);
                line.width += shaped.width;
            }
        }
        Ok(line)
    }
}

/// Fills lines one after the other.
struct Breaker<'a> {
    text: &'a str,
    /// Where what cannot be parted begins, and how wide it is, in order.
    clusters: Vec<(usize, f32)>,
    most: f32,
    lines: Vec<Range<usize>>,
    /// Of the line that is being filled.
    begin: usize,
}

impl Breaker<'_> {
    /// Adds what may not be broken, unless it is too long for a whole line.
    fn take(&mut self, bytes: Range<usize>) {
        if self.fits(self.begin..bytes.end) {
            return;
        }
        if self.begin < bytes.start {
            self.end_line(bytes.start);
        }
        while !self.fits(self.begin..bytes.end) {
            let range = self.begin..bytes.end;
            let fitting = self
                .starts(&range)
                .skip(1)
                .take_while(|end| self.fits(range.start..*end));
            // A letter that is too wide has a line to itself.
            let Some(end) = fitting.last().or_else(|| self.starts(&range).nth(1)) else {
                break;
            };
            self.end_line(end);
        }
    }

    /// Where clusters within `bytes` begin, each once.
    fn starts(&self, bytes: &Range<usize>) -> impl Iterator<Item = usize> {
        let from = self.clusters.partition_point(|(place, _)| *place < bytes.start);
        let until = self.clusters.partition_point(|(place, _)| *place < bytes.end);
        let within = &self.clusters[from..until];
        within.chunk_by(|one, next| one.0 == next.0).map(|same| same[0].0)
    }

    /// Whether a line of these bytes is short enough, the white space at its end aside.
    fn fits(&self, bytes: Range<usize>) -> bool {
        let end = bytes.start + self.text[bytes.clone()].trim_end().len();
        let from = self.clusters.partition_point(|(place, _)| *place < bytes.start);
        let until = self.clusters.partition_point(|(place, _)| *place < end);
        let width: f32 = self.clusters[from..until.max(from)]
            .iter()
            .map(|(_, width)| width)
            .sum();
        /// Sums of the same numbers may differ by that much.
        const ROUNDING: f32 = 1e-3;
        width <= self.most + ROUNDING
    }

    fn end_line(&mut self, end: usize) {
        let line = self.begin..end;
        let length = self.text[line.clone()].trim_end().len();
        self.lines.push(line.start..line.start + length);
        self.begin = end;
    }

    fn finish(mut self) -> Vec<Range<usize>> {
        self.end_line(self.text.len());
        self.lines
    }
}
