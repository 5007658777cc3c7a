//! Fonts as letters are looked up in them: the one that is asked for, and those that stand in for what it lacks.

use harfrust::{Font as FontFile, ShaperFont};
use pixmill_types::steps::Font;

use crate::assets::Assets;

/// One font at its default location.
pub(super) struct Face {
    font: FontFile,
    units_per_em: f32,
}

/// How far letters reach above and below the line they stand on, ems.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Extents {
    pub(super) above: f64,
    pub(super) below: f64,
}

impl Face {
    /// The font in `bytes`; why it is none, for people.
    fn new(font: Option<FontFile>) -> Result<Self, String> {
        let font = font.ok_or("it is no TrueType or OpenType font")?;
        if font.outline_glyphs().is_empty() {
            return Err("it has no letters with outlines".to_owned());
        }
        let units_per_em = f32::from(font.units_per_em().max(16));
        Ok(Self { font, units_per_em })
    }

    fn built_in(bytes: &'static [u8]) -> Result<Self, String> {
        Self::new(FontFile::new(bytes, 0))
    }

    pub(super) fn font(&self) -> &FontFile {
        &self.font
    }

    pub(super) fn shaper(&self) -> ShaperFont<'_, '_> {
        ShaperFont::new(&self.font)
    }

    /// Lengths in the font's own units, as ems.
    pub(super) fn ems(&self, units: i32) -> f32 {
        units as f32 / self.units_per_em
    }

    fn extents(&self) -> Option<Extents> {
        let line = self.font.metrics().h_line()?;
        let ems = |units: f64| units / f64::from(self.units_per_em);
        Some(Extents {
            above: ems(line.ascender.to_f64()),
            below: ems(-line.descender.to_f64()),
        })
    }
}

/// The fonts that a text is written in, the one that was asked for first.
pub(super) struct Faces(Vec<Face>);

impl Faces {
    /// The font that is asked for, and the built-in one for what it lacks.
    ///
    /// # Errors
    /// Why it cannot be used, for people.
    pub(super) fn of(font: Font, assets: &dyn Assets) -> Result<Self, String> {
        let mut faces = Vec::new();
        match font {
            Font::Sans => {}
            Font::SansBold => faces.push(Face::built_in(dejavu::sans::bold())?),
            Font::Asset(name) => faces.push(Face::new(FontFile::new(assets.read(&name)?, 0))?),
        }
        faces.push(Face::built_in(dejavu::sans::regular())?);
        Ok(Self(faces))
    }

    pub(super) fn get(&self, index: usize) -> &Face {
        &self.0[index]
    }

    /// The index of the first font that has the character; of the first of all when none has.
    pub(super) fn index_for(&self, character: char) -> usize {
        self.0
            .iter()
            .position(|face| face.font.charmap().map_unicode(character).is_some())
            .unwrap_or(0)
    }

    /// How far letters of the first font reach above and below the line; what is usual when it does not say.
    pub(super) fn extents(&self) -> Extents {
        const USUAL: Extents = Extents { above: 0.9, below: 0.3 };
        let is_sane = |extents: &Extents| (0.5..=2.0).contains(&(extents.above + extents.below));
        self.0[0].extents().filter(is_sane).unwrap_or(USUAL)
    }
}
