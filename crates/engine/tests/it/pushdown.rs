//! Pushed-down plans give what plain plans give, within a named tolerance.

use proptest::prelude::*;

use crate::pixels::{Picture, psnr};
use crate::support::{cases, mill, read};
use pixmill_engine::{plan, probe};
use pixmill_types::Limits;

/// A JPEG's own luma against luma of its colours: these were rounded and, beyond what RGB can hold, cut off.
const LUMA_TOLERANCE_DB: f64 = 48.0;

/// With a resize, of which a part is done by decoding smaller, down to a few pixels and by any filter: what is found is
/// above 36, and this is random.
const SMALLER_TOLERANCE_DB: f64 = 32.0;

/// A small output made of the picture of one at least twice as large, against one made of the whole by the same filter.
const DERIVED_TOLERANCE_DB: f64 = 40.0;

const PHOTOS: [&str; 4] = [
    "bench/photo_0.3mp.jpg",
    "bench/restart_markers_0.3mp.jpg",
    "camera/DSCN0025.jpg",
    "hostile/bytes_after_end.jpg",
];

fn step() -> impl Strategy<Value = String> {
    prop_oneof![
        (3..40_u32).prop_map(|tenths| format!("blur:{}", f64::from(tenths) / 10.0)),
        (20..600_u32, 0..4_usize).prop_map(|(width, filter)| {
            let filter = ["lanczos3", "catmull_rom", "bilinear", "box"][filter];
            format!("resize:{width},filter={filter}")
        }),
        Just("orient".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(24), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn luma_from_the_decoder_is_luma_of_its_colours(
        photo in 0..PHOTOS.len(),
        before in prop::collection::vec(step(), 0..2),
        after in prop::collection::vec(step(), 0..2),
    ) {
        let input = read(PHOTOS[photo]);
        let steps: Vec<_> = before.into_iter().chain(["grayscale".to_owned()]).chain(after).collect();
        let recipe = format!("{} => png", steps.join(" | "));
        let pushed_down = Picture::from_png(&mill(&input, &recipe).unwrap().outputs[0].bytes);
        // Decoded to colour and kept as that, a PNG leaves nothing to push down.
        let decoded = mill(&input, "resize:10000 => png").unwrap().outputs.remove(0).bytes;
        let plain = Picture::from_png(&mill(&decoded, &recipe).unwrap().outputs[0].bytes);
        let found = psnr(&pushed_down, &plain);
        let is_smaller = recipe.contains("resize");
        let least = if is_smaller { SMALLER_TOLERANCE_DB } else { LUMA_TOLERANCE_DB };
        prop_assert!(found >= least, "{}: {:.1} dB", recipe, found);
    }

    #[test]
    fn an_output_made_of_a_larger_one_is_that_made_of_the_whole(
        photo in 0..=PHOTOS.len(),
        large in 60..200_u32,
        part in 0.02..0.5_f64,
        filter in 0..3_usize,
        after in prop::collection::vec(step(), 0..2),
    ) {
        let filter = ["lanczos3", "catmull_rom", "bilinear"][filter];
        let input = read(PHOTOS.get(photo).unwrap_or(&"webp/lossless_alpha.webp"));
        // As a PNG, of which nothing is pushed down.
        let whole = mill(&input, "flip | flip => png").unwrap().outputs.remove(0).bytes;
        let small = ((f64::from(large) * part) as u32).max(8);
        let own: Vec<_> = [format!("resize:{small},filter={filter}")].into_iter().chain(after).collect();
        let own = own.join(" | ");
        let both = format!("=> {own} | png:name=a ; resize:{large},filter={filter} | jpeg:1,name=b");
        let planned = plan(&probe::probe_whole(&whole).unwrap(), &both.parse().unwrap(), &Limits::default()).unwrap();
        prop_assert!(planned.stages().iter().any(|stage| stage.from() == Some(1)), "{}", planned);
        let derived = Picture::from_png(&mill(&whole, &both).unwrap().outputs[0].bytes);
        let plain = Picture::from_png(&mill(&whole, &format!("{own} => png")).unwrap().outputs[0].bytes);
        let found = psnr(&derived, &plain);
        prop_assert!(found >= DERIVED_TOLERANCE_DB, "{}: {:.1} dB", both, found);
    }
}
