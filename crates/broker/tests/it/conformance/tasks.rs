//! Ordinary tasks, submissions and claims, for cases to change where it matters to them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pixmill_broker::{ClaimRequest, Completion, Idempotency, Submission};
use pixmill_types::{
    ContentHash, DEFAULT_MAX_ATTEMPTS, DisplayName, Failure, FailureCode, ImageFormat, InputImage, LeaseId, Mill,
    NewTask, OutputImage, Payload, Priority, QueueName, Recipe, RequestId, Segment, Success, TaskId, WorkerId,
};

/// Estimated memory of an ordinary task, bytes.
pub(crate) const COST_BYTES: u64 = 1_000;
/// Time an attempt at an ordinary task may take: many leases.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(3_600);

/// An ordinary task.
pub(crate) fn task() -> NewTask {
    let name = DisplayName::from_client("photo.jpg");
    NewTask {
        id: TaskId::generate(),
        queue: QueueName::images(),
        payload: Payload::Mill(Mill {
            input: InputImage {
                segment: name.segment(),
                name,
                bytes: 123_456,
                hash: ContentHash::of(b"photo"),
                format: ImageFormat::Jpeg,
                width: 640,
                height: 480,
                frames: 1,
            },
            recipe: Recipe::default(),
        }),
        priority: Priority::default(),
        not_before: None,
        max_attempts: DEFAULT_MAX_ATTEMPTS,
        cost_bytes: COST_BYTES,
        timeout_ms: u64::try_from(TIMEOUT.as_millis()).unwrap(),
        trace_parent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
    }
}

/// An ordinary task of that priority.
pub(crate) fn with_priority(priority: u8) -> NewTask {
    NewTask {
        priority: Priority::try_from(priority).unwrap(),
        ..task()
    }
}

/// An ordinary task of that size.
pub(crate) fn with_cost(cost_bytes: u64) -> NewTask {
    NewTask { cost_bytes, ..task() }
}

/// An ordinary task of that queue.
pub(crate) fn in_queue(name: &str) -> NewTask {
    NewTask {
        queue: name.parse().unwrap(),
        ..task()
    }
}

/// A task that may be tried so often.
pub(crate) fn with_attempts(max_attempts: u32) -> NewTask {
    NewTask { max_attempts, ..task() }
}

/// Submits `task` just staged and without a key.
pub(crate) fn submission(task: NewTask) -> Submission {
    Submission {
        task,
        idempotency: None,
        staged_for: Duration::ZERO,
    }
}

/// Submits `task` under a client's key.
pub(crate) fn keyed(task: NewTask, key: &str, request: &[u8]) -> Submission {
    Submission {
        idempotency: Some(Idempotency {
            key: key.parse().unwrap(),
            fingerprint: ContentHash::of(request),
        }),
        ..submission(task)
    }
}

/// The worker of that name.
pub(crate) fn worker(name: &str) -> WorkerId {
    name.parse().unwrap()
}

/// The worker that an ordinary claim comes from.
pub(crate) fn ordinary_worker() -> WorkerId {
    worker("host-1-aa")
}

/// A claim under a request id of its own that does not wait, with room for `max_tasks` of any size that is ordinary.
pub(crate) fn claim_up_to(max_tasks: usize) -> ClaimRequest {
    static REQUESTS: AtomicU64 = AtomicU64::new(1);
    ClaimRequest {
        queue: QueueName::images(),
        worker: ordinary_worker(),
        request: RequestId::from_bits(REQUESTS.fetch_add(1, Ordering::Relaxed)),
        max_tasks,
        max_bytes: 1_000_000,
        idle: false,
        wait: Duration::ZERO,
    }
}

/// What a worker delivers for an ordinary task.
pub(crate) fn completion() -> Completion {
    Completion {
        outputs: vec![OutputImage {
            segment: Segment::parse("processed_photo.jpg").unwrap(),
            bytes: 65_432,
            hash: ContentHash::of(b"processed photo"),
            format: ImageFormat::Jpeg.into(),
            width: 640,
            height: 480,
        }],
        warnings: vec!["the colour profile was dropped".to_owned()],
        follow_ups: Vec::new(),
    }
}

/// What a record says of [`completion`].
pub(crate) fn success(lease: LeaseId) -> Success {
    let Completion { outputs, warnings, .. } = completion();
    Success {
        lease,
        outputs,
        warnings,
    }
}

/// A failure that another attempt may avoid.
pub(crate) fn passing_failure() -> Failure {
    Failure::new(FailureCode::StorageUnavailable, "the blob store did not answer")
}

/// A failure that no attempt can avoid.
pub(crate) fn lasting_failure() -> Failure {
    Failure::new(FailureCode::NotAnImage, "not an image")
}
