//! A safe door to the encoder of libwebp.
//!
//! Owns every unsafe call into it and the memory it hands out. Only pixels of our own making go in: files of others are
//! decoded elsewhere, in safe Rust.
#![expect(unsafe_code, reason = "libwebp is a C library")]

use std::ffi::c_int;

use libwebp_sys::{
    WebPConfig, WebPEncCSP, WebPEncode, WebPEncodingError, WebPPicture, WebPPictureAlloc, WebPPictureFree,
    WebPPictureImportRGB, WebPPictureImportRGBA,
};

use super::planes::{self, Plane};
use crate::encode::sink::Sink;
use crate::mill::Control;

/// How hard the lossless encoder looks for repetitions at a given method, 0 to 100.
const LOSSLESS_QUALITY: f32 = 75.0;
/// BT.601 within 16 to 235, as libwebp's own conversion computes it: black, and the range in 65,536ths.
const BLACK: u32 = 16;
const RANGE: u32 = 16_839 + 33_059 + 6_420;
const NEUTRAL_CHROMA: u8 = 128;

/// How a picture is encoded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Effort {
    /// 1 to 100; `None` keeps every pixel as it is.
    pub(super) quality: Option<u8>,
    /// 0 to 6.
    pub(super) method: u8,
}

/// A picture in libwebp's memory, as planes of luma, chroma and perhaps alpha.
pub(super) struct Picture(WebPPicture);

impl Drop for Picture {
    fn drop(&mut self) {
        // SAFETY: the picture was initialised by `WebPPicture::new`, and what it owns is freed here alone.
        unsafe { WebPPictureFree(&raw mut self.0) }
    }
}

impl Picture {
    fn new(samples: &[u8], width: u32, height: u32, pixel_bytes: usize) -> Result<Self, String> {
        let fits = |side: u32| (1..=libwebp_sys::WEBP_MAX_DIMENSION).contains(&side);
        if !fits(width) || !fits(height) || samples.len() != width as usize * height as usize * pixel_bytes {
            return Err("its sides or its samples are not as planned".into());
        }
        let mut picture = WebPPicture::new().map_err(|()| "libwebp is of another version")?;
        picture.use_argb = 0;
        picture.width = width as c_int;
        picture.height = height as c_int;
        Ok(Self(picture))
    }

    /// Takes red, green and blue, and alpha after them if `has_alpha`; as they are if `is_lossless`, else as planes, whose
    /// chroma pixels count for by how much they cover.
    pub(super) fn from_rgb(
        samples: &[u8],
        width: u32,
        height: u32,
        has_alpha: bool,
        is_lossless: bool,
    ) -> Result<Self, String> {
        let pixel_bytes = if has_alpha { 4 } else { 3 };
        let mut picture = Self::new(samples, width, height, pixel_bytes)?;
        picture.0.use_argb = c_int::from(is_lossless);
        let stride = (width as usize * pixel_bytes) as c_int;
        let import = if has_alpha {
            WebPPictureImportRGBA
        } else {
            WebPPictureImportRGB
        };
        // SAFETY: `new` checked that `samples` holds `height` rows of `stride` bytes, which are read and not kept; the
        // picture is initialised and has these sides.
        let imported = unsafe { import(&raw mut picture.0, samples.as_ptr(), stride) };
        if imported == 0 {
            return Err(picture.error());
        }
        Ok(picture)
    }

    /// Takes red, green and blue for a lossy file.
    pub(super) fn from_opaque(samples: &[u8], width: u32, height: u32) -> Result<Self, String> {
        let mut picture = Self::new(samples, width, height, 3)?;
        picture.allocate(WebPEncCSP::WEBP_YUV420)?;
        let WebPPicture {
            y,
            u,
            v,
            y_stride,
            uv_stride,
            ..
        } = picture.0;
        let plane = |samples: *mut u8, stride: c_int, rows: u32| {
            let (stride, bytes) = (stride as usize, stride as usize * rows as usize);
            // SAFETY: `WebPPictureAlloc` gave the planes, which do not overlap, so many rows of so many bytes; they belong to
            // the picture, which outlives the slices, and are zeroed before anything reads them.
            let samples = unsafe {
                samples.write_bytes(0, bytes);
                std::slice::from_raw_parts_mut(samples, bytes)
            };
            Plane { samples, stride }
        };
        let chroma = [u, v].map(|samples| plane(samples, uv_stride, height.div_ceil(2)));
        planes::fill(samples, width as usize, plane(y, y_stride, height), chroma);
        Ok(picture)
    }

    fn allocate(&mut self, colorspace: WebPEncCSP) -> Result<(), String> {
        self.0.colorspace = colorspace;
        // SAFETY: the picture is initialised; its sides and colour space are set, `use_argb` is not.
        if unsafe { WebPPictureAlloc(&raw mut self.0) } == 0 {
            return Err(self.error());
        }
        Ok(())
    }

    /// Takes gray, and alpha after it if `has_alpha`. Chroma is neutral, so no colour is computed.
    pub(super) fn from_gray(samples: &[u8], width: u32, height: u32, has_alpha: bool) -> Result<Self, String> {
        let pixel_bytes = if has_alpha { 2 } else { 1 };
        let mut picture = Self::new(samples, width, height, pixel_bytes)?;
        picture.allocate(if has_alpha {
            WebPEncCSP::WEBP_YUV420A
        } else {
            WebPEncCSP::WEBP_YUV420
        })?;
        let row = width as usize * pixel_bytes;
        let chroma_bytes = picture.0.uv_stride as usize * height.div_ceil(2) as usize;
        // SAFETY: `WebPPictureAlloc` gave both chroma planes `uv_stride` bytes for each of half the rows, rounded up.
        unsafe {
            picture.0.u.write_bytes(NEUTRAL_CHROMA, chroma_bytes);
            picture.0.v.write_bytes(NEUTRAL_CHROMA, chroma_bytes);
        }
        let mut line = vec![0; width as usize];
        for (y, samples) in samples.chunks_exact(row).enumerate() {
            let pixels = samples.chunks_exact(pixel_bytes);
            for (luma, pixel) in line.iter_mut().zip(pixels.clone()) {
                *luma = limited_range(pixel[0]);
            }
            // SAFETY: the luma plane has `y_stride` bytes, at least `width`, for each of `height` rows, and `y` is
            // below `height` as `samples` has so many rows.
            unsafe {
                let plane = picture.0.y.add(y * picture.0.y_stride as usize);
                plane.copy_from_nonoverlapping(line.as_ptr(), line.len());
            }
            if has_alpha {
                for (alpha, pixel) in line.iter_mut().zip(pixels) {
                    *alpha = pixel[1];
                }
                // SAFETY: as above; with `WEBP_YUV420A` the alpha plane was allocated, of the sides of the luma plane.
                unsafe {
                    let plane = picture.0.a.add(y * picture.0.a_stride as usize);
                    plane.copy_from_nonoverlapping(line.as_ptr(), line.len());
                }
            }
        }
        Ok(picture)
    }

    /// Encodes the picture into `sink`, until it is done or `control` says stop.
    pub(super) fn encode(mut self, effort: Effort, sink: &mut Sink<'_>, control: &dyn Control) -> Result<(), String> {
        let mut config = WebPConfig::new().map_err(|()| "libwebp is of another version")?;
        config.quality = effort.quality.map_or(LOSSLESS_QUALITY, f32::from);
        config.lossless = c_int::from(effort.quality.is_none());
        // What is seen through keeps its colour only where every pixel is to stay.
        config.exact = config.lossless;
        config.method = c_int::from(effort.method.min(6));
        // `sink` is of another lifetime inside the callbacks; both outlive the call that uses them.
        let mut control: &dyn Control = control;
        let sink: *mut Sink<'_> = sink;
        self.0.writer = Some(append);
        self.0.custom_ptr = sink.cast();
        self.0.progress_hook = Some(goes_on);
        self.0.user_data = (&raw mut control).cast();
        // SAFETY: configuration and picture are initialised, the picture has its planes. The pointers handed to the
        // callbacks stay valid for the call, which is the only one to use them, on this thread alone: `thread_level`
        // is 0.
        if unsafe { WebPEncode(&raw const config, &raw mut self.0) } == 0 {
            return Err(self.error());
        }
        Ok(())
    }

    fn error(&self) -> String {
        match self.0.error_code {
            WebPEncodingError::VP8_ENC_ERROR_OUT_OF_MEMORY
            | WebPEncodingError::VP8_ENC_ERROR_BITSTREAM_OUT_OF_MEMORY => "memory is lacking".into(),
            WebPEncodingError::VP8_ENC_ERROR_USER_ABORT => "it was stopped".into(),
            other => format!("libwebp says {other:?}"),
        }
    }
}

fn limited_range(gray: u8) -> u8 {
    ((u32::from(gray) * RANGE + (1 << 15) + (BLACK << 16)) >> 16) as u8
}

/// Called by libwebp with each piece of the file.
unsafe extern "C" fn append(data: *const u8, size: usize, picture: *const WebPPicture) -> c_int {
    if size == 0 {
        return 1;
    }
    // SAFETY: libwebp calls this within `WebPEncode`, with `size` bytes at `data` and the picture that it was given,
    // whose `custom_ptr` is the sink that `encode` borrows for as long as that call lasts.
    let (bytes, sink) = unsafe {
        let sink: &mut Sink<'_> = &mut *(*picture).custom_ptr.cast();
        (std::slice::from_raw_parts(data, size), sink)
    };
    c_int::from(sink.append(bytes))
}

/// Called by libwebp now and then; 0 ends the work.
unsafe extern "C" fn goes_on(_percent: c_int, picture: *const WebPPicture) -> c_int {
    // SAFETY: libwebp calls this within `WebPEncode` with the picture that it was given, whose `user_data` points to
    // the control that `encode` holds for as long as that call lasts.
    let control: &dyn Control = unsafe { *(*picture).user_data.cast::<&dyn Control>() };
    c_int::from(!control.should_stop())
}
