//! What a recipe writes: a name, a format, a quality, and steps of its own.

use std::fmt;

use super::RecipeError;
use super::call::{Call, CallWriter};
use super::parameter::{Parameter, ParameterKind, StepReference};
use super::quote::shortened;
use super::steps::Step;
use crate::{FileFormat, ImageFormat, Segment};

/// JPEG quality when none is given: the default of the tools pixmill replaces.
const JPEG_QUALITY: u8 = 75;
const WEBP_QUALITY: u8 = 80;
/// About what JPEG at 75 looks like, in a third of the bytes.
const AVIF_QUALITY: u8 = 60;
const WEBP_EFFORT: u8 = 4;
/// Two thirds of the time of the next, for the same size and likeness.
const AVIF_EFFORT: u8 = 1;
const PNG_EFFORT: u8 = 1;
const DEFAULT_NAME: &str = "processed_{name}";
const INFO_NAME: &str = "{name}";
const NAME_MAX_CHARS: usize = 64;

/// One output of a recipe.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputSpec {
    /// Steps after the shared ones, for this output only.
    pub steps: Vec<Step>,
    /// The file name without extension; `{name}` stands for the input's.
    pub name: String,
    /// The file format.
    pub format: OutputFormat,
    /// Quality of lossy formats, 1 to 100; `None` takes the format's default. Not allowed for lossless ones.
    pub quality: Option<u8>,
    /// What else the format was told.
    pub options: WriteOptions,
}

/// What a format can be told beside its quality. What was not given is `None`, and printed by no recipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WriteOptions {
    /// How hard to try for a smaller file; each format has a range of its own.
    pub effort: Option<u8>,
    /// Whether WebP keeps every pixel as it is.
    pub lossless: bool,
    /// The most colours a GIF has, 2 to 256.
    pub colors: Option<u16>,
    /// Whether colours that a GIF's palette lacks are mixed of dots.
    pub dither: Option<bool>,
    /// Whether JPEG shows itself roughly first, then more and more exactly; its Huffman tables are then those that fit best.
    pub progressive: bool,
    /// Whether JPEG has the Huffman tables that fit it best.
    pub optimize: bool,
    /// How JPEG and AVIF store chroma.
    pub subsampling: Option<Subsampling>,
    /// How TIFF packs its pixels.
    pub compression: Option<Compression>,
    /// Whether colours stay as the file's profile means them, and the profile with them; otherwise they become sRGB.
    pub keeps_profile: bool,
    /// What of the file's metadata is carried over.
    pub metadata: Metadata,
    /// Whether only the first frame of an animation is written.
    pub first_frame: bool,
}

/// What is carried over of a file's metadata. Its orientation is not among it: that follows the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Metadata {
    /// Nothing.
    #[default]
    Strip,
    /// Who made it and whose it is: the fields Artist and Copyright of EXIF.
    Copyright,
    /// EXIF but for its thumbnail, and XMP; where it was taken as well.
    Keep,
}

/// How JPEG and AVIF store chroma.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subsampling {
    /// At half the width and half the height, 4:2:0.
    Half,
    /// At full size, 4:4:4.
    None,
}

/// How TIFF packs its pixels, without loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// With zlib: the smallest.
    #[default]
    Deflate,
    /// With LZW: what the oldest readers take.
    Lzw,
    /// Not at all.
    None,
}

/// The format of an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputFormat {
    /// That of the input.
    Same,
    /// What fits the picture: see [`OutputFormat::AUTO_RULE`].
    Auto,
    /// This one.
    Fixed(ImageFormat),
    /// No picture: facts about it, as JSON.
    Info,
}

impl OutputFormat {
    /// How `auto` chooses, for people.
    pub const AUTO_RULE: &str = "PNG for a drawing: at most 256 colours (64 grays), or three quarters of its pixels equal \
                                 to those beside and above them. Of all else JPEG, or WebP where something is see-through or moves.";
}

const QUALITY: Parameter = Parameter {
    name: "quality",
    kind: ParameterKind::Integer { min: 1, max: 100 },
    default: None,
    about: "Quality of a lossy format; 75 for JPEG, 80 for WebP and 60 for AVIF when not given.",
};
const NAME: Parameter = Parameter {
    name: "name",
    kind: ParameterKind::OutputName,
    default: Some(DEFAULT_NAME),
    about: "File name without extension; {name} stands for the input's.",
};
const PROFILES: [(&str, bool); 2] = [("srgb", false), ("keep", true)];
const PROFILE: Parameter = Parameter {
    name: "profile",
    kind: ParameterKind::Choice(&["srgb", "keep"]),
    default: Some("srgb"),
    about: "Whether colours become sRGB, or stay what the file's colour profile says and keep it.",
};
const METADATA_CHOICES: [(&str, Metadata); 3] = [
    ("strip", Metadata::Strip),
    ("copyright", Metadata::Copyright),
    ("keep", Metadata::Keep),
];
const METADATA: Parameter = Parameter {
    name: "metadata",
    kind: ParameterKind::Choice(&["strip", "copyright", "keep"]),
    default: Some("strip"),
    about: "What of EXIF and XMP is carried over: nothing; Artist and Copyright; or all but the thumbnail, so also where \
            it was taken.",
};
const FRAMES_CHOICES: [(&str, bool); 2] = [("all", false), ("first", true)];
const FRAMES: Parameter = Parameter {
    name: "frames",
    kind: ParameterKind::Choice(&["all", "first"]),
    default: Some("all"),
    about: "Whether an animation stays one.",
};
const fn effort(max: u32, default: &'static str) -> Parameter {
    Parameter {
        name: "effort",
        kind: ParameterKind::Integer { min: 0, max },
        default: Some(default),
        about: "How hard to try for a smaller file, which takes longer.",
    }
}
const LOSSLESS: Parameter = Parameter {
    name: "lossless",
    kind: ParameterKind::Flag,
    default: Some("false"),
    about: "Whether every pixel is kept as it is; then there is no quality.",
};
const COLORS: Parameter = Parameter {
    name: "colors",
    kind: ParameterKind::Integer { min: 2, max: 256 },
    default: Some("256"),
    about: "The most colours of a frame.",
};
const DITHER: Parameter = Parameter {
    name: "dither",
    kind: ParameterKind::Flag,
    default: Some("true"),
    about: "Whether colours that the palette lacks are mixed of dots.",
};
const PROGRESSIVE: Parameter = Parameter {
    name: "progressive",
    kind: ParameterKind::Flag,
    default: Some("false"),
    about: "Whether the whole picture shows early, roughly, while the file is still coming; a little smaller, slower, and it \
            takes more memory. Huffman tables are then those that fit best.",
};
const OPTIMIZE: Parameter = Parameter {
    name: "optimize",
    kind: ParameterKind::Flag,
    default: Some("false"),
    about: "Whether Huffman tables are those that fit the picture best: the same pixels in a smaller file, which takes longer \
            and more memory.",
};
const SUBSAMPLINGS: [(&str, Subsampling); 2] = [("4:2:0", Subsampling::Half), ("4:4:4", Subsampling::None)];
const SUBSAMPLING: Parameter = Parameter {
    name: "subsampling",
    kind: ParameterKind::Choice(&["4:2:0", "4:4:4"]),
    default: None,
    about: "Whether colour is stored at half the width and height, or at full size; 4:2:0 below a quality of 90 and 4:4:4 from \
            there on when not given. Gray has no colour to store.",
};
const COMPRESSIONS: [(&str, Compression); 3] = [
    ("deflate", Compression::Deflate),
    ("lzw", Compression::Lzw),
    ("none", Compression::None),
];
const COMPRESSION: Parameter = Parameter {
    name: "compression",
    kind: ParameterKind::Choice(&["deflate", "lzw", "none"]),
    default: Some("deflate"),
    about: "How the pixels are packed.",
};
const OF_INFO: Parameter = Parameter {
    default: Some(INFO_NAME),
    ..NAME
};

impl OutputSpec {
    /// Every output format there is, as the reference documents it. Only quality is given by position.
    pub const REFERENCE: &[StepReference] = &[
        StepReference {
            name: "same",
            about: "The format of the input; PNG where that is one that is only read.",
            parameters: &[QUALITY, NAME, PROFILE, METADATA, FRAMES],
        },
        StepReference {
            name: "auto",
            about: OutputFormat::AUTO_RULE,
            parameters: &[QUALITY, NAME, PROFILE, METADATA, FRAMES],
        },
        StepReference {
            name: "jpeg",
            about: "JPEG, baseline unless told otherwise.",
            parameters: &[QUALITY, NAME, PROGRESSIVE, OPTIMIZE, SUBSAMPLING, PROFILE, METADATA],
        },
        StepReference {
            name: "png",
            about: "PNG, lossless, 8 or 16 bits.",
            parameters: &[NAME, effort(3, "1"), PROFILE, METADATA, FRAMES],
        },
        StepReference {
            name: "webp",
            about: "WebP, lossy unless told otherwise.",
            parameters: &[QUALITY, NAME, LOSSLESS, effort(6, "4"), PROFILE, METADATA, FRAMES],
        },
        StepReference {
            name: "gif",
            about: "GIF: a palette of 256 colours, pixels opaque or see-through.",
            parameters: &[NAME, COLORS, DITHER, FRAMES],
        },
        StepReference {
            name: "tiff",
            about: "TIFF, lossless, 8 or 16 bits.",
            parameters: &[NAME, COMPRESSION, PROFILE, METADATA],
        },
        StepReference {
            name: "bmp",
            about: "BMP, not compressed.",
            parameters: &[NAME],
        },
        StepReference {
            name: "qoi",
            about: "QOI, lossless, quick.",
            parameters: &[NAME],
        },
        StepReference {
            name: "avif",
            about: "AVIF, lossy: the smallest; takes about twice as long as WebP.",
            parameters: &[QUALITY, NAME, effort(9, "1"), SUBSAMPLING, PROFILE, METADATA],
        },
        StepReference {
            name: "info",
            about: "No picture but a JSON document: what the file is, and the picture's colours, BlurHash, ThumbHash and \
                    perceptual hash. The picture is turned upright.",
            parameters: &[OF_INFO],
        },
    ];

    /// The format this output is written in for an input of format `input`; for `auto` the one it may be at most.
    #[must_use]
    pub const fn format_for(&self, input: ImageFormat) -> FileFormat {
        match self.format {
            OutputFormat::Same if input.is_written() => FileFormat::Image(input),
            OutputFormat::Same | OutputFormat::Auto => FileFormat::Image(ImageFormat::Png),
            OutputFormat::Fixed(format) => FileFormat::Image(format),
            OutputFormat::Info => FileFormat::Info,
        }
    }

    /// The quality of this output in `format`, 1 to 100; `None` for a lossless format.
    #[must_use]
    pub fn quality_for(&self, format: ImageFormat) -> Option<u8> {
        match format {
            ImageFormat::Jpeg => Some(self.quality.unwrap_or(JPEG_QUALITY)),
            ImageFormat::Webp => Some(self.quality.unwrap_or(WEBP_QUALITY)),
            ImageFormat::Avif => Some(self.quality.unwrap_or(AVIF_QUALITY)),
            ImageFormat::Png
            | ImageFormat::Gif
            | ImageFormat::Tiff
            | ImageFormat::Bmp
            | ImageFormat::Ico
            | ImageFormat::Qoi
            | ImageFormat::Pnm
            | ImageFormat::Jxl => None,
        }
    }

    /// The effort of this output in `format`; 0 where a format knows none.
    #[must_use]
    pub fn effort_for(&self, format: ImageFormat) -> u8 {
        let default = match format {
            ImageFormat::Png => PNG_EFFORT,
            ImageFormat::Webp => WEBP_EFFORT,
            ImageFormat::Avif => AVIF_EFFORT,
            ImageFormat::Jpeg
            | ImageFormat::Gif
            | ImageFormat::Tiff
            | ImageFormat::Bmp
            | ImageFormat::Ico
            | ImageFormat::Qoi
            | ImageFormat::Pnm
            | ImageFormat::Jxl => 0,
        };
        self.options.effort.unwrap_or(default)
    }

    /// The stored name of this output for an input stored as `input`, in `format`.
    #[must_use]
    pub fn segment_for(&self, input: &Segment, format: FileFormat) -> Segment {
        // The name was validated: its characters are those of a segment, and 64 of them with one input name of at
        // most 120 bytes and an extension stay within 200.
        match self.name.split_once("{name}") {
            Some((before, "")) => match format {
                FileFormat::Image(format) => prefixed(before, input).with_format(format),
                FileFormat::Info => named(&format!("{before}{}", input.stem()), format),
            },
            Some((before, after)) => named(&format!("{before}{}{after}", input.stem()), format),
            None => named(&self.name, format),
        }
    }

    /// Whether both may be files of one name: formats have extensions of their own.
    pub(crate) fn takes_name_of(&self, other: &Self) -> bool {
        let may_be_one = match (self.format, other.format) {
            (OutputFormat::Fixed(own), OutputFormat::Fixed(others)) => own == others,
            (OutputFormat::Info, OutputFormat::Info) => true,
            (OutputFormat::Info, _) | (_, OutputFormat::Info) => false,
            (OutputFormat::Same | OutputFormat::Auto, _) | (_, OutputFormat::Same | OutputFormat::Auto) => true,
        };
        self.name == other.name && may_be_one
    }

    pub(crate) fn from_call(steps: Vec<Step>, call: Call) -> Result<Self, RecipeError> {
        let Some(reference) = Self::REFERENCE.iter().find(|reference| reference.name == call.name) else {
            let known: Vec<_> = Self::REFERENCE.iter().map(|reference| reference.name).collect();
            let name = shortened(&call.name);
            let problem = format!("unknown output format {name}, allowed are {}", known.join(", "));
            return Err(RecipeError::new(call.place, problem));
        };
        let format = match FileFormat::from_name(reference.name) {
            Some(FileFormat::Image(format)) => OutputFormat::Fixed(format),
            Some(FileFormat::Info) => OutputFormat::Info,
            None if reference.name == "auto" => OutputFormat::Auto,
            None => OutputFormat::Same,
        };
        let mut arguments = call.bind(reference.parameters)?;
        let quality = arguments.integer(QUALITY.name)?;
        let options = WriteOptions {
            // The ranges of the parameters fit.
            effort: arguments.integer("effort")?.map(|effort| effort as u8),
            lossless: arguments.flag(LOSSLESS.name)?.unwrap_or(false),
            colors: arguments.integer(COLORS.name)?.map(|colors| colors as u16),
            dither: arguments.flag(DITHER.name)?,
            progressive: arguments.flag(PROGRESSIVE.name)?.unwrap_or(false),
            optimize: arguments.flag(OPTIMIZE.name)?.unwrap_or(false),
            subsampling: arguments.choice(SUBSAMPLING.name, &SUBSAMPLINGS)?,
            compression: arguments.choice(COMPRESSION.name, &COMPRESSIONS)?,
            keeps_profile: arguments.choice(PROFILE.name, &PROFILES)?.unwrap_or_default(),
            metadata: arguments.choice(METADATA.name, &METADATA_CHOICES)?.unwrap_or_default(),
            first_frame: arguments.choice(FRAMES.name, &FRAMES_CHOICES)?.unwrap_or_default(),
        };
        if options.lossless && quality.is_some() {
            return Err(arguments.error("quality is given and lossless is true, allowed is one of them"));
        }
        let name = arguments
            .text(NAME.name)
            .unwrap_or_else(|| default_name(format).to_owned());
        if !is_output_name(&name) {
            let shown = shortened(&name);
            return Err(arguments.error(format!("name is {shown}, allowed is {}", NAME.kind)));
        }
        // The parameter's range is 1 to 100.
        let quality = quality.map(|quality| quality.min(100) as u8);
        Ok(Self {
            steps,
            name,
            format,
            quality,
            options,
        })
    }
}

impl Default for OutputSpec {
    fn default() -> Self {
        Self {
            steps: Vec::new(),
            name: DEFAULT_NAME.to_owned(),
            format: OutputFormat::Same,
            quality: None,
            options: WriteOptions::default(),
        }
    }
}

impl fmt::Display for OutputSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            write!(f, "{step} | ")?;
        }
        let mut call = CallWriter::new(match self.format {
            OutputFormat::Same => "same",
            OutputFormat::Auto => "auto",
            OutputFormat::Fixed(format) => format.as_str(),
            OutputFormat::Info => FileFormat::Info.as_str(),
        });
        if let Some(quality) = self.quality {
            call = call.positional(quality);
        }
        if self.name != default_name(self.format) {
            call = call.named("name", &self.name);
        }
        f.write_str(&self.options.write_to(call).finish())
    }
}

impl WriteOptions {
    /// Whether a JPEG is to be coded in a way of its own.
    #[must_use]
    pub const fn codes_jpeg(self) -> bool {
        self.progressive || self.optimize || self.subsampling.is_some()
    }

    fn write_to(self, mut call: CallWriter) -> CallWriter {
        if self.lossless {
            call = call.named(LOSSLESS.name, true);
        }
        if let Some(effort) = self.effort {
            call = call.named("effort", effort);
        }
        if let Some(colors) = self.colors {
            call = call.named(COLORS.name, colors);
        }
        if let Some(dither) = self.dither {
            call = call.named(DITHER.name, dither);
        }
        for (parameter, is_asked) in [(PROGRESSIVE, self.progressive), (OPTIMIZE, self.optimize)] {
            if is_asked {
                call = call.named(parameter.name, true);
            }
        }
        let word = SUBSAMPLINGS.iter().find(|(_, value)| Some(*value) == self.subsampling);
        if let Some((word, _)) = word {
            call = call.named(SUBSAMPLING.name, word);
        }
        let word = COMPRESSIONS.iter().find(|(_, value)| Some(*value) == self.compression);
        if let Some((word, _)) = word {
            call = call.named(COMPRESSION.name, word);
        }
        if self.keeps_profile {
            call = call.named(PROFILE.name, "keep");
        }
        let word = METADATA_CHOICES.iter().find(|(_, value)| *value == self.metadata);
        if let (Some((word, _)), true) = (word, self.metadata != Metadata::default()) {
            call = call.named(METADATA.name, word);
        }
        if self.first_frame {
            call = call.named(FRAMES.name, "first");
        }
        call
    }
}

fn prefixed(prefix: &str, input: &Segment) -> Segment {
    Segment::parse(&format!("{prefix}{input}")).unwrap_or_else(|| input.clone())
}

/// What an output is called when nothing else was said: facts do not take the name of a picture beside them.
const fn default_name(format: OutputFormat) -> &'static str {
    match format {
        OutputFormat::Same | OutputFormat::Auto | OutputFormat::Fixed(_) => DEFAULT_NAME,
        OutputFormat::Info => INFO_NAME,
    }
}

fn named(stem: &str, format: FileFormat) -> Segment {
    let with_extension = |stem: &str| Segment::parse(&format!("{stem}.{}", format.extension()));
    with_extension(stem)
        .or_else(|| with_extension("image"))
        .unwrap_or_else(|| crate::DisplayName::from_client("").segment())
}

fn is_output_name(name: &str) -> bool {
    let literal = name.replacen("{name}", "", 1);
    (1..=NAME_MAX_CHARS).contains(&name.len())
        && !name.starts_with(['.', '-'])
        && literal
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}
