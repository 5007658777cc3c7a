//! Files that break a rule or leave something out, as browsers read them; made here, a few bytes each.

mod gifs;
mod pngs;
mod stills;

use std::io::Write;

use flate2::Crc;
use flate2::write::ZlibEncoder;
use pixmill_engine::probe::{Header, Prober};
use pixmill_types::{FailureCode, ImageFormat};

use crate::odd::rgba;
use crate::pixels::Picture;
use crate::support::mill;

pub(super) const RED: [u8; 4] = [255, 0, 0, 255];
pub(super) const GREEN: [u8; 4] = [0, 255, 0, 255];
pub(super) const BLUE: [u8; 4] = [0, 0, 255, 255];
pub(super) const BLACK: [u8; 4] = [0, 0, 0, 255];
pub(super) const NOTHING: [u8; 4] = [0; 4];

pub(super) fn made(input: &[u8], recipe: &str) -> Vec<u8> {
    let milled = mill(input, recipe).unwrap_or_else(|error| panic!("{recipe}: {error}"));
    milled.outputs.into_iter().next_back().unwrap().bytes
}

pub(super) fn still(input: &[u8]) -> Picture {
    Picture::decode(ImageFormat::Png, &made(input, "=> png:frames=first"))
}

pub(super) fn code(input: &[u8]) -> FailureCode {
    mill(input, "=> png").map(drop).unwrap_err().to_failure().code
}

/// All pixels of a picture, row by row.
pub(super) fn pixels(picture: &Picture) -> Vec<[u8; 4]> {
    let places = (0..picture.height).flat_map(|y| (0..picture.width).map(move |x| [x, y]));
    places.map(|place| rgba(picture, place)).collect()
}

pub(super) fn header_in_pieces(file: &[u8]) -> Header {
    let mut prober = Prober::default();
    let found = file.iter().find_map(|byte| prober.feed(&[*byte]).unwrap());
    found.unwrap_or_else(|| prober.finish().unwrap())
}

pub(super) fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn png_chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut crc = Crc::new();
    crc.update(kind);
    crc.update(body);
    let length = (body.len() as u32).to_be_bytes();
    [&length[..], kind, body, &crc.sum().to_be_bytes()].concat()
}

/// The packed samples of a picture of one colour, RGB.
pub(super) fn png_data(color: [u8; 4], width: u32, height: u32) -> Vec<u8> {
    let row = [vec![0], color[..3].repeat(width as usize)].concat();
    zlib(&row.repeat(height as usize))
}

pub(super) fn png_of(width: u32, height: u32, chunks: &[Vec<u8>]) -> Vec<u8> {
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    let (header, end) = (png_chunk(b"IHDR", &header), png_chunk(b"IEND", &[]));
    [&b"\x89PNG\r\n\x1a\n"[..], &header, &chunks.concat(), &end].concat()
}
