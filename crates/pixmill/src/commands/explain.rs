//! `pixmill explain`: the plan for a recipe and an image.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use pixmill_engine::probe::{Header, Prober};

use super::recipe;
use crate::cli::ExplainArgs;
use crate::config::Config;
use crate::output;

/// How much of a file is read at a time, bytes.
const PIECE: usize = 64 * 1024;

pub(super) fn run(arguments: &ExplainArgs) -> anyhow::Result<ExitCode> {
    let (config, _) = Config::resolve(&arguments.limits.0)?;
    let recipe = recipe::chosen(arguments.steps.as_ref(), arguments.recipe.as_deref())?;
    let header = read_header(&arguments.input).with_context(|| arguments.input.display().to_string())?;
    header.check(&config.limits)?;
    let plan = pixmill_engine::plan(&header, &recipe, &config.limits)?;
    let Header {
        format, width, height, ..
    } = header;
    output::print(&format!(
        "recipe  {recipe}\ninput   {format} {width} x {height} px\n{plan}\n"
    ))?;
    Ok(ExitCode::SUCCESS)
}

fn read_header(path: &Path) -> anyhow::Result<Header> {
    let mut file = File::open(path)?;
    let mut prober = Prober::default();
    let mut piece = vec![0; PIECE];
    loop {
        let read = file.read(&mut piece)?;
        if read == 0 {
            return Ok(prober.finish()?);
        }
        if let Some(header) = prober.feed(&piece[..read])? {
            return Ok(header);
        }
    }
}
