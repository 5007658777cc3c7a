//! Replays what the fuzzer begins with, and the least of what it found that reaches all it reached, without the fuzzer.

use std::fs;
use std::path::Path;

fn replay(folder: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut replayed = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        println!("{}", path.display());
        check(&fs::read(path).unwrap());
        replayed += 1;
    }
    assert!(replayed > 10, "{} holds {replayed} files", folder.display());
}

#[test]
fn jpeg() {
    replay("seeds/jpeg", pixmill_fuzz::jpeg);
    replay("found/jpeg", pixmill_fuzz::jpeg);
}

#[test]
fn probe() {
    replay("seeds/probe", pixmill_fuzz::probe);
}

#[test]
fn recipe() {
    replay("seeds/recipe", pixmill_fuzz::recipe);
}

#[test]
fn process() {
    replay("seeds/process", pixmill_fuzz::process);
    replay("found/process", pixmill_fuzz::process);
}

#[test]
fn font() {
    replay("seeds/font", pixmill_fuzz::font);
    replay("found/font", pixmill_fuzz::font);
}
