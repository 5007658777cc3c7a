//! Replays what the fuzzer begins with, without the fuzzer.

use std::fs;
use std::path::Path;

fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
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
    replay("jpeg", pixmill_fuzz::jpeg);
}

#[test]
fn probe() {
    replay("probe", pixmill_fuzz::probe);
}

#[test]
fn recipe() {
    replay("recipe", pixmill_fuzz::recipe);
}

#[test]
fn process() {
    replay("process", pixmill_fuzz::process);
}

#[test]
fn font() {
    replay("font", pixmill_fuzz::font);
}
