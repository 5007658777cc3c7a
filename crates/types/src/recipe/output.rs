//! What a recipe writes: a name, a format, a quality, and steps of its own.

use std::fmt;

use super::RecipeError;
use super::call::{Call, CallWriter};
use super::parameter::{Parameter, ParameterKind, StepReference};
use super::steps::Step;
use crate::{FileFormat, ImageFormat, Segment};

/// JPEG quality when none is given: the default of the tools pixmill replaces.
const JPEG_QUALITY: u8 = 75;
const WEBP_QUALITY: u8 = 80;
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
    /// Quality of lossy formats, 1 to 100; `None` takes the format's default. Not allowed for PNG.
    pub quality: Option<u8>,
}

/// The format of an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputFormat {
    /// That of the input.
    Same,
    /// This one.
    Fixed(ImageFormat),
    /// No picture: facts about it, as JSON.
    Info,
}

const QUALITY: Parameter = Parameter {
    name: "quality",
    kind: ParameterKind::Integer { min: 1, max: 100 },
    default: None,
    about: "Quality of a lossy format; 75 for JPEG and 80 for WebP when not given.",
};
const NAME: Parameter = Parameter {
    name: "name",
    kind: ParameterKind::OutputName,
    default: Some(DEFAULT_NAME),
    about: "File name without extension; {name} stands for the input's.",
};
const OF_INFO: Parameter = Parameter {
    default: Some(INFO_NAME),
    ..NAME
};
const LOSSY: &[Parameter] = &[QUALITY, NAME];
const LOSSLESS: &[Parameter] = &[NAME];

impl OutputSpec {
    /// Every output format there is, as the reference documents it.
    pub const REFERENCE: &[StepReference] = &[
        StepReference {
            name: "same",
            about: "The format of the input.",
            parameters: LOSSY,
        },
        StepReference {
            name: "jpeg",
            about: "JPEG, baseline.",
            parameters: LOSSY,
        },
        StepReference {
            name: "png",
            about: "PNG, lossless.",
            parameters: LOSSLESS,
        },
        StepReference {
            name: "webp",
            about: "WebP, lossy.",
            parameters: LOSSY,
        },
        StepReference {
            name: "info",
            about: "No picture but a JSON document: what the file is, and the picture's colours, BlurHash, ThumbHash and \
                    perceptual hash. The picture is turned upright.",
            parameters: &[OF_INFO],
        },
    ];

    /// The format this output is written in for an input of format `input`.
    #[must_use]
    pub const fn format_for(&self, input: ImageFormat) -> FileFormat {
        match self.format {
            OutputFormat::Same => FileFormat::Image(input),
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
            ImageFormat::Png => None,
        }
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
            (OutputFormat::Same, _) | (_, OutputFormat::Same) => true,
        };
        self.name == other.name && may_be_one
    }

    pub(crate) fn from_call(steps: Vec<Step>, call: Call) -> Result<Self, RecipeError> {
        let Some(reference) = Self::REFERENCE.iter().find(|reference| reference.name == call.name) else {
            let known: Vec<_> = Self::REFERENCE.iter().map(|reference| reference.name).collect();
            let name: String = call.name.chars().take(40).collect();
            let problem = format!("unknown output format {name:?}, allowed are {}", known.join(", "));
            return Err(RecipeError::new(call.place, problem));
        };
        let format = match FileFormat::from_name(reference.name) {
            Some(FileFormat::Image(format)) => OutputFormat::Fixed(format),
            Some(FileFormat::Info) => OutputFormat::Info,
            None => OutputFormat::Same,
        };
        let mut arguments = call.bind(reference.parameters)?;
        let quality = match reference.parameters {
            [first, ..] if first.name == QUALITY.name => arguments.integer(QUALITY.name)?,
            _ => None,
        };
        let name = arguments
            .text(NAME.name)
            .unwrap_or_else(|| default_name(format).to_owned());
        if !is_output_name(&name) {
            let shown: String = name.chars().take(40).collect();
            return Err(arguments.error(format!("name is {shown:?}, allowed is {}", NAME.kind)));
        }
        // The parameter's range is 1 to 100.
        let quality = quality.map(|quality| quality.min(100) as u8);
        Ok(Self {
            steps,
            name,
            format,
            quality,
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
            OutputFormat::Fixed(format) => format.as_str(),
            OutputFormat::Info => FileFormat::Info.as_str(),
        });
        if let Some(quality) = self.quality {
            call = call.positional(quality);
        }
        if self.name != default_name(self.format) {
            call = call.named("name", &self.name);
        }
        f.write_str(&call.finish())
    }
}

fn prefixed(prefix: &str, input: &Segment) -> Segment {
    Segment::parse(&format!("{prefix}{input}")).unwrap_or_else(|| input.clone())
}

/// What an output is called when nothing else was said: facts do not take the name of a picture beside them.
const fn default_name(format: OutputFormat) -> &'static str {
    match format {
        OutputFormat::Same | OutputFormat::Fixed(_) => DEFAULT_NAME,
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
