//! Keys: the only way to name a blob, always built here and never taken from a client.

use pixmill_types::{LeaseId, Segment, TaskId};

/// The folder of all tasks, below the store's root.
pub(crate) const TASKS: &str = "tasks";

/// Names one blob: `tasks/<shard>/<task id>/in/<segment>` or `tasks/<shard>/<task id>/<lease id>/<segment>`; beside
/// those there is only the note `installation`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BlobKey(String);

impl BlobKey {
    /// The key of a task's input.
    #[must_use]
    pub fn input(task: TaskId, segment: &Segment) -> Self {
        Self(format!("{}/in/{segment}", task_folder(task)))
    }

    /// The key of an output that `lease` delivers.
    #[must_use]
    pub fn output(task: TaskId, lease: LeaseId, segment: &Segment) -> Self {
        Self(format!("{}/{segment}", lease_folder(task, lease)))
    }

    /// The key of the note that says to which broker's tasks the blobs belong.
    pub(crate) fn installation() -> Self {
        Self("installation".to_owned())
    }

    /// The path below the store's root, with `/` between its parts.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `tasks/<shard>/<task id>`: everything that belongs to one task.
pub(crate) fn task_folder(task: TaskId) -> String {
    format!("{TASKS}/{}/{task}", task.shard())
}

/// `tasks/<shard>/<task id>/<lease id>`: everything that one attempt delivers.
pub(crate) fn lease_folder(task: TaskId, lease: LeaseId) -> String {
    format!("{}/{lease}", task_folder(task))
}

/// The lease whose folder is called `name` within a task's; `None` for the input's and anything that is not ours.
pub(crate) fn lease_named(name: &str) -> Option<LeaseId> {
    name.parse().ok()
}

/// The task whose folder is called `name` within `shard`; `None` for anything that is not ours.
pub(crate) fn task_in_shard(shard: &str, name: &str) -> Option<TaskId> {
    let task: TaskId = name.parse().ok()?;
    (task.shard() == shard).then_some(task)
}
