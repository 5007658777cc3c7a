//! What the rules look at: the crates of this workspace with their imports, dependencies and sources.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The workspace, as far as the rules care.
#[derive(Default)]
pub(super) struct Workspace {
    /// By package name.
    pub(super) crates: BTreeMap<String, Crate>,
}

/// One of our crates.
#[derive(Default)]
pub(super) struct Crate {
    /// Crates of ours that its code, not its tests, imports directly.
    pub(super) imports: BTreeSet<String>,
    /// Every package its code, not its tests, depends on, directly or not.
    pub(super) dependencies: BTreeSet<String>,
    /// Its sources by path from the workspace's root.
    pub(super) files: BTreeMap<String, syn::File>,
}

impl Workspace {
    /// Reads this repository.
    pub(super) fn read() -> Self {
        let metadata: Value =
            serde_json::from_str(&cargo(&["metadata", "--format-version", "1", "--no-deps"])).unwrap();
        let packages = metadata["packages"].as_array().unwrap();
        let names: BTreeSet<&str> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
        let read = |package: &Value| {
            let name = package["name"].as_str().unwrap().to_owned();
            let imports = package["dependencies"].as_array().unwrap().iter();
            let imports = imports
                .filter(|dependency| dependency["kind"] != "dev")
                .filter_map(|dependency| dependency["name"].as_str())
                .filter(|name| names.contains(name))
                .map(str::to_owned)
                .collect();
            let folder = Path::new(package["manifest_path"].as_str().unwrap()).with_file_name("src");
            let read = Crate {
                imports,
                dependencies: dependencies(&name),
                files: sources(&folder),
            };
            (name, read)
        };
        Self {
            crates: packages.iter().map(read).collect(),
        }
    }

    /// Our crates as they should be, without sources: soil to plant a violation in.
    pub(super) fn clean(names: impl IntoIterator<Item = &'static str>) -> Self {
        let mut workspace = Self::default();
        names.into_iter().for_each(|name| workspace.add_crate(name));
        workspace
    }

    /// Plants an import of one of our crates by another, as far as the manifest shows it.
    pub(super) fn add_import(&mut self, from: &str, to: &str) {
        self.crates.get_mut(from).unwrap().imports.insert(to.to_owned());
    }

    /// Plants a dependency on a library.
    pub(super) fn add_dependency(&mut self, from: &str, library: &str) {
        self.crates
            .get_mut(from)
            .unwrap()
            .dependencies
            .insert(library.to_owned());
    }

    /// Plants a crate.
    pub(super) fn add_crate(&mut self, name: &str) {
        self.crates.insert(name.to_owned(), Crate::default());
    }

    /// Plants a source file.
    pub(super) fn add_file(&mut self, name: &str, path: &str, code: &str) {
        let file = syn::parse_str(code).unwrap();
        self.crates.get_mut(name).unwrap().files.insert(path.to_owned(), file);
    }
}

fn dependencies(package: &str) -> BTreeSet<String> {
    let arguments = [
        "tree",
        "--edges",
        "normal,build",
        "--prefix",
        "none",
        "--format",
        "{p}",
        "--package",
        package,
    ];
    let tree = cargo(&arguments);
    tree.lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != package)
        .map(str::to_owned)
        .collect()
}

fn cargo(arguments: &[&str]) -> String {
    // The cargo that runs this test, so that toolchains are not mixed.
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .args(["--locked", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

fn sources(folder: &Path) -> BTreeMap<String, syn::File> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.append(&mut sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let file = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let from_root = path.strip_prefix(root()).unwrap().display().to_string();
            files.insert(from_root, file);
        }
    }
    files
}
