//! The long part: whole folders of pictures, their prefixes and damaged copies, each through several plans. For `make
//! test-full`, which may name any folder as `PIXMILL_CORPORA`; the test data of the repository otherwise.

use std::fs;
use std::path::{Path, PathBuf};

use pixmill_engine::EngineError;
use pixmill_types::FailureCode;

use crate::support::{mill, testdata};

/// Each takes another way through the planner: luma from file to file, all channels, scaled decoding, pixels moved, facts
/// alone, an animation's frames.
const RECIPES: &[&str] = &[
    "orient | grayscale | blur:2",
    "grayscale | blur:5 => jpeg",
    "orient => png",
    "resize:100 => webp",
    "orient | rotate:7 | trim | sharpen => jpeg:80",
    "resize:64 => gif",
    "=> info",
];
/// Of files up to this size every prefix is tried, bytes; of larger ones some.
const SMALL: usize = 4 * 1024;
/// Prefixes and damaged copies of a larger file.
const SAMPLES: usize = 40;
/// Above this, only whole files are milled, bytes.
const LARGE: usize = 512 * 1024;

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            files_below(&path, found);
        } else {
            found.push(path);
        }
    }
}

fn corpus() -> Vec<(String, Vec<u8>)> {
    let folder = std::env::var_os("PIXMILL_CORPORA").map_or_else(|| testdata(""), PathBuf::from);
    let mut paths = Vec::new();
    files_below(&folder, &mut paths);
    assert!(paths.len() > 10, "{} holds {} files", folder.display(), paths.len());
    let read = |path: PathBuf| {
        let bytes = fs::read(&path).unwrap();
        (path.display().to_string(), bytes)
    };
    paths.into_iter().map(read).collect()
}

/// Whether a picture came of it; panics on what no input may bring about.
fn is_milled(what: &str, input: &[u8], recipe: &str) -> bool {
    match mill(input, recipe) {
        Ok(milled) => milled.outputs.iter().all(|output| !output.bytes.is_empty()),
        Err(EngineError::Internal(message)) => panic!("{what}, {recipe}: {message}"),
        Err(error) => {
            let code = error.to_failure().code;
            assert_ne!(code, FailureCode::Internal, "{what}, {recipe}: {error}");
            false
        }
    }
}

#[test]
#[ignore = "takes minutes: make test-full"]
fn every_file_gives_a_result_or_a_code() {
    let mut milled = 0;
    for (name, bytes) in corpus() {
        for recipe in RECIPES {
            milled += usize::from(is_milled(&name, &bytes, recipe));
        }
    }
    assert!(milled > 0, "no file is a picture");
}

#[test]
#[ignore = "takes minutes: make test-full"]
fn prefixes_of_every_file_give_a_result_or_a_code() {
    for (name, bytes) in corpus() {
        if bytes.len() > LARGE {
            continue;
        }
        let step = if bytes.len() <= SMALL { 1 } else { bytes.len() / SAMPLES };
        for length in (0..bytes.len()).step_by(step) {
            let recipe = RECIPES[length % RECIPES.len()];
            is_milled(&format!("{name} cut to {length}"), &bytes[..length], recipe);
        }
    }
}

#[test]
#[ignore = "takes minutes: make test-full"]
fn damaged_copies_of_every_file_give_a_result_or_a_code() {
    // SplitMix64 (Steele, Lea and Flood 2014): the same damage in every run.
    let mut state = 0x5eed_u64;
    let mut random = move |below: usize| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % below as u64) as usize
    };
    for (name, bytes) in corpus() {
        if bytes.is_empty() || bytes.len() > LARGE {
            continue;
        }
        for copy in 0..SAMPLES {
            let mut damaged = bytes.clone();
            // Most of what is worth damaging is at the front.
            let within = if copy % 2 == 0 {
                damaged.len().min(1024)
            } else {
                damaged.len()
            };
            for _ in 0..=copy % 3 {
                damaged[random(within)] = random(256) as u8;
            }
            is_milled(
                &format!("{name}, damaged copy {copy}"),
                &damaged,
                RECIPES[copy % RECIPES.len()],
            );
        }
    }
}
