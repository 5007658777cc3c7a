//! Names of files that steps use beside the upload, such as a watermark.

use std::fmt;
use std::str::FromStr;

/// The longest name, bytes.
const MAX_LEN: usize = 64;

/// The name of a file in the folder of assets: 1 to 64 of `[A-Za-z0-9._-]`, not starting with `.` or `-`. It never leaves
/// the folder.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct AssetName {
    bytes: [u8; MAX_LEN],
    length: u8,
}

/// The text is no name of an asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the name of an asset")]
pub struct InvalidAssetName;

impl AssetName {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Made of ASCII alone.
        str::from_utf8(&self.bytes[..usize::from(self.length)]).unwrap_or_default()
    }
}

impl FromStr for AssetName {
    type Err = InvalidAssetName;

    fn from_str(text: &str) -> Result<Self, InvalidAssetName> {
        let is_well_formed = (1..=MAX_LEN).contains(&text.len())
            && !text.starts_with(['.', '-'])
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        if !is_well_formed {
            return Err(InvalidAssetName);
        }
        let mut bytes = [0; MAX_LEN];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        Ok(Self {
            bytes,
            length: text.len() as u8,
        })
    }
}

impl fmt::Display for AssetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for AssetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_within_their_folder() {
        for name in ["logo.png", "a", "A_b-c.1.webp", &"x".repeat(64)] {
            assert_eq!(
                name.parse::<AssetName>().map(|name| name.to_string()),
                Ok(name.to_owned())
            );
        }
        for wrong in [
            "",
            ".",
            "..",
            ".logo",
            "-logo",
            "a/b",
            "a\\b",
            "a b",
            "é",
            "a\0",
            &"x".repeat(65),
        ] {
            assert_eq!(wrong.parse::<AssetName>(), Err(InvalidAssetName), "{wrong:?}");
        }
    }
}
