//! The folder of assets: files that recipes name, such as watermarks.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::PathBuf;

use pixmill_engine::Assets;
use pixmill_types::AssetName;

/// The largest asset, bytes.
const MAX_BYTES: u64 = 8 * 1024 * 1024;

/// A folder of assets on this machine. It may be missing: then there are none.
#[derive(Debug, Clone)]
pub struct AssetFolder(PathBuf);

impl AssetFolder {
    /// The assets in `folder`.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self(folder)
    }
}

impl Assets for AssetFolder {
    fn read(&self, name: &AssetName) -> Result<Vec<u8>, String> {
        // Paths of the server are nobody's business but its log's.
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => "there is no asset of that name".to_owned(),
            kind => format!("it cannot be read: {kind}"),
        };
        let file = File::open(self.0.join(name.as_str())).map_err(failed)?;
        if !file.metadata().map_err(failed)?.is_file() {
            return Err("it is no file".to_owned());
        }
        let mut bytes = Vec::new();
        file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(format!("it has more than the {MAX_BYTES} bytes that are allowed"));
        }
        Ok(bytes)
    }
}
