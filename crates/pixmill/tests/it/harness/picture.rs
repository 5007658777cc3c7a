//! Decodes results with other code than the engine's own output path, and measures them against references.

use std::io::Cursor;

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// An 8-bit gray picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gray {
    /// Width, pixels.
    pub(crate) width: usize,
    /// Height, pixels.
    pub(crate) height: usize,
    /// Row by row.
    pub(crate) samples: Vec<u8>,
}

impl Gray {
    /// Decodes a JPEG that must have a single component.
    pub(crate) fn from_jpeg(file: &[u8]) -> Self {
        let options = DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::Luma);
        let mut decoder = JpegDecoder::new_with_options(Cursor::new(file), options);
        let samples = decoder.decode().unwrap();
        assert_eq!(
            decoder.input_colorspace(),
            Some(ColorSpace::Luma),
            "the JPEG is not gray"
        );
        let (width, height) = decoder.dimensions().unwrap();
        assert_eq!(samples.len(), width * height);
        Self { width, height, samples }
    }

    /// Decodes a PNG that must be 8-bit gray.
    pub(crate) fn from_png(file: &[u8]) -> Self {
        let mut reader = png::Decoder::new(Cursor::new(file)).read_info().unwrap();
        let mut samples = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut samples).unwrap();
        assert_eq!(
            (info.color_type, info.bit_depth),
            (png::ColorType::Grayscale, png::BitDepth::Eight)
        );
        samples.truncate(info.buffer_size());
        Self {
            width: info.width as usize,
            height: info.height as usize,
            samples,
        }
    }

    /// Peak signal-to-noise ratio of the part at (`x`, `y`) against `reference`, dB; infinite when equal.
    pub(crate) fn psnr_at(&self, x: usize, y: usize, reference: &Self) -> f64 {
        assert!(x + reference.width <= self.width && y + reference.height <= self.height);
        let rows = reference.samples.chunks(reference.width).enumerate();
        let squares = rows.flat_map(|(row, expected)| {
            let start = (y + row) * self.width + x;
            let actual = &self.samples[start..start + reference.width];
            actual
                .iter()
                .zip(expected)
                .map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2))
        });
        let mean = squares.sum::<f64>() / reference.samples.len() as f64;
        10.0 * (255.0 * 255.0 / mean).log10()
    }
}
