//! The JPEG core: decodes sequential JPEG in strips, luma alone where that is enough, and encodes as it goes.
//!
//! Owns entropy coding, the transforms, and the pipeline from file to file that never holds a whole picture. What it
//! cannot stream (progressive, several scans, inks, RGB) is known from the header and goes to the general decoder;
//! `docs/adr/0003-our-own-jpeg-core.md` says why it exists. Knows nothing of recipes.

mod ahead;
mod bit_writer;
mod bits;
mod colour;
mod corner;
mod edges;
mod entropy;
mod forward;
mod frequencies;
mod gray;
mod headers;
mod huffman;
mod inverse;
mod luma;
mod markers;
mod quality;
mod rgb;
mod scans;
mod skip;
mod strip;
mod tables;
#[cfg(test)]
mod tests;
mod tokens;
mod turn;
mod waiting;
mod wide;
mod write;

pub(crate) use self::colour::decode_colour;
pub(crate) use self::frequencies::{Frequencies, frequencies};
pub(crate) use self::gray::encode_gray;
pub(crate) use self::luma::{decode_luma, gray_to_gray};
pub(crate) use self::markers::Scans;
pub(crate) use self::rgb::encode_rgb;

use crate::EngineError;

/// Coefficients in a block.
const BLOCK: usize = 64;

/// Where in a block, counted row by row, the coefficients of a zigzag lie (ISO/IEC 10918-1, figure A.6).
const ZIGZAG: [u8; BLOCK] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21,
    28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54,
    47, 55, 62, 63,
];

fn corrupt(how: &str) -> EngineError {
    EngineError::Corrupt(format!("the JPEG is damaged: it {how}"))
}

fn cut_off() -> EngineError {
    EngineError::Truncated("the file ends before its JPEG picture does".to_owned())
}
