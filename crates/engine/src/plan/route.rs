//! How a picture gets from file to file, as data: decoded, worked on and encoded in turn, or streamed in one go.

use std::fmt;

use super::OutputPlan;
use super::operation::{EncodePlan, Operation};
use crate::exif::Orientation;
use crate::jpeg::Frequencies;
use crate::probe::Header;

/// The way a plan takes.
#[derive(Debug, Clone)]
pub(crate) enum Route {
    /// One stage after another, the picture in memory between them.
    Staged {
        decode: DecodePlan,
        shared: Vec<Operation>,
        outputs: Vec<OutputPlan>,
    },
    /// The JPEG as it is, but for what surrounds its pixels.
    Copied { encode: EncodePlan },
    /// Everything at once, a few rows in memory at a time.
    Streamed { stream: StreamPlan, encode: EncodePlan },
}

/// What decoding yields, and who does it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct DecodePlan {
    pub(crate) channels: DecodeChannels,
    /// Whether the JPEG core does it, not the general decoder of the format.
    pub(crate) by_core: bool,
    /// The size it is decoded to; the whole one unless the core does it.
    pub(crate) scale: DecodeScale,
    /// Sigma of a blur on the way, pixels; only where the core decodes luma.
    pub(crate) blur: Option<f32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DecodeChannels {
    /// Every channel.
    All,
    /// Luma alone: chroma is neither upsampled nor converted.
    Luma,
}

/// The part of each side of the picture that it is decoded to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DecodeScale {
    Whole,
    Half,
    Quarter,
    Eighth,
}

/// Luma from one JPEG to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct StreamPlan {
    /// Of a blur on the way, pixels.
    pub(crate) sigma: Option<f32>,
    /// What it is blurred among, where that is done without making samples.
    pub(crate) frequencies: Option<Frequencies>,
    /// Whether it is worked on at half the size in each direction.
    pub(crate) is_half: bool,
    /// Whether colour is left behind.
    pub(crate) drops_colour: bool,
    /// How the stored picture is turned; upright when it is left as it is.
    pub(crate) turn: Orientation,
}

impl DecodePlan {
    /// All of a picture by the general decoder of its format.
    pub(crate) const GENERAL: Self = Self {
        channels: DecodeChannels::All,
        by_core: false,
        scale: DecodeScale::Whole,
        blur: None,
    };

    /// The steps of a recipe that decoding does along the way, when the file is of this header.
    pub(super) fn includes(&self, header: &Header) -> Vec<&'static str> {
        let mut includes = Vec::new();
        if self.channels == DecodeChannels::Luma && !header.color.is_gray() {
            includes.push("grayscale");
        }
        if self.blur.is_some() {
            includes.push("blur");
        }
        includes
    }
}

impl DecodeScale {
    /// From small to whole.
    pub(super) const REDUCED: [Self; 3] = [Self::Eighth, Self::Quarter, Self::Half];

    /// Pixels of the file along each side of a decoded one.
    pub(crate) const fn denominator(self) -> u32 {
        match self {
            Self::Whole => 1,
            Self::Half => 2,
            Self::Quarter => 4,
            Self::Eighth => 8,
        }
    }

    /// What a side becomes, pixels; a part of one counts as one.
    pub(crate) const fn side(self, pixels: u32) -> u32 {
        pixels.div_ceil(self.denominator())
    }
}

impl StreamPlan {
    /// The steps of a recipe that are done along the way.
    pub(super) fn includes(&self) -> Vec<&'static str> {
        let mut includes = vec!["decode"];
        if self.turn != Orientation::UPRIGHT {
            includes.push("orient");
        }
        if self.drops_colour {
            includes.push("grayscale");
        }
        if self.sigma.is_some() {
            includes.push("blur");
        }
        includes.push("encode");
        includes
    }
}

impl fmt::Display for DecodePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.channels == DecodeChannels::Luma {
            f.write_str(", luma alone")?;
        }
        if self.by_core {
            f.write_str(", in strips")?;
        }
        if self.scale != DecodeScale::Whole {
            let article = if self.scale == DecodeScale::Eighth { "an" } else { "a" };
            write!(f, ", to {article} {} of the size", self.scale)?;
        }
        match self.blur {
            Some(sigma) => write!(f, ", Gaussian, sigma {sigma} px"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for DecodeScale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Whole => "whole",
            Self::Half => "half",
            Self::Quarter => "quarter",
            Self::Eighth => "eighth",
        })
    }
}

impl fmt::Display for StreamPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("luma alone, in strips")?;
        if self.is_half {
            f.write_str(" of half the size")?;
        }
        if let Some(sigma) = self.sigma {
            write!(f, ", {}", Operation::Blur(sigma))?;
        }
        if let Some(Frequencies { kept, .. }) = self.frequencies {
            write!(f, ", among {kept} x {kept} frequencies")?;
        }
        if self.turn != Orientation::UPRIGHT {
            write!(f, ", {}", Operation::Orient(self.turn))?;
        }
        Ok(())
    }
}
