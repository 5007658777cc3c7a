//! Recipes named on the command line.

use std::path::Path;

use anyhow::{Context as _, bail};
use pixmill_blob::AssetFolder;
use pixmill_types::{Recipe, RecipeDocument};

/// The recipe of `--steps`, of the document `--recipe`, or the default one.
pub(super) fn chosen(steps: Option<&Recipe>, document: Option<&Path>) -> anyhow::Result<Recipe> {
    match (steps, document) {
        (Some(recipe), _) => Ok(recipe.clone()),
        (None, Some(path)) => read(path).with_context(|| format!("recipe {}", path.display())),
        (None, None) => Ok(Recipe::default()),
    }
}

/// Says what the recipe names and the folder of assets does not have.
///
/// # Errors
/// The first that is not to be had.
pub(super) fn check_assets(recipe: &Recipe, folder: &AssetFolder) -> anyhow::Result<()> {
    for name in recipe.assets() {
        if let Err(error) = folder.check(&name) {
            bail!("the asset {name} cannot be used: {error}");
        }
    }
    Ok(())
}

fn read(path: &Path) -> anyhow::Result<Recipe> {
    let text = std::fs::read_to_string(path)?;
    let is_json = path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let document: RecipeDocument = if is_json {
        serde_json::from_str(&text)?
    } else {
        toml::from_str(&text)?
    };
    Ok(Recipe::try_from(document)?)
}
