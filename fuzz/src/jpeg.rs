//! The JPEG core: every way it decodes, from luma in strips to colour at a part of the size.

use pixmill_engine::probe::{Streaming, probe_whole};
use pixmill_types::Recipe;

/// Luma from file to file: as it is, blurred among its frequencies, by way of samples and at half the size, turned; luma into
/// a picture; both at a part of the size.
const RECIPES: [&str; 10] = [
    "grayscale => jpeg:75",
    "grayscale | blur:2 => jpeg:75",
    "grayscale | blur:3 => jpeg:75",
    "grayscale | blur:2 => jpeg:99",
    "grayscale | blur:5 => jpeg:95",
    "orient | grayscale | blur:1 => jpeg:75",
    "grayscale => png",
    "grayscale | resize:9 => png",
    "resize:30 => png",
    "resize:5 => png",
];

/// Mills a JPEG by every recipe whose plan has the core decode.
pub fn jpeg(data: &[u8]) {
    let Ok(header) = probe_whole(data) else { return };
    if header.streaming == Streaming::No || header.check(&crate::limits()).is_err() {
        return;
    }
    let parsed = |text: &str| text.parse::<Recipe>().unwrap_or_else(|error| panic!("{text}: {error}"));
    let outcomes = RECIPES.map(|text| crate::mill(data, &parsed(text)).is_ok());
    // The same bits are read whatever becomes of them.
    assert_eq!(outcomes[0], outcomes[1], "a blur decides whether a file is damaged");
    assert_eq!(outcomes[0], outcomes[6], "the output decides whether a file is damaged");
}
