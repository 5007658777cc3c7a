//! The folder of assets: files that recipes name, watermarks and fonts. Whoever runs pixmill puts them there.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::PathBuf;

use pixmill_types::AssetName;

/// The largest asset, bytes.
const MAX_BYTES: u64 = 8 * 1024 * 1024;
/// Names that are told when one is missing.
const TOLD: usize = 20;
/// Entries of the folder that are looked at for that.
const LOOKED_AT: usize = 10_000;

/// A folder of assets on this machine. It may be missing: then there are none.
#[derive(Debug, Clone)]
pub struct AssetFolder(PathBuf);

/// Why an asset is not to be had, for the owner of a recipe: paths of the server are nobody's business but its log's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AssetError {
    /// There is none of that name.
    #[error("there is no asset of that name, {0}")]
    Missing(AssetNames),
    /// It is a folder, or something else.
    #[error("it is no file")]
    NoFile,
    /// It has more bytes than an asset may have.
    #[error("it has {0} bytes, at most {max} are allowed", max = MAX_BYTES)]
    TooLarge(u64),
    /// The system does not let it be read.
    #[error("it cannot be read: {0}")]
    Unreadable(io::ErrorKind),
}

/// The names of what lies in the folder of assets, some of them if there are many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssetNames {
    names: Vec<String>,
    are_all: bool,
}

impl fmt::Display for AssetNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.names.is_empty() {
            return f.write_str("the folder that the setting assets names has none");
        }
        let more = if self.are_all { "" } else { " and more" };
        write!(
            f,
            "the folder that the setting assets names has {}{more}",
            self.names.join(", ")
        )
    }
}

impl AssetFolder {
    /// The assets in `folder`.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// The bytes of an asset. Blocks.
    ///
    /// # Errors
    /// [`AssetError`], when it is not to be had.
    pub fn read(&self, name: &AssetName) -> Result<Vec<u8>, AssetError> {
        let mut file = self.open(name)?.take(MAX_BYTES + 1);
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|error| self.failed(&error))?;
        match bytes.len() as u64 {
            0..=MAX_BYTES => Ok(bytes),
            // It grew since it was opened.
            longer => Err(AssetError::TooLarge(longer)),
        }
    }

    /// Whether an asset is to be had, without reading it. Blocks.
    ///
    /// # Errors
    /// As [`AssetFolder::read`].
    pub fn check(&self, name: &AssetName) -> Result<(), AssetError> {
        self.open(name).map(drop)
    }

    fn open(&self, name: &AssetName) -> Result<File, AssetError> {
        let file = File::open(self.0.join(name.as_str())).map_err(|error| self.failed(&error))?;
        let metadata = file.metadata().map_err(|error| self.failed(&error))?;
        match metadata.len() {
            _ if !metadata.is_file() => Err(AssetError::NoFile),
            0..=MAX_BYTES => Ok(file),
            larger => Err(AssetError::TooLarge(larger)),
        }
    }

    fn failed(&self, error: &io::Error) -> AssetError {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => AssetError::Missing(self.names()),
            kind => AssetError::Unreadable(kind),
        }
    }

    /// What lies in the folder; nothing when it cannot be looked into.
    fn names(&self) -> AssetNames {
        let entries = std::fs::read_dir(&self.0).into_iter().flatten().take(LOOKED_AT);
        let mut names: Vec<String> = entries
            .filter_map(Result::ok)
            .filter(|entry| entry.path().is_file())
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| name.parse::<AssetName>().is_ok())
            .collect();
        names.sort_unstable();
        let are_all = names.len() <= TOLD;
        names.truncate(TOLD);
        AssetNames { names, are_all }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(folder: &AssetFolder, name: &str) -> String {
        let name = name.parse().unwrap();
        let checked = folder.check(&name).unwrap_err();
        assert_eq!(folder.read(&name), Err(checked.clone()));
        checked.to_string()
    }

    #[test]
    fn what_is_not_to_be_had_is_told_with_what_is() {
        let disk = tempfile::tempdir().unwrap();
        let folder = AssetFolder::new(disk.path().join("assets"));
        let none = "there is no asset of that name, the folder that the setting assets names has none";
        assert_eq!(problem(&folder, "a.png"), none);
        std::fs::create_dir(disk.path().join("assets")).unwrap();
        assert_eq!(problem(&folder, "a.png"), none);
        let put = |name: &str, bytes: u64| {
            let file = File::create(disk.path().join("assets").join(name)).unwrap();
            file.set_len(bytes).unwrap();
        };
        put("logo.png", 3);
        put("font.ttf", MAX_BYTES);
        put(".hidden", 1);
        put("with space.png", 1);
        std::fs::create_dir(disk.path().join("assets/folder")).unwrap();
        assert_eq!(
            problem(&folder, "a.png"),
            "there is no asset of that name, the folder that the setting assets names has font.ttf, logo.png"
        );
        assert_eq!(folder.read(&"logo.png".parse().unwrap()), Ok(vec![0; 3]));
        assert_eq!(folder.check(&"font.ttf".parse().unwrap()), Ok(()));
        assert_eq!(problem(&folder, "folder"), "it is no file");
        put("large.bin", MAX_BYTES + 1);
        assert_eq!(
            problem(&folder, "large.bin"),
            "it has 8388609 bytes, at most 8388608 are allowed"
        );
        for number in 0..30 {
            put(&format!("x{number:02}"), 0);
        }
        let told = problem(&folder, "a.png");
        assert!(told.ends_with("x15, x16 and more"), "{told}");
    }
}
