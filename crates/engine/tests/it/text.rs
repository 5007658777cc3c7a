//! Text: where it lies, how lines are broken and in which order letters are seen, how it mixes.

use pixmill_engine::EngineError;
use pixmill_engine::probe::probe;
use pixmill_types::Limits;

use crate::pixels::{Deep, Picture, psnr};
use crate::support::{mill, read};

fn png_of(input: &[u8], recipe: &str) -> Picture {
    let milled = mill(input, &format!("{recipe} => png")).unwrap_or_else(|error| panic!("{recipe}: {error}"));
    Picture::from_png(&milled.outputs[0].bytes)
}

/// The text in white on black, and the box it has there.
fn written(width: usize, height: usize, arguments: &str) -> (Picture, (usize, usize, usize, usize)) {
    let black = Picture::plain(width, height, &[0]);
    let picture = png_of(&black.to_png(), &format!("text:{arguments}"));
    let touched = black.touched(&picture);
    (picture, touched)
}

#[test]
fn it_lies_where_gravity_and_margin_say() {
    let at =
        |gravity: &str, margin: usize| written(300, 200, &format!("Hxn,size=40,gravity={gravity},margin={margin}")).1;
    let (left, top, width, height) = at("north-west", 10);
    // DejaVu Sans: capitals are 0.729 em high, letters reach 0.928 above the line, the stem of H begins at 0.098.
    assert_eq!((left, top, height), (13, 17, 30));
    assert!((70..=76).contains(&width), "{width}");
    for (gravity, across, down) in [
        ("north-west", 0, 0),
        ("north", 1, 0),
        ("north-east", 2, 0),
        ("west", 0, 1),
        ("center", 1, 1),
        ("east", 2, 1),
        ("south-west", 0, 2),
        ("south", 1, 2),
        ("south-east", 2, 2),
    ] {
        let found = at(gravity, 10);
        // What letters leave free on either side of their box differs by a few pixels.
        let expected = (13 + across * (280 - 79) / 2, 17 + down * (180 - 47) / 2);
        let close = found.0.abs_diff(expected.0) <= 3 && found.1.abs_diff(expected.1) <= 2;
        assert!(close, "{gravity}: {found:?}, expected {expected:?}");
        let inner = at(gravity, 20);
        let moved = |shares: usize, from: usize| match shares {
            0 => from + 10,
            1 => from,
            _ => from - 10,
        };
        assert_eq!(
            (inner.0, inner.1),
            (moved(across, found.0), moved(down, found.1)),
            "{gravity}"
        );
    }
    // Sizes in percent are of the shorter side.
    let percent = written(300, 200, "Hxn,size=20%,gravity=north-west,margin=10");
    assert_eq!(percent.1, at("north-west", 10));
    let tall = written(200, 300, "Hxn,size=20%,gravity=north-west,margin=10");
    assert_eq!(tall.1, at("north-west", 10));
    // One that is too large is cut off.
    let large = written(60, 50, "I,size=200,gravity=center");
    assert_eq!((large.1.1, large.1.3), (0, 50));
}

#[test]
fn it_is_mixed_as_light_through_glass() {
    let picture = Picture::plain(90, 60, &[10, 100, 200]);
    // The middle of the stem of I.
    let at = |recipe: &str| {
        let output = png_of(&picture.to_png(), recipe);
        output.region(45, 30, 1, 1).samples
    };
    let text = "text:I,size=80,gravity=center,bold=true,color";
    for (recipe, expected) in [
        (format!("{text}=red"), [255, 0, 0]),
        (format!("{text}=red,opacity=0.5"), [133, 50, 100]),
        (format!("{text}=#ff000080"), [133, 50, 100]),
        (format!("{text}=red,opacity=0"), [10, 100, 200]),
        (format!("{text}=transparent,background=#00ff00"), [0, 255, 0]),
    ] {
        let found = at(&recipe);
        let close = found.iter().zip(expected).all(|(f, e)| f.abs_diff(e) <= 1);
        assert!(close, "{recipe}: {found:?}, expected {expected:?}");
    }
    let unseen = png_of(
        &picture.to_png(),
        &format!("{text}=red,opacity=0,outline=10,background=red"),
    );
    assert_eq!(unseen, picture);
    // On what is transparent the letters alone are seen, with soft edges.
    let output = png_of(&Picture::plain(90, 60, &[90, 0]).to_png(), &format!("{text}=red"));
    assert_eq!(
        (output.channels, output.region(45, 30, 1, 1).samples),
        (4, vec![255, 0, 0, 255])
    );
    let mut pixels = output.samples.chunks_exact(4);
    assert!(pixels.clone().any(|pixel| (1..255).contains(&pixel[3])));
    assert!(pixels.all(|pixel| pixel[3] == 0 || pixel[..3] == [255, 0, 0]));
}

#[test]
fn gray_on_gray_stays_gray_and_sixteen_bits_stay() {
    let gray = read("pngsuite/basn0g16.png");
    let deep = |recipe: &str| Deep::from_png(&mill(&gray, &format!("{recipe} => png")).unwrap().outputs[0].bytes);
    let plain = deep("flip | flip");
    let white = deep("text:\"█\",size=16,gravity=north-west,margin=0");
    let red = deep("text:\"█\",size=16,gravity=north-west,margin=0,color=red");
    assert_eq!((white.channels, white.samples[5 * 32 + 5]), (1, 65_535));
    assert_eq!(
        (red.channels, &red.samples[(5 * 32 + 5) * 3..][..3]),
        (3, &[65_535, 0, 0][..])
    );
    assert_eq!(white.samples[31 * 32..], plain.samples[31 * 32..]);
    // Colours that are not seen are none.
    for unseen in ["outline_color=red", "color=#ff000000", "background=#00ff0000"] {
        assert_eq!(deep(&format!("text:x,{unseen}")).channels, 1, "{unseen}");
    }
    assert_eq!(deep("text:x,outline=5,outline_color=red").channels, 3);
    // Luma alone is decoded when nothing but gray follows.
    let photo = read("bench/photo_0.3mp.jpg");
    let header = probe(&photo).unwrap();
    for (color, is_luma) in [("white", true), ("red", false)] {
        let recipe = format!("text:x,color={color} | grayscale => png").parse().unwrap();
        let plan = pixmill_engine::plan(&header, &recipe, &Limits::default()).unwrap();
        assert_eq!(
            plan.to_string().lines().next().unwrap().contains("gray"),
            is_luma,
            "{plan}"
        );
    }
    let first = png_of(&photo, "text:x,size=50% | grayscale");
    let last = png_of(&png_of(&photo, "grayscale").to_png(), "text:x,size=50%");
    assert_eq!(first, last);
}

#[test]
fn lines_are_broken_where_they_may_be() {
    let same = |broken: &str, written_out: &str| {
        let (broken_picture, _) = written(400, 300, broken);
        let (expected, _) = written(400, 300, written_out);
        assert!(broken_picture == expected, "{broken}");
    };
    let tail = "size=20,gravity=north-west";
    same(
        &format!("one two three four,width=110,{tail}"),
        &format!("\"one two\\nthree four\",{tail}"),
    );
    same(
        &format!("well-known,width=75,{tail}"),
        &format!("\"well-\\nknown\",{tail}"),
    );
    // A word that is too long is broken anywhere, a letter is not.
    same(&format!("mmmmmm,width=60,{tail}"), &format!("\"mmm\\nmmm\",{tail}"));
    same(&format!("mmm,width=1,{tail}"), &format!("\"m\\nm\\nm\",{tail}"));
    // Marks stay with their letters.
    same(
        &format!("m\u{308}m\u{308},width=1,{tail}"),
        &format!("\"m\u{308}\\nm\u{308}\",{tail}"),
    );
    same(
        &format!("שלום עולם,width=55,{tail}"),
        &format!("\"שלום\\nעולם\",{tail}"),
    );
    same(&format!("漢字漢字,width=25,{tail}"), &format!("\"漢字\\n漢字\",{tail}"));
    // Without a width the margins are where lines end.
    same(
        &format!("{},margin=40,{tail}", "word ".repeat(7)),
        &format!("{},width=320,margin=40,{tail}", "word ".repeat(7)),
    );
    // Empty lines count, white space at the end of one does not.
    let (_, one) = written(400, 300, &format!("a,{tail}"));
    let (_, three) = written(400, 300, &format!("\"a\\n\\na\",{tail},line_height=2"));
    assert_eq!((three.1, three.3), (one.1, one.3 + 2 * 40));
    let (_, plain) = written(400, 300, "\"ab\\nabcd\",size=20,gravity=east");
    let (_, spaced) = written(400, 300, "\"ab   \\nabcd\",size=20,gravity=east");
    assert_eq!(plain, spaced);
}

#[test]
fn lines_lie_as_they_are_aligned() {
    let left_of_first = |arguments: &str| {
        let (picture, _) = written(300, 100, &format!("\"l\\nmmmmmm\",size=20,{arguments}"));
        let upper = picture.region(0, 0, 300, 28);
        Picture::plain(300, 28, &[0]).touched(&upper).0
    };
    let at = |gravity: &str, align: &str| left_of_first(&format!("gravity={gravity},margin=4{align}"));
    let (left, center, right) = (
        at("north-west", ""),
        at("north-west", ",align=center"),
        at("north-west", ",align=right"),
    );
    assert!((4..8).contains(&left), "{left}");
    // Six letters of 0.974 em and one of 0.278.
    assert!(
        center.abs_diff(left + 56) <= 2 && right.abs_diff(left + 111) <= 2,
        "{center} {right}"
    );
    assert_eq!(at("north-east", ""), at("north-east", ",align=right"));
    assert_eq!(at("north", ""), at("north", ",align=center"));
}

#[test]
fn scripts_from_right_to_left_are_seen_so() {
    // Each is written alone and its box compared with that part of the whole.
    let columns = |picture: &Picture, left: usize, width: usize| picture.region(left, 0, width, picture.height).samples;
    let tail = "size=60,gravity=west,margin=10";
    let (alef, alef_at) = written(300, 90, &format!("א,{tail}"));
    let (bet, bet_at) = written(300, 90, &format!("ב,{tail}"));
    let (both, both_at) = written(300, 90, &format!("אב,{tail}"));
    assert_eq!(both_at.0, bet_at.0);
    let width = bet_at.0 + bet_at.2;
    assert_eq!(
        columns(&both, 0, width),
        columns(&bet, 0, width),
        "the second letter is on the left"
    );
    assert_ne!(columns(&both, 0, width), columns(&alef, 0, width));
    let right_edge = |at: (usize, usize, usize, usize)| at.0 + at.2;
    assert!(right_edge(both_at) > right_edge(bet_at) + alef_at.2 / 2);
    // A word of the other direction keeps its own within a line, numbers too.
    let (mixed, _) = written(300, 90, &format!("ab אב 12,{tail}"));
    let (visual, _) = written(300, 90, &format!("\"ab \u{202d}12 בא\u{202c}\",{tail}"));
    let (logical, _) = written(300, 90, &format!("\"ab \u{202d}אב 12\u{202c}\",{tail}"));
    assert!(mixed == visual && mixed != logical);
    // Arabic letters join, unless they are told not to.
    let (joined, _) = written(300, 90, &format!("مم,{tail}"));
    let (apart, _) = written(300, 90, &format!("م\u{200c}م,{tail}"));
    assert!(joined != apart);
}

#[test]
fn it_is_turned_about_its_middle() {
    let text = "\"Turned, twice\\nas long\",size=30,gravity=center";
    let (level, _) = written(240, 240, text);
    for quarter in [90, 180, 270, -90] {
        let (turned, _) = written(240, 240, &format!("{text},angle={quarter}"));
        let expected = png_of(&level.to_png(), &format!("rotate:{quarter}"));
        // Letters stand on rows of pixels only where these are lines of the text.
        let apart = psnr(&turned, &expected);
        assert!(apart > 18.0, "{quarter}: {apart}");
    }
    let (turned, at) = written(240, 240, &format!("{text},angle=30"));
    let covered = |picture: &Picture| picture.samples.iter().map(|sample| f64::from(*sample)).sum::<f64>();
    let share = covered(&turned) / covered(&level);
    assert!((0.98..1.02).contains(&share), "{share}");
    assert!(at.3 > 90 && at.2 < 230, "{at:?}");
    let (_, boxed) = written(240, 240, &format!("{text},angle=30,background=#808080"));
    let middle = (boxed.0 * 2 + boxed.2, boxed.1 * 2 + boxed.3);
    assert!(middle.0.abs_diff(240) <= 2 && middle.1.abs_diff(240) <= 2, "{boxed:?}");
}

#[test]
fn it_is_repeated_from_the_corner_on() {
    let (picture, at) = written(300, 200, "Tile,size=30,tile=true,margin=11");
    assert!(at.0 < 5 && at.1 < 12, "{at:?}");
    let same = |right: usize, down: usize| {
        let (width, height) = (300 - right, 200 - down);
        picture.region(0, 0, width, height) == picture.region(right, down, width, height)
    };
    let right: Vec<_> = (1..200).filter(|right| same(*right, 0)).collect();
    let down: Vec<_> = (1..150).filter(|down| same(0, *down)).collect();
    // The text is 58 pixels wide and its line 35 high; pixels are whole.
    assert!((60..=72).contains(&right[0]) && right[1] == 2 * right[0], "{right:?}");
    assert!((38..=50).contains(&down[0]) && down[1] == 2 * down[0], "{down:?}");
    assert!(same(right[0], down[0]));
}

#[test]
fn boxes_and_lines_around_letters_reach_as_far_as_they_say() {
    let tail = "size=40,gravity=center";
    let (_, letters) = written(300, 200, &format!("HH,{tail}"));
    let (picture, outlined) = written(300, 200, &format!("HH,{tail},outline=10,outline_color=#646464"));
    let widened = (letters.0 - 4, letters.1 - 4, letters.2 + 8, letters.3 + 8);
    let close = [
        outlined.0.abs_diff(widened.0),
        outlined.1.abs_diff(widened.1),
        outlined.2.abs_diff(widened.2),
        outlined.3.abs_diff(widened.3),
    ];
    assert!(
        close.iter().all(|pixels| *pixels <= 2),
        "{outlined:?}, expected {widened:?}"
    );
    // Letters lie on their line.
    assert!(picture.samples.contains(&255) && picture.samples.iter().filter(|sample| **sample == 100).count() > 300);
    let black = Picture::plain(300, 200, &[0]);
    for (padding, beyond) in [(0, 0), (50, 20)] {
        let (_, boxed) = written(300, 200, &format!("HH,{tail},background=#505050,padding={padding}"));
        // The line is 1.164 em high and two letters of 0.752 are wide.
        let expected = (60 + 2 * beyond, 47 + 2 * beyond);
        assert!(
            boxed.2.abs_diff(expected.0) <= 2 && boxed.3.abs_diff(expected.1) <= 1,
            "{boxed:?}, expected {expected:?}"
        );
    }
    let seen_through = png_of(
        &black.to_png(),
        &format!("text:HH,{tail},color=transparent,background=#ffffff80"),
    );
    assert!(seen_through.samples.contains(&128) && !seen_through.samples.contains(&255));
}

#[test]
fn its_plan_says_what_it_takes() {
    let input = read("photos/kodak_14.png");
    let header = probe(&input).unwrap();
    let planned = |recipe: &str| pixmill_engine::plan(&header, &recipe.parse().unwrap(), &Limits::default());
    let plan = planned("text:\"Twelve letters\\nand some more\",size=24,bold=true,angle=-30,tile=true => png").unwrap();
    let expected =
        "\"Twelve letters\\nand some \" and more, 24 px, bold, south-east, opacity 1, -30 degrees clockwise, repeated";
    assert!(plan.to_string().contains(expected), "{plan}");
    let long = "long text ".repeat(99);
    for recipe in [
        "text:x => png".to_owned(),
        "text:\"A line across\",size=20%,outline=10,background=#00f8,gravity=center => png".to_owned(),
        "text:\"A line across\",size=20%,angle=45,gravity=center,color=red => png".to_owned(),
        format!("text:\"{long}\",size=60,outline=5,background=red => png"),
        "text:\"WWW\",size=3000,outline=1 => png".to_owned(),
    ] {
        let plan = planned(&recipe).unwrap();
        let measured = crate::memory::peak_of(|| drop(mill(&input, &recipe).unwrap()));
        assert!(
            measured <= plan.memory_bytes(),
            "{recipe}: {measured} of {}",
            plan.memory_bytes()
        );
    }
    // The widest letters there are, in the bold font 2.02 em.
    assert!(mill(&input, &format!("text:\"{}\",bold=true => png", "\u{1676}".repeat(40))).is_ok());
    let error = mill(&input, "text:\"WWW\",size=65535,margin=10000,width=100%,angle=3 => png");
    assert!(!matches!(error, Err(EngineError::Internal(_))), "{error:?}");
}

#[test]
fn animations_have_it_on_every_frame() {
    let input = read("formats/animated.gif");
    let milled = mill(&input, "text:\"████\",size=50%,gravity=center,color=#00ff00 => png").unwrap();
    let frames = mill(
        &input,
        "text:\"████\",size=50%,gravity=center,color=#00ff00 => webp:lossless=true",
    )
    .unwrap();
    let header = probe(&frames.outputs[0].bytes).unwrap();
    assert!(header.frames > 1);
    assert_eq!(probe(&milled.outputs[0].bytes).unwrap().frames, header.frames);
}

#[test]
fn letters_are_those_that_freetype_draws() {
    let list = String::from_utf8(read("golden/texts.tsv")).unwrap();
    let cases: Vec<_> = list.lines().filter_map(|line| line.split_once('\t')).skip(1).collect();
    assert_eq!(cases.len(), 5);
    let black = Picture::plain(480, 160, &[0]);
    for (name, recipe) in cases {
        let expected = Picture::from_png(&read(&format!("golden/{name}.png")));
        let found = png_of(&black.to_png(), recipe);
        let (own, others) = (black.touched(&found), black.touched(&expected));
        let sides = |(left, top, width, height): (usize, usize, usize, usize)| [left, top, left + width, top + height];
        for (own, other) in sides(own).into_iter().zip(sides(others)) {
            assert!(own.abs_diff(other) <= 3, "{name}: {own} and {other}");
        }
        let covered = |picture: &Picture| picture.samples.iter().map(|sample| f64::from(*sample)).sum::<f64>();
        let share = covered(&found) / covered(&expected);
        assert!((0.96..=1.04).contains(&share), "{name}: {share}");
    }
}
