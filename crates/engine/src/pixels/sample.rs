//! Samples of either depth, for steps that are written once for both.

/// A sample: one channel of one pixel.
pub(crate) trait Sample: Copy + Default + Into<usize> + Into<f32> {
    /// What white, or opaque, is.
    const MAX: u32;

    /// The nearest sample; what lies outside is cut off.
    fn nearest(value: f32) -> Self;

    /// The sample of that level, which is at most [`Sample::MAX`].
    fn whole(level: u32) -> Self;

    /// Its level.
    #[inline(always)]
    fn level(self) -> u32 {
        let level: usize = self.into();
        level as u32
    }

    /// The same level of 8 bits.
    fn of_level(level: u8) -> Self;
}

impl Sample for u8 {
    const MAX: u32 = 255;

    #[inline(always)]
    fn nearest(value: f32) -> Self {
        // Conversions of numbers too small or too large end at the bounds.
        (value + 0.5) as Self
    }

    #[inline(always)]
    fn whole(level: u32) -> Self {
        level as Self
    }

    fn of_level(level: u8) -> Self {
        level
    }
}

impl Sample for u16 {
    const MAX: u32 = 65_535;

    #[inline(always)]
    fn nearest(value: f32) -> Self {
        (value + 0.5) as Self
    }

    #[inline(always)]
    fn whole(level: u32) -> Self {
        level as Self
    }

    fn of_level(level: u8) -> Self {
        Self::from(level) * 257
    }
}

/// Runs the same work on samples of either depth, as `both_depths!(&mut image.samples, samples => work(samples))`.
macro_rules! both_depths {
    ($of:expr, $samples:ident => $work:expr) => {
        match $of {
            $crate::pixels::Samples::Eight($samples) => $work,
            $crate::pixels::Samples::Sixteen($samples) => $work,
        }
    };
}

/// Makes samples of either depth of such, as `map_depths!(&image.samples, samples => changed(samples)?)`.
macro_rules! map_depths {
    ($of:expr, $samples:ident => $work:expr) => {
        match $of {
            $crate::pixels::Samples::Eight($samples) => $crate::pixels::Samples::Eight($work),
            $crate::pixels::Samples::Sixteen($samples) => $crate::pixels::Samples::Sixteen($work),
        }
    };
}

pub(crate) use {both_depths, map_depths};
