//! Photos to measure with, made distinct without changing a pixel.

use std::path::Path;

use anyhow::{Context as _, ensure};
use pixmill_engine::probe::probe;
use pixmill_types::ImageFormat;

const SOI: [u8; 2] = [0xff, 0xd8];
const COM: [u8; 2] = [0xff, 0xfe];

/// A JPEG photo.
#[derive(Debug)]
pub(super) struct Photo {
    pub(super) name: String,
    pub(super) width: u32,
    pub(super) height: u32,
    bytes: Vec<u8>,
}

impl Photo {
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let bytes = std::fs::read(path)?;
        let header = probe(&bytes)?;
        ensure!(
            header.format == ImageFormat::Jpeg,
            "it is a {}, photos to measure with are JPEG",
            header.format
        );
        let name = path
            .file_name()
            .context("it has no name")?
            .to_string_lossy()
            .into_owned();
        Ok(Self {
            name,
            width: header.width,
            height: header.height,
            bytes,
        })
    }

    /// Pixels in millions.
    pub(super) fn megapixels(&self) -> f64 {
        f64::from(self.width) * f64::from(self.height) / 1e6
    }

    /// Size, bytes.
    pub(super) fn size(&self) -> usize {
        self.bytes.len()
    }

    /// The photo with a comment segment that only `number` has.
    pub(super) fn distinct(&self, number: u64) -> Vec<u8> {
        let (before, after) = self.around_number();
        [&before, number.to_be_bytes().as_slice(), after].concat()
    }

    /// The bytes before and after the 8 bytes of a number in a comment segment, which make copies distinct.
    pub(super) fn around_number(&self) -> ([u8; 6], &[u8]) {
        let [start, comment] = [SOI, COM];
        (
            [start[0], start[1], comment[0], comment[1], 0, 2 + 8],
            &self.bytes[SOI.len()..],
        )
    }

    /// The photo followed by zeros up to `size` bytes, which decoders ignore.
    pub(super) fn padded(&self, size: usize) -> Self {
        let mut bytes = self.bytes.clone();
        bytes.resize(size.max(bytes.len()), 0);
        Self {
            name: self.name.clone(),
            width: self.width,
            height: self.height,
            bytes,
        }
    }
}
