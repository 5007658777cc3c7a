//! PNG: animations whose pictures and counts are not what they seem, and code points that mean nothing.

use pixmill_engine::probe::probe;
use pixmill_types::{FailureCode, ImageFormat};

use super::{BLUE, GREEN, RED, code, made, pixels, png_chunk, png_data, png_of, still};
use crate::odd::{frame, rgba};
use crate::pixels::Picture;
use crate::support::{mill, read};

fn animation_control(frames: u32) -> Vec<u8> {
    png_chunk(b"acTL", &[frames.to_be_bytes(), [0; 4]].concat())
}

fn frame_control(sequence: u32, [left, top, width, height]: [u32; 4]) -> Vec<u8> {
    let numbers = [sequence, width, height, left, top].map(u32::to_be_bytes).concat();
    png_chunk(b"fcTL", &[&numbers[..], &[0, 1, 0, 10, 0, 0]].concat())
}

fn frame_data(sequence: u32, data: &[u8]) -> Vec<u8> {
    png_chunk(b"fdAT", &[&sequence.to_be_bytes()[..], data].concat())
}

/// 4 x 4 pixels, of which those who know no animations see red alone; the second frame is smaller.
fn animation_apart() -> Vec<u8> {
    png_of(
        4,
        4,
        &[
            animation_control(2),
            png_chunk(b"IDAT", &png_data(RED, 4, 4)),
            frame_control(0, [0, 0, 4, 4]),
            frame_data(1, &png_data(GREEN, 4, 4)),
            frame_control(2, [1, 1, 2, 2]),
            frame_data(3, &png_data(BLUE, 2, 2)),
        ],
    )
}

#[test]
fn a_picture_that_is_no_frame_of_an_animation_is_left_out() {
    let file = animation_apart();
    assert_eq!(probe(&made(&file, "flip | flip => png")).unwrap().frames, 2);
    let (first, second) = (frame(&file, 0), frame(&file, 1));
    assert!(pixels(&first).iter().all(|pixel| *pixel == GREEN));
    assert_eq!(
        [[0, 0], [1, 1], [3, 3]].map(|place| rgba(&second, place)),
        [GREEN, BLUE, GREEN]
    );
    for recipe in [
        "=> png:frames=first",
        "=> png:name=moving ; png:frames=first,name=still",
        "=> bmp",
    ] {
        let picture = made(&file, recipe);
        let picture = Picture::decode(probe(&picture).unwrap().format, &picture);
        assert!(pixels(&picture).iter().all(|pixel| *pixel == GREEN), "{recipe}");
    }
    let gray = Picture::decode(ImageFormat::Png, &made(&file, "grayscale => png:frames=first"));
    assert_eq!((gray.channels, gray.samples[0]), (1, 150));
}

#[test]
fn of_one_frame_and_a_picture_apart_the_picture_is_taken() {
    let file = png_of(
        2,
        2,
        &[
            animation_control(1),
            png_chunk(b"IDAT", &png_data(RED, 2, 2)),
            frame_control(0, [0, 0, 1, 1]),
            frame_data(1, &png_data(GREEN, 1, 1)),
        ],
    );
    assert_eq!(pixels(&still(&file)), [RED; 4]);
}

/// Five frames are declared, and two are there.
fn short_animation() -> Vec<u8> {
    png_of(
        2,
        2,
        &[
            animation_control(5),
            frame_control(0, [0, 0, 2, 2]),
            png_chunk(b"IDAT", &png_data(RED, 2, 2)),
            frame_control(1, [0, 0, 2, 2]),
            frame_data(2, &png_data(GREEN, 2, 2)),
            frame_control(3, [0, 0, 2, 2]),
        ],
    )
}

#[test]
fn an_animation_has_the_frames_that_are_there() {
    let file = short_animation();
    for format in ["png", "gif", "webp"] {
        let made = made(&file, &format!("=> {format}"));
        assert_eq!(probe(&made).unwrap().frames, 2, "{format}");
    }
    assert_eq!(pixels(&frame(&file, 1)), [GREEN; 4]);
    let milled = mill(&file, "=> bmp").unwrap();
    assert!(milled.warnings[0].contains("2 frames"), "{:?}", milled.warnings);
    for begun in [vec![], frame_control(0, [0, 0, 2, 2])] {
        let data = png_chunk(b"IDAT", &png_data(RED, 2, 2));
        let file = png_of(2, 2, &[animation_control(5), begun, data]);
        let made = made(&file, "=> png");
        assert_eq!(probe(&made).unwrap().frames, 1);
        assert_eq!(pixels(&Picture::from_png(&made)), [RED; 4]);
    }
}

#[test]
fn an_animation_that_lacks_its_end_is_cut_off() {
    let file = short_animation();
    // A length and a type are enough of the chunk that ends the file.
    for length in 1..file.len() - 4 {
        assert_eq!(code(&file[..length]), FailureCode::ImageTruncated, "cut to {length}");
    }
}

#[test]
fn code_points_that_are_invalid_are_ignored() {
    const HEADER_END: usize = 33;
    let file = read("color/p3.png");
    let (header, rest) = file.split_at(HEADER_END);
    let invalid = [[9, 16, 1, 1], [1, 13, 9, 0], [1, 13, 0, 2]].map(|body| png_chunk(b"cICP", &body));
    let longer = png_chunk(b"cICP", &[1, 13, 0, 1, 0]);
    for points in [&invalid[0], &invalid[1], &invalid[2], &longer, &invalid.concat()] {
        let with_points = [header, points, rest].concat();
        for recipe in ["=> png", "grayscale => png"] {
            assert!(
                made(&with_points, recipe) == made(&file, recipe),
                "{points:?}, {recipe}"
            );
        }
        for length in HEADER_END..HEADER_END + points.len() {
            assert_eq!(code(&with_points[..length]), FailureCode::ImageTruncated);
        }
    }
}
