//! `pixmill recipes pictures`: what each step makes of one photo, for the page of recipes.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use pixmill_engine::{Assets, NeverStop, NoAssets, Rendered, mill_with};
use pixmill_types::{AssetName, Limits, Recipe, Step};

/// Each step as it is shown, on a photo of this width.
const SHOWN: &str = "orient | resize:192";
const EXAMPLES: &[(&str, &str)] = &[
    ("orient", "orient"),
    ("grayscale", "grayscale"),
    ("blur", "blur:3"),
    ("resize", "resize:96"),
    ("crop", "crop:96,height=96,gravity=attention"),
    ("trim", "pad:24,background=#e0e0e0 | trim"),
    ("pad", "pad:12,background=#3060a0"),
    ("rotate", "rotate:15"),
    ("flip", "flip"),
    ("flop", "flop"),
    ("brightness", "brightness:1.4"),
    ("contrast", "contrast:1.6"),
    ("saturation", "saturation:2"),
    ("hue", "hue:120"),
    ("gamma", "gamma:2"),
    ("invert", "invert"),
    ("normalise", "contrast:0.5 | normalise"),
    ("threshold", "threshold:120"),
    ("sepia", "sepia"),
    ("tint", "tint:#3060a0"),
    ("sharpen", "sharpen:1.5,amount=2"),
    ("median", "median:4"),
    ("edge", "edge"),
    ("pixelate", "pixelate:8"),
    ("round", "round:24"),
    ("flatten", "round:50% | flatten:#ffd060"),
    ("watermark", "watermark:logo.png,scale=25,opacity=0.8"),
    (
        "text",
        "text:\"Two parrots,\\ndos loros, שני תוכים\",size=12%,gravity=south,margin=6,bold=true,outline=8",
    ),
];

/// How a step is shown, as a recipe; `None` for one that is not.
pub(super) fn example(step: &str) -> Option<&'static str> {
    EXAMPLES
        .iter()
        .find(|(name, _)| *name == step)
        .map(|(_, example)| *example)
}

/// Writes a picture for every step that is shown into `folder`.
pub(super) fn write(photo: &Path, folder: &Path) -> anyhow::Result<()> {
    let photo = fs::read(photo).with_context(|| format!("cannot read {}", photo.display()))?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let logo = Logo(made(&NoAssets, &photo, "resize:64,height=64,fit=cover | round:50% => png")?.bytes);
    for step in Step::REFERENCE {
        let Some(example) = example(step.name) else { continue };
        let picture = made(&logo, &photo, &format!("{SHOWN} | {example} => webp:85"))?;
        let path = folder.join(format!("{}.webp", step.name));
        fs::write(&path, picture.bytes).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn made(assets: &dyn Assets, photo: &[u8], recipe: &str) -> anyhow::Result<Rendered> {
    let recipe: Recipe = recipe.parse()?;
    let milled = mill_with(assets, photo, &recipe, &Limits::default(), &NeverStop)?;
    milled.outputs.into_iter().next().context("a recipe made nothing")
}

/// The one asset that the examples name.
struct Logo(Vec<u8>);

impl Assets for Logo {
    fn read(&self, _: &AssetName) -> Result<Vec<u8>, String> {
        Ok(self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_is_shown_and_its_picture_lies_in_the_docs() {
        let pictures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/pictures");
        for step in Step::REFERENCE {
            let shown = example(step.name).unwrap_or_else(|| panic!("{} is not shown", step.name));
            assert!(shown.contains(step.name), "{shown}");
            let picture = fs::read(pictures.join(format!("{}.webp", step.name))).unwrap();
            let header = pixmill_engine::probe::probe(&picture).unwrap();
            assert!(header.width > 0, "{}: run `make docs`", step.name);
        }
    }
}
