//! Walks the marker segments of a JPEG up to its first scan (ISO/IEC 10918-1, annex B).
//!
//! Reads the frame header, the EXIF orientation and Adobe's colour transform, in whatever order they come; passes over
//! every other segment. Never sees entropy-coded data.

use pixmill_types::ImageFormat;

use super::header::{ColorModel, Header, Streaming, still};
use super::{Next, Walk};
use crate::EngineError;
use crate::exif::{self, Orientation};

/// A marker: `FF` and its code.
pub(super) const FIRST_READ: usize = 2;

const EXIF: &[u8] = b"Exif\0\0";
const ADOBE: &[u8] = b"Adobe";
/// `Adobe`, version, two flag words, colour transform.
const ADOBE_BYTES: usize = 12;
/// Components that are looked at closely.
const COMPONENTS: usize = 4;
/// A count, and an id and tables for each component.
const SCAN_BYTES: u64 = 1 + 2 * COMPONENTS as u64;
/// Blocks in an MCU, at most (B.2.3).
const MAX_MCU_BLOCKS: u32 = 10;

#[derive(Debug, Default)]
pub(super) struct Walker {
    expects: Expects,
    orientation: Option<Orientation>,
    /// The first bytes of an EXIF segment whose rest is awaited.
    exif: Vec<u8>,
    adobe_transform: Option<u8>,
    frame: Option<Frame>,
}

/// What the frame header says.
#[derive(Debug, Clone, Copy)]
struct Frame {
    width: u16,
    height: u16,
    components: u8,
    /// The ids of the first three components spell what they are.
    ids_say_rgb: bool,
    progressive: bool,
    /// Id and sampling factors of the first components.
    specifications: [[u8; 2]; COMPONENTS],
}

impl Frame {
    /// What our own core can take of a picture whose first scan has this header (ISO/IEC 10918-1, B.2.2 and B.2.3).
    fn streaming(&self, color: ColorModel, scan: &[u8]) -> Streaming {
        let count = usize::from(self.components);
        let components = &self.specifications[..count.min(COMPONENTS)];
        let sampling = || components.iter().map(|[_, sampling]| (sampling >> 4, sampling & 15));
        let is_sound = sampling().all(|(across, down)| [1, 2, 4].contains(&across) && [1, 2, 4].contains(&down));
        let most = sampling().fold((0, 0), |most, (across, down)| (most.0.max(across), most.1.max(down)));
        let has_whole_luma = sampling().next() == Some(most);
        let is_one_scan = scan.first() == Some(&self.components);
        if count > 1 {
            let is_tall = self.progressive && most.1 > most.0;
            if !is_sound || !has_whole_luma || is_tall || !self.progressive && !is_one_scan {
                return Streaming::Rare;
            }
        }
        if self.progressive || !is_one_scan || !matches!(color, ColorModel::Gray | ColorModel::YCbCr) {
            return Streaming::No;
        }
        let ids = scan[1..].as_chunks::<2>().0.iter().map(|[id, _]| *id);
        if !ids.take(count).eq(components.iter().map(|[id, _]| *id)) {
            return Streaming::No;
        }
        let blocks: u32 = sampling().map(|(across, down)| u32::from(across * down)).sum();
        if !is_sound || blocks > MAX_MCU_BLOCKS && count > 1 {
            return Streaming::No;
        }
        // Chroma as large as luma, or half of it in both directions.
        let is_even = |(across, down): (u8, u8)| (across, down) == most || (across * 2, down * 2) == most;
        if sampling().all(is_even) && color == ColorModel::YCbCr {
            Streaming::Colour
        } else {
            Streaming::Luma
        }
    }
}

/// What the piece asked for is.
#[derive(Debug, Default, Clone, Copy)]
enum Expects {
    #[default]
    Marker,
    /// The byte after an `FF`, which may be another fill byte.
    Code,
    /// The length of the segment with this marker code.
    Length(u8),
    /// The first bytes of an application segment, and how many follow them.
    Application { code: u8, behind: u64 },
    /// What is left of the TIFF block of an EXIF segment.
    ExifRest,
    /// A frame header with this marker code.
    Frame(u8),
    /// What matters of the header of the first scan.
    Scan,
}

impl Walk for Walker {
    fn step(&mut self, piece: &[u8]) -> Result<Next, EngineError> {
        match self.expects {
            Expects::Marker => match piece {
                [0xff, code] => self.marker(*code),
                // Decoders pass over stray bytes between segments; so does this walk.
                [_, 0xff] => Ok(self.want(Expects::Code, Next::read(1))),
                _ => Ok(self.want(Expects::Marker, Next::read(2))),
            },
            Expects::Code => self.marker(piece[0]),
            Expects::Length(code) => self.length(code, u16::from_be_bytes([piece[0], piece[1]])),
            Expects::Application { code, behind } => Ok(self.application(code, piece, behind)),
            Expects::ExifRest => {
                self.exif.extend_from_slice(piece);
                self.orientation = exif::orientation_of_tiff(&self.exif);
                self.exif = Vec::new();
                Ok(self.want(Expects::Marker, Next::read(2)))
            }
            Expects::Frame(code) => {
                self.frame = Some(frame(code, piece)?);
                Ok(self.want(Expects::Marker, Next::read(2)))
            }
            Expects::Scan => self.header(piece).map(Next::Done),
        }
    }

    fn finish(&self) -> Result<Header, EngineError> {
        Err(super::cut_off("JPEG"))
    }
}

impl Walker {
    fn want(&mut self, expects: Expects, next: Next) -> Next {
        self.expects = expects;
        next
    }

    fn marker(&mut self, code: u8) -> Result<Next, EngineError> {
        match code {
            0xff => Ok(self.want(Expects::Code, Next::read(1))),
            // Stuffing, TEM, restart markers and a second start of image have no length.
            0x00 | 0x01 | 0xd0..=0xd8 => Ok(self.want(Expects::Marker, Next::read(2))),
            0xd9 => Err(corrupt("ends before a picture begins")),
            _ => Ok(self.want(Expects::Length(code), Next::read(2))),
        }
    }

    fn length(&mut self, code: u8, length: u16) -> Result<Next, EngineError> {
        let Some(body) = length.checked_sub(2) else {
            return Err(corrupt("has a segment shorter than its own length field"));
        };
        let body = u64::from(body);
        Ok(match code {
            // DHT, JPG and DAC lie in the range of the frame headers.
            0xc4 | 0xc8 | 0xcc => self.want(Expects::Marker, Next::skip_then_read(body, 2)),
            0xc0..=0xcf => {
                if self.frame.is_some() {
                    return Err(corrupt("has two frame headers"));
                }
                if body < 6 {
                    return Err(corrupt("has a frame header that is too short"));
                }
                self.want(Expects::Frame(code), Next::read(body as usize))
            }
            0xda => self.want(Expects::Scan, Next::read(body.min(SCAN_BYTES) as usize)),
            0xe1 | 0xee => {
                let head = body.min(ADOBE_BYTES as u64);
                let behind = body - head;
                self.want(Expects::Application { code, behind }, Next::read(head as usize))
            }
            _ => self.want(Expects::Marker, Next::skip_then_read(body, 2)),
        })
    }

    fn application(&mut self, code: u8, head: &[u8], behind: u64) -> Next {
        match code {
            0xe1 if self.orientation.is_none() && head.starts_with(EXIF) => {
                self.exif = head[EXIF.len()..].to_vec();
                return self.want(Expects::ExifRest, Next::read(behind as usize));
            }
            0xee if head.starts_with(ADOBE) => self.adobe_transform = head.get(ADOBE_BYTES - 1).copied(),
            _ => {}
        }
        self.want(Expects::Marker, Next::skip_then_read(behind, 2))
    }

    fn header(&self, scan: &[u8]) -> Result<Header, EngineError> {
        let Some(frame) = self.frame else {
            return Err(corrupt("has a scan before any frame header"));
        };
        let color = match (frame.components, self.adobe_transform) {
            (1, _) => ColorModel::Gray,
            // As the decoder decides it.
            (3, Some(0)) => ColorModel::Rgb,
            (3, _) if frame.ids_say_rgb => ColorModel::Rgb,
            (3, _) => ColorModel::YCbCr,
            (4, adobe) => ColorModel::Cmyk {
                inverted: adobe.is_some(),
            },
            (0, _) => return Err(corrupt("has a frame without components")),
            (other, _) => return Err(unsupported(&format!("JPEG with {other} components"))),
        };
        // DNL says it behind the scan (ISO/IEC 10918-1, B.2.5); limits hold before that is read.
        if frame.height == 0 {
            return Err(unsupported("JPEG that says its height only behind its picture (DNL)"));
        }
        let mut header = still(ImageFormat::Jpeg, frame.width.into(), frame.height.into(), color)?;
        header.orientation = self.orientation.unwrap_or_default();
        header.multi_pass = frame.progressive;
        header.streaming = frame.streaming(color, scan);
        Ok(header)
    }
}

fn frame(code: u8, body: &[u8]) -> Result<Frame, EngineError> {
    match code {
        0xc0..=0xc2 => {}
        0xc3 | 0xc7 | 0xcb | 0xcf => return Err(unsupported("lossless JPEG")),
        0xc5 | 0xc6 => return Err(unsupported("hierarchical JPEG")),
        _ => return Err(unsupported("arithmetic-coded JPEG")),
    }
    let [
        precision,
        height_high,
        height_low,
        width_high,
        width_low,
        components,
        specifications @ ..,
    ] = body
    else {
        return Err(corrupt("has a frame header that is too short"));
    };
    if *precision != 8 {
        return Err(unsupported(&format!("JPEG with {precision} bits a sample")));
    }
    if specifications.len() < usize::from(*components) * 3 {
        return Err(corrupt("has a frame header that is too short"));
    }
    let all = specifications.as_chunks::<3>().0.iter();
    let mut specifications = [[0; 2]; COMPONENTS];
    for (specification, [id, sampling, _]) in specifications.iter_mut().zip(all) {
        *specification = [*id, *sampling];
    }
    Ok(Frame {
        width: u16::from_be_bytes([*width_high, *width_low]),
        height: u16::from_be_bytes([*height_high, *height_low]),
        components: *components,
        ids_say_rgb: specifications[..3].iter().map(|[id, _]| id).eq(b"RGB"),
        progressive: code == 0xc2,
        specifications,
    })
}

fn corrupt(how: &str) -> EngineError {
    EngineError::Corrupt(format!("the JPEG {how}"))
}

fn unsupported(what: &str) -> EngineError {
    EngineError::Unsupported(format!("{what} is not read; baseline and progressive 8-bit JPEG is"))
}
