//! Font files: a picture that was written on, or a reason that names the font.

use pixmill_engine::{Assets, EngineError, NeverStop, mill_with};
use pixmill_types::{AssetName, Recipe};

/// Letters that join, stand on others and run from right to left; outlined, in a box, turned and repeated.
const TEXTS: [&str; 4] = [
    "text:\"Haf fi a\u{301}\u{e1}\",font=font.ttf,size=14",
    "text:\"\u{628}\u{628}\u{628} fi \u{5d0}H\",font=font.ttf,size=11,outline=8,background=#123,angle=30",
    "text:\"Ha\u{915}\u{301}\",font=font.ttf,size=9,tile=true,margin=2",
    "text:\"Ha fi\\naH aH aH\",font=font.ttf,size=20,width=40,align=center",
];

struct Shelf<'a>(&'a [u8]);

impl Assets for Shelf<'_> {
    fn read(&self, _: &AssetName) -> Result<Vec<u8>, String> {
        Ok(self.0.to_vec())
    }
}

/// Writes with a font.
pub fn font(data: &[u8]) {
    let picture = [b"P5 96 64 255\n".as_slice(), &[0; 96 * 64]].concat();
    for text in TEXTS {
        let recipe: Recipe = format!("{text} => png")
            .parse()
            .unwrap_or_else(|error| panic!("{text}: {error}"));
        match mill_with(&Shelf(data), &picture, &recipe, &crate::limits(), &NeverStop) {
            Ok(milled) => assert_eq!(milled.outputs.len(), 1),
            Err(EngineError::Impossible(why)) => assert!(why.contains("font.ttf"), "{text}: {why}"),
            Err(error) => panic!("{text}: {error}"),
        }
    }
}
