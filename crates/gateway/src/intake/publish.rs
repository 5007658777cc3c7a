//! The two steps that nobody may cut in half: the file becomes visible, then the task exists.

use std::sync::Arc;
use std::time::Duration;

use pixmill_blob::Stored;
use pixmill_broker::{BrokerError, Idempotency, Submission, Submitted};
use pixmill_types::{ContentHash, IdempotencyKey, InputImage, Mill, NewTask, Payload, QueueName, Recipe, TaskId};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep};
use tracing::Instrument as _;

use super::Accepted;
use super::parameters::Parameters;
use super::staging::{Staged, discard};
use crate::error::Problem;
use crate::state::App;

/// How long to wait before a submission of unknown outcome is asked again.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// All that a task is made of.
pub(super) struct Ready {
    pub(super) staged: Staged,
    pub(super) parameters: Parameters,
    pub(super) idempotency_key: Option<IdempotencyKey>,
    pub(super) trace_parent: Option<String>,
    /// When the upload began.
    pub(super) began: Instant,
    /// The place among the uploads, held until the end.
    pub(super) permit: OwnedSemaphorePermit,
}

/// Publishes and submits in a task of the gateway's own, so that a client that leaves does not stop it between the two.
///
/// # Errors
/// A problem when the task does not exist, or it is unknown whether it does.
pub(super) async fn in_its_own_task(app: &Arc<App>, ready: Ready) -> Result<Accepted, Problem> {
    let published = publish(app.clone(), ready).in_current_span();
    match app.tasks.spawn(published).await {
        Ok(outcome) => {
            if let Ok(accepted) = &outcome {
                // From the id that a client names in its request, the log leads to the task.
                tracing::Span::current().record("task.id", tracing::field::display(accepted.task.id));
            }
            outcome
        }
        Err(panicked) => Err(Problem::internal(panicked)),
    }
}

async fn publish(app: Arc<App>, ready: Ready) -> Result<Accepted, Problem> {
    let Staged {
        id,
        name,
        segment,
        header,
        cost_bytes,
        upload,
    } = ready.staged;
    let stored = upload.finish().await?;
    let idempotency = ready
        .idempotency_key
        .map(|key| idempotency(key, &stored, &ready.parameters.recipe));
    let task = NewTask {
        id,
        queue: QueueName::images(),
        payload: Payload::Mill(Mill {
            input: InputImage {
                name,
                segment,
                bytes: stored.bytes,
                hash: stored.hash,
                format: header.format,
                width: header.width,
                height: header.height,
                frames: header.frames,
            },
            recipe: ready.parameters.recipe,
        }),
        priority: ready.parameters.priority,
        not_before: ready.parameters.not_before,
        max_attempts: app.options.max_attempts,
        cost_bytes,
        timeout_ms: app.options.limits.task_timeout_ms,
        trace_parent: ready.trace_parent,
    };
    let submission = Submission {
        task,
        idempotency,
        staged_for: ready.began.elapsed(),
    };
    crash_point("gateway.before_submit");
    let accepted = submit(&app, id, submission).await;
    crash_point("gateway.after_submit");
    drop(ready.permit);
    accepted
}

/// The same image and the same recipe are the same request; how urgent it was said to be is not part of it.
fn idempotency(key: IdempotencyKey, stored: &Stored, recipe: &Recipe) -> Idempotency {
    let mut request = stored.hash.as_bytes().to_vec();
    request.extend_from_slice(recipe.to_string().as_bytes());
    Idempotency {
        key,
        fingerprint: ContentHash::of(&request),
    }
}

/// Submits the task, and removes its file exactly when it is certain that no task needs it.
async fn submit(app: &App, id: TaskId, submission: Submission) -> Result<Accepted, Problem> {
    let broker = &app.services.broker;
    let mut outcome = broker.submit(submission.clone()).await;
    if let Err(BrokerError::Unavailable(error)) = &outcome {
        tracing::warn!(task.id = %id, %error, "it is unknown whether a task was stored, asking again");
        sleep(ASK_AGAIN_AFTER).await;
        outcome = broker.submit(submission).await;
    }
    match outcome {
        Ok(Submitted::Created(task)) => Ok(Accepted {
            task: *task,
            replayed: false,
        }),
        Ok(Submitted::Existing(task)) => {
            let replayed = task.id != id;
            if replayed {
                discard(&app.services.blobs, id).await;
            }
            Ok(Accepted { task: *task, replayed })
        }
        Ok(Submitted::Full { queued, limit }) => {
            discard(&app.services.blobs, id).await;
            Err(Problem::queue_full(queued, limit))
        }
        Err(error) => {
            if is_certainly_absent(app, id, &error).await {
                discard(&app.services.blobs, id).await;
            }
            Err(error.into())
        }
    }
}

/// Whether the failed submission certainly stored nothing.
async fn is_certainly_absent(app: &App, id: TaskId, error: &BrokerError) -> bool {
    match error {
        BrokerError::KeyReused | BrokerError::StagedTooLong => true,
        // Nothing fits, so nothing was stored; reading still works on a full disk, so the broker is asked to be sure.
        BrokerError::StorageFull(_) => matches!(app.services.broker.known(&[id]).await.as_deref(), Ok([false])),
        BrokerError::Unavailable(_)
        | BrokerError::NotFound(_)
        | BrokerError::Conflict(_)
        | BrokerError::StaleLease
        | BrokerError::InvalidCursor
        | BrokerError::Corrupt(_) => false,
    }
}

/// Where a crash test may end the process.
pub(super) fn crash_point(_name: &'static str) {
    fail::fail_point!(_name, |_| std::process::abort());
}
