//! The rules, one function each: what of a workspace breaks it.

use super::source::{imports, paths, public_paths, strings};
use super::workspace::{Crate, Workspace};

/// A rule of the architecture.
pub(super) struct Rule {
    /// The rule, in words.
    pub(super) name: &'static str,
    /// The places that break it.
    pub(super) violations: fn(&Workspace) -> Vec<String>,
}

/// Every rule.
pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "a crate imports only those it may",
        violations: forbidden_imports,
    },
    Rule {
        name: "of the engine the gateway uses only probe and plan",
        violations: forbidden_uses_of_the_engine,
    },
    Rule {
        name: "the engine knows no runtime, Redis or JSON",
        violations: forbidden_under_the_engine,
    },
    Rule {
        name: "axum stays in the gateway and the binary",
        violations: axum_elsewhere,
    },
    Rule {
        name: "no Redis or SQLite type in a public signature",
        violations: public_database_types,
    },
    Rule {
        name: "only the configuration reads the environment",
        violations: reads_of_the_environment,
    },
    Rule {
        name: "a state is no string past the parsing edge",
        violations: states_as_strings,
    },
];

/// Who may import whom.
pub(super) const IMPORTS: &[(&str, &[&str])] = &[
    ("pixmill-types", &[]),
    ("pixmill-engine", &["pixmill-types"]),
    ("pixmill-broker", &["pixmill-types"]),
    ("pixmill-blob", &["pixmill-types"]),
    (
        "pixmill-worker",
        &["pixmill-types", "pixmill-engine", "pixmill-broker", "pixmill-blob"],
    ),
    (
        "pixmill-gateway",
        &["pixmill-types", "pixmill-engine", "pixmill-broker", "pixmill-blob"],
    ),
    (
        "pixmill",
        &[
            "pixmill-types",
            "pixmill-engine",
            "pixmill-broker",
            "pixmill-blob",
            "pixmill-worker",
            "pixmill-gateway",
        ],
    ),
];

fn forbidden_imports(workspace: &Workspace) -> Vec<String> {
    let mut violations = Vec::new();
    for (name, krate) in &workspace.crates {
        let Some((_, allowed)) = IMPORTS.iter().find(|(known, _)| known == name) else {
            violations.push(format!("{name} is not in the table of who may import whom"));
            continue;
        };
        let forbidden = krate
            .imports
            .iter()
            .filter(|import| !allowed.contains(&import.as_str()));
        violations.extend(forbidden.map(|import| format!("{name} imports {import}")));
    }
    violations
}

fn forbidden_uses_of_the_engine(workspace: &Workspace) -> Vec<String> {
    // The error is what both of them return, the plan what one of them does.
    const ALLOWED: &[&str] = &["probe", "plan", "Plan", "EngineError"];
    let in_file = |(path, file): (&String, &syn::File)| {
        let used = paths(file)
            .into_iter()
            .filter_map(|path| match path.strip_prefix("pixmill_engine")? {
                "" => Some("pixmill_engine itself".to_owned()),
                rest => rest.strip_prefix("::")?.split("::").next().map(str::to_owned),
            });
        let forbidden = used.filter(|name| !ALLOWED.contains(&name.as_str()));
        forbidden.map(|name| format!("{path} uses {name}")).collect::<Vec<_>>()
    };
    let gateway = workspace.crates.get("pixmill-gateway");
    gateway
        .into_iter()
        .flat_map(|gateway| gateway.files.iter().flat_map(in_file))
        .collect()
}

fn forbidden_under_the_engine(workspace: &Workspace) -> Vec<String> {
    let forbidden = ["tokio", "redis", "serde_json"];
    forbidden
        .iter()
        .flat_map(|library| depending(workspace, library, |name| name != "pixmill-engine"))
        .collect()
}

fn axum_elsewhere(workspace: &Workspace) -> Vec<String> {
    depending(workspace, "axum", |name| matches!(name, "pixmill-gateway" | "pixmill"))
}

fn depending(workspace: &Workspace, library: &str, is_allowed: fn(&str) -> bool) -> Vec<String> {
    let depends = |(name, krate): &(&String, &Crate)| !is_allowed(name) && krate.dependencies.contains(library);
    let found = workspace.crates.iter().filter(depends);
    found.map(|(name, _)| format!("{name} depends on {library}")).collect()
}

fn public_database_types(workspace: &Workspace) -> Vec<String> {
    let is_database = |path: &str| {
        let root = path.split("::").next();
        matches!(root, Some("rusqlite" | "libsqlite3_sys" | "redis"))
    };
    every_file(workspace, |_, file| {
        let imported: Vec<String> = imports(file)
            .into_iter()
            .filter(|(_, path)| is_database(path))
            .map(|(local, _)| local)
            .collect();
        let is_imported = |path: &str| imported.iter().any(|local| path.split("::").next() == Some(local));
        let public = public_paths(file).into_iter();
        public.filter(|path| is_database(path) || is_imported(path)).collect()
    })
}

fn reads_of_the_environment(workspace: &Workspace) -> Vec<String> {
    every_file(workspace, |path, file| {
        if path.starts_with("crates/pixmill/src/config/") || path == "crates/pixmill/src/config.rs" {
            return Vec::new();
        }
        let reads = |path: &String| path == "std::env" || path.starts_with("std::env::");
        paths(file).into_iter().filter(reads).collect()
    })
}

/// The edges where words of states may stand, and why.
const STATE_WORDS: &[(&str, &str)] = &[
    ("crates/types/src/state.rs", "gives the states their names"),
    (
        "crates/broker/src/sqlite/stage.rs",
        "gives the stages their names in the database",
    ),
    ("crates/broker/src/sqlite/schema.rs", "speaks of stages to the database"),
    (
        "crates/broker/src/sqlite/operations/leases.rs",
        "names the ends of leases, which are not states",
    ),
    (
        "crates/pixmill/src/commands/bench/client.rs",
        "reads the members of an answer",
    ),
    (
        "crates/worker/src/metrics.rs",
        "names the outcomes of attempts, which are not states",
    ),
];

fn states_as_strings(workspace: &Workspace) -> Vec<String> {
    const STATES: [&str; 5] = ["queued", "running", "completed", "failed", "cancelled"];
    every_file(workspace, |path, file| {
        if STATE_WORDS.iter().any(|(edge, _)| *edge == path) {
            return Vec::new();
        }
        let is_state = |text: &String| {
            STATES
                .iter()
                .any(|state| text == state || text.contains(&format!("'{state}'")))
        };
        strings(file).into_iter().filter(is_state).collect()
    })
}

/// What `find` finds in each file, with the file's path before it.
fn every_file(workspace: &Workspace, find: impl Fn(&str, &syn::File) -> Vec<String>) -> Vec<String> {
    let files = workspace.crates.values().flat_map(|krate| &krate.files);
    files
        .flat_map(|(path, file)| {
            find(path, file)
                .into_iter()
                .map(move |found| format!("{path}: {found}"))
        })
        .collect()
}
