//! `pixmill info`: what files are and how their pictures look, without a server.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use pixmill_types::{Causes, Limits, Recipe};
use serde::Deserialize;

use super::process::{Deadline, read_within};
use crate::cli::InfoArgs;
use crate::config::Config;
use crate::output;

/// The recipe whose only output is the document.
const RECIPE: &str = "=> info";

/// The document, as far as it is shown.
#[derive(Debug, Deserialize)]
struct Facts {
    format: String,
    bytes: u64,
    width: u32,
    height: u32,
    orientation: u8,
    has_alpha: bool,
    frames: u32,
    bit_depth: u8,
    color_model: String,
    picture: Looks,
}

#[derive(Debug, Deserialize)]
struct Looks {
    width: u32,
    height: u32,
    average_color: String,
    dominant_colors: Vec<Share>,
    blurhash: String,
    thumbhash: String,
    phash: String,
}

#[derive(Debug, Deserialize)]
struct Share {
    color: String,
    share: f64,
}

pub(super) fn run(arguments: &InfoArgs) -> anyhow::Result<ExitCode> {
    let (config, _) = Config::resolve(&arguments.limits.0)?;
    let recipe = RECIPE.parse()?;
    let mut code = ExitCode::SUCCESS;
    for (index, path) in arguments.inputs.iter().enumerate() {
        match document(path, &recipe, &config.limits) {
            Ok(document) if arguments.json => output::print(&with_file(path, &document)?)?,
            Ok(document) => {
                let facts = serde_json::from_str(&document)?;
                output::print(&shown(path, &facts, index > 0))?;
            }
            Err(error) => {
                code = ExitCode::FAILURE;
                eprintln!("{}: {}", path.display(), Causes(&*error));
            }
        }
    }
    Ok(code)
}

fn document(path: &Path, recipe: &Recipe, limits: &Limits) -> anyhow::Result<String> {
    let input = read_within(path, limits)?;
    let deadline = Deadline::of(limits);
    let milled = pixmill_engine::mill(&input, recipe, limits, &deadline).map_err(|error| deadline.explain(error))?;
    let output = milled.outputs.into_iter().next().context("there is no document")?;
    Ok(String::from_utf8(output.bytes)?)
}

/// The document on a line, with the file's name in front.
fn with_file(path: &Path, document: &str) -> anyhow::Result<String> {
    let name = serde_json::to_string(&path.to_string_lossy())?;
    let members = document.strip_prefix('{').context("the document is no object")?;
    Ok(format!("{{\"file\":{name},{members}\n"))
}

fn shown(path: &Path, facts: &Facts, is_later: bool) -> String {
    let Facts {
        format,
        bytes,
        width,
        height,
        bit_depth,
        color_model,
        frames,
        orientation,
        picture,
        ..
    } = facts;
    let alpha = if facts.has_alpha { " and alpha" } else { "" };
    let shares = picture.dominant_colors.iter();
    let shares: Vec<_> = shares
        .map(|Share { color, share }| format!("{color} {:.0} %", share * 100.0))
        .collect();
    let mut text = if is_later { "\n".to_owned() } else { String::new() };
    let rows = [
        ("file", format!("{format}, {bytes} bytes")),
        (
            "stored",
            format!("{width} x {height} px, {color_model}{alpha}, {bit_depth} bit"),
        ),
        ("frames", frames.to_string()),
        ("orientation", orientation.to_string()),
        ("upright", format!("{} x {} px", picture.width, picture.height)),
        ("average", picture.average_color.clone()),
        ("dominant", shares.join(", ")),
        ("blurhash", picture.blurhash.clone()),
        ("thumbhash", picture.thumbhash.clone()),
        ("phash", picture.phash.clone()),
    ];
    let _infallible = writeln!(text, "{}", path.display());
    for (name, value) in rows {
        let _infallible = writeln!(text, "  {name:<12}{value}");
    }
    text
}
