//! Unpacks one strip or tile of a TIFF into bytes of a length that is known before.

use flate2::{Decompress, FlushDecompress};
use weezl::BitOrder;
use weezl::decode::Decoder as Lzw;
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use crate::EngineError;
use crate::layout::tiff::{Directory, Photometric, Picture, compression, corrupt, cut_off, tag, unsupported};
use crate::pixels::zeros;

/// Unpacks the pieces of one picture.
pub(super) struct Unpacker<'a> {
    compression: u16,
    /// Tables that the JPEGs of all pieces share: a JPEG without a picture.
    tables: &'a [u8],
    /// Whether what the JPEGs hold is luma and chroma, which they turn into RGB; everything else stays as it is stored.
    is_ycbcr: bool,
    in_piece: usize,
    /// Rows of a tile, or of a strip but the last.
    piece_rows: u32,
}

impl<'a> Unpacker<'a> {
    pub(super) fn new(
        directory: &Directory<'a>,
        picture: &Picture,
        in_piece: usize,
        piece_rows: u32,
    ) -> Result<Self, EngineError> {
        let tables = match directory.bytes(tag::JPEG_TABLES) {
            Some(tables) => tables,
            // Every piece may have its own.
            None if !directory.has(tag::JPEG_TABLES) => &[],
            None => return Err(cut_off()),
        };
        Ok(Self {
            compression: picture.compression,
            tables,
            is_ycbcr: picture.photometric == Photometric::YCbCr,
            in_piece,
            piece_rows,
        })
    }

    /// Fills `bytes` with the rows of a piece; whether there were enough.
    pub(super) fn unpack(&self, packed: &[u8], width: u32, rows: u32, bytes: &mut [u8]) -> Result<bool, EngineError> {
        let filled = match self.compression {
            compression::NONE => {
                let filled = packed.len().min(bytes.len());
                bytes[..filled].copy_from_slice(&packed[..filled]);
                filled
            }
            compression::PACK_BITS => pack_bits(packed, bytes),
            compression::LZW => lzw(packed, bytes)?,
            compression::DEFLATE | compression::OLD_DEFLATE => deflate(packed, bytes)?,
            compression::GROUP_4 => fax(packed, width, rows, bytes),
            compression::JPEG => self.jpeg(packed, width, rows, bytes)?,
            other => return Err(unsupported(&format!("a TIFF of compression {other}"))),
        };
        Ok(filled == bytes.len())
    }

    fn jpeg(&self, packed: &[u8], width: u32, rows: u32, bytes: &mut [u8]) -> Result<usize, EngineError> {
        let mut file = Vec::new();
        let tables = self.tables.strip_suffix(b"\xff\xd9").unwrap_or(self.tables);
        let packed = if tables.is_empty() {
            packed
        } else {
            file.extend_from_slice(tables);
            packed.strip_prefix(b"\xff\xd8").unwrap_or(packed)
        };
        file.extend_from_slice(packed);
        let options = DecoderOptions::default()
            .set_strict_mode(true)
            .set_max_width(width as usize)
            .set_max_height(self.piece_rows as usize);
        let mut decoder = JpegDecoder::new_with_options(ZCursor::new(file), options);
        decoder.decode_headers().map_err(|error| damaged(&error))?;
        // The last strip may be as high as all others, beyond the end of the picture.
        let is_of_piece = |(across, down)| across == width as usize && down >= rows as usize;
        if !decoder.dimensions().is_some_and(is_of_piece) {
            return Err(damaged(&"the JPEG of a piece is of another size"));
        }
        let stored = decoder.input_colorspace().unwrap_or(ColorSpace::Unknown);
        if stored.num_components() != self.in_piece {
            return Err(damaged(&"the JPEG of a piece is of another kind"));
        }
        let space = if self.is_ycbcr { ColorSpace::RGB } else { stored };
        decoder.set_options(options.jpeg_set_out_colorspace(space));
        let size = decoder.output_buffer_size().unwrap_or(0);
        if let Some(target) = bytes.get_mut(..size) {
            decoder.decode_into(target).map_err(|error| damaged(&error))?;
            return Ok(size);
        }
        let mut higher = zeros::<u8>(size as u64)?;
        decoder.decode_into(&mut higher).map_err(|error| damaged(&error))?;
        bytes.copy_from_slice(&higher[..bytes.len()]);
        Ok(bytes.len())
    }
}

/// PackBits (TIFF 6.0, section 9).
fn pack_bits(packed: &[u8], bytes: &mut [u8]) -> usize {
    let (mut from, mut to) = (0, 0);
    while let (Some(head), true) = (packed.get(from), to < bytes.len()) {
        from += 1;
        let head = *head as i8;
        let length = usize::from(head.unsigned_abs()) + 1;
        if head == i8::MIN {
            continue;
        }
        let length = length.min(bytes.len() - to);
        if head >= 0 {
            let Some(literal) = packed.get(from..from + length) else {
                return to;
            };
            bytes[to..to + length].copy_from_slice(literal);
            from += usize::from(head.unsigned_abs()) + 1;
        } else {
            let Some(value) = packed.get(from) else {
                return to;
            };
            bytes[to..to + length].fill(*value);
            from += 1;
        }
        to += length;
    }
    to
}

fn lzw(packed: &[u8], bytes: &mut [u8]) -> Result<usize, EngineError> {
    let mut decoder = Lzw::with_tiff_size_switch(BitOrder::Msb, 8);
    let (mut from, mut to) = (0, 0);
    loop {
        let step = decoder.decode_bytes(&packed[from..], &mut bytes[to..]);
        from += step.consumed_in;
        to += step.consumed_out;
        match step.status {
            Ok(weezl::LzwStatus::Ok) if to < bytes.len() => {}
            Ok(_) => return Ok(to),
            // More may follow than belongs to the picture.
            Err(_) if to == bytes.len() => return Ok(to),
            Err(error) => return Err(damaged(&error)),
        }
    }
}

fn deflate(packed: &[u8], bytes: &mut [u8]) -> Result<usize, EngineError> {
    let mut decoder = Decompress::new(true);
    decoder
        .decompress(packed, bytes, FlushDecompress::Finish)
        .map_err(|error| damaged(&error))?;
    Ok(decoder.total_out() as usize)
}

/// Fax of group 4 (ITU-T T.6): black is 1.
fn fax(packed: &[u8], width: u32, rows: u32, bytes: &mut [u8]) -> usize {
    let row_bytes = width.div_ceil(8) as usize;
    let mut lines = bytes.chunks_exact_mut(row_bytes);
    let mut filled = 0;
    let _is_whole = ::fax::decoder::decode_g4(packed.iter().copied(), width, Some(rows), |transitions| {
        let Some(line) = lines.next() else {
            return;
        };
        line.fill(0);
        for (x, color) in ::fax::decoder::pels(transitions, width).enumerate() {
            if color == ::fax::Color::Black && x < width as usize {
                line[x / 8] |= 0x80 >> (x % 8);
            }
        }
        filled += row_bytes;
    });
    filled
}

fn damaged(why: &dyn std::fmt::Display) -> EngineError {
    let why = why.to_string();
    corrupt(&format!("is damaged: {}", why.trim_matches(['"', '.', ' '])))
}
