//! A broker that loses its storage or its connection when told to.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use pixmill_broker::{
    Broker, BrokerError, ClaimRequest, Claimed, Completion, EndedQuery, EventPage, EventQuery, FollowUp, ListQuery,
    MemoryBroker, Page, Reaped, Renewal, Stats, Submission, Submitted,
};
use pixmill_types::{Failure, IdempotencyKey, LeaseId, Task, TaskId, WorkerId};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// No room.
    Full,
    /// Calls fail before they have any effect.
    Away,
    /// The next submission takes effect, and its reply is lost.
    ReplyLost,
}

/// Passes every call on, unless something goes wrong.
#[derive(Debug)]
pub(crate) struct Unreliable {
    inner: Arc<MemoryBroker>,
    fault: Mutex<Option<Fault>>,
}

impl Unreliable {
    pub(crate) fn new(inner: Arc<MemoryBroker>) -> Self {
        Self {
            inner,
            fault: Mutex::new(None),
        }
    }

    pub(crate) fn set(&self, fault: Option<Fault>) {
        *self.fault.lock().unwrap() = fault;
    }

    /// For calls that write.
    fn write(&self) -> Result<(), BrokerError> {
        match *self.fault.lock().unwrap() {
            Some(Fault::Full) => Err(BrokerError::StorageFull("no space left".into())),
            Some(Fault::Away) => Err(BrokerError::Unavailable("connection refused".into())),
            Some(Fault::ReplyLost) | None => Ok(()),
        }
    }

    /// For calls that only read: they work on a full disk.
    fn read(&self) -> Result<(), BrokerError> {
        match *self.fault.lock().unwrap() {
            Some(Fault::Away) => Err(BrokerError::Unavailable("connection refused".into())),
            Some(Fault::Full | Fault::ReplyLost) | None => Ok(()),
        }
    }
}

/// `kind name(argument: Type, …) -> Output;` for each call that is passed on as it is.
macro_rules! pass_on {
    ($($kind:ident $name:ident($($argument:ident: $type:ty),*) -> $output:ty;)+) => {
        #[async_trait]
        impl Broker for Unreliable {
            async fn submit(&self, submission: Submission) -> Result<Submitted, BrokerError> {
                self.write()?;
                let outcome = self.inner.submit(submission).await;
                let lost = {
                    let mut fault = self.fault.lock().unwrap();
                    fault.take_if(|fault| *fault == Fault::ReplyLost).is_some()
                };
                if lost { Err(BrokerError::Unavailable("reply lost".into())) } else { outcome }
            }

            $(async fn $name(&self, $($argument: $type),*) -> Result<$output, BrokerError> {
                self.$kind()?;
                self.inner.$name($($argument),*).await
            })+
        }
    };
}

pass_on! {
    write claim(request: ClaimRequest) -> Claimed;
    write heartbeat(worker: &WorkerId, leases: &[LeaseId]) -> Vec<Renewal>;
    write complete(lease: LeaseId, completion: Completion) -> Task;
    write fail(lease: LeaseId, failure: Failure, follow_ups: Vec<FollowUp>) -> Task;
    write release(lease: LeaseId) -> Task;
    read revoked(worker: &WorkerId, wait: Duration) -> Vec<LeaseId>;
    write cancel(task: TaskId, follow_ups: Vec<FollowUp>) -> Task;
    write retry(task: TaskId) -> Task;
    write delete(task: TaskId) -> ();
    read get(task: TaskId) -> Task;
    read wait(task: TaskId, wait: Duration) -> Task;
    read known(tasks: &[TaskId]) -> Vec<bool>;
    read is_used(key: &IdempotencyKey) -> bool;
    read list(query: ListQuery) -> Page;
    read ended(query: EndedQuery) -> Vec<Task>;
    read stats() -> Stats;
    read events(query: EventQuery) -> EventPage;
    write reap(limit: usize) -> Reaped;
    write purge(limit: usize) -> u64;
    read pending_deletions(limit: usize) -> Vec<TaskId>;
    write deletions_done(tasks: &[TaskId]) -> ();
    write check() -> ();
}
