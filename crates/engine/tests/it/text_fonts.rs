//! Fonts of the folder of assets: what they lack, and what becomes of those that are damaged or malicious.

use std::collections::HashMap;

use pixmill_engine::{EngineError, mill_with};
use pixmill_types::{FailureCode, Limits};

use crate::control::StopAt;
use crate::pixels::Picture;
use crate::support::{Shelf, read};

fn shelf(font: Vec<u8>) -> Shelf {
    Shelf(HashMap::from([
        ("font.ttf", font),
        ("photo.png", read("photos/kodak_14.png")),
    ]))
}

fn serif() -> Vec<u8> {
    dejavu::serif::regular().to_vec()
}

/// White on black, 240 x 80.
fn written(shelf: &Shelf, arguments: &str) -> Result<Picture, EngineError> {
    let black = Picture::plain(240, 80, &[0]).to_png();
    let milled = shelf.mill(&black, &format!("text:{arguments},size=40,gravity=west => png"))?;
    Ok(Picture::from_png(&milled.outputs[0].bytes))
}

#[test]
fn a_font_of_the_assets_is_written_in() {
    let shelf = shelf(serif());
    let own = written(&shelf, "Hag,font=font.ttf").unwrap();
    let built_in = written(&shelf, "Hag").unwrap();
    let bold = written(&shelf, "Hag,bold=true").unwrap();
    assert!(own != built_in && bold != built_in && own != bold);
    let black = Picture::plain(240, 80, &[0]);
    assert!(black.touched(&bold).2 > black.touched(&built_in).2);
}

#[test]
fn what_a_font_lacks_is_taken_from_the_built_in_one() {
    let mono = shelf(dejavu::sans_mono::regular().to_vec());
    let hebrew = "\u{5e9}\u{5dc}\u{5d5}\u{5dd}";
    let extents_aside = |picture: &Picture| {
        let (left, top, width, height) = Picture::plain(240, 80, &[0]).touched(picture);
        picture.region(left, top, width, height)
    };
    let own = written(&mono, &format!("{hebrew},font=font.ttf")).unwrap();
    let built_in = written(&mono, hebrew).unwrap();
    assert_eq!(extents_aside(&own), extents_aside(&built_in));
    // In one line with what it has.
    let both = written(&mono, &format!("ab {hebrew},font=font.ttf")).unwrap();
    let alone = written(&mono, "ab,font=font.ttf").unwrap();
    let columns = |picture: &Picture| picture.region(0, 0, 60, 80);
    assert_eq!(columns(&both), columns(&alone));
    // What neither has is an empty box, one a character.
    let unknown = written(&mono, "\u{10fffd}").unwrap();
    let two = written(&mono, "\u{10fffd}\u{10fffd}").unwrap();
    let black = Picture::plain(240, 80, &[0]);
    assert!(black.touched(&two).2 > black.touched(&unknown).2 + 15);
}

#[test]
fn files_that_are_no_fonts_are_named() {
    let photo = shelf(serif());
    for (arguments, expected) in [
        (
            "x,font=photo.png",
            "the asset photo.png cannot be used: it is no TrueType or OpenType font",
        ),
        (
            "x,font=none.ttf",
            "the asset none.ttf cannot be used: it is not on the shelf",
        ),
    ] {
        let error = written(&photo, arguments).unwrap_err();
        assert_eq!(
            (error.to_failure().code, error.to_string().as_str()),
            (FailureCode::RecipeImpossible, expected)
        );
    }
}

/// A result, or a reason that names the font.
fn outcome(font: Vec<u8>) -> bool {
    match written(&shelf(font), "\"Hamburgefonstiv é ﷲ אב 12\",font=font.ttf,outline=5") {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error.to_failure().code, FailureCode::RecipeImpossible, "{error}");
            assert!(
                error.to_string().contains("the asset font.ttf cannot be used"),
                "{error}"
            );
            false
        }
    }
}

#[test]
fn fonts_that_are_cut_off_give_a_result_or_a_reason() {
    let whole = serif();
    assert!(outcome(whole.clone()));
    let mut results = 0;
    for part in 0..60 {
        results += usize::from(outcome(whole[..whole.len() * part / 60].to_vec()));
    }
    assert!(results < 60);
    assert!(!outcome(Vec::new()));
}

#[test]
fn fonts_with_other_bytes_give_a_result_or_a_reason() {
    let whole = serif();
    // Steele and Vigna's SplitMix64, so that each run has the same.
    let mut state = 2026_u64;
    let mut random = move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) as usize
    };
    for round in 0..80 {
        let mut font = whole.clone();
        // A few bytes anywhere, or of the list of tables and the tables that are read first.
        let reach = if round % 2 == 0 { font.len() } else { 4_096 };
        for _ in 0..1 + round {
            let place = random() % reach;
            font[place] = random() as u8;
        }
        outcome(font);
    }
}

/// Where a table of the font lies, bytes.
fn table(font: &[u8], tag: &[u8; 4]) -> usize {
    let entry = font[12..].chunks_exact(16).find(|entry| entry[..4] == *tag).unwrap();
    u32::from_be_bytes(entry[8..12].try_into().unwrap()) as usize
}

#[test]
fn letters_that_are_far_too_large_are_cut_off_or_refused() {
    // 16 units an em where letters are drawn for 2,048.
    let mut font = serif();
    let head = table(&font, b"head");
    font[head + 18..head + 20].copy_from_slice(&16_u16.to_be_bytes());
    outcome(font);
    // Lines that reach thousands of ems up and down.
    let mut font = serif();
    let hhea = table(&font, b"hhea");
    font[hhea + 4..hhea + 6].copy_from_slice(&i16::MAX.to_be_bytes());
    font[hhea + 6..hhea + 8].copy_from_slice(&i16::MIN.to_be_bytes());
    assert!(outcome(font));
}

#[test]
fn letters_made_of_letters_end() {
    // Each of a thousand letters is twice the next: the first would be 2^1000 outlines.
    const LETTERS: u16 = 1_000;
    const LENGTH: usize = 28;
    let mut font = serif();
    let (glyf, loca) = (table(&font, b"glyf"), table(&font, b"loca"));
    let head = table(&font, b"head");
    assert_eq!(font[head + 51], 1, "offsets have four bytes");
    for letter in 0..=LETTERS {
        let begin = usize::from(letter) * LENGTH;
        font[loca + 4 * usize::from(letter)..][..4].copy_from_slice(&(begin as u32).to_be_bytes());
        if letter == LETTERS {
            break;
        }
        let mut composite = (-1_i16).to_be_bytes().to_vec();
        composite.extend([0; 8]);
        // Offsets are words; another follows the first.
        for flags in [0x0021_u16, 0x0001] {
            composite.extend(flags.to_be_bytes());
            composite.extend((letter + 1).to_be_bytes());
            composite.extend([0; 4]);
        }
        font[glyf + begin..][..composite.len()].copy_from_slice(&composite);
    }
    outcome(font);
}

#[test]
fn writing_stops_wherever_it_is_asked_to() {
    let picture = Picture::plain(64, 48, &[9]).to_png();
    let recipe = "text:\"ab\\ncd\",size=12,outline=9,background=red => png"
        .parse()
        .unwrap();
    let shelf = shelf(serif());
    let mut stopped = 0;
    for stop_at in 1.. {
        match mill_with(&shelf, &picture, &recipe, &Limits::default(), &StopAt::new(stop_at)) {
            Err(EngineError::Stopped) => stopped += 1,
            Ok(_) => break,
            Err(error) => panic!("asked {stop_at} times: {error}"),
        }
    }
    // Four runs, each shaped twice; four letters, looked up and drawn; rows and columns of the line around them.
    assert!(stopped > 2 * 2 + 2 * 4 + 30, "{stopped}");
}
