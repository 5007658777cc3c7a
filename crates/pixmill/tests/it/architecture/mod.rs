//! Holds the workspace against the rules of `ARCHITECTURE.md`: who may import whom, and what must never be.
//!
//! [`Workspace`] is what the rules look at: read from this repository, or made up with a violation planted. Each rule is
//! one function in [`rules`] and says which crate or file broke it.

mod rules;
mod source;
mod workspace;

use rules::{IMPORTS, RULES, Rule};
use workspace::Workspace;

#[test]
fn the_workspace_keeps_every_rule() {
    let workspace = Workspace::read();
    let broken: Vec<String> = RULES
        .iter()
        .flat_map(|rule| {
            (rule.violations)(&workspace)
                .into_iter()
                .map(|place| format!("{}: {place}", rule.name))
        })
        .collect();
    assert!(broken.is_empty(), "the architecture is broken:\n{}", broken.join("\n"));
}

#[test]
fn reading_sees_imports_dependencies_and_sources() {
    let workspace = Workspace::read();
    assert!(
        IMPORTS
            .iter()
            .all(|(name, _)| !workspace.crates[*name].files.is_empty())
    );
    let gateway = &workspace.crates["pixmill-gateway"];
    assert!(gateway.imports.contains("pixmill-broker"), "{:?}", gateway.imports);
    assert!(gateway.dependencies.contains("axum-core"), "{:?}", gateway.dependencies);
    assert!(gateway.files.contains_key("crates/gateway/src/lib.rs"));
}

fn clean_workspace() -> Workspace {
    Workspace::clean(IMPORTS.iter().map(|(name, _)| *name))
}

/// Checks that exactly the rule `name` breaks when `plant` has changed the workspace, and that it says `place`.
fn check(name: &str, place: &str, plant: impl Fn(&mut Workspace)) {
    let mut workspace = clean_workspace();
    plant(&mut workspace);
    let broken: Vec<(&str, Vec<String>)> = RULES
        .iter()
        .map(|Rule { name, violations }| (*name, violations(&workspace)))
        .filter(|(_, violations)| !violations.is_empty())
        .collect();
    match &broken[..] {
        [(rule, violations)] if *rule == name => {
            assert!(
                violations.iter().any(|found| found.contains(place)),
                "{place:?} is not in {violations:?}"
            );
        }
        _ => panic!("planted a violation of {name:?}, broken are {broken:?}"),
    }
}

#[test]
fn planted_imports_are_found() {
    let rule = "a crate imports only those it may";
    for (from, to) in [
        ("pixmill-types", "pixmill-blob"),
        ("pixmill-engine", "pixmill-broker"),
        ("pixmill-broker", "pixmill-engine"),
        ("pixmill-blob", "pixmill-broker"),
        ("pixmill-worker", "pixmill-gateway"),
        ("pixmill-gateway", "pixmill-worker"),
        ("pixmill-worker", "pixmill"),
    ] {
        check(rule, &format!("{from} imports {to}"), |workspace| {
            workspace.add_import(from, to)
        });
    }
    check(rule, "pixmill-extra is not in the table", |workspace| {
        workspace.add_crate("pixmill-extra")
    });
}

#[test]
fn planted_dependencies_are_found() {
    for library in ["tokio", "redis", "serde_json"] {
        let violation = format!("pixmill-engine depends on {library}");
        check("the engine knows no runtime, Redis or JSON", &violation, |workspace| {
            workspace.add_dependency("pixmill-engine", library);
        });
    }
    for name in [
        "pixmill-types",
        "pixmill-engine",
        "pixmill-broker",
        "pixmill-blob",
        "pixmill-worker",
    ] {
        let violation = format!("{name} depends on axum");
        check("axum stays in the gateway and the binary", &violation, |workspace| {
            workspace.add_dependency(name, "axum");
        });
    }
}

#[test]
fn planted_uses_of_the_engine_by_the_gateway_are_found() {
    let rule = "of the engine the gateway uses only probe and plan";
    for (code, name) in [
        ("use pixmill_engine::mill;", "mill"),
        ("use pixmill_engine::{probe::Header, Milled};", "Milled"),
        ("fn f() { pixmill_engine::mill(&[], r, l, c); }", "mill"),
        ("use pixmill_engine as engine;", "pixmill_engine itself"),
        ("use pixmill_engine::*;", "*"),
    ] {
        let violation = format!("crates/gateway/src/planted.rs uses {name}");
        check(rule, &violation, |workspace| {
            workspace.add_file("pixmill-gateway", "crates/gateway/src/planted.rs", code);
        });
    }
}

#[test]
fn planted_database_types_in_public_signatures_are_found() {
    let rule = "no Redis or SQLite type in a public signature";
    for code in [
        "pub fn open() -> rusqlite::Connection { todo() }",
        "use rusqlite::{Connection as Handle, params}; pub fn open(handle: &Handle) {}",
        "pub struct Broker { pub connection: rusqlite::Connection }",
        "pub enum Error { Database(rusqlite::Error) }",
        "pub trait Store { fn connection(&self) -> redis::aio::ConnectionManager; }",
        "pub type Handle = rusqlite::Connection;",
        "pub use rusqlite::Connection;",
        "pub struct Broker; impl Broker { pub fn connection(&self) -> &rusqlite::Connection { todo() } }",
        "pub struct Broker; impl From<rusqlite::Connection> for Broker { fn from(c: rusqlite::Connection) -> Self { Self } }",
    ] {
        check(rule, "crates/broker/src/planted.rs", |workspace| {
            workspace.add_file("pixmill-broker", "crates/broker/src/planted.rs", code);
        });
    }
}

#[test]
fn planted_reads_of_the_environment_are_found() {
    let rule = "only the configuration reads the environment";
    for code in [
        "fn f() { std::env::var(\"HOME\"); }",
        "use std::env;",
        "use std::{env::var, fs};",
        "fn f() { println!(\"{:?}\", std::env::args()); }",
    ] {
        check(rule, "crates/worker/src/planted.rs", |workspace| {
            workspace.add_file("pixmill-worker", "crates/worker/src/planted.rs", code);
        });
    }
}

#[test]
fn planted_states_as_strings_are_found() {
    let rule = "a state is no string past the parsing edge";
    for code in [
        "fn f(state: &str) -> bool { state == \"queued\" }",
        "const Q: &str = \"UPDATE tasks SET state = 'failed'\";",
        "fn f() { log(format!(\"{}\", \"cancelled\")); }",
    ] {
        check(rule, "crates/broker/src/planted.rs", |workspace| {
            workspace.add_file("pixmill-broker", "crates/broker/src/planted.rs", code);
        });
    }
}

#[test]
fn what_the_rules_allow_is_not_reported() {
    let mut workspace = clean_workspace();
    for (name, path, code) in [
        (
            "pixmill-gateway",
            "crates/gateway/src/fine.rs",
            "use pixmill_engine::{EngineError, Plan, plan, probe::Prober};",
        ),
        (
            "pixmill-broker",
            "crates/broker/src/fine.rs",
            "use rusqlite::Connection; struct Private(Connection); pub(crate) fn open(_: Connection) {}",
        ),
        (
            "pixmill-broker",
            "crates/broker/src/fine2.rs",
            "pub struct Opaque { connection: rusqlite::Connection } pub(crate) enum Inner { Failed(rusqlite::Error) } \
             impl From<rusqlite::Error> for Inner { fn from(error: rusqlite::Error) -> Self { Self::Failed(error) } }",
        ),
        (
            "pixmill",
            "crates/pixmill/src/config/fine.rs",
            "fn f() { std::env::var_os(\"PIXMILL_DATA\"); }",
        ),
        (
            "pixmill-worker",
            "crates/worker/src/fine.rs",
            "#[cfg(test)] mod tests { fn f() { assert_eq!(std::env::temp_dir(), \"queued\"); } }",
        ),
        (
            "pixmill-worker",
            "crates/worker/src/fine2.rs",
            "/// Those that are \"queued\" by std::env\nfn f() { let version = env!(\"CARGO_PKG_VERSION\"); }",
        ),
    ] {
        workspace.add_file(name, path, code);
    }
    for rule in RULES {
        let found = (rule.violations)(&workspace);
        assert!(found.is_empty(), "{}: {found:?}", rule.name);
    }
}
