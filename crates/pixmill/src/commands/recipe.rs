//! Recipes named on the command line.

use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context as _, bail};
use pixmill_blob::AssetFolder;
use pixmill_types::{ReadyRecipe, Recipe, RecipeDocument};

/// The recipe of `--steps`, of `--recipe`, or the default one.
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

/// The recipe of a document, or where there is no such file the ready one of that name.
fn read(path: &Path) -> anyhow::Result<Recipe> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return match path.to_str().and_then(ReadyRecipe::named) {
                Some(ready) => Ok(ready.text.parse()?),
                None => bail!(
                    "there is no such file, and the ready recipes are {}",
                    ReadyRecipe::names()
                ),
            };
        }
        Err(error) => return Err(error.into()),
    };
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
