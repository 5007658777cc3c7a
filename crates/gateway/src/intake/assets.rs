//! Whether what a recipe names beside the upload is there, asked before a task exists.

use std::collections::BTreeMap;

use pixmill_types::{IdempotencyKey, Recipe};

use crate::error::Problem;
use crate::problem::ProblemCode;
use crate::state::App;

/// Looks for the assets of a recipe, where their folder is known. A request that repeats an earlier one, as its key tells,
/// has its answer already, whatever was removed since.
///
/// # Errors
/// A problem that names the first that is not to be had, and what is; or one of the broker's.
pub(super) async fn check(app: &App, recipe: &Recipe, key: Option<&IdempotencyKey>) -> Result<(), Problem> {
    let Err(problem) = look(app, recipe).await else {
        return Ok(());
    };
    match key {
        Some(key) if app.services.broker.is_used(key).await? => Ok(()),
        _ => Err(problem),
    }
}

async fn look(app: &App, recipe: &Recipe) -> Result<(), Problem> {
    let names: BTreeMap<String, _> = recipe.assets().map(|name| (name.to_string(), name)).collect();
    let Some(folder) = app.options.assets.clone().filter(|_| !names.is_empty()) else {
        return Ok(());
    };
    let look = move || {
        names
            .into_values()
            .find_map(|name| folder.check(&name).err().map(|error| (name, error)))
    };
    match tokio::task::spawn_blocking(look).await {
        Ok(None) => Ok(()),
        Ok(Some((name, error))) => {
            let detail = format!("the asset {name} cannot be used: {error}");
            Err(Problem::new(ProblemCode::AssetUnusable, detail).parameter("recipe"))
        }
        Err(error) => Err(Problem::internal(error)),
    }
}
