//! Operations on the colour of single pixels, as functions of numbers from 0 to 1.

use std::fmt;

use pixmill_types::Color;

/// A function of one level; what leaves 0 to 1 is cut off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Tone {
    /// A factor.
    Brightness(f32),
    /// A factor about the middle.
    Contrast(f32),
    /// Levels to the power of 1 / gamma.
    Gamma(f32),
    /// How far towards the negative, 0 to 1.
    Invert(f32),
    /// The darkest level of 255 that becomes white.
    Threshold(u32),
    /// Which levels become black and white, the first below the second.
    Stretch { black: f64, white: f64 },
}

impl Tone {
    /// Filter Effects Module Level 1, 9.4 to 9.6, for the first two and for `Invert`.
    pub(crate) fn of(self, level: f64) -> f64 {
        let changed = match self {
            Self::Brightness(factor) => level * f64::from(factor),
            Self::Contrast(factor) => (level - 0.5) * f64::from(factor) + 0.5,
            Self::Gamma(gamma) => level.powf(1.0 / f64::from(gamma)),
            Self::Invert(amount) => level + f64::from(amount) * (1.0 - 2.0 * level),
            // A whole level may come as one that is less by a rounding.
            Self::Threshold(least) if level * 255.0 + 1e-6 >= f64::from(least) => 1.0,
            Self::Threshold(_) => 0.0,
            Self::Stretch { black, white } => (level - black) / (white - black),
        };
        changed.clamp(0.0, 1.0)
    }
}

impl fmt::Display for Tone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Brightness(factor) => write!(f, "brightness {factor}"),
            Self::Contrast(factor) => write!(f, "contrast {factor}"),
            Self::Gamma(gamma) => write!(f, "gamma {gamma}"),
            Self::Invert(amount) => write!(f, "invert {amount}"),
            Self::Threshold(level) => write!(f, "threshold {level}"),
            Self::Stretch { black, white } => write!(f, "from {black:.3} to {white:.3}"),
        }
    }
}

/// What each of red, green and blue becomes, as factors of the three; what leaves 0 to 1 is cut off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ColorMatrix(pub(crate) [[f64; 3]; 3]);

impl ColorMatrix {
    /// `feColorMatrix` of type `saturate`, Filter Effects Module Level 1.
    pub(super) fn saturate(factor: f32) -> Self {
        let (weights, s) = ([0.213, 0.715, 0.072], f64::from(factor));
        let row = |own: usize| [0, 1, 2].map(|from| weights[from] * (1.0 - s) + if from == own { s } else { 0.0 });
        Self([row(0), row(1), row(2)])
    }

    /// `feColorMatrix` of type `hueRotate`, Filter Effects Module Level 1.
    pub(super) fn hue_rotate(degrees: f32) -> Self {
        let (sin, cos) = f64::from(degrees).to_radians().sin_cos();
        Self([
            [
                0.213 + cos * 0.787 - sin * 0.213,
                0.715 - cos * 0.715 - sin * 0.715,
                0.072 - cos * 0.072 + sin * 0.928,
            ],
            [
                0.213 - cos * 0.213 + sin * 0.143,
                0.715 + cos * 0.285 + sin * 0.140,
                0.072 - cos * 0.072 - sin * 0.283,
            ],
            [
                0.213 - cos * 0.213 - sin * 0.787,
                0.715 - cos * 0.715 + sin * 0.715,
                0.072 + cos * 0.928 + sin * 0.072,
            ],
        ])
    }

    /// The matrix of `sepia()`, Filter Effects Module Level 1.
    pub(super) fn sepia(amount: f32) -> Self {
        let rest = 1.0 - f64::from(amount);
        Self([
            [0.393 + 0.607 * rest, 0.769 - 0.769 * rest, 0.189 - 0.189 * rest],
            [0.349 - 0.349 * rest, 0.686 + 0.314 * rest, 0.168 - 0.168 * rest],
            [0.272 - 0.272 * rest, 0.534 - 0.534 * rest, 0.131 + 0.869 * rest],
        ])
    }

    /// The colour as bright as luma (ITU-R BT.601), as far as `amount` says.
    pub(super) fn tint(color: Color, amount: f32) -> Self {
        let (weights, amount) = ([0.299, 0.587, 0.114], f64::from(amount));
        let colors = [color.red, color.green, color.blue].map(|level| f64::from(level) / 255.0);
        let row = |to: usize| {
            [0, 1, 2].map(|from| weights[from] * colors[to] * amount + if from == to { 1.0 - amount } else { 0.0 })
        };
        Self([row(0), row(1), row(2)])
    }

    /// Whether no colour leaves 0 to 1, so that nothing is cut off.
    pub(super) fn stays_in_range(&self) -> bool {
        let is_mean = |row: &[f64; 3]| row.iter().all(|factor| *factor >= 0.0) && row.iter().sum::<f64>() <= 1.0 + 1e-9;
        self.0.iter().all(is_mean)
    }

    /// This, then `next`, as one.
    pub(super) fn then(&self, next: &Self) -> Self {
        let row = |to: usize| [0, 1, 2].map(|from| (0..3).map(|by| next.0[to][by] * self.0[by][from]).sum());
        Self([row(0), row(1), row(2)])
    }
}

impl fmt::Display for ColorMatrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, [red, green, blue]) in self.0.iter().enumerate() {
            write!(
                f,
                "{}{red:.3} {green:.3} {blue:.3}",
                if index == 0 { "" } else { " / " }
            )?;
        }
        Ok(())
    }
}
