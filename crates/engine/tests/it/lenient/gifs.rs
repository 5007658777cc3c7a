//! GIF: frames beyond the screen, and what stands where few look for it.

use pixmill_engine::EngineError;
use pixmill_engine::probe::probe;
use pixmill_types::{FailureCode, LimitName, Limits};

use super::{BLACK, BLUE, GREEN, NOTHING, RED, code, header_in_pieces, made, pixels, still};
use crate::odd::{frame, rgba};
use crate::support::mill;

/// A frame of one colour (0 black, 1 red, 2 green, 3 blue) at a place.
fn gif_frame([left, top, width, height]: [u16; 4], color: u8) -> gif::Frame<'static> {
    let count = usize::from(width) * usize::from(height);
    gif::Frame {
        left,
        top,
        ..gif::Frame::from_indexed_pixels(width, height, vec![color; count], None)
    }
}

fn gif_encoder(file: &mut Vec<u8>, width: u16, height: u16) -> gif::Encoder<&mut Vec<u8>> {
    let palette: Vec<u8> = [BLACK, RED, GREEN, BLUE]
        .iter()
        .flat_map(|color| color[..3].to_vec())
        .collect();
    gif::Encoder::new(file, width, height, &palette).unwrap()
}

fn gif_of(width: u16, height: u16, frames: &[gif::Frame<'_>]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = gif_encoder(&mut file, width, height);
    for frame in frames {
        encoder.write_frame(frame).unwrap();
    }
    drop(encoder);
    file
}

/// Where the sides of the `number`th frame are.
fn gif_sides(file: &[u8], number: usize) -> usize {
    let is_descriptor = |at: &usize| file[*at] == b',' && file[at - 8..at - 5] == *b"!\xf9\x04";
    (8..file.len()).filter(is_descriptor).nth(number).unwrap() + 5
}

#[test]
fn a_frame_that_leaves_the_screen_is_clipped() {
    let place = [2, 1, 4, 4];
    let mut put_back = gif_frame(place, 2);
    put_back.dispose = gif::DisposalMethod::Previous;
    let mut wiped = gif_frame(place, 3);
    wiped.dispose = gif::DisposalMethod::Background;
    let file = gif_of(
        4,
        3,
        &[
            gif_frame([0, 0, 4, 3], 1),
            put_back,
            gif_frame([9, 9, 1, 1], 2),
            wiped,
            gif_frame([0, 9, 4, 4], 2),
        ],
    );
    let with_corner = |corner| {
        let inside = |index: usize| index % 4 >= 2 && index / 4 >= 1;
        (0..12)
            .map(move |index| if inside(index) { corner } else { RED })
            .collect::<Vec<_>>()
    };
    for (number, corner) in [RED, GREEN, RED, BLUE, NOTHING].into_iter().enumerate() {
        assert_eq!(pixels(&frame(&file, number)), with_corner(corner), "frame {number}");
    }
}

#[test]
fn the_rows_of_an_interlaced_frame_that_leaves_the_screen_are_told_apart() {
    let rows = [0, 4, 2, 6, 1, 3, 5, 7].map(|y: u8| y % 4);
    let leaving = gif::Frame {
        top: 4,
        interlaced: true,
        ..gif::Frame::from_indexed_pixels(1, 8, &rows[..], None)
    };
    let file = gif_of(1, 8, &[gif_frame([0, 0, 1, 8], 1), leaving]);
    let expected = [RED, RED, RED, RED, BLACK, RED, GREEN, BLUE];
    assert_eq!(pixels(&frame(&file, 1)), expected);
}

#[test]
fn the_first_frame_of_a_gif_makes_room_for_itself() {
    let file = gif_of(2, 2, &[gif_frame([1, 0, 4, 3], 1), gif_frame([4, 2, 2, 2], 2)]);
    let header = probe(&file).unwrap();
    assert_eq!((header.width, header.height), (5, 3));
    assert_eq!(header_in_pieces(&file), header);
    let first: Vec<_> = (0..15)
        .map(|index| if index % 5 == 0 { NOTHING } else { RED })
        .collect();
    assert_eq!(pixels(&frame(&file, 0)), first);
    assert_eq!(rgba(&frame(&file, 1), [4, 2]), GREEN);
    assert_eq!(pixels(&still(&gif_of(0, 0, &[gif_frame([0, 0, 2, 1], 3)]))), [BLUE; 2]);
}

#[test]
fn frames_of_any_size_keep_to_the_limits() {
    let file = gif_of(4, 4, &[gif_frame([0, 0, 4, 4], 1), gif_frame([0, 0, 4, 4], 2)]);
    let enlarged = |number| {
        let (mut file, at) = (file.clone(), gif_sides(&file, number));
        file[at..at + 4].copy_from_slice(&[0x60, 0xea, 0x60, 0xea]);
        file
    };
    match mill(&enlarged(0), "=> png") {
        Err(EngineError::Limit(exceeded)) => assert_eq!((exceeded.name, exceeded.actual), (LimitName::Width, 60_000)),
        other => panic!("{other:?}"),
    }
    assert_eq!(code(&enlarged(1)), FailureCode::ImageCorrupt);
    let limits = Limits {
        max_pixels: 14,
        ..Limits::default()
    };
    let file = gif_of(2, 2, &[gif_frame([1, 0, 4, 3], 1)]);
    assert!(matches!(
        probe(&file).unwrap().check(&limits),
        Err(EngineError::Limit(_))
    ));
}

#[test]
fn a_gif_may_say_anywhere_how_often_it_is_shown() {
    let frame = gif_frame([0, 0, 2, 2], 1);
    for (repeat, plays) in [(gif::Repeat::Infinite, 0), (gif::Repeat::Finite(4), 5)] {
        for frames_before in 0..=2 {
            let mut file = Vec::new();
            let mut encoder = gif_encoder(&mut file, 2, 2);
            for number in 0..3 {
                if number == frames_before {
                    encoder.set_repeat(repeat).unwrap();
                }
                encoder.write_frame(&frame).unwrap();
            }
            drop(encoder);
            let made = made(&file, "=> png");
            let reader = png::Decoder::new(std::io::Cursor::new(&made[..])).read_info().unwrap();
            assert_eq!(
                reader.info().animation_control().unwrap().num_plays,
                plays,
                "behind {frames_before} frames"
            );
        }
    }
}

#[test]
fn a_gif_may_have_more_metadata_than_pixels() {
    let mut file = Vec::new();
    let mut encoder = gif_encoder(&mut file, 1, 1);
    let xmp = [&b"XMP DataXMP"[..], &[b' '; 200]];
    encoder.write_raw_extension(gif::AnyExtension(0xff), &xmp).unwrap();
    encoder.write_frame(&gif_frame([0, 0, 1, 1], 2)).unwrap();
    drop(encoder);
    assert_eq!(pixels(&still(&file)), [GREEN]);
}
