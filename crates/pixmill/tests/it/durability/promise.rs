//! What must have happened before an upload is answered 202, as steps over calls.

use std::path::{Path, PathBuf};

use super::calls::Call;

/// One kind of call that the promise needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// The staging file is written.
    Write { staging: String },
    /// The staging file is synced.
    SyncFile { staging: String },
    /// It gets its name.
    Rename { staging: String, stored: String },
    /// A folder that got a new entry is synced.
    SyncFolder { folder: String },
    /// The task is written to the database's log.
    WriteLog { log: String },
    /// The log is synced.
    SyncLog { log: String },
    /// The client is told.
    Answer,
}

impl Step {
    pub(super) fn name(&self) -> String {
        match self {
            Self::Write { .. } => "the staging file is written".to_owned(),
            Self::SyncFile { .. } => "the staging file is synced".to_owned(),
            Self::Rename { .. } => "the staging file is renamed".to_owned(),
            Self::SyncFolder { folder } => format!("the folder {folder} is synced"),
            Self::WriteLog { .. } => "the task is written to the database's log".to_owned(),
            Self::SyncLog { .. } => "the database's log is synced".to_owned(),
            Self::Answer => "the answer 202 is sent".to_owned(),
        }
    }

    pub(super) fn is_last(&self) -> bool {
        *self == Self::Answer
    }

    pub(super) fn matches(&self, call: &Call) -> bool {
        let on = |path: &str| call.descriptor() == Some(path);
        match self {
            Self::Write { staging } => is_write(call) && on(staging),
            Self::SyncFile { staging } => is_sync(call) && on(staging),
            Self::Rename { staging, stored } => {
                call.name.starts_with("rename") && call.strings().eq([staging.as_str(), stored.as_str()])
            }
            // Only fsync promises anything about a folder's entries.
            Self::SyncFolder { folder } => call.name == "fsync" && on(folder),
            Self::WriteLog { log } => is_write(call) && on(log),
            // fsync would do as well, and cost a commit of the file system's journal: `.cargo/config.toml` sees to it.
            Self::SyncLog { log } => call.name == "fdatasync" && on(log),
            Self::Answer => is_write(call) && call.strings().any(|text| text.starts_with("HTTP/1.1 202")),
        }
    }
}

fn is_write(call: &Call) -> bool {
    matches!(
        call.name.as_str(),
        "write" | "writev" | "pwrite64" | "pwritev" | "sendto" | "sendmsg"
    )
}

fn is_sync(call: &Call) -> bool {
    matches!(call.name.as_str(), "fsync" | "fdatasync")
}

/// One upload: where its file lies, and where its task is written down.
#[derive(Debug, Clone)]
pub(super) struct Upload {
    stored: PathBuf,
    staging: String,
    log: String,
}

impl Upload {
    /// The upload stored as `stored` below `data`.
    pub(super) fn new(data: &Path, stored: &Path) -> Self {
        Self {
            stored: stored.to_owned(),
            staging: format!("{}#1", stored.display()),
            log: data.join("pixmill.db-wal").display().to_string(),
        }
    }

    /// All steps, in their order. The shard is there from the start; the task's folder and the one below are new.
    pub(super) fn steps(&self) -> Vec<Step> {
        let staging = || self.staging.clone();
        let (log, stored) = (|| self.log.clone(), self.stored.display().to_string());
        let mut steps = vec![
            Step::Write { staging: staging() },
            Step::SyncFile { staging: staging() },
            Step::Rename {
                staging: staging(),
                stored,
            },
        ];
        let folders = self.stored.ancestors().skip(1).take(3);
        steps.extend(folders.map(|folder| Step::SyncFolder {
            folder: folder.display().to_string(),
        }));
        steps.extend([
            Step::WriteLog { log: log() },
            Step::SyncLog { log: log() },
            Step::Answer,
        ]);
        steps
    }
}

/// Whether each step was over before the next began.
///
/// # Errors
/// The first step that was not taken in time.
pub(super) fn check(calls: &[Call], upload: &Upload) -> Result<(), String> {
    let answered = calls.iter().find(|call| Step::Answer.matches(call));
    let answered = answered.ok_or("there is no answer")?.began;
    let mut over = None;
    for step in upload.steps() {
        let taken: Vec<&Call> = calls.iter().filter(|call| step.matches(call)).collect();
        let done = match step {
            // Every byte counts: the last write.
            Step::Write { .. } => taken.into_iter().max_by_key(|call| call.ended),
            Step::SyncFile { .. }
            | Step::Rename { .. }
            | Step::SyncFolder { .. }
            | Step::WriteLog { .. }
            | Step::SyncLog { .. }
            | Step::Answer => taken
                .into_iter()
                .filter(|call| over.is_none_or(|over| call.began > over))
                .min_by_key(|call| call.ended),
        };
        let done = done.ok_or_else(|| format!("not done after what must come before: {}", step.name()))?;
        if !step.is_last() && done.ended >= answered {
            return Err(format!("not done before the answer: {}", step.name()));
        }
        over = Some(done.ended);
    }
    Ok(())
}
