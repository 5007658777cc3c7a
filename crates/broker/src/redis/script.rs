//! The scripts, embedded; each begins with the same head, and each is addressed by its content.

use std::fmt::Write as _;
use std::sync::LazyLock;

use pixmill_types::{TaskState, Transition};
use redis::{Cmd, ToRedisArgs, cmd};

use crate::BrokerOptions;

const LIBRARY: &str = include_str!("scripts/lib.lua");

macro_rules! scripts {
    ($($name:ident: $file:literal,)+) => {$(
        #[doc = concat!("`scripts/", $file, ".lua`")]
        pub(super) static $name: LazyLock<Script> =
            LazyLock::new(|| prepare(include_str!(concat!("scripts/", $file, ".lua"))));
    )+};
}

scripts! {
    CANCEL: "cancel",
    CHECK: "check",
    CLAIM: "claim",
    COMPLETE: "complete",
    DELETE: "delete",
    ENDED: "ended",
    ENTRIES: "entries",
    EVENTS: "events",
    FAIL: "fail",
    HEARTBEAT: "heartbeat",
    LIST: "list",
    PURGE: "purge",
    PUT: "put",
    REAP: "reap",
    RELEASE: "release",
    RESERVE: "reserve",
    RETRY: "retry",
    REVOKED: "revoked",
    STATS: "stats",
    SUBMIT: "submit",
    UNSET: "unset",
    USED: "used",
}

/// A script and its name on the server.
#[derive(Debug)]
pub(super) struct Script {
    text: String,
    hash: String,
}

fn prepare(body: &str) -> Script {
    let text = with_library(body);
    Script {
        hash: redis::Script::new(&text).get_hash().to_owned(),
        text,
    }
}

/// The script behind the sections of the library that it uses, the first of which, the head, every script does. Redis
/// runs a script from its first line at each call: a function that is made and not used costs as much as a command.
fn with_library(body: &str) -> String {
    let transitions = transitions();
    let sections = transitions.iter().map(String::as_str).chain(LIBRARY.split("\n\n"));
    let is_head = |section: &str| section.contains("local root =");
    let mut kept: Vec<&str> = vec![body];
    for section in sections.collect::<Vec<_>>().into_iter().rev() {
        let uses = |name: &str| kept.iter().any(|text| words(text).any(|word| word == name));
        if is_head(section) || section.lines().filter_map(defined).any(uses) {
            kept.push(section);
        }
    }
    kept.reverse();
    kept.join("\n")
}

/// The name that a line at the outermost level defines.
fn defined(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("local ")?;
    words(rest.strip_prefix("function ").unwrap_or(rest)).next()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
}

/// The tables of legal transitions, as `TaskState::after` decides them; each is a section of its own.
fn transitions() -> Vec<String> {
    let table = |transition: Transition| {
        let mut table = format!("local AFTER_{} = {{", transition.to_string().to_ascii_uppercase());
        for state in TaskState::ALL {
            if let Ok(after) = state.after(transition) {
                // Writing to a string cannot fail.
                let _ = write!(table, "{state}='{after}',");
            }
        }
        table.push('}');
        table
    };
    [
        Transition::Claim,
        Transition::Complete,
        Transition::Requeue,
        Transition::Fail,
        Transition::Cancel,
        Transition::Retry,
    ]
    .map(table)
    .into()
}

/// One call of a script.
#[derive(Debug, Clone)]
pub(super) struct Call {
    script: &'static Script,
    root: String,
    arguments: Vec<Vec<u8>>,
}

impl Call {
    /// Calls `script` for the partition whose keys begin with `root`; the head's own arguments come from `options`.
    pub(super) fn new(script: &'static Script, root: String, options: &BrokerOptions) -> Self {
        let millis = |duration: std::time::Duration| duration.as_millis().to_string();
        let head = [
            options
                .clock
                .told()
                .map_or_else(String::new, |now| now.as_millis().to_string()),
            millis(options.lease),
            millis(options.ageing),
            options.retention.map_or_else(String::new, millis),
            options.max_events.to_string(),
            millis(options.backoff_base),
            millis(options.backoff_cap),
            options.max_queued.to_string(),
        ];
        Self {
            script,
            root,
            arguments: head.map(String::into_bytes).to_vec(),
        }
    }

    /// Adds an argument, or several.
    pub(super) fn arg(mut self, argument: impl ToRedisArgs) -> Self {
        self.arguments.extend(argument.to_redis_args());
        self
    }

    /// What the keys of the partition begin with.
    pub(super) fn root(&self) -> &str {
        &self.root
    }

    /// The command that calls the script by its content's hash.
    pub(super) fn by_hash(&self) -> Cmd {
        self.command("EVALSHA", &self.script.hash)
    }

    /// The command that brings the script along, for a server that does not know it yet.
    pub(super) fn by_text(&self) -> Cmd {
        self.command("EVAL", &self.script.text)
    }

    fn command(&self, name: &str, script: &str) -> Cmd {
        let mut command = cmd(name);
        command.arg(script).arg(1).arg(&self.root);
        self.arguments.iter().for_each(|argument| {
            command.arg(argument.as_slice());
        });
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scripts_know_the_transitions_of_the_one_function() {
        assert_eq!(
            transitions(),
            [
                "local AFTER_CLAIM = {queued='running',}",
                "local AFTER_COMPLETE = {running='completed',}",
                "local AFTER_REQUEUE = {running='queued',}",
                "local AFTER_FAIL = {running='failed',}",
                "local AFTER_CANCEL = {queued='cancelled',running='cancelled',}",
                "local AFTER_RETRY = {failed='queued',}",
            ]
        );
    }

    #[test]
    fn a_script_is_given_what_it_uses_and_what_that_uses() {
        let text = with_library("wake('q:images')\n");
        assert!(text.contains("local root ="), "{text}");
        assert!(text.contains("local function wake("), "{text}");
        assert!(
            text.find("local function key(") < text.find("local function wake("),
            "{text}"
        );
        assert!(!text.contains("AFTER_"), "{text}");
        assert!(!text.contains("local function move("), "{text}");
        for name in ["AFTER_CLAIM", "move", "leave", "append", "make_ready", "id_of"] {
            let text = &CLAIM.text;
            assert!(
                text.lines().filter_map(defined).any(|defined| defined == name),
                "{name}"
            );
        }
    }
}
