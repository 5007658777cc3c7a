//! Recipes: whatever form they come in, the canonical text means the same again.

use pixmill_types::{Recipe, RecipeDocument, RecipeError};

/// Parses `data` as each of the three forms.
pub fn recipe(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    check(text.parse());
    if let Ok(document) = toml::from_str::<RecipeDocument>(text) {
        check(document.try_into());
    }
    if let Ok(document) = serde_json::from_str::<RecipeDocument>(text) {
        check(document.try_into());
    }
}

fn check(parsed: Result<Recipe, RecipeError>) {
    match parsed {
        Ok(recipe) => {
            let canonical = recipe.to_string();
            let again: Recipe = canonical
                .parse()
                .unwrap_or_else(|error| panic!("{canonical:?}: {error}"));
            assert_eq!(again, recipe, "{canonical:?}");
            assert_eq!(again.to_string(), canonical);
            assert_eq!(again.hash(), recipe.hash());
        }
        Err(error) => assert!(!error.place.is_empty() && !error.problem.is_empty()),
    }
}
