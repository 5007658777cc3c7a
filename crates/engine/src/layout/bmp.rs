//! Device-independent bitmaps: the header of a BMP behind its file header, and of the pictures of an ICO (Windows
//! GDI, `BITMAPINFOHEADER` and its kin; OS/2's older one).

use super::{long, short};
use crate::EngineError;

/// The file header: magic, size, reserved, where the pixels are.
pub(crate) const FILE_HEADER: usize = 14;
/// OS/2's header of 16-bit sides.
const CORE: usize = 12;
const INFO: usize = 40;
const WITH_MASKS: usize = 52;
const WITH_ALPHA: usize = 56;
/// The longest header there is.
const LONGEST: usize = 124;

/// What a header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bitmap {
    pub(crate) width: u32,
    /// As declared: of an icon the rows of picture and mask together.
    pub(crate) height: u32,
    pub(crate) is_top_down: bool,
    /// Of a pixel: 1, 4, 8, 16, 24 or 32.
    pub(crate) bits: u16,
    pub(crate) is_run_length: bool,
    /// Where red, green, blue and alpha are in a pixel of 16 or 32 bits.
    pub(crate) masks: [u32; 4],
    pub(crate) palette_entries: usize,
    /// 3 or 4.
    pub(crate) palette_entry_bytes: usize,
    /// The header with its masks, bytes; the palette follows.
    pub(crate) header_bytes: usize,
}

/// The length of a header that begins with its own length, with the masks that may follow it, bytes.
///
/// # Errors
/// [`EngineError::Corrupt`] when no header is that long.
pub(crate) fn header_bytes(size: u32) -> Result<usize, EngineError> {
    match usize::try_from(size) {
        Ok(CORE) => Ok(CORE),
        // Masks of four colours may follow the plain header.
        Ok(INFO) => Ok(INFO + 16),
        Ok(size) if (INFO..=LONGEST).contains(&size) => Ok(size),
        _ => Err(corrupt(&format!("has a header of {size} bytes, which no version has"))),
    }
}

/// Reads the header at the start of `bytes`, which holds as much as [`header_bytes`] says, or as much as there is.
///
/// # Errors
/// [`EngineError::Corrupt`] for nonsense, [`EngineError::Unsupported`] for a compression that is not read.
pub(crate) fn parse(bytes: &[u8]) -> Result<Bitmap, EngineError> {
    let size = long(bytes, 0) as usize;
    if size == CORE {
        let bits = short(bytes, 10);
        return checked(Bitmap {
            width: short(bytes, 4).into(),
            height: short(bytes, 6).into(),
            is_top_down: false,
            bits,
            is_run_length: false,
            masks: default_masks(bits),
            palette_entries: if bits <= 8 { 1 << bits } else { 0 },
            palette_entry_bytes: 3,
            header_bytes: CORE,
        });
    }
    let (width, height) = (long(bytes, 4) as i32, long(bytes, 8) as i32);
    let (bits, compression, colors_used) = (short(bytes, 14), long(bytes, 16), long(bytes, 32));
    let (is_run_length, masks_behind, has_masks) = match (compression, bits) {
        (0, _) => (false, 0, false),
        (1, 8) | (2, 4) => (true, 0, false),
        (3, 16 | 32) => (false, 12, true),
        (6, 16 | 32) => (false, 16, true),
        (4 | 5, _) => {
            return Err(EngineError::Unsupported(
                "a BMP that wraps a JPEG or a PNG is not read".into(),
            ));
        }
        _ => {
            return Err(corrupt(&format!(
                "declares compression {compression} at {bits} bits a pixel"
            )));
        }
    };
    let mut masks = default_masks(bits);
    if has_masks {
        masks = [0, 4, 8, 12].map(|at| long(bytes, INFO + at));
        if size < WITH_ALPHA && masks_behind < 16 {
            masks[3] = 0;
        }
    }
    let most = if bits <= 8 { 1_usize << bits } else { 0 };
    checked(Bitmap {
        width: width.unsigned_abs(),
        height: height.unsigned_abs(),
        is_top_down: height < 0,
        bits,
        is_run_length,
        masks,
        palette_entries: match colors_used as usize {
            0 => most,
            used => used.min(most),
        },
        palette_entry_bytes: 4,
        header_bytes: size + if size < WITH_MASKS { masks_behind } else { 0 },
    })
}

fn checked(bitmap: Bitmap) -> Result<Bitmap, EngineError> {
    if matches!(bitmap.bits, 1 | 2 | 4 | 8 | 16 | 24 | 32) {
        Ok(bitmap)
    } else {
        Err(corrupt(&format!("declares {} bits a pixel", bitmap.bits)))
    }
}

fn default_masks(bits: u16) -> [u32; 4] {
    if bits == 16 {
        [0x7c00, 0x03e0, 0x001f, 0]
    } else {
        [0x00ff_0000, 0x0000_ff00, 0x0000_00ff, 0]
    }
}

impl Bitmap {
    pub(crate) const fn has_alpha(&self) -> bool {
        self.masks[3] != 0
    }

    /// A row as stored, bytes: rows begin at multiples of four.
    pub(crate) fn row_bytes(&self) -> u64 {
        (u64::from(self.width) * u64::from(self.bits)).div_ceil(32) * 4
    }

    /// Where the palette ends in `dib`, which begins with the header.
    pub(crate) const fn palette_end(&self) -> usize {
        self.header_bytes + self.palette_entries * self.palette_entry_bytes
    }
}

fn corrupt(how: &str) -> EngineError {
    EngineError::Corrupt(format!("the BMP {how}"))
}
