//! A picture in memory.

use super::{Channels, Depth, Sample, Shape, both_depths};
use crate::EngineError;

/// A picture: its samples row by row, channels interleaved, no padding.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Image {
    /// Width, pixels.
    pub(crate) width: u32,
    /// Height, pixels.
    pub(crate) height: u32,
    pub(crate) channels: Channels,
    /// Exactly width x height x channels of them.
    pub(crate) samples: Samples,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Samples {
    Eight(Vec<u8>),
    Sixteen(Vec<u16>),
}

impl Image {
    pub(crate) fn shape(&self) -> Shape {
        Shape {
            width: self.width,
            height: self.height,
            channels: self.channels,
            depth: match self.samples {
                Samples::Eight(_) => Depth::Eight,
                Samples::Sixteen(_) => Depth::Sixteen,
            },
        }
    }

    /// Whether nothing shows through any pixel.
    pub(crate) fn is_opaque(&self) -> bool {
        fn are_opaque<T: Sample>(samples: &[T], channels: usize) -> bool {
            let is_opaque = |alpha: &T| Into::<usize>::into(*alpha) == T::MAX as usize;
            samples
                .chunks_exact(channels)
                .all(|pixel| pixel.last().is_none_or(is_opaque))
        }
        !self.channels.has_alpha() || both_depths!(&self.samples, samples => are_opaque(samples, self.channels.count()))
    }

    /// The samples at 8 bits, those of 16 rounded.
    pub(crate) fn into_eight_bit(self) -> Self {
        let samples = match self.samples {
            Samples::Eight(samples) => samples,
            Samples::Sixteen(samples) => samples.into_iter().map(to_eight_bit).collect(),
        };
        Self {
            samples: Samples::Eight(samples),
            ..self
        }
    }

    /// The same picture with colour, alpha or both added as `to` has them; what `to` lacks is not taken away.
    pub(crate) fn try_widen(self, to: Channels) -> Result<Self, EngineError> {
        let colored = !to.is_gray() || !self.channels.is_gray();
        let channels = match (colored, to.has_alpha() || self.channels.has_alpha()) {
            (false, false) => Channels::Gray,
            (false, true) => Channels::GrayAlpha,
            (true, false) => Channels::Rgb,
            (true, true) => Channels::Rgba,
        };
        if channels == self.channels {
            return Ok(self);
        }
        fn widen<T: Sample + Default>(samples: &[T], from: Channels, to: Channels) -> Result<Vec<T>, EngineError> {
            let pixels = samples.len() / from.count();
            let mut wide = zeros::<T>((pixels * to.count()) as u64)?;
            let sources = samples.chunks_exact(from.count());
            for (target, source) in wide.chunks_exact_mut(to.count()).zip(sources) {
                let (colors, alpha) = source.split_at(from.to_opaque().count());
                let (target_colors, target_alpha) = target.split_at_mut(to.to_opaque().count());
                if colors.len() == target_colors.len() {
                    target_colors.copy_from_slice(colors);
                } else {
                    target_colors.fill(colors[0]);
                }
                if let [target_alpha] = target_alpha {
                    *target_alpha = alpha.first().copied().unwrap_or_else(|| T::whole(T::MAX));
                }
            }
            Ok(wide)
        }
        let samples = match &self.samples {
            Samples::Eight(samples) => Samples::Eight(widen(samples, self.channels, channels)?),
            Samples::Sixteen(samples) => Samples::Sixteen(widen(samples, self.channels, channels)?),
        };
        Ok(Self {
            channels,
            samples,
            ..self
        })
    }

    /// A copy, or why there is no memory for one.
    pub(crate) fn try_clone(&self) -> Result<Self, EngineError> {
        fn copy<T: Copy>(samples: &[T]) -> Result<Vec<T>, EngineError> {
            let mut copy = Vec::new();
            copy.try_reserve_exact(samples.len())
                .map_err(|_| out_of_memory(size_of_val(samples) as u64))?;
            copy.extend_from_slice(samples);
            Ok(copy)
        }
        Ok(Self {
            samples: match &self.samples {
                Samples::Eight(samples) => Samples::Eight(copy(samples)?),
                Samples::Sixteen(samples) => Samples::Sixteen(copy(samples)?),
            },
            ..*self
        })
    }
}

/// `count` zeros, or an error when there is no memory for them.
pub(crate) fn zeros<T: Copy + Default>(count: u64) -> Result<Vec<T>, EngineError> {
    let bytes = count.saturating_mul(size_of::<T>() as u64);
    let length = usize::try_from(count).map_err(|_| out_of_memory(bytes))?;
    // `vec!` takes pages that are zero already and leaves them untouched, but aborts when there are none. So the
    // question is asked first; the answer costs nothing as the pages are not touched either.
    let mut asked = Vec::<T>::new();
    asked.try_reserve_exact(length).map_err(|_| out_of_memory(bytes))?;
    drop(asked);
    Ok(vec![T::default(); length])
}

fn out_of_memory(bytes: u64) -> EngineError {
    EngineError::Internal(format!("no memory for a picture of {bytes} bytes"))
}

/// The nearest of 256 levels: 65,535 is 255 x 257.
fn to_eight_bit(sample: u16) -> u8 {
    ((u32::from(sample) * 255 + 32_767) / 65_535) as u8
}
