//! `GET /status/{task_id}`: the promise this project started from, kept to the letter; more fields follow its own.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use pixmill_types::{Task, TaskState};
use serde::Serialize;
use utoipa::ToSchema;

use super::tasks::{FailureDocument, OutputDocument, rfc3339, task_url};
use crate::error::Problem;
use crate::extract::TaskPath;
use crate::openapi::{example_task_id, problems, state_schema};
use crate::state::App;

/// How far a task is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StatusDocument {
    #[schema(format = "uuid", example = example_task_id)]
    task_id: String,
    #[schema(inline)]
    status: Status,
    /// Present when `status` is `COMPLETED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    result: Option<ResultDocument>,
    /// Present when `status` is `FAILED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error: Option<FailureDocument>,
    /// Where the result lies below the server's data folder, or in its bucket below the prefix. Present when `status` is
    /// `COMPLETED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        example = "tasks/22/019ab3f0-8c1e-7a43-9b64-2f7e6f0c1d22/0123456789abcdef/processed_my_photo.jpg"
    )]
    path: Option<String>,
    /// Where to fetch the result. Present when `status` is `COMPLETED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        example = "/v1/tasks/019ab3f0-8c1e-7a43-9b64-2f7e6f0c1d22/outputs/processed_my_photo.jpg"
    )]
    url: Option<String>,
    #[schema(schema_with = state_schema)]
    state: TaskState,
    /// Attempts begun; the one under way counts.
    #[schema(example = 1)]
    attempt: u32,
    /// When it was accepted.
    #[schema(format = DateTime, example = "2026-11-24T03:00:00.000Z")]
    created_at: String,
    /// When it reached a final state.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = DateTime, example = "2026-11-24T03:00:00.061Z")]
    finished_at: Option<String>,
    /// The whole record.
    #[schema(example = "/v1/tasks/019ab3f0-8c1e-7a43-9b64-2f7e6f0c1d22")]
    task_url: String,
}

/// How far a task is, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
enum Status {
    /// It waits for a worker, or is with one.
    Processing,
    /// Its result can be fetched.
    Completed,
    /// It ended without a result.
    Failed,
    /// Somebody called it off.
    Cancelled,
}

/// What came of a completed task.
#[derive(Debug, Serialize, ToSchema)]
struct ResultDocument {
    #[schema(value_type = String, example = "success")]
    status: &'static str,
    /// The name of the (first) result.
    #[schema(example = "processed_my_photo.jpg")]
    file: String,
    #[schema(value_type = String, example = "Filters applied successfully.")]
    message: &'static str,
}

impl StatusDocument {
    fn of(task: &Task) -> Self {
        let status = match task.state {
            TaskState::Queued | TaskState::Running => Status::Processing,
            TaskState::Completed => Status::Completed,
            TaskState::Failed => Status::Failed,
            TaskState::Cancelled => Status::Cancelled,
        };
        let first = task.success.as_ref().and_then(|success| {
            let output = success.outputs.first()?;
            Some(OutputDocument::of(task.id, success.lease, output))
        });
        let failure = task.failure.as_ref().filter(|_| status == Status::Failed);
        Self {
            task_id: task.id.to_string(),
            status,
            result: first.as_ref().map(|output| ResultDocument {
                status: "success",
                file: output.name.clone(),
                message: "Filters applied successfully.",
            }),
            error: failure.map(FailureDocument::of),
            path: first.as_ref().map(|output| output.path.clone()),
            url: first.map(|output| output.url),
            state: task.state,
            attempt: task.attempt,
            created_at: rfc3339(task.created_at),
            finished_at: task.finished_at.map(rfc3339),
            task_url: task_url(task.id),
        }
    }
}

problems!(StatusProblems: TaskNotFound, BrokerUnavailable);

/// Tells how far a task is.
#[utoipa::path(
    get,
    path = "/status/{task_id}",
    tag = "upload",
    operation_id = "status",
    params(("task_id" = String, Path, format = "uuid", example = example_task_id, description = "The task.")),
    responses((status = 200, description = "How far the task is.", body = StatusDocument), StatusProblems)
)]
pub(crate) async fn status(
    State(app): State<Arc<App>>,
    TaskPath(id): TaskPath,
) -> Result<Json<StatusDocument>, Problem> {
    let task = app.services.broker.get(id).await?;
    Ok(Json(StatusDocument::of(&task)))
}
