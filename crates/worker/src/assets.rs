//! The folder of assets, as the engine asks for what lies in it.

use pixmill_blob::AssetFolder;
use pixmill_engine::Assets;
use pixmill_types::AssetName;

/// Hands files of a folder to the engine.
#[derive(Debug, Clone, Copy)]
pub struct FolderAssets<'a>(pub &'a AssetFolder);

impl Assets for FolderAssets<'_> {
    fn read(&self, name: &AssetName) -> Result<Vec<u8>, String> {
        self.0.read(name).map_err(|error| error.to_string())
    }
}
