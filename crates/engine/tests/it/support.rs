//! Where the test images lie, and how they are milled.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use pixmill_engine::probe::{ColorModel, Header, Orientation, Profile, Streaming};
use pixmill_engine::{Assets, EngineError, Milled, NeverStop, mill_with};
use pixmill_types::{AssetName, ImageFormat, Limits};

/// A file or folder of the repository's `testdata`.
pub(crate) fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata").join(name)
}

pub(crate) fn read(name: &str) -> Vec<u8> {
    fs::read(testdata(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The files of a folder of `testdata`, by name.
pub(crate) fn files_in(folder: &str) -> Vec<(String, Vec<u8>)> {
    let mut paths: Vec<_> = fs::read_dir(testdata(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "no files in {folder}");
    paths
        .into_iter()
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read(&path).unwrap())
        })
        .collect()
}

/// A JPEG of 4000 x 3000 that only the general decoder reads.
pub(crate) fn header_of_a_photo() -> Header {
    Header {
        format: ImageFormat::Jpeg,
        width: 4000,
        height: 3000,
        frames: 1,
        orientation: Orientation::UPRIGHT,
        color: ColorModel::YCbCr,
        sixteen_bit: false,
        multi_pass: false,
        streaming: Streaming::No,
        unpacked_bytes: 0,
        has_more_pages: false,
        profile: Profile::Srgb,
    }
}

/// How many cases a property is tried with: `quick`, and 20 times as many in `make test-full`.
pub(crate) fn cases(quick: u32) -> u32 {
    if std::env::var_os("PIXMILL_TEST_FULL").is_some() {
        quick * 20
    } else {
        quick
    }
}

/// Mills within the default limits.
pub(crate) fn mill(input: &[u8], recipe: &str) -> Result<Milled, EngineError> {
    pixmill_engine::mill(input, &recipe.parse().unwrap(), &Limits::default(), &NeverStop)
}

/// Assets by their names.
pub(crate) struct Shelf(pub(crate) HashMap<&'static str, Vec<u8>>);

impl Assets for Shelf {
    fn read(&self, name: &AssetName) -> Result<Vec<u8>, String> {
        self.0
            .get(name.as_str())
            .cloned()
            .ok_or("it is not on the shelf".to_owned())
    }
}

impl Shelf {
    /// Mills within the default limits.
    pub(crate) fn mill(&self, input: &[u8], recipe: &str) -> Result<Milled, EngineError> {
        mill_with(self, input, &recipe.parse().unwrap(), &Limits::default(), &NeverStop)
    }
}
