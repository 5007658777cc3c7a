//! A task as `/v1` shows it.

use jiff::Timestamp as Instant;
use pixmill_blob::BlobKey;
use pixmill_types::{Failure, InputImage, LeaseId, OutputImage, Payload, Task, TaskId, TaskState, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::openapi::{
    example_hash, example_task_id, failure_code_schema, file_format_schema, format_schema, state_schema,
};

/// A task: what was asked for, where it stands, what came of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TaskDocument {
    #[schema(format = "uuid", example = example_task_id)]
    id: String,
    #[schema(schema_with = state_schema)]
    state: TaskState,
    #[schema(example = "images")]
    queue: String,
    /// How urgent it is, 0 to 9.
    #[schema(maximum = 9, example = 5)]
    priority: u8,
    /// Attempts begun; the one under way counts.
    #[schema(example = 1)]
    attempt: u32,
    /// Attempts before it is given up.
    #[schema(minimum = 1, example = 3)]
    max_attempts: u32,
    input: InputDocument,
    /// What to make of the image, in the canonical compact form.
    #[schema(example = "orient | grayscale | blur")]
    recipe: String,
    /// What it delivered, in the recipe's order; empty until `state` is `completed`.
    pub(crate) outputs: Vec<OutputDocument>,
    /// What a person should know although it worked.
    #[schema(example = json!([]))]
    warnings: Vec<String>,
    /// Why the last attempt failed that did; present when `state` is `failed`, and after it until the task is completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) failure: Option<FailureDocument>,
    /// When it was accepted.
    #[schema(format = DateTime, example = "2026-11-24T03:00:00.000Z")]
    created_at: String,
    /// Its earliest start: as asked for, or the pause before a retry.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = DateTime, example = "2026-11-24T03:00:00.000Z")]
    not_before: Option<String>,
    /// When the attempt under way, or the last one, began.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = DateTime, example = "2026-11-24T03:00:00.004Z")]
    started_at: Option<String>,
    /// When it reached a final state.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = DateTime, example = "2026-11-24T03:00:00.061Z")]
    finished_at: Option<String>,
    /// When the record and its files go away; absent when they are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = DateTime, example = "2026-12-01T03:00:00.061Z")]
    expires_at: Option<String>,
    links: LinksDocument,
}

/// An uploaded image.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InputDocument {
    /// The file's name, as it is shown.
    #[schema(example = "my_photo.jpg")]
    name: String,
    /// Its size, bytes.
    #[schema(example = 102_400)]
    bytes: u64,
    /// BLAKE3 of its bytes.
    #[schema(example = example_hash, pattern = "^[0-9a-f]{64}$")]
    blake3: String,
    /// What its content is.
    #[schema(schema_with = format_schema)]
    format: String,
    /// As stored, before orientation, pixels.
    #[schema(example = 640)]
    width: u32,
    /// As stored, before orientation, pixels.
    #[schema(example = 480)]
    height: u32,
    /// Frames; 1 for a still image.
    #[schema(example = 1)]
    frames: u32,
}

/// A finished file.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OutputDocument {
    /// Its name, unique within the task.
    #[schema(example = "processed_my_photo.jpg")]
    pub(crate) name: String,
    /// Its size, bytes.
    #[schema(example = 40_960)]
    bytes: u64,
    /// BLAKE3 of its bytes; the ETag.
    #[schema(example = example_hash, pattern = "^[0-9a-f]{64}$")]
    blake3: String,
    /// What it holds.
    #[schema(schema_with = file_format_schema)]
    format: String,
    /// Its media type.
    #[schema(value_type = String, example = "image/jpeg")]
    media_type: &'static str,
    /// Pixels.
    #[schema(example = 640)]
    width: u32,
    /// Pixels.
    #[schema(example = 480)]
    height: u32,
    /// Where it lies below the server's data folder.
    #[schema(example = "tasks/22/019ab3f0-8c1e-7a43-9b64-2f7e6f0c1d22/0123456789abcdef/processed_my_photo.jpg")]
    pub(crate) path: String,
    /// Where to fetch it.
    #[schema(example = "/v1/tasks/019ab3f0-8c1e-7a43-9b64-2f7e6f0c1d22/outputs/processed_my_photo.jpg")]
    pub(crate) url: String,
}

/// Why an attempt failed.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct FailureDocument {
    /// For programs.
    #[schema(schema_with = failure_code_schema)]
    code: &'static str,
    /// For people.
    #[schema(example = "the file ends before the image does")]
    message: String,
    /// The setting that sets the limit, when one was exceeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, nullable = false, example = "max_task_memory_bytes")]
    limit_name: Option<&'static str>,
    /// The limit, in the unit its name says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    limit: Option<u64>,
    /// What the image asks for, in the same unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    actual: Option<u64>,
}

/// Where to go on from here.
#[derive(Debug, Serialize, ToSchema)]
struct LinksDocument {
    /// This document.
    #[serde(rename = "self")]
    #[schema(example = "/v1/tasks/019ab3f0-8c1e-7a43-9b64-2f7e6f0c1d22")]
    own: String,
    /// POST here to call it off; absent when that cannot be.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "/v1/tasks/019ab3f0-8c1e-7a43-9b64-2f7e6f0c1d22/cancel")]
    cancel: Option<String>,
    /// POST here to send it round again; absent when that cannot be.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "/v1/tasks/019ab3f0-8c1e-7a43-9b64-2f7e6f0c1d22/retry")]
    retry: Option<String>,
}

impl TaskDocument {
    pub(crate) fn of(task: &Task) -> Self {
        let Payload::Mill(mill) = &task.payload;
        let (outputs, warnings) = task.success.as_ref().map_or_else(Default::default, |success| {
            let outputs = success.outputs.iter();
            let outputs = outputs.map(|output| OutputDocument::of(task.id, success.lease, output));
            (outputs.collect(), success.warnings.clone())
        });
        Self {
            id: task.id.to_string(),
            state: task.state,
            queue: task.queue.to_string(),
            priority: task.priority.get(),
            attempt: task.attempt,
            max_attempts: task.max_attempts,
            input: InputDocument::of(&mill.input),
            recipe: mill.recipe.to_string(),
            outputs,
            warnings,
            failure: task.failure.as_ref().map(FailureDocument::of),
            created_at: rfc3339(task.created_at),
            not_before: task.not_before.map(rfc3339),
            started_at: task.started_at.map(rfc3339),
            finished_at: task.finished_at.map(rfc3339),
            expires_at: task.expires_at.map(rfc3339),
            links: LinksDocument::of(task),
        }
    }
}

impl InputDocument {
    fn of(input: &InputImage) -> Self {
        Self {
            name: input.name.to_string(),
            bytes: input.bytes,
            blake3: input.hash.to_string(),
            format: input.format.to_string(),
            width: input.width,
            height: input.height,
            frames: input.frames,
        }
    }
}

impl OutputDocument {
    pub(crate) fn of(task: TaskId, lease: LeaseId, output: &OutputImage) -> Self {
        Self {
            name: output.segment.to_string(),
            bytes: output.bytes,
            blake3: output.hash.to_string(),
            format: output.format.to_string(),
            media_type: output.format.media_type(),
            width: output.width,
            height: output.height,
            path: BlobKey::output(task, lease, &output.segment).as_str().to_owned(),
            url: format!("{}/outputs/{}", task_url(task), output.segment),
        }
    }
}

impl FailureDocument {
    pub(crate) fn of(failure: &Failure) -> Self {
        Self {
            code: failure.code.as_str(),
            message: failure.message.clone(),
            limit_name: failure.limit.map(|limit| limit.name.setting()),
            limit: failure.limit.map(|limit| limit.limit),
            actual: failure.limit.map(|limit| limit.actual),
        }
    }
}

impl LinksDocument {
    fn of(task: &Task) -> Self {
        use pixmill_types::Transition;
        let own = task_url(task.id);
        let link = |transition, name| task.state.after(transition).is_ok().then(|| format!("{own}/{name}"));
        Self {
            cancel: link(Transition::Cancel, "cancel"),
            retry: link(Transition::Retry, "retry"),
            own,
        }
    }
}

/// The path of a task.
pub(crate) fn task_url(task: TaskId) -> String {
    format!("/v1/tasks/{task}")
}

/// A time as documents write it: UTC, with milliseconds.
pub(crate) fn rfc3339(at: Timestamp) -> String {
    let instant = i64::try_from(at.as_millis())
        .ok()
        .and_then(|millis| Instant::from_millisecond(millis).ok());
    format!("{:.3}", instant.unwrap_or(Instant::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_milliseconds_and_never_overflow() {
        for (millis, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_000_000_000_500, "2001-09-09T01:46:40.500Z"),
            (u64::MAX, "9999-12-30T22:00:00.999Z"),
        ] {
            assert_eq!(rfc3339(Timestamp::from_millis(millis)), expected);
        }
    }
}
