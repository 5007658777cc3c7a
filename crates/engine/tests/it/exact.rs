//! Pictures in double precision, and steps on them written as their definitions read: slow, and one after the other.

use std::io::Cursor;

/// Samples from 0 to 1, interleaved.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Exact {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) channels: usize,
    pub(crate) samples: Vec<f64>,
}

/// What a PNG of the tests holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) channels: usize,
    pub(crate) is_deep: bool,
    /// In EXIF; 1 writes none.
    pub(crate) orientation: u8,
}

/// Every number of channels at either depth.
pub(crate) fn kinds() -> impl Iterator<Item = Kind> {
    (1..=4).flat_map(|channels| {
        [false, true].map(|is_deep| Kind {
            channels,
            is_deep,
            orientation: 1,
        })
    })
}

impl Kind {
    pub(crate) fn max(self) -> f64 {
        if self.is_deep { 65_535.0 } else { 255.0 }
    }

    /// A picture of numbers that look random, a third of it not seen through at all and a third seen through in whole.
    pub(crate) fn noise(self, width: usize, height: usize) -> Exact {
        let mut state = 0x2545_f491_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(state >> 16) / 65_535.0
        };
        let samples = (0..width * height * self.channels)
            .map(|index| {
                let is_alpha = self.channels.is_multiple_of(2) && index % self.channels == self.channels - 1;
                let sample = next();
                let level = if is_alpha {
                    (sample * 3.0 - 1.0).clamp(0.0, 1.0)
                } else {
                    sample
                };
                (level * self.max()).round() / self.max()
            })
            .collect();
        Exact {
            width,
            height,
            channels: self.channels,
            samples,
        }
    }

    pub(crate) fn to_png(self, picture: &Exact) -> Vec<u8> {
        let mut info = png::Info::with_size(picture.width as u32, picture.height as u32);
        info.color_type = match self.channels {
            1 => png::ColorType::Grayscale,
            2 => png::ColorType::GrayscaleAlpha,
            3 => png::ColorType::Rgb,
            _ => png::ColorType::Rgba,
        };
        info.bit_depth = if self.is_deep {
            png::BitDepth::Sixteen
        } else {
            png::BitDepth::Eight
        };
        let tiff = [
            &b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0"[..],
            &[self.orientation],
            &[0; 6],
        ]
        .concat();
        if self.orientation != 1 {
            info.exif_metadata = Some(tiff[..].into());
        }
        let mut file = Vec::new();
        let mut writer = png::Encoder::with_info(&mut file, info)
            .unwrap()
            .write_header()
            .unwrap();
        let samples = picture.samples.iter().map(|sample| (sample * self.max()).round());
        let bytes: Vec<u8> = match self.is_deep {
            true => samples.flat_map(|sample| (sample as u16).to_be_bytes()).collect(),
            false => samples.map(|sample| sample as u8).collect(),
        };
        writer.write_image_data(&bytes).unwrap();
        writer.finish().unwrap();
        file
    }
}

impl Exact {
    pub(crate) fn from_png(bytes: &[u8]) -> Self {
        let mut decoder = png::Decoder::new(Cursor::new(bytes));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        let mut samples = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut samples).unwrap();
        let samples = match info.bit_depth {
            png::BitDepth::Sixteen => samples
                .chunks_exact(2)
                .map(|pair| f64::from(u16::from_be_bytes([pair[0], pair[1]])) / 65_535.0)
                .collect(),
            _ => samples.iter().map(|sample| f64::from(*sample) / 255.0).collect(),
        };
        Self {
            width: info.width as usize,
            height: info.height as usize,
            channels: info.color_type.samples(),
            samples,
        }
    }

    pub(crate) fn has_alpha(&self) -> bool {
        self.channels.is_multiple_of(2)
    }

    pub(crate) fn at(&self, x: usize, y: usize) -> &[f64] {
        &self.samples[(y * self.width + x) * self.channels..][..self.channels]
    }

    pub(crate) fn map(&self, width: usize, height: usize, pixel: impl Fn(usize, usize) -> Vec<f64>) -> Self {
        let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        Self {
            width,
            height,
            channels: pixel(0, 0).len(),
            samples: places.flat_map(|(x, y)| pixel(x, y)).collect(),
        }
    }

    /// As red, green, blue and alpha.
    pub(crate) fn rgba(&self) -> Self {
        self.map(self.width, self.height, |x, y| match *self.at(x, y) {
            [gray] => vec![gray, gray, gray, 1.0],
            [gray, alpha] => vec![gray, gray, gray, alpha],
            [red, green, blue] => vec![red, green, blue, 1.0],
            ref rgba => rgba.to_vec(),
        })
    }

    /// CIPA DC-008, 4.6.5: which corner of what is to be seen the first row and column of the file are.
    pub(crate) fn upright(&self, orientation: u8) -> Self {
        let (w, h) = (self.width, self.height);
        let (width, height) = if orientation >= 5 { (h, w) } else { (w, h) };
        self.map(width, height, |x, y| {
            let (x, y) = match orientation {
                2 => (w - 1 - x, y),
                3 => (w - 1 - x, h - 1 - y),
                4 => (x, h - 1 - y),
                5 => (y, x),
                6 => (y, h - 1 - x),
                7 => (w - 1 - y, h - 1 - x),
                8 => (w - 1 - y, x),
                _ => (x, y),
            };
            self.at(x, y).to_vec()
        })
    }

    pub(crate) fn crop(&self, left: usize, top: usize, width: usize, height: usize) -> Self {
        self.map(width, height, |x, y| self.at(x + left, y + top).to_vec())
    }

    /// Left, top, right, bottom; what is added is `background`, of as many channels.
    pub(crate) fn pad(&self, [left, top, right, bottom]: [usize; 4], background: &[f64]) -> Self {
        self.map(self.width + left + right, self.height + top + bottom, |x, y| {
            let (x, y) = (x.wrapping_sub(left), y.wrapping_sub(top));
            let is_within = x < self.width && y < self.height;
            if is_within { self.at(x, y) } else { background }.to_vec()
        })
    }

    /// Without alpha, on `background`, of as many channels as are left.
    pub(crate) fn flatten(&self, background: &[f64]) -> Self {
        let colors = background.len();
        self.map(self.width, self.height, |x, y| {
            let pixel = self.at(x, y);
            let alpha = pixel.get(colors).copied().unwrap_or(1.0);
            (0..colors)
                .map(|color| pixel[color] * alpha + background[color] * (1.0 - alpha))
                .collect()
        })
    }

    /// Mixes what lies around each place that a turn clockwise brings to a pixel; beyond the edges lies `background`.
    pub(crate) fn rotate(&self, degrees: f64, weight: fn(f64) -> f64, background: &[f64]) -> Self {
        let (sin, cos) = degrees.to_radians().sin_cos();
        let (w, h) = (self.width as f64, self.height as f64);
        let width = (w * cos.abs() + h * sin.abs() - 1e-6).ceil();
        let height = (h * cos.abs() + w * sin.abs() - 1e-6).ceil();
        self.map(width as usize, height as usize, |x, y| {
            let (dx, dy) = (x as f64 + 0.5 - width / 2.0, y as f64 + 0.5 - height / 2.0);
            let (x, y) = (dx * cos + dy * sin + w / 2.0 - 0.5, dy * cos - dx * sin + h / 2.0 - 0.5);
            let mut sums = vec![0.0; self.channels];
            for row in y.floor() as isize - 1..=y.floor() as isize + 2 {
                for column in x.floor() as isize - 1..=x.floor() as isize + 2 {
                    let is_within =
                        (0..self.width as isize).contains(&column) && (0..self.height as isize).contains(&row);
                    let pixel = match is_within {
                        true => self.at(column as usize, row as usize),
                        false => background,
                    };
                    let weight = weight(x - column as f64) * weight(y - row as f64);
                    let alpha = if self.has_alpha() {
                        pixel[self.channels - 1]
                    } else {
                        1.0
                    };
                    for (index, sum) in sums.iter_mut().enumerate() {
                        let is_alpha = self.has_alpha() && index == self.channels - 1;
                        *sum += weight * pixel[index] * if is_alpha { 1.0 } else { alpha };
                    }
                }
            }
            if self.has_alpha() {
                let alpha = sums[self.channels - 1];
                let scale = if alpha > 0.0 { 1.0 / alpha } else { 0.0 };
                sums[..self.channels - 1].iter_mut().for_each(|sum| *sum *= scale);
            }
            sums.into_iter().map(|sum| sum.clamp(0.0, 1.0)).collect()
        })
    }

    /// Red, green and blue, each multiplied by alpha, and alpha.
    pub(crate) fn seen(&self) -> Vec<f64> {
        let rgba = self.rgba();
        let pixels = rgba.samples.chunks_exact(4);
        pixels
            .flat_map(|pixel| [pixel[0] * pixel[3], pixel[1] * pixel[3], pixel[2] * pixel[3], pixel[3]])
            .collect()
    }

    /// The largest difference in what is seen.
    pub(crate) fn distance(&self, other: &Self) -> f64 {
        let shape = |picture: &Self| (picture.width, picture.height, picture.channels);
        assert_eq!(shape(self), shape(other));
        let pairs = self.seen().into_iter().zip(other.seen());
        pairs.map(|(one, other)| (one - other).abs()).fold(0.0, f64::max)
    }
}

pub(crate) fn linear(distance: f64) -> f64 {
    (1.0 - distance.abs()).max(0.0)
}

/// Keys 1981, a = -1/2.
pub(crate) fn catmull_rom(distance: f64) -> f64 {
    match distance.abs() {
        d if d < 1.0 => (1.5 * d - 2.5) * d * d + 1.0,
        d if d < 2.0 => ((-0.5 * d + 2.5) * d - 4.0) * d + 2.0,
        _ => 0.0,
    }
}
