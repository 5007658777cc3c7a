//! The transforms of square blocks between residuals and coefficients.
//!
//! The inverse is the decoder's, bit for bit (AV1 specification, 7.13.3), but for the kinds that are not here: flipped,
//! identity and lossless ones. Nothing here knows of quantisers, of scans or of prediction.

mod arithmetic;
mod forward;
mod forward_steps;
mod inverse;
mod inverse_steps;
#[cfg(test)]
pub(in crate::av1) mod oracle;
mod panels;
mod steps;
#[cfg(test)]
mod tests;

use crate::simd;
use forward::Forwards;
use inverse::InverseAdd;

/// Side of a square transform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Four,
    Eight,
    Sixteen,
    ThirtyTwo,
    SixtyFour,
}

impl Side {
    /// The binary logarithm of the side in pixels.
    pub(crate) const fn log2(self) -> usize {
        match self {
            Self::Four => 2,
            Self::Eight => 3,
            Self::Sixteen => 4,
            Self::ThirtyTwo => 5,
            Self::SixtyFour => 6,
        }
    }

    pub(crate) const fn pixels(self) -> usize {
        1 << self.log2()
    }

    /// Rows and columns of coefficients that are kept.
    pub(crate) const fn frequencies(self) -> usize {
        match self {
            Self::SixtyFour => 32,
            _ => self.pixels(),
        }
    }
}

/// What columns are transformed with, then what rows are. There is no sine transform of sides above sixteen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    DctDct,
    /// The sine transform over columns, the cosine transform over rows.
    AdstDct,
    /// The cosine transform over columns, the sine transform over rows.
    DctAdst,
    AdstAdst,
}

/// A transform in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Basis {
    Dct,
    Adst,
}

impl Kind {
    #[inline(always)]
    const fn columns(self) -> Basis {
        match self {
            Self::DctDct | Self::DctAdst => Basis::Dct,
            Self::AdstDct | Self::AdstAdst => Basis::Adst,
        }
    }

    #[inline(always)]
    const fn rows(self) -> Basis {
        match self {
            Self::DctDct | Self::AdstDct => Basis::Dct,
            Self::DctAdst | Self::AdstAdst => Basis::Adst,
        }
    }
}

/// Runs the kernel of a side.
macro_rules! run {
    ($side:expr, $kernel:ident { $($field:ident),+ }) => {
        match $side {
            Side::Four => simd::run($kernel::<4> { $($field),+ }),
            Side::Eight => simd::run($kernel::<8> { $($field),+ }),
            Side::Sixteen => simd::run($kernel::<16> { $($field),+ }),
            Side::ThirtyTwo => simd::run($kernel::<32> { $($field),+ }),
            Side::SixtyFour => simd::run($kernel::<64> { $($field),+ }),
        }
    };
}

/// Transforms a residual, row after row of numbers within +-1023, into coefficients at the scale of dequantised ones.
///
/// Rows of coefficients follow each other, [`Side::frequencies`] long.
pub(crate) fn forward(side: Side, kind: Kind, residual: &[i16], coefficients: &mut [i32]) {
    debug_assert!(kind == Kind::DctDct || side.pixels() <= 16);
    let area = side.pixels() * side.pixels();
    let kept = side.frequencies() * side.frequencies();
    let (residual, coefficients) = (&residual[..area], &mut coefficients[..kept]);
    run!(
        side,
        Forwards {
            kind,
            residual,
            coefficients
        }
    );
}

/// Adds the residual of dequantised coefficients, laid out as [`forward`] lays them out, to pixels of `bits` bits.
///
/// `extent` is the number of rows and of columns, from the first ones, outside of which every coefficient is zero.
pub(crate) fn inverse_add(
    side: Side,
    kind: Kind,
    coefficients: &[i32],
    extent: (usize, usize),
    pixels: &mut [u16],
    stride: usize,
    bits: u8,
) {
    debug_assert!(kind == Kind::DctDct || side.pixels() <= 16);
    debug_assert!(stride >= side.pixels() && (8..=10).contains(&bits));
    let kept = side.frequencies();
    let coefficients = &coefficients[..kept * kept];
    let extent = (extent.0.min(kept), extent.1.min(kept));
    run!(
        side,
        InverseAdd {
            kind,
            coefficients,
            extent,
            pixels,
            stride,
            bits
        }
    );
}
