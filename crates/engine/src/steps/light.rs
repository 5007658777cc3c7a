//! Levels as light and back: the curve of sRGB (IEC 61966-2-1), in 16 bits. Alpha is left alone.

use crate::EngineError;
use crate::mill::Control;
use crate::pixels::{Depth, Image, Sample, Samples, zeros};

/// The picture with light in place of levels, at 16 bits.
pub(super) fn of(image: Image, control: &dyn Control) -> Result<Image, EngineError> {
    let samples = match &image.samples {
        Samples::Eight(samples) => mapped(samples, &image, &table::<u8, u16>(light_of), control),
        Samples::Sixteen(samples) => mapped(samples, &image, &table::<u16, u16>(light_of), control),
    }?;
    Ok(Image {
        samples: Samples::Sixteen(samples),
        ..image
    })
}

/// The picture with levels in place of light, at the depth that they had.
pub(super) fn into_levels(image: Image, depth: Depth, control: &dyn Control) -> Result<Image, EngineError> {
    let Samples::Sixteen(light) = &image.samples else {
        return Err(EngineError::Internal("light is kept at 16 bits".into()));
    };
    let samples = match depth {
        Depth::Eight => Samples::Eight(mapped(light, &image, &table::<u16, u8>(level_of), control)?),
        Depth::Sixteen => Samples::Sixteen(mapped(light, &image, &table::<u16, u16>(level_of), control)?),
    };
    Ok(Image { samples, ..image })
}

/// IEC 61966-2-1, 0 to 1.
fn light_of(level: f64) -> f64 {
    if level <= 0.040_45 {
        level / 12.92
    } else {
        ((level + 0.055) / 1.055).powf(2.4)
    }
}

/// IEC 61966-2-1, 0 to 1.
fn level_of(light: f64) -> f64 {
    if light <= 0.003_130_8 {
        light * 12.92
    } else {
        1.055 * light.powf(1.0 / 2.4) - 0.055
    }
}

/// What each sample becomes, and what it is as alpha.
struct Table<To> {
    colors: Vec<To>,
    alphas: Vec<To>,
}

fn table<From: Sample, To: Sample>(curve: fn(f64) -> f64) -> Table<To> {
    let made = |curve: fn(f64) -> f64| {
        let numbers = (0..=From::MAX).map(|sample| curve(f64::from(sample) / f64::from(From::MAX)));
        numbers
            .map(|number| To::nearest((number * f64::from(To::MAX)) as f32))
            .collect()
    };
    Table {
        colors: made(curve),
        alphas: made(|number| number),
    }
}

fn mapped<From: Sample, To: Sample>(
    samples: &[From],
    image: &Image,
    table: &Table<To>,
    control: &dyn Control,
) -> Result<Vec<To>, EngineError> {
    let mut mapped = zeros(samples.len() as u64)?;
    let channels = image.channels.count();
    let colors = image.channels.to_opaque().count();
    let row = image.width as usize * channels;
    for (to, from) in mapped.chunks_exact_mut(row).zip(samples.chunks_exact(row)) {
        if control.should_stop() {
            return Err(EngineError::Stopped);
        }
        for (to, from) in to.chunks_exact_mut(channels).zip(from.chunks_exact(channels)) {
            for (index, (to, from)) in to.iter_mut().zip(from).enumerate() {
                let table = if index < colors { &table.colors } else { &table.alphas };
                *to = table[Into::<usize>::into(*from)];
            }
        }
    }
    Ok(mapped)
}
