//! Decodes what the engine made, with libraries alone, and measures how far apart two pictures are.

use std::io::Cursor;

use pixmill_types::{FileFormat, ImageFormat};

/// 8-bit samples, interleaved.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Picture {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) channels: usize,
    pub(crate) samples: Vec<u8>,
}

impl Picture {
    /// One colour all over.
    pub(crate) fn plain(width: usize, height: usize, pixel: &[u8]) -> Self {
        Self {
            width,
            height,
            channels: pixel.len(),
            samples: pixel.repeat(width * height),
        }
    }

    /// The left upper corner, and the sides, of what differs in `after`.
    pub(crate) fn touched(&self, after: &Self) -> (usize, usize, usize, usize) {
        assert_eq!(
            (self.width, self.height, self.channels),
            (after.width, after.height, after.channels)
        );
        let differs = |pixel: usize| {
            let range = pixel * self.channels..(pixel + 1) * self.channels;
            self.samples[range.clone()] != after.samples[range]
        };
        let places: Vec<_> = (0..self.width * self.height)
            .filter(|pixel| differs(*pixel))
            .map(|pixel| (pixel % self.width, pixel / self.width))
            .collect();
        let (left, top) = (
            places.iter().map(|p| p.0).min().unwrap(),
            places.iter().map(|p| p.1).min().unwrap(),
        );
        let (right, bottom) = (
            places.iter().map(|p| p.0).max().unwrap(),
            places.iter().map(|p| p.1).max().unwrap(),
        );
        (left, top, right - left + 1, bottom - top + 1)
    }

    /// Decodes a file; 16-bit samples are taken by their high byte.
    pub(crate) fn decode(format: impl Into<FileFormat>, bytes: &[u8]) -> Self {
        let FileFormat::Image(format) = format.into() else {
            panic!("facts are no picture");
        };
        match format {
            ImageFormat::Jpeg => Self::from_jpeg(bytes),
            ImageFormat::Png => Self::from_png(bytes),
            ImageFormat::Webp => Self::from_webp(bytes),
            // The golden tests hold our own decoders of these against Pillow's.
            ImageFormat::Gif | ImageFormat::Tiff | ImageFormat::Bmp | ImageFormat::Qoi => {
                Self::from_png(&crate::support::mill(bytes, "orient => png").unwrap().outputs[0].bytes)
            }
            ImageFormat::Ico | ImageFormat::Pnm | ImageFormat::Avif | ImageFormat::Jxl => {
                panic!("{format} is not written, or not read")
            }
        }
    }

    fn from_jpeg(bytes: &[u8]) -> Self {
        use zune_core::colorspace::ColorSpace;
        use zune_core::options::DecoderOptions;
        let gray = DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::Luma);
        let mut decoder = zune_jpeg::JpegDecoder::new(zune_core::bytestream::ZCursor::new(bytes));
        decoder.decode_headers().unwrap();
        let channels = decoder.input_colorspace().unwrap().num_components();
        if channels == 1 {
            decoder.set_options(gray);
        }
        let samples = decoder.decode().unwrap();
        let (width, height) = decoder.dimensions().unwrap();
        Self {
            width,
            height,
            channels,
            samples,
        }
    }

    pub(crate) fn from_png(bytes: &[u8]) -> Self {
        let mut decoder = png::Decoder::new(Cursor::new(bytes));
        decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::STRIP_16);
        let mut reader = decoder.read_info().unwrap();
        let mut samples = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut samples).unwrap();
        Self {
            width: info.width as usize,
            height: info.height as usize,
            channels: info.color_type.samples(),
            samples,
        }
    }

    fn from_webp(bytes: &[u8]) -> Self {
        let mut decoder = image_webp::WebPDecoder::new(Cursor::new(bytes)).unwrap();
        let mut samples = vec![0; decoder.output_buffer_size().unwrap()];
        decoder.read_image(&mut samples).unwrap();
        let (width, height) = decoder.dimensions();
        Self {
            width: width as usize,
            height: height as usize,
            channels: if decoder.has_alpha() { 4 } else { 3 },
            samples,
        }
    }

    pub(crate) fn to_png(&self) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, self.width as u32, self.height as u32);
        encoder.set_color(match self.channels {
            1 => png::ColorType::Grayscale,
            2 => png::ColorType::GrayscaleAlpha,
            3 => png::ColorType::Rgb,
            _ => png::ColorType::Rgba,
        });
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&self.samples).unwrap();
        writer.finish().unwrap();
        file
    }

    pub(crate) fn region(&self, x: usize, y: usize, width: usize, height: usize) -> Self {
        let rows = self.samples.chunks_exact(self.width * self.channels);
        let samples = rows
            .skip(y)
            .take(height)
            .flat_map(|row| &row[x * self.channels..(x + width) * self.channels])
            .copied()
            .collect();
        Self {
            width,
            height,
            samples,
            ..*self
        }
    }

    pub(crate) fn has_alpha(&self) -> bool {
        self.channels.is_multiple_of(2)
    }

    /// The samples, colours multiplied by alpha, so that what nobody sees does not count.
    pub(crate) fn seen(&self) -> Vec<f64> {
        let colors = self.channels - 1;
        self.samples
            .chunks_exact(self.channels)
            .flat_map(|pixel| {
                let alpha = if self.has_alpha() {
                    f64::from(pixel[colors]) / 255.0
                } else {
                    1.0
                };
                pixel.iter().enumerate().map(move |(index, sample)| {
                    let is_alpha = pixel.len().is_multiple_of(2) && index == colors;
                    f64::from(*sample) * if is_alpha { 1.0 } else { alpha }
                })
            })
            .collect()
    }
}

/// Peak signal-to-noise ratio of two pictures of the same shape, dB; infinite when they are equal.
pub(crate) fn psnr(one: &Picture, other: &Picture) -> f64 {
    let shape = |picture: &Picture| (picture.width, picture.height, picture.channels);
    assert_eq!(shape(one), shape(other));
    let (one, other) = (one.seen(), other.seen());
    let squares: f64 = one.iter().zip(&other).map(|(a, b)| (a - b).powi(2)).sum();
    10.0 * (255.0 * 255.0 / (squares / one.len() as f64)).log10()
}

/// 16-bit samples, interleaved.
#[derive(Debug, PartialEq)]
pub(crate) struct Deep {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) channels: usize,
    pub(crate) samples: Vec<u16>,
}

impl Deep {
    pub(crate) fn from_png(bytes: &[u8]) -> Self {
        let mut decoder = png::Decoder::new(Cursor::new(bytes));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        let mut samples = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut samples).unwrap();
        assert_eq!(info.bit_depth, png::BitDepth::Sixteen);
        Self {
            width: info.width as usize,
            height: info.height as usize,
            channels: info.color_type.samples(),
            samples: samples
                .chunks_exact(2)
                .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
                .collect(),
        }
    }
}
