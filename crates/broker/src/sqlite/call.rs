//! One request on its way through the writer: run inside the transaction, answered after the commit.

use std::time::Instant;

use tokio::sync::oneshot;

use super::error::{OperationError, StorageFailure};
use super::operations::claim::{ClaimAnswer, claim};
use super::step::{Outcome, Step};
use crate::{BrokerError, ClaimRequest};

/// What the writer does with the rows a request wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// They stand when the transaction does.
    Keep,
    /// They are undone: the request was refused.
    Undo,
}

/// Something the writer runs.
pub(super) trait Run {
    /// Names the request in traces and fail points.
    fn name(&self) -> &'static str;

    /// Does what is asked, inside the writer's transaction, and keeps the answer.
    ///
    /// # Errors
    /// The database failed: the whole transaction is lost.
    fn run(&mut self, step: &mut Step<'_>) -> Result<Verdict, rusqlite::Error>;
}

/// A request of any type that is run once.
pub(super) trait Call: Run + Send {
    /// Sends the answer: the transaction is durable.
    fn answer(self: Box<Self>);

    /// Sends the failure of the transaction instead of an answer.
    fn fail(self: Box<Self>, failure: &StorageFailure);
}

/// Keeps the answer of an operation until it may be sent.
fn keep<T>(kept: &mut Option<Result<T, BrokerError>>, outcome: Outcome<T>) -> Result<Verdict, rusqlite::Error> {
    match outcome {
        Ok(answer) => {
            *kept = Some(Ok(answer));
            Ok(Verdict::Keep)
        }
        Err(OperationError::Refused(refusal)) => {
            *kept = Some(Err(refusal));
            Ok(Verdict::Undo)
        }
        Err(OperationError::Storage(error)) => Err(error),
    }
}

/// Where an answer goes. Its receiver may be gone: the caller no longer waits, and what it asked for stands.
pub(super) type Reply<T> = oneshot::Sender<Result<T, BrokerError>>;

/// A request that a function answers.
pub(super) struct Operation<T, F> {
    name: &'static str,
    run: Option<F>,
    kept: Option<Result<T, BrokerError>>,
    reply: Reply<T>,
}

impl<T, F> Operation<T, F>
where
    F: FnOnce(&mut Step<'_>) -> Outcome<T>,
{
    /// A request that `run` answers.
    pub(super) fn new(name: &'static str, run: F) -> (Self, oneshot::Receiver<Result<T, BrokerError>>) {
        let (reply, answer) = oneshot::channel();
        let operation = Self {
            name,
            run: Some(run),
            kept: None,
            reply,
        };
        (operation, answer)
    }
}

impl<T, F> Run for Operation<T, F>
where
    F: FnOnce(&mut Step<'_>) -> Outcome<T>,
{
    fn name(&self) -> &'static str {
        self.name
    }

    fn run(&mut self, step: &mut Step<'_>) -> Result<Verdict, rusqlite::Error> {
        match self.run.take() {
            Some(run) => keep(&mut self.kept, run(step)),
            None => Ok(Verdict::Undo),
        }
    }
}

impl<T, F> Call for Operation<T, F>
where
    T: Send,
    F: FnOnce(&mut Step<'_>) -> Outcome<T> + Send,
{
    fn answer(self: Box<Self>) {
        if let Some(answer) = self.kept {
            // The caller may have gone; see `Reply`.
            let _ = self.reply.send(answer);
        }
    }

    fn fail(self: Box<Self>, failure: &StorageFailure) {
        let _ = self.reply.send(Err(failure.clone().into()));
    }
}

/// A claim. Unlike other requests it may be run more than once: while it finds nothing, it waits.
#[derive(Debug)]
pub(super) struct ClaimCall {
    /// What is asked for.
    pub(super) request: ClaimRequest,
    /// Answered empty then.
    pub(super) deadline: Instant,
    kept: Option<Result<ClaimAnswer, BrokerError>>,
    reply: Reply<ClaimAnswer>,
}

impl ClaimCall {
    /// A claim that waits until `deadline`.
    pub(super) fn new(
        request: ClaimRequest,
        deadline: Instant,
    ) -> (Self, oneshot::Receiver<Result<ClaimAnswer, BrokerError>>) {
        let (reply, answer) = oneshot::channel();
        let call = Self {
            request,
            deadline,
            kept: None,
            reply,
        };
        (call, answer)
    }

    /// Whether it was run and found nothing.
    pub(super) fn found_nothing(&self) -> bool {
        matches!(&self.kept, Some(Ok(answer)) if answer.grants.is_empty())
    }

    /// When the next delayed task of its queue is due, as far as its last run knows.
    pub(super) fn next_due(&self) -> Option<pixmill_types::Timestamp> {
        self.kept.as_ref()?.as_ref().ok()?.next_due
    }

    /// Whether nobody waits for the answer any more.
    pub(super) fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    /// Sends the answer: the transaction is durable.
    pub(super) fn answer(self) {
        if let Some(answer) = self.kept {
            let _ = self.reply.send(answer);
        }
    }

    /// Sends the failure of the transaction instead of an answer.
    pub(super) fn fail(self, failure: &StorageFailure) {
        let _ = self.reply.send(Err(failure.clone().into()));
    }
}

impl Run for ClaimCall {
    fn name(&self) -> &'static str {
        "claim"
    }

    fn run(&mut self, step: &mut Step<'_>) -> Result<Verdict, rusqlite::Error> {
        keep(&mut self.kept, claim(step, &self.request))
    }
}
