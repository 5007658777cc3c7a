//! Headers: what they say, that they are read from any pieces, and what is said of files without one.

use pixmill_engine::EngineError;
use pixmill_engine::probe::{ColorModel, Header, Prober, probe};
use pixmill_types::{FailureCode, ImageFormat, LimitName, Limits};

use crate::support::{files_in, read};

fn facts(header: Header) -> (ImageFormat, u32, u32, u32, u8) {
    let Header {
        format,
        width,
        height,
        frames,
        orientation,
        ..
    } = header;
    (format, width, height, frames, orientation.as_exif())
}

#[test]
fn real_headers_are_read() {
    use ImageFormat::{Bmp, Gif, Ico, Jpeg, Png, Pnm, Qoi, Tiff, Webp};
    let cases = [
        ("bench/photo_0.3mp.jpg", (Jpeg, 640, 480, 1, 1)),
        ("bench/progressive_2mp.jpg", (Jpeg, 1664, 1248, 1, 1)),
        ("camera/canon_hdr_NO.jpg", (Jpeg, 2048, 1536, 1, 6)),
        ("orientation/Landscape_0.jpg", (Jpeg, 1800, 1200, 1, 1)),
        ("orientation/Landscape_7.jpg", (Jpeg, 1200, 1800, 1, 7)),
        ("orientation/exif_6.png", (Png, 128, 96, 1, 6)),
        ("photos/kodak_14.png", (Png, 768, 512, 1, 1)),
        ("webp/lossy.webp", (Webp, 256, 192, 1, 1)),
        ("webp/lossless_alpha.webp", (Webp, 256, 192, 1, 1)),
        ("webp/animated.webp", (Webp, 256, 192, 2, 1)),
        ("formats/still.gif", (Gif, 64, 48, 1, 1)),
        ("formats/animated.gif", (Gif, 16, 12, 4, 1)),
        ("formats/rgb_lzw.tiff", (Tiff, 64, 48, 1, 1)),
        ("formats/rgb_big.tiff", (Tiff, 64, 48, 1, 1)),
        ("formats/orientation_6.tiff", (Tiff, 48, 64, 1, 6)),
        ("formats/top_down_565.bmp", (Bmp, 64, 48, 1, 1)),
        ("formats/png.ico", (Ico, 48, 48, 1, 1)),
        ("formats/bitmap.ico", (Ico, 48, 48, 1, 1)),
        ("formats/rgb.qoi", (Qoi, 64, 48, 1, 1)),
        ("formats/p1.pbm", (Pnm, 64, 48, 1, 1)),
        ("formats/p3.ppm", (Pnm, 64, 48, 1, 1)),
        ("formats/rgba.pam", (Pnm, 64, 48, 1, 1)),
    ];
    for (name, expected) in cases {
        assert_eq!(facts(probe(&read(name)).unwrap()), expected, "{name}");
    }
}

#[test]
fn colour_models_are_told_apart() {
    let cases = [
        ("bench/photo_2mp.jpg", ColorModel::YCbCr),
        ("bench/gray_2mp.jpg", ColorModel::Gray),
        ("bench/cmyk_2mp.jpg", ColorModel::Cmyk { inverted: true }),
        ("pngsuite/basn0g01.png", ColorModel::Gray),
        ("pngsuite/basn3p08.png", ColorModel::Rgb),
        ("pngsuite/tbbn3p08.png", ColorModel::Rgba),
        ("pngsuite/tbwn0g16.png", ColorModel::GrayAlpha),
        ("pngsuite/basn6a16.png", ColorModel::Rgba),
        ("webp/lossy.webp", ColorModel::Rgb),
        ("webp/lossless_alpha.webp", ColorModel::Rgba),
        ("formats/still.gif", ColorModel::Rgb),
        ("formats/holes.gif", ColorModel::Rgba),
        ("formats/rgb24.bmp", ColorModel::Rgb),
        ("formats/rgba_masks.bmp", ColorModel::Rgba),
        ("formats/gray.tiff", ColorModel::Gray),
        ("formats/rgba.tiff", ColorModel::Rgba),
        ("formats/cmyk.tiff", ColorModel::Cmyk { inverted: false }),
        ("formats/rgb_jpeg.tiff", ColorModel::Rgb),
        ("formats/ycbcr_jpeg.tiff", ColorModel::YCbCr),
        ("formats/p4.pbm", ColorModel::Gray),
        ("formats/rgba.pam", ColorModel::Rgba),
    ];
    for (name, expected) in cases {
        assert_eq!(probe(&read(name)).unwrap().color, expected, "{name}");
    }
}

#[test]
fn a_header_is_the_same_in_whatever_pieces_it_arrives() {
    for name in [
        "camera/canon_hdr_NO.jpg",
        "orientation/exif_6.png",
        "webp/animated.webp",
        "webp/orientation_6.webp",
        "formats/animated.gif",
        "formats/orientation_6.tiff",
        "formats/rgb_big.tiff",
        "formats/rle4.bmp",
        "formats/png.ico",
        "formats/bitmap.ico",
        "formats/rgb.qoi",
        "formats/p3.ppm",
        "formats/rgba.pam",
    ] {
        let bytes = read(name);
        let whole = probe(&bytes).unwrap();
        for size in [1, 2, 3, 7, 64, 1000] {
            let mut prober = Prober::default();
            let found = bytes.chunks(size).find_map(|piece| prober.feed(piece).unwrap());
            assert_eq!(found, Some(whole), "{name} in pieces of {size}");
        }
    }
}

#[test]
fn long_metadata_before_the_header_is_passed_over() {
    let mut jpeg = vec![0xff, 0xd8];
    for _ in 0..300 {
        jpeg.extend_from_slice(&[0xff, 0xe5, 0xff, 0xff]);
        jpeg.resize(jpeg.len() + 65_533, 0xff);
    }
    jpeg.extend_from_slice(&read("bench/photo_0.3mp.jpg")[2..]);
    assert_eq!(probe(&jpeg).unwrap().width, 640);
}

/// A PNG that begins with these chunks; their checksums, but for the header's, are not looked at here.
fn png_of(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, body) in chunks {
        png.extend_from_slice(&(body.len() as u32).to_be_bytes());
        png.extend_from_slice(*kind);
        png.extend_from_slice(body);
        png.extend_from_slice(&[0; 4]);
    }
    png
}

#[test]
fn an_animated_png_declares_its_frames() {
    let still = read("pngsuite/basn2c08.png");
    let header_end = 8 + 8 + 13 + 4;
    let animation = png_of(&[(b"acTL", &[0, 0, 0, 12, 0, 0, 0, 0])]);
    let animated = [&still[..header_end], &animation[8..], &still[header_end..]].concat();
    assert_eq!(probe(&animated).unwrap().frames, 12);
}

#[test]
fn what_is_no_image_is_named() {
    let mp4 = b"\0\0\0\x18ftypisom\0\0\0\0isommp41";
    let svg = b"<?xml version=\"1.0\"?>\n<!-- made by hand -->\n<svg xmlns=\"http://www.w3.org/2000/svg\"/>";
    let cases: &[(&[u8], &str)] = &[
        (b"", "an empty file"),
        (svg, "an SVG drawing"),
        (&read("hostile/picture.svg"), "an SVG drawing"),
        (&read("hostile/document.pdf"), "a PDF document"),
        (b"BMW is no bitmap, nor is BM with a header of nonsense", "text"),
        (mp4, "a video"),
        (b"\xef\xbb\xbf<!DOCTYPE html><html></html>", "an HTML page"),
        (b"PK\x03\x04\x14\0\0\0\x08\0", "a ZIP archive"),
        (b"{\"a\": 1}", "a JSON document"),
        ("Grüße aus dem Süden".as_bytes(), "text"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "a WAV sound"),
        (&[0; 600], "not an image of a known format"),
    ];
    for (bytes, expected) in cases {
        let error = probe(bytes).unwrap_err();
        assert!(matches!(error, EngineError::NotAnImage(_)), "{expected}: {error:?}");
        assert!(error.to_string().contains(expected), "{expected}: {error}");
        assert_eq!(error.to_failure().code, FailureCode::NotAnImage);
    }
}

#[test]
fn images_that_are_not_read_say_why() {
    let cases: &[(&[u8], &str)] = &[
        (
            b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
            "a HEIC image, whose codec is patented",
        ),
        (
            b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf",
            "an AVIF image, for which there is no memory-safe decoder",
        ),
        (b"8BPS\0\x01\0\0\0\0\0\0", "a Photoshop document"),
        (b"II*\0\x10\0\0\0CR\x02\0", "a camera's raw file"),
    ];
    for (bytes, expected) in cases {
        let error = probe(bytes).unwrap_err();
        assert!(error.to_string().contains(expected), "{expected}: {error}");
        assert_eq!(error.to_failure().code, FailureCode::ImageUnsupported);
    }
}

#[test]
fn a_header_cut_off_anywhere_is_truncated() {
    for (name, header_bytes) in [
        ("bench/photo_0.3mp.jpg", 100),
        ("orientation/exif_6.png", 33),
        ("webp/lossy.webp", 30),
        ("webp/lossless.webp", 25),
    ] {
        let bytes = read(name);
        // A WebP is told from other RIFF files, and those from text, by what comes later.
        let first = if name.ends_with("webp") { 4 } else { 1 };
        for length in first..header_bytes {
            match probe(&bytes[..length]) {
                Err(EngineError::Truncated(_)) => {}
                other => panic!("{name} cut to {length} bytes: {other:?}"),
            }
        }
    }
    for name in ["header_cut.jpg", "header_cut.png", "header_cut.webp"] {
        let error = probe(&read(&format!("hostile/{name}"))).unwrap_err();
        assert_eq!(error.to_failure().code, FailureCode::ImageTruncated, "{name}");
    }
}

#[test]
fn a_body_cut_off_leaves_the_header_readable() {
    for name in ["body_cut.jpg", "body_cut.png", "body_cut.webp"] {
        probe(&read(&format!("hostile/{name}"))).unwrap();
    }
}

#[test]
fn an_enormous_declaration_is_refused_with_the_limit_and_the_value() {
    let cases = [
        ("hostile/bomb_65536.png", 65_536, 30_000),
        ("hostile/bomb_65500.jpg", 65_500, 30_000),
    ];
    for (name, actual, limit) in cases {
        let header = probe(&read(name)).unwrap();
        let failure = header.check(&Limits::default()).unwrap_err().to_failure();
        let exceeded = failure.limit.unwrap();
        assert_eq!(failure.code, FailureCode::LimitExceeded, "{name}");
        assert_eq!(
            (exceeded.name, exceeded.actual, exceeded.limit),
            (LimitName::Width, actual, limit)
        );
    }
}

#[test]
fn each_limit_of_a_header_is_checked_inclusively() {
    let header = probe(&read("webp/animated.webp")).unwrap();
    let exactly = Limits {
        max_width: 256,
        max_height: 192,
        max_frames: 2,
        max_pixels: 2 * 256 * 192,
        ..Limits::default()
    };
    header.check(&exactly).unwrap();
    let one_less = [
        (
            LimitName::Width,
            Limits {
                max_width: 255,
                ..exactly.clone()
            },
        ),
        (
            LimitName::Height,
            Limits {
                max_height: 191,
                ..exactly.clone()
            },
        ),
        (
            LimitName::Frames,
            Limits {
                max_frames: 1,
                ..exactly.clone()
            },
        ),
        (
            LimitName::Pixels,
            Limits {
                max_pixels: 2 * 256 * 192 - 1,
                ..exactly
            },
        ),
    ];
    for (name, limits) in one_less {
        match header.check(&limits) {
            Err(EngineError::Limit(exceeded)) => assert_eq!(exceeded.name, name),
            other => panic!("{name:?}: {other:?}"),
        }
    }
}

/// A JPEG of height 0 means to say it behind its picture, which libjpeg, and so browsers, do not read either.
#[test]
fn a_jpeg_without_a_height_is_unsupported() {
    let mut jpeg = read("bench/photo_0.3mp.jpg");
    let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 7].copy_from_slice(&[0, 0]);
    match probe(&jpeg) {
        Err(EngineError::Unsupported(message)) => assert!(message.contains("DNL"), "{message}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn declared_sides_of_zero_are_corrupt() {
    let mut jpeg = read("bench/photo_0.3mp.jpg");
    let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    jpeg[frame + 7..frame + 9].copy_from_slice(&[0, 0]);
    let mut webp = read("webp/lossy.webp");
    webp[26..28].copy_from_slice(&[0, 0]);
    for bytes in [jpeg, webp] {
        assert!(matches!(probe(&bytes), Err(EngineError::Corrupt(_))));
    }
}

#[test]
fn kinds_of_jpeg_that_are_not_read_say_so() {
    let jpeg = read("bench/photo_0.3mp.jpg");
    let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    for (offset, value, expected) in [
        (1, 0xc3, "lossless"),
        (1, 0xc9, "arithmetic"),
        (1, 0xc5, "hierarchical"),
        (4, 12, "12 bits"),
        (9, 2, "2 components"),
    ] {
        let mut changed = jpeg.clone();
        changed[frame + offset] = value;
        match probe(&changed) {
            Err(EngineError::Unsupported(message)) => assert!(message.contains(expected), "{message}"),
            other => panic!("{expected}: {other:?}"),
        }
    }
}

#[test]
fn broken_pngs_of_the_suite_are_refused_or_left_to_the_decoder() {
    for (name, bytes) in files_in("pngsuite") {
        let result = probe(&bytes);
        match name.as_str() {
            // A damaged signature; what is left is not known to be a PNG.
            "xs1n0g01.png" | "xs2n0g01.png" | "xs4n0g01.png" | "xs7n0g01.png" | "xcrn0g04.png" | "xlfn0g04.png" => {
                assert!(matches!(result, Err(EngineError::NotAnImage(_))), "{name}: {result:?}");
            }
            // A damaged image header, or none of the picture.
            "xhdn0g08.png" | "xc1n0g08.png" | "xc9n2c08.png" | "xd0n2c08.png" | "xd3n2c08.png" | "xd9n2c08.png"
            | "xdtn0g01.png" => {
                assert!(matches!(result, Err(EngineError::Corrupt(_))), "{name}: {result:?}");
            }
            _ if name.ends_with(".png") => assert_eq!(result.unwrap().format, ImageFormat::Png, "{name}"),
            _ => assert!(matches!(result, Err(EngineError::NotAnImage(_))), "{name}: {result:?}"),
        }
    }
}

#[test]
fn hostile_headers_give_a_header_or_a_reason() {
    for folder in ["hostile/jpeg", "hostile/png"] {
        for (name, bytes) in files_in(folder) {
            match probe(&bytes) {
                Ok(header) => assert!(header.pixels() > 0 && header.frames > 0, "{name}"),
                Err(EngineError::Internal(message)) => panic!("{name}: {message}"),
                Err(_) => {}
            }
        }
    }
}
