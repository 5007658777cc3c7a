//! Runs of one direction, one script and one font, and the letters they are written with.

use std::ops::Range;

use harfrust::{Buffer, BufferFlags, Direction, GlyphId, Script, ShapeOptions, shape, unicode};
use unicode_bidi::Level;

use super::face::Faces;

/// Part of a paragraph that is shaped as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    /// Bytes of the paragraph.
    pub(super) bytes: Range<usize>,
    script: Script,
    face: usize,
}

impl Run {
    /// The part of it that lies in `bytes`.
    pub(super) fn within(&self, bytes: &Range<usize>) -> Self {
        Self {
            bytes: self.bytes.start.max(bytes.start)..self.bytes.end.min(bytes.end),
            ..*self
        }
    }
}

/// A letter, or several as one sign.
#[derive(Debug, Clone, Copy)]
pub(super) struct Glyph {
    pub(super) face: usize,
    pub(super) id: GlyphId,
    /// Where in its line it stands, ems to the right and up.
    pub(super) x: f32,
    pub(super) y: f32,
}

/// Glyphs in the order they are seen, each with the byte of the paragraph it begins at and its advance, ems.
pub(super) struct Shaped {
    pub(super) glyphs: Vec<Glyph>,
    pub(super) advances: Vec<(usize, f32)>,
    pub(super) width: f32,
}

/// Splits a paragraph by script and font, in the order of its bytes. `levels` has one of each byte: runs end where it
/// changes, too.
pub(super) fn runs(paragraph: &str, levels: &[Level], faces: &Faces) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (place, character) in paragraph.char_indices() {
        let script = unicode::script(character.into());
        let bytes = place..place + character.len_utf8();
        let Some(last) = runs.last_mut() else {
            let face = faces.index_for(character);
            runs.push(Run { bytes, script, face });
            continue;
        };
        // A mark goes with the letter it stands on, and what joins two with these.
        let joins = script == Script::INHERITED || is_joiner(character);
        let face = if joins { last.face } else { faces.index_for(character) };
        let continues = is_of_any(script) || is_of_any(last.script) || script == last.script;
        if continues && face == last.face && levels[place] == levels[last.bytes.start] {
            last.bytes.end = bytes.end;
            if is_of_any(last.script) {
                last.script = script;
            }
        } else {
            let script = if is_of_any(script) { last.script } else { script };
            runs.push(Run { bytes, script, face });
        }
    }
    runs
}

/// Whether signs of it stand in texts of every script.
fn is_of_any(script: Script) -> bool {
    script == Script::COMMON || script == Script::INHERITED
}

/// Joiners and selectors of variants.
fn is_joiner(character: char) -> bool {
    matches!(character, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

/// Shapes a run of a line of the paragraph.
///
/// # Errors
/// Why not: nothing that a font or a text can bring about.
pub(super) fn shaped(
    paragraph: &str,
    line: &Range<usize>,
    run: &Run,
    level: Level,
    faces: &Faces,
) -> Result<Shaped, harfrust::ShapeError> {
    let face = faces.get(run.face);
    let bytes = run.bytes.clone();
    let mut buffer = Buffer::new();
    // Letters join across the ends of a run, not across those of a line.
    buffer.set_pre_context(&paragraph[line.start..bytes.start]);
    for (place, character) in paragraph[bytes.clone()].char_indices() {
        // A text has at most some thousand bytes.
        buffer.push(character.into(), (bytes.start + place) as u32);
    }
    buffer.set_post_context(&paragraph[bytes.end..line.end]);
    buffer.set_direction(match level.is_rtl() {
        true => Direction::RightToLeft,
        false => Direction::LeftToRight,
    });
    buffer.set_script(Some(run.script));
    let mut flags = BufferFlags::empty();
    flags.set(BufferFlags::BEGINNING_OF_TEXT, bytes.start == line.start);
    flags.set(BufferFlags::END_OF_TEXT, bytes.end == line.end);
    buffer.set_flags(flags);
    shape(&face.shaper(), &mut buffer, ShapeOptions::new())?;
    let mut shaped = Shaped {
        glyphs: Vec::with_capacity(buffer.len()),
        advances: Vec::with_capacity(buffer.len()),
        width: 0.0,
    };
    for (info, position) in buffer.glyph_infos().iter().zip(buffer.glyph_positions()) {
        shaped.glyphs.push(Glyph {
            face: run.face,
            id: GlyphId::new(info.glyph_id),
            x: shaped.width + face.ems(position.x_offset),
            y: face.ems(position.y_offset),
        });
        let advance = face.ems(position.x_advance);
        shaped.advances.push((info.cluster as usize, advance));
        shaped.width += advance;
    }
    Ok(shaped)
}
