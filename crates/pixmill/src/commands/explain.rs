//! `pixmill explain`: the plan for a recipe and an image.

use std::fs;
use std::process::ExitCode;

use anyhow::Context as _;
use pixmill_blob::AssetFolder;
use pixmill_engine::probe::{self, Header};

use super::recipe;
use crate::cli::ExplainArgs;
use crate::config::Config;
use crate::output;

pub(super) fn run(arguments: &ExplainArgs) -> anyhow::Result<ExitCode> {
    let (config, _) = Config::resolve(&arguments.settings.0)?;
    let recipe = recipe::chosen(arguments.steps.as_ref(), arguments.recipe.as_deref())?;
    let input = fs::read(&arguments.input).with_context(|| arguments.input.display().to_string())?;
    let header = probe::probe_whole(&input).with_context(|| arguments.input.display().to_string())?;
    header.check(&config.limits)?;
    let plan = pixmill_engine::plan(&header, &recipe, &config.limits)?;
    let Header {
        format, width, height, ..
    } = header;
    output::print(&format!(
        "recipe  {recipe}\ninput   {format} {width} x {height} px\n{plan}\n"
    ))?;
    // The plan stands all the same: it may be for another machine.
    recipe::check_assets(&recipe, &AssetFolder::new(config.worker.assets))?;
    Ok(ExitCode::SUCCESS)
}
