//! Colour profiles: what a file's means for its pixels, and the way from there to sRGB.
//!
//! Owns the judgement which profiles make no difference. How files carry them is not known here.

use bytemuck::Pod;
use moxcms::{
    CicpColorPrimaries, CicpProfile, ColorProfile, DataColorSpace, Layout, MatrixCoefficients, ToneReprCurve,
    TransferCharacteristics, TransformExecutor, TransformOptions,
};

use crate::EngineError;
use crate::mill::{Control, NeverStop};
use crate::pixels::{Channels, Image, Samples, zeros};
use crate::probe::ColorModel;

/// What the profile of a file means for its pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// There is none, or it says what is meant anyway.
    Srgb,
    /// Other gray or RGB than sRGB.
    Other {
        /// Whether gray stays gray of the same level, so that luma may be taken of the pixels as they are.
        keeps_gray: bool,
    },
    /// Printing inks.
    Inks,
    /// It is damaged, or for pixels of another kind.
    Ignored,
}

/// How far a curve may be from that of sRGB, on average over all levels, to count as the same, levels of 255.
const SAME_CURVE: f32 = 0.75;
/// The same for curves that leave gray nearly as it is; that of a power of 2.2 is 1.1 off.
const LIKE_CURVE: f32 = 2.0;
/// How far a primary may be from that of sRGB in any coordinate to count as the same.
const SAME_PRIMARY: f64 = 0.004;
/// Rows that are converted at a time.
const ROWS: usize = 16;

impl Profile {
    /// What `icc` means for pixels of this kind.
    pub(crate) fn of(icc: &[u8], color: ColorModel) -> Self {
        let Ok(profile) = ColorProfile::new_from_slice(icc) else {
            return Self::Ignored;
        };
        match (profile.color_space, color) {
            (DataColorSpace::Rgb, ColorModel::Rgb | ColorModel::Rgba | ColorModel::YCbCr) => of_rgb(&profile),
            // An RGB profile on gray pixels says how light they are.
            (DataColorSpace::Rgb, ColorModel::Gray | ColorModel::GrayAlpha) => of_gray(profile.red_trc.as_ref()),
            (DataColorSpace::Gray, ColorModel::Gray | ColorModel::GrayAlpha) => of_gray(profile.gray_trc.as_ref()),
            (DataColorSpace::Cmyk, ColorModel::Cmyk { .. }) => Self::Inks,
            _ => Self::Ignored,
        }
    }

    /// Whether pixels are converted unless the recipe keeps the profile.
    pub(crate) const fn needs_conversion(self) -> bool {
        matches!(self, Self::Other { .. })
    }

    /// Whether luma may be taken of the pixels as they are.
    pub(crate) const fn keeps_gray(self) -> bool {
        match self {
            Self::Srgb | Self::Ignored => true,
            Self::Other { keeps_gray } => keeps_gray,
            Self::Inks => false,
        }
    }
}

/// The profile that code points stand for (ITU-T H.273, 8.1 and 8.2); `None` for those of more light than white, which no
/// profile of ours has room for, and for what is unknown.
pub(crate) fn of_code_points(primaries: u8, transfer: u8) -> Option<Vec<u8>> {
    let transfer_characteristics = match transfer {
        1 => TransferCharacteristics::Bt709,
        4 => TransferCharacteristics::Bt470M,
        5 => TransferCharacteristics::Bt470Bg,
        // The same curve three times more.
        6 | 14 | 15 => TransferCharacteristics::Bt709,
        8 => TransferCharacteristics::Linear,
        13 => TransferCharacteristics::Srgb,
        _ => return None,
    };
    let profile = ColorProfile::new_from_cicp(CicpProfile {
        color_primaries: CicpColorPrimaries::try_from(primaries).ok()?,
        transfer_characteristics,
        matrix_coefficients: MatrixCoefficients::Identity,
        full_range: true,
    });
    // It says nothing of primaries that have no place among colours.
    profile.red_trc.is_some().then(|| profile.encode().ok()).flatten()
}

fn of_rgb(profile: &ColorProfile) -> Profile {
    let curves = [&profile.red_trc, &profile.green_trc, &profile.blue_trc];
    let distance = curves.map(|curve| curve.as_ref().and_then(distance_from_srgb));
    let worst = distance
        .iter()
        .map(|distance| distance.unwrap_or(f32::INFINITY))
        .fold(0.0, f32::max);
    if !profile.is_matrix_shaper() || profile.lut_a_to_b_perceptual.is_some() {
        return Profile::Other { keeps_gray: false };
    }
    let srgb = ColorProfile::new_srgb();
    let is_near = |one: &moxcms::Xyzd, other: &moxcms::Xyzd| {
        [one.x - other.x, one.y - other.y, one.z - other.z]
            .iter()
            .all(|distance| distance.abs() <= SAME_PRIMARY)
    };
    let same_primaries = is_near(&profile.red_colorant, &srgb.red_colorant)
        && is_near(&profile.green_colorant, &srgb.green_colorant)
        && is_near(&profile.blue_colorant, &srgb.blue_colorant);
    if same_primaries && worst <= SAME_CURVE {
        return Profile::Srgb;
    }
    Profile::Other {
        keeps_gray: worst <= LIKE_CURVE,
    }
}

fn of_gray(curve: Option<&ToneReprCurve>) -> Profile {
    match curve.and_then(distance_from_srgb) {
        Some(distance) if distance <= LIKE_CURVE => Profile::Srgb,
        Some(_) => Profile::Other { keeps_gray: false },
        None => Profile::Ignored,
    }
}

/// How far the levels that a curve means are from those that sRGB means, on average, levels of 255.
fn distance_from_srgb(curve: &ToneReprCurve) -> Option<f32> {
    let mut sum = 0.0;
    for level in 0..=255_u8 {
        let stored = f32::from(level) / 255.0;
        sum += (encoded(linear(curve, stored)?) - stored).abs();
    }
    let mean = sum / 256.0 * 255.0;
    mean.is_finite().then_some(mean)
}

/// The light that a curve means by a level (ICC.1, 10.6 and 10.18).
fn linear(curve: &ToneReprCurve, level: f32) -> Option<f32> {
    match curve {
        ToneReprCurve::Lut(table) => match table[..] {
            [] => Some(level),
            [gamma] => Some(level.powf(f32::from(gamma) / 256.0)),
            _ => {
                let place = level * (table.len() - 1) as f32;
                let below = (place as usize).min(table.len() - 2);
                let (low, high) = (f32::from(table[below]), f32::from(table[below + 1]));
                Some((low + (high - low) * (place - below as f32)) / 65_535.0)
            }
        },
        ToneReprCurve::Parametric(numbers) => match numbers[..] {
            [gamma] => Some(level.powf(gamma)),
            [gamma, a, b] => Some((a * level + b).max(0.0).powf(gamma)),
            [gamma, a, b, c] => Some((a * level + b).max(0.0).powf(gamma) + c),
            [gamma, a, b, _, d] if level >= d => Some((a * level + b).max(0.0).powf(gamma)),
            [_, _, _, c, _] => Some(c * level),
            [gamma, a, b, _, d, e, _] if level >= d => Some((a * level + b).max(0.0).powf(gamma) + e),
            [_, _, _, c, _, _, f] => Some(c * level + f),
            _ => None,
        },
    }
}

/// The level that sRGB has for a light (IEC 61966-2-1).
fn encoded(light: f32) -> f32 {
    if light <= 0.003_130_8 {
        light * 12.92
    } else {
        1.055 * light.powf(1.0 / 2.4) - 0.055
    }
}

/// The picture in sRGB, gray still gray.
///
/// # Errors
/// [`EngineError::Corrupt`] when the profile cannot be applied, [`EngineError::Stopped`] when `control` says so.
pub(crate) fn to_srgb(image: Image, icc: &[u8], control: &dyn Control) -> Result<Image, EngineError> {
    let mut source = ColorProfile::new_from_slice(icc).map_err(unusable)?;
    let layout = match image.channels {
        Channels::Gray => Layout::Gray,
        Channels::GrayAlpha => Layout::GrayAlpha,
        Channels::Rgb => Layout::Rgb,
        Channels::Rgba => Layout::Rgba,
    };
    let mut target = ColorProfile::new_srgb();
    if image.channels.is_gray() {
        if source.color_space == DataColorSpace::Rgb {
            let mut gray = ColorProfile::new_gray_with_gamma(2.2);
            gray.gray_trc = source.red_trc.take();
            source = gray;
        }
        let mut gray = ColorProfile::new_gray_with_gamma(2.2);
        gray.gray_trc = target.red_trc.take();
        target = gray;
    }
    let options = TransformOptions::default();
    let row = image.width as usize * image.channels.count();
    let samples = match image.samples {
        Samples::Eight(samples) => {
            let transform = source.create_transform_8bit(layout, &target, layout, options);
            let transform = transform.map_err(unusable)?;
            Samples::Eight(by_rows(samples, row, control, |from, to| {
                transform.transform(from, to)
            })?)
        }
        Samples::Sixteen(samples) => {
            let transform = source.create_transform_16bit(layout, &target, layout, options);
            let transform = transform.map_err(unusable)?;
            Samples::Sixteen(by_rows(samples, row, control, |from, to| {
                transform.transform(from, to)
            })?)
        }
    };
    Ok(Image { samples, ..image })
}

/// Converts samples in place, some rows at a time.
fn by_rows<T: Copy + Default>(
    mut samples: Vec<T>,
    row: usize,
    control: &dyn Control,
    transform: impl Fn(&[T], &mut [T]) -> Result<(), moxcms::CmsError>,
) -> Result<Vec<T>, EngineError> {
    let mut before = Vec::with_capacity(row * ROWS);
    for rows in samples.chunks_mut(row * ROWS) {
        if control.should_stop() {
            return Err(EngineError::Stopped);
        }
        before.clear();
        before.extend_from_slice(rows);
        transform(&before, rows).map_err(unusable)?;
    }
    Ok(samples)
}

/// Red, green and blue of four inks, 255 of which is all ink.
///
/// # Errors
/// As [`to_srgb`].
pub(crate) fn inks_to_srgb(
    inks: &Samples,
    width: u32,
    icc: &[u8],
    control: &dyn Control,
) -> Result<Samples, EngineError> {
    let source = ColorProfile::new_from_slice(icc).map_err(unusable)?;
    let (options, srgb) = (TransformOptions::default(), ColorProfile::new_srgb());
    let (from, to) = (Layout::Rgba, Layout::Rgb);
    match inks {
        Samples::Eight(inks) => {
            let transform = source
                .create_transform_8bit(from, &srgb, to, options)
                .map_err(unusable)?;
            mixed(inks, width, &*transform, control).map(Samples::Eight)
        }
        Samples::Sixteen(inks) => {
            let transform = source
                .create_transform_16bit(from, &srgb, to, options)
                .map_err(unusable)?;
            mixed(inks, width, &*transform, control).map(Samples::Sixteen)
        }
    }
}

fn mixed<T: Copy + Default + Pod>(
    inks: &[T],
    width: u32,
    transform: &dyn TransformExecutor<T>,
    control: &dyn Control,
) -> Result<Vec<T>, EngineError> {
    let pixels = width as usize * ROWS;
    let mut samples = zeros::<T>(inks.len() as u64 / 4 * 3)?;
    for (from, to) in inks.chunks(pixels * 4).zip(samples.chunks_mut(pixels * 3)) {
        if control.should_stop() {
            return Err(EngineError::Stopped);
        }
        transform.transform(from, to).map_err(unusable)?;
    }
    Ok(samples)
}

/// Whether a profile of inks can be applied.
pub(crate) fn has_usable_inks(icc: &[u8]) -> bool {
    inks_to_srgb(&Samples::Eight(vec![0; 4]), 1, icc, &NeverStop).is_ok()
}

fn unusable(error: moxcms::CmsError) -> EngineError {
    EngineError::Corrupt(format!("the colour profile cannot be applied: {error}"))
}
