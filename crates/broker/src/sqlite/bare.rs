//! A writer without a thread, and tasks for it: what unit tests stand on.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use pixmill_types::{
    ContentHash, DisplayName, ImageFormat, InputImage, Mill, NewTask, Payload, Priority, QueueName, Recipe, TaskId,
    Timestamp,
};

use super::checkpoint::Log;
use super::hub::Hub;
use super::open_database;
use super::operations::submit::{EncodedSubmission, SubmitAnswer, submit};
use super::place::Place;
use super::step::{Outcome, Step};
use super::worker_locks::WorkerLocks;
use super::writer::{Heard, Waiting, Writer};
use crate::{BrokerOptions, Submission};

/// A writer over a new database in `folder`.
pub(super) fn bare_writer(folder: &Path, options: BrokerOptions) -> Writer {
    let path = folder.join("pixmill.db");
    Writer {
        connection: open_database(&path, &options).unwrap(),
        place: Place::of(&path).unwrap(),
        options,
        locks: WorkerLocks::new(folder.to_owned()),
        inbox: sync_channel(1).1,
        heard: Arc::new(Heard::default()),
        hub: Arc::new(Hub::default()),
        announcer: None,
        log: Arc::new(Log::default()),
        waiting: Waiting::default(),
    }
}

/// A task of the queue of images.
pub(super) fn task(priority: Priority, not_before: Option<Timestamp>) -> NewTask {
    let name = DisplayName::from_client("photo.jpg");
    NewTask {
        id: TaskId::generate(),
        queue: QueueName::images(),
        payload: Payload::Mill(Mill {
            input: InputImage {
                segment: name.segment(),
                name,
                bytes: 1,
                hash: ContentHash::of(b"photo"),
                format: ImageFormat::Jpeg,
                width: 1,
                height: 1,
                frames: 1,
            },
            recipe: Recipe::default(),
        }),
        priority,
        not_before,
        max_attempts: 3,
        cost_bytes: 1,
        timeout_ms: 60_000,
        trace_parent: None,
    }
}

/// Submits a task without a key.
pub(super) fn submit_plain(step: &mut Step<'_>, task: NewTask) -> Outcome<SubmitAnswer> {
    let submission = Submission {
        task,
        idempotency: None,
        staged_for: std::time::Duration::ZERO,
    };
    submit(step, EncodedSubmission::new(submission)?)
}
