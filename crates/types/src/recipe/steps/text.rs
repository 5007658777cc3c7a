//! `text`: writes on the picture.

use super::{Bound, CallWriter, RecipeError, StepDefinition, StepReference};
use crate::recipe::asset::AssetName;
use crate::recipe::call::word_of;
use crate::recipe::color::Color;
use crate::recipe::gravity::Gravity;
use crate::recipe::length::Length;
use crate::recipe::parameter::{Parameter, ParameterKind};
use crate::recipe::words::Words;

/// Writes on the picture, from left to right or from right to left as the script of the text is written. A gray picture
/// stays gray when the colours are gray.
#[derive(Debug, Clone, PartialEq)]
pub struct Text {
    /// What is written.
    pub text: Words,
    /// The size of the letters: the height of an em; percent of the shorter side of the picture.
    pub size: Length,
    /// The colour of the letters.
    pub color: Color,
    /// What they look like.
    pub font: Font,
    /// Where in the picture the text lies.
    pub gravity: Gravity,
    /// Room between it and the sides of the picture, or between two of it, pixels; 0 to 10,000.
    pub margin: u32,
    /// How much of it is seen; 0 to 1.
    pub opacity: f32,
    /// How far it is turned, clockwise, degrees; -360 to 360.
    pub angle: f32,
    /// Whether it is repeated all over the picture, from the upper left corner on.
    pub tile: bool,
    /// Where lines end at the latest; percent of the width of the picture. `None` takes the room there is.
    pub width: Option<Length>,
    /// Where lines begin that are shorter than others; `None` goes by the gravity.
    pub align: Option<Align>,
    /// From one line to the next, in sizes; 0.5 to 5.
    pub line_height: f32,
    /// Width of a line around the letters, percent of the size; 0 to 50.
    pub outline: f32,
    /// The colour of that line.
    pub outline_color: Color,
    /// The colour of a box behind the text; seen unless it is transparent.
    pub background: Color,
    /// How far that box reaches beyond the text, percent of the size; 0 to 500.
    pub padding: f32,
}

/// What letters look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Font {
    /// DejaVu Sans, which is built in.
    Sans,
    /// DejaVu Sans Bold, which is built in.
    SansBold,
    /// A font file of the folder of assets.
    Asset(AssetName),
}

/// Where lines begin that are shorter than others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// On the left.
    Left,
    /// In the middle.
    Center,
    /// So that they end on the right.
    Right,
}

const SIZE: Length = Length::Percent(5.0);
const MARGIN: u32 = 16;
const LINE_HEIGHT: f32 = 1.2;
const PADDING: f32 = 25.0;
const ALIGNMENTS: &[(&str, Align)] = &[
    ("left", Align::Left),
    ("center", Align::Center),
    ("right", Align::Right),
];

const fn parameter(
    name: &'static str,
    kind: ParameterKind,
    default: Option<&'static str>,
    about: &'static str,
) -> Parameter {
    Parameter {
        name,
        kind,
        default,
        about,
    }
}

impl Text {
    /// Whether none of the colours that are seen brings colour to a gray picture.
    #[must_use]
    pub fn is_gray(&self) -> bool {
        let is_seen_gray = |color: Color| color.is_gray() || color.alpha == 0;
        is_seen_gray(self.color)
            && is_seen_gray(self.background)
            && (self.outline == 0.0 || is_seen_gray(self.outline_color))
    }

    /// Where lines begin that are shorter than others.
    #[must_use]
    pub fn alignment(&self) -> Align {
        self.align.unwrap_or(match self.gravity {
            Gravity::NorthWest | Gravity::West | Gravity::SouthWest => Align::Left,
            Gravity::North | Gravity::Center | Gravity::South => Align::Center,
            Gravity::NorthEast | Gravity::East | Gravity::SouthEast => Align::Right,
        })
    }
}

impl StepDefinition for Text {
    const REFERENCE: StepReference = StepReference {
        name: "text",
        about: "Writes on the picture. Every script is shaped as it must be, also from right to left, and long lines are \
                broken where they may be. What a font lacks is taken from DejaVu Sans, which is built in and has Latin, \
                Greek, Cyrillic, Armenian, Georgian, Hebrew and Arabic letters and many signs; what that lacks as well is \
                shown as the font's empty box. Letters of colour fonts, such as emoji, are drawn where they have outlines. \
                A gray picture stays gray when the colours are gray. What reaches beyond the picture is cut off.",
        parameters: &[
            parameter("text", ParameterKind::Words, None, "What is written."),
            parameter(
                "size",
                ParameterKind::Length,
                Some("5%"),
                "The size of the letters: pixels an em, or percent of the picture's shorter side.",
            ),
            parameter(
                "color",
                ParameterKind::Color,
                Some("white"),
                "The colour of the letters.",
            ),
            parameter(
                "font",
                ParameterKind::AssetName,
                None,
                "A font file, TrueType or OpenType, up to 8 MiB; the built-in DejaVu Sans when not given. Of a variable font \
                 its default is taken, of a collection the first.",
            ),
            parameter(
                "bold",
                ParameterKind::Flag,
                Some("false"),
                "Whether the built-in font is bold; a file is as it is.",
            ),
            parameter(
                "gravity",
                ParameterKind::Gravity,
                Some("south-east"),
                "Where in the picture the text lies.",
            ),
            parameter(
                "margin",
                ParameterKind::Integer { min: 0, max: 10_000 },
                Some("16"),
                "Room between it and the sides of the picture, or between two of it, pixels.",
            ),
            parameter(
                "opacity",
                ParameterKind::Decimal { min: 0.0, max: 1.0 },
                Some("1"),
                "How much of it is seen.",
            ),
            parameter(
                "angle",
                ParameterKind::Decimal {
                    min: -360.0,
                    max: 360.0,
                },
                Some("0"),
                "How far it is turned, clockwise, degrees.",
            ),
            parameter(
                "tile",
                ParameterKind::Flag,
                Some("false"),
                "Whether it is repeated all over the picture, from the upper left corner on.",
            ),
            parameter(
                "width",
                ParameterKind::Length,
                None,
                "Where lines end at the latest: pixels, or percent of the picture's width; when not given, where the \
                 picture does, within the margin and in the direction of the text.",
            ),
            parameter(
                "align",
                ParameterKind::Choice(&["left", "center", "right"]),
                None,
                "Where lines lie that are shorter than others; as `gravity` when not given.",
            ),
            parameter(
                "line_height",
                ParameterKind::Decimal { min: 0.5, max: 5.0 },
                Some("1.2"),
                "From one line to the next, in sizes.",
            ),
            parameter(
                "outline",
                ParameterKind::Decimal { min: 0.0, max: 50.0 },
                Some("0"),
                "Width of a line around the letters, percent of the size.",
            ),
            parameter(
                "outline_color",
                ParameterKind::Color,
                Some("black"),
                "The colour of that line.",
            ),
            parameter(
                "background",
                ParameterKind::Color,
                Some("transparent"),
                "The colour of a box behind the text.",
            ),
            parameter(
                "padding",
                ParameterKind::Decimal { min: 0.0, max: 500.0 },
                Some("25"),
                "How far that box reaches beyond the text, percent of the size.",
            ),
        ],
    };

    fn parse(arguments: &mut Bound) -> Result<Self, RecipeError> {
        let Some(text) = arguments.words("text")? else {
            return Err(arguments.error("text is not given, it is needed"));
        };
        let font = match (arguments.asset("font")?, arguments.flag("bold")?.unwrap_or(false)) {
            (Some(_), true) => {
                return Err(arguments.error("bold is true and font is given, only one of them may be"));
            }
            (Some(asset), false) => Font::Asset(asset),
            (None, true) => Font::SansBold,
            (None, false) => Font::Sans,
        };
        Ok(Self {
            text,
            size: arguments.length("size")?.unwrap_or(SIZE),
            color: arguments.color("color")?.unwrap_or(Color::WHITE),
            font,
            gravity: arguments.gravity("gravity")?.unwrap_or(Gravity::SouthEast),
            margin: arguments.integer("margin")?.unwrap_or(MARGIN),
            opacity: arguments.decimal("opacity")?.unwrap_or(1.0),
            angle: arguments.decimal("angle")?.unwrap_or(0.0),
            tile: arguments.flag("tile")?.unwrap_or(false),
            width: arguments.length("width")?,
            align: arguments.choice("align", ALIGNMENTS)?,
            line_height: arguments.decimal("line_height")?.unwrap_or(LINE_HEIGHT),
            outline: arguments.decimal("outline")?.unwrap_or(0.0),
            outline_color: arguments.color("outline_color")?.unwrap_or(Color::BLACK),
            background: arguments.color("background")?.unwrap_or(Color::TRANSPARENT),
            padding: arguments.decimal("padding")?.unwrap_or(PADDING),
        })
    }

    fn write(&self, call: CallWriter) -> CallWriter {
        let call =
            call.positional(&self.text)
                .unless("size", self.size, SIZE)
                .unless("color", self.color, Color::WHITE);
        let call = match self.font {
            Font::Sans => call,
            Font::SansBold => call.named("bold", true),
            Font::Asset(asset) => call.named("font", asset),
        };
        let mut call = call
            .unless("gravity", self.gravity, Gravity::SouthEast)
            .unless("margin", self.margin, MARGIN)
            .unless("opacity", self.opacity, 1.0)
            .unless("angle", self.angle, 0.0)
            .unless("tile", self.tile, false);
        if let Some(width) = self.width {
            call = call.named("width", width);
        }
        if let Some(align) = self.align {
            call = call.named("align", word_of(ALIGNMENTS, align));
        }
        call.unless("line_height", self.line_height, LINE_HEIGHT)
            .unless("outline", self.outline, 0.0)
            .unless("outline_color", self.outline_color, Color::BLACK)
            .unless("background", self.background, Color::TRANSPARENT)
            .unless("padding", self.padding, PADDING)
    }

    fn asset(&self) -> Option<AssetName> {
        match self.font {
            Font::Asset(asset) => Some(asset),
            Font::Sans | Font::SansBold => None,
        }
    }
}
