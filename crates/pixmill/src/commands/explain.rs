//! `pixmill explain`: the plan for a recipe and an image.

use std::fs;
use std::process::ExitCode;

use anyhow::Context as _;
use pixmill_blob::AssetFolder;
use pixmill_engine::Plan;
use pixmill_engine::probe::{self, Header};
use pixmill_types::Recipe;
use serde_json::{Value, json};

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
    if arguments.json {
        output::print(&format!("{:#}\n", as_json(&header, &recipe, &plan)))?;
    } else {
        let Header {
            format, width, height, ..
        } = header;
        output::print(&format!(
            "recipe  {recipe}\ninput   {format} {width} x {height} px\n{plan}\n"
        ))?;
    }
    // The plan stands all the same: it may be for another machine.
    recipe::check_assets(&recipe, &AssetFolder::new(config.worker.assets))?;
    Ok(ExitCode::SUCCESS)
}

/// The plan for programs: bytes, pixels and milliseconds; outputs are counted from 0 in the order of the recipe.
fn as_json(header: &Header, recipe: &Recipe, plan: &Plan) -> Value {
    let milliseconds = |time: std::time::Duration| (time.as_secs_f64() * 1e5).round() / 1e2;
    let stages = plan.stages().iter().map(|stage| {
        json!({
            "name": stage.name(),
            "detail": stage.detail(),
            "includes": stage.includes(),
            "output": stage.output(),
            "from_output": stage.from(),
            "width": stage.width(),
            "height": stage.height(),
            "estimated_memory_bytes": stage.memory_bytes(),
            "estimated_ms": milliseconds(stage.estimated_time()),
        })
    });
    json!({
        "recipe": recipe.to_string(),
        "input": { "format": header.format.to_string(), "width": header.width, "height": header.height },
        "stages": stages.collect::<Value>(),
        "warnings": plan.warnings(),
        "estimated_memory_bytes": plan.memory_bytes(),
        "estimated_ms": milliseconds(plan.estimated_time()),
        "estimated_for": plan.machine(),
    })
}
