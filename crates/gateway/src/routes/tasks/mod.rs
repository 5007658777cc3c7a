//! `/v1/tasks`: submit, read, list, call off, send round again, delete.

mod create;
mod document;

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use pixmill_broker::{Broker, BrokerError, ListCursor, ListQuery};
use pixmill_types::{Task, TaskId, TaskState};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

pub(crate) use create::{__path_create, UploadProblems, create, replay_header};
pub(crate) use document::{FailureDocument, OutputDocument, TaskDocument, rfc3339, task_url};

use crate::error::Problem;
use crate::extract::{ApiQuery, TaskPath, Wait, page_limit};
use crate::openapi::{example_task_id, problems, state_schema};
use crate::state::App;

const DEFAULT_PAGE: usize = 50;
const MAX_PAGE: usize = 500;
/// No cursor is longer, bytes.
const MAX_CURSOR_BYTES: usize = 1_024;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct GetQuery {
    /// How long to wait for the task to reach a final state: a whole number and `ms`, `s` or `m`; a bare number is
    /// seconds. The server may wait less (60 s at most, unless set otherwise). The task is returned as it is then.
    #[param(value_type = Option<String>, nullable = false, pattern = "^[0-9]{1,9}(ms|s|m)?$", example = "10s")]
    wait: Option<Wait>,
}

problems!(GetProblems: InvalidQuery, TaskNotFound, BrokerUnavailable);

/// Reads a task, if asked to once it is final.
#[utoipa::path(
    get,
    path = "/v1/tasks/{task_id}",
    tag = "tasks",
    operation_id = "get_task",
    params(("task_id" = String, Path, format = "uuid", example = example_task_id, description = "The task."), GetQuery),
    responses((status = 200, description = "The task.", body = TaskDocument), GetProblems)
)]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    TaskPath(id): TaskPath,
    ApiQuery(query): ApiQuery<GetQuery>,
) -> Result<Json<TaskDocument>, Problem> {
    let wait = query
        .wait
        .map_or(Duration::ZERO, |Wait(wait)| wait.min(app.options.max_wait));
    let task = if wait.is_zero() {
        app.services.broker.get(id).await?
    } else {
        wait_for(&app, id, wait).await?
    };
    Ok(Json(TaskDocument::of(&task)))
}

/// Waits for a final state, but not while the gateway is about to stop.
async fn wait_for(app: &App, id: TaskId, wait: Duration) -> Result<Task, BrokerError> {
    let broker: &dyn Broker = &*app.services.broker;
    tokio::select! {
        biased;
        () = app.shutdown.cancelled() => broker.get(id).await,
        task = broker.wait(id, wait) => task,
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct TasksQuery {
    /// Only tasks in this state.
    #[param(schema_with = state_schema, required = false)]
    state: Option<TaskState>,
    /// At most this many.
    #[param(nullable = false, minimum = 1, maximum = 500, default = 50)]
    limit: Option<usize>,
    /// `next` of the page before.
    #[param(nullable = false, min_length = 1, max_length = 1024)]
    cursor: Option<String>,
}

/// One page of a listing.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TasksDocument {
    /// Newest first.
    tasks: Vec<TaskDocument>,
    /// Pass it as `cursor` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next: Option<String>,
}

problems!(ListProblems: InvalidQuery, InvalidCursor, BrokerUnavailable);

/// Lists tasks, newest first.
#[utoipa::path(
    get,
    path = "/v1/tasks",
    tag = "tasks",
    operation_id = "list_tasks",
    params(TasksQuery),
    responses((status = 200, description = "One page.", body = TasksDocument), ListProblems)
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    ApiQuery(query): ApiQuery<TasksQuery>,
) -> Result<Json<TasksDocument>, Problem> {
    let limit = page_limit(query.limit, DEFAULT_PAGE, MAX_PAGE)?;
    if query
        .cursor
        .as_ref()
        .is_some_and(|cursor| cursor.len() > MAX_CURSOR_BYTES)
    {
        return Err(BrokerError::InvalidCursor.into());
    }
    let page = app
        .services
        .broker
        .list(ListQuery {
            state: query.state,
            queue: None,
            after: query.cursor.map(ListCursor),
            limit,
        })
        .await?;
    Ok(Json(TasksDocument {
        tasks: page.tasks.iter().map(TaskDocument::of).collect(),
        next: page.next.map(|cursor| cursor.0),
    }))
}

problems!(ChangeProblems: TaskNotFound, Conflict, BrokerUnavailable, StorageFull);

/// Calls a task off. A task that is called off already is returned as it is.
#[utoipa::path(
    post,
    path = "/v1/tasks/{task_id}/cancel",
    tag = "tasks",
    operation_id = "cancel_task",
    params(("task_id" = String, Path, format = "uuid", example = example_task_id, description = "The task.")),
    responses((status = 200, description = "The task, now cancelled.", body = TaskDocument), ChangeProblems)
)]
pub(crate) async fn cancel(State(app): State<Arc<App>>, TaskPath(id): TaskPath) -> Result<Json<TaskDocument>, Problem> {
    let task = app.services.broker.cancel(id, Vec::new()).await?;
    Ok(Json(TaskDocument::of(&task)))
}

problems!(RetryProblems: TaskNotFound, Conflict, BrokerUnavailable, NotAccepting, StorageFull);

/// Sends a failed task round again, its attempts starting anew.
#[utoipa::path(
    post,
    path = "/v1/tasks/{task_id}/retry",
    tag = "tasks",
    operation_id = "retry_task",
    params(("task_id" = String, Path, format = "uuid", example = example_task_id, description = "The task.")),
    responses((status = 200, description = "The task, now queued.", body = TaskDocument), RetryProblems)
)]
pub(crate) async fn retry(State(app): State<Arc<App>>, TaskPath(id): TaskPath) -> Result<Json<TaskDocument>, Problem> {
    if !app.options.accept_tasks {
        return Err(Problem::not_accepting());
    }
    let task = app.services.broker.retry(id).await?;
    Ok(Json(TaskDocument::of(&task)))
}

problems!(DeleteProblems: TaskNotFound, BrokerUnavailable, StorageFull);

/// Deletes a task and its files, whatever its state.
#[utoipa::path(
    delete,
    path = "/v1/tasks/{task_id}",
    tag = "tasks",
    operation_id = "delete_task",
    params(("task_id" = String, Path, format = "uuid", example = example_task_id, description = "The task.")),
    responses((status = 204, description = "The task and its files are gone."), DeleteProblems)
)]
pub(crate) async fn delete(State(app): State<Arc<App>>, TaskPath(id): TaskPath) -> Result<StatusCode, Problem> {
    app.services.broker.delete(id).await?;
    // The record is gone for good; its files follow even when the client does not wait for that.
    let files = app.tasks.spawn(delete_files(app.clone(), id));
    files.await.map_err(Problem::internal)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Deletes the files of a deleted task now rather than at the janitor's next round, which takes care of failures.
async fn delete_files(app: Arc<App>, id: TaskId) {
    if let Err(error) = app.services.blobs.delete_task(id).await {
        tracing::warn!(task.id = %id, %error, "the files of a deleted task are left to the janitor");
        return;
    }
    if let Err(error) = app.services.broker.deletions_done(&[id]).await {
        tracing::warn!(task.id = %id, %error, "the janitor will delete a task's files again");
    }
}
