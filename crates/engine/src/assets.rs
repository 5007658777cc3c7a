//! Files that steps use beside the upload: asked for by name, never looked for.

use pixmill_types::AssetName;

/// Where the engine gets assets from.
pub trait Assets: Sync {
    /// The bytes of the asset of that name.
    ///
    /// # Errors
    /// Why there is none, for the owner of the recipe.
    fn read(&self, name: &AssetName) -> Result<Vec<u8>, String>;
}

/// No assets at all.
#[derive(Debug, Clone, Copy)]
pub struct NoAssets;

impl Assets for NoAssets {
    fn read(&self, _: &AssetName) -> Result<Vec<u8>, String> {
        Err("there is no folder of assets, the setting assets names one".to_owned())
    }
}
