//! The one thread that writes: takes what has come in, runs it in one transaction, answers after the commit.
//!
//! Group commit needs no delay: while one transaction is made durable, the next one's requests gather. Claims that
//! find nothing wait here, so that a task is leased in the very transaction that brings it.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use pixmill_types::{QueueName, Timestamp};
use rusqlite::Connection;
use tokio::sync::OwnedSemaphorePermit;

use super::call::{Call, ClaimCall, Operation, Run, Verdict};
use super::changes::Changes;
use super::checkpoint::Log;
use super::errno;
use super::error::{Stopped, StorageFailure};
use super::hub::Hub;
use super::operations::claim::any_ready;
use super::peers::Announcer;
use super::place::Place;
use super::step::{Effects, Outcome, Step};
use super::watch::{LOOK_INTERVAL, Watch};
use super::worker_locks::WorkerLocks;
use crate::{BrokerError, BrokerOptions};

/// Requests that may wait for the writer.
pub(super) const MAX_WAITING: usize = 1_024;
/// Requests one transaction takes.
const MAX_BATCH: usize = 256;
/// Claims that may wait for a task; more are answered at once.
const MAX_PARKED: usize = 4_096;
/// Shortest pause after a transaction that failed, so that a broken disk does not keep a core busy.
const FAILURE_PAUSE: Duration = Duration::from_millis(50);

/// What reaches the writer.
pub(super) enum Message {
    /// A request, with its place among those that wait.
    Call(Box<dyn Call>, OwnedSemaphorePermit),
    /// A claim, likewise.
    Claim(Box<ClaimCall>, OwnedSemaphorePermit),
    /// Another process was heard; see [`Foreign`].
    Foreign,
}

/// What other processes said since the writer last listened. At most one message tells it so.
#[derive(Debug)]
pub(super) struct Foreign {
    inbox: SyncSender<Message>,
    heard: Arc<Heard>,
}

#[derive(Debug, Default)]
pub(super) struct Heard {
    changes: Mutex<Changes>,
    told: AtomicBool,
}

impl Heard {
    fn take(&self) -> Changes {
        self.told.store(false, Ordering::Release);
        std::mem::take(&mut *self.changes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Foreign {
    pub(super) fn new(inbox: SyncSender<Message>, heard: Arc<Heard>) -> Self {
        Self { inbox, heard }
    }

    /// Passes on what was heard.
    pub(super) fn tell(&self, changes: Changes) {
        self.heard
            .changes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .absorb(changes);
        if !self.heard.told.swap(true, Ordering::AcqRel) {
            // The channel has room for this one message beyond all requests; a writer that is gone needs none.
            let _ = self.inbox.try_send(Message::Foreign);
        }
    }
}

/// The requests of one transaction. Claims run last, so that they find what the others bring.
#[derive(Default)]
struct Batch {
    calls: Vec<Box<dyn Call>>,
    claims: Vec<ClaimCall>,
    /// Claims that waited and were run again.
    served: Vec<ClaimCall>,
}

impl Batch {
    fn len(&self) -> usize {
        self.calls.len() + self.claims.len()
    }

    fn names(&self) -> impl Iterator<Item = &'static str> {
        let claims = self.served.iter().chain(&self.claims);
        self.calls
            .iter()
            .map(|call| call.name())
            .chain(claims.map(|claim| claim.name()))
    }

    fn fail(self, failure: &StorageFailure) {
        self.calls.into_iter().for_each(|call| call.fail(failure));
        let claims = self.served.into_iter().chain(self.claims);
        claims.for_each(|claim| claim.fail(failure));
    }
}

/// Queues whose waiting claims are to be looked at.
#[derive(Debug, Default)]
struct Woken {
    queues: Vec<QueueName>,
    all: bool,
}

/// The writer's thread.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) connection: Connection,
    pub(super) place: Place,
    pub(super) options: BrokerOptions,
    pub(super) locks: WorkerLocks,
    pub(super) inbox: Receiver<Message>,
    pub(super) heard: Arc<Heard>,
    pub(super) hub: Arc<Hub>,
    pub(super) announcer: Option<Announcer>,
    pub(super) log: Arc<Log>,
    pub(super) waiting: Waiting,
}

/// Claims that found nothing yet, and what the writer remembers between transactions.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    parked: HashMap<QueueName, VecDeque<ClaimCall>>,
    due: HashMap<QueueName, Timestamp>,
    watch: Watch,
    /// The last transaction failed.
    failing: bool,
    /// Somebody was woken whom a failed transaction could not serve.
    missed: bool,
}

impl Writer {
    /// Works until every sender is gone.
    pub(super) fn run(mut self) {
        loop {
            let first = match self.inbox.recv_timeout(self.pause()) {
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let (mut batch, mut woken) = self.gather(first);
            self.look_around(&mut woken);
            self.collect_overdue(&mut batch);
            self.transact(batch, &woken);
        }
    }

    /// Runs one operation in a transaction of its own, before the thread starts.
    ///
    /// # Errors
    /// What the operation returns, or the failure of its transaction.
    pub(super) fn now<T: Send + 'static>(
        &mut self,
        name: &'static str,
        run: impl FnOnce(&mut Step<'_>) -> Outcome<T> + Send + 'static,
    ) -> Result<T, BrokerError> {
        let (operation, mut answer) = Operation::new(name, run);
        let batch = Batch {
            calls: vec![Box::new(operation)],
            ..Batch::default()
        };
        self.transact(batch, &Woken::default());
        answer.try_recv().map_err(|_| Stopped)?
    }

    /// How long nothing has to be done unless a message comes.
    fn pause(&self) -> Duration {
        let parked = self.waiting.parked.values().flatten();
        let overdue = parked.map(|claim| claim.deadline.saturating_duration_since(Instant::now()));
        let now = self.options.clock.now();
        let due = self.waiting.due.values().map(|time| time.since(now));
        let pause = overdue.chain(due).min().unwrap_or(LOOK_INTERVAL).min(LOOK_INTERVAL);
        if self.waiting.failing {
            pause.max(FAILURE_PAUSE)
        } else {
            pause
        }
    }

    fn gather(&mut self, first: Option<Message>) -> (Batch, Woken) {
        let mut batch = Batch::default();
        let mut woken = Woken::default();
        let mut next = first;
        while let Some(message) = next.take() {
            match message {
                Message::Call(call, _place) => batch.calls.push(call),
                Message::Claim(claim, _place) => batch.claims.push(*claim),
                Message::Foreign => {
                    let changes = self.heard.take();
                    self.hub.publish(&changes);
                    woken.all |= changes.everything;
                    woken.queues.extend(changes.queues);
                }
            }
            if batch.len() < MAX_BATCH {
                next = self.inbox.try_recv().ok();
            }
        }
        (batch, woken)
    }

    /// Finds queues whose next delayed task is due, and commits of processes that were not heard.
    fn look_around(&mut self, woken: &mut Woken) {
        woken.all |= std::mem::take(&mut self.waiting.missed);
        let now = self.options.clock.now();
        let due = self.waiting.due.iter().filter(|(_, time)| **time <= now);
        woken.queues.extend(due.map(|(queue, _)| queue.clone()));
        let changes = self.waiting.watch.look(&self.connection);
        self.hub.publish(&changes);
        woken.all |= changes.everything;
        woken.queues.extend(changes.queues);
    }

    /// Takes the claims that have waited long enough: they run once more and are answered whatever comes.
    fn collect_overdue(&mut self, batch: &mut Batch) {
        let now = Instant::now();
        for parked in self.waiting.parked.values_mut() {
            let (overdue, waiting): (VecDeque<_>, VecDeque<_>) = std::mem::take(parked)
                .into_iter()
                .filter(|claim| !claim.is_abandoned())
                .partition(|claim| claim.deadline <= now);
            *parked = waiting;
            batch.claims.extend(overdue);
        }
        self.forget_empty_queues();
    }

    fn forget_empty_queues(&mut self) {
        self.waiting.parked.retain(|_, claims| !claims.is_empty());
        let parked = &self.waiting.parked;
        self.waiting.due.retain(|queue, _| parked.contains_key(queue));
    }

    /// Runs the batch, and the waiting claims that it or others woke, in one transaction, and answers them.
    fn transact(&mut self, mut batch: Batch, woken: &Woken) {
        let parked = &self.waiting.parked;
        let wakes_somebody =
            woken.all && !parked.is_empty() || woken.queues.iter().any(|queue| parked.contains_key(queue));
        if batch.len() == 0 && !wakes_somebody {
            return;
        }
        match self.attempt(&mut batch, woken) {
            Ok(changes) => {
                self.healed();
                self.hub.publish(&changes);
                batch.calls.into_iter().for_each(|call| call.answer());
                let claims = batch.served.into_iter().chain(batch.claims);
                claims.for_each(|claim| self.answer_or_park(claim));
                self.forget_empty_queues();
                if let Some(announcer) = &mut self.announcer {
                    announcer.announce(&changes);
                }
            }
            Err(error) => {
                self.waiting.missed |= wakes_somebody;
                self.failed(batch, error);
            }
        }
    }

    fn attempt(&mut self, batch: &mut Batch, woken: &Woken) -> Result<Changes, rusqlite::Error> {
        self.log.gate.pass();
        self.place.check()?;
        self.execute("BEGIN IMMEDIATE")?;
        let mut effects = Effects::default();
        for call in &mut batch.calls {
            self.run_one(&mut **call, &mut effects)?;
        }
        for queue in self.queues_to_serve(woken, &effects.changes) {
            self.serve(&queue, &mut batch.served, &mut effects)?;
        }
        // A claim dropped on its way here takes nothing: nobody would learn of the lease before it expires.
        for claim in batch.claims.iter_mut().filter(|claim| !claim.is_abandoned()) {
            self.run_one(claim, &mut effects)?;
        }
        effects.write(&self.connection, self.options.max_events)?;
        crash_point(batch, "before_commit");
        self.execute("COMMIT")?;
        crash_point(batch, "after_commit");
        Ok(effects.changes)
    }

    fn queues_to_serve(&self, woken: &Woken, changes: &Changes) -> Vec<QueueName> {
        let parked = self.waiting.parked.keys();
        let wanted = |queue: &&QueueName| {
            woken.all || changes.everything || woken.queues.contains(queue) || changes.queues.contains(queue)
        };
        parked.filter(wanted).cloned().collect()
    }

    /// Runs waiting claims of `queue`, oldest first, as long as there is anything to claim.
    fn serve(
        &mut self,
        queue: &QueueName,
        served: &mut Vec<ClaimCall>,
        effects: &mut Effects,
    ) -> Result<(), rusqlite::Error> {
        while let Some(mut claim) = self.waiting.parked.get_mut(queue).and_then(VecDeque::pop_front) {
            if claim.is_abandoned() {
                continue;
            }
            let ran = self.run_one(&mut claim, effects);
            // Even when it found nothing: then it is parked again after the commit.
            served.push(claim);
            ran?;
            let step = Step::new(&self.connection, &self.options, &mut self.locks, effects);
            if !any_ready(&step, queue)? {
                break;
            }
        }
        Ok(())
    }

    /// Runs one request in a savepoint, so that its refusal undoes nobody else's work.
    fn run_one(&mut self, request: &mut dyn Run, effects: &mut Effects) -> Result<(), rusqlite::Error> {
        tracing::trace!(request = request.name(), "a request runs");
        self.execute("SAVEPOINT request")?;
        let mut step = Step::new(&self.connection, &self.options, &mut self.locks, effects);
        let verdict = request.run(&mut step)?;
        let done = step.into_effects();
        match verdict {
            Verdict::Keep => effects.absorb(done),
            Verdict::Undo => self.execute("ROLLBACK TO request")?,
        }
        self.execute("RELEASE request")
    }

    fn execute(&self, sql: &str) -> Result<(), rusqlite::Error> {
        self.connection.prepare_cached(sql)?.execute([])?;
        Ok(())
    }

    /// Answers a claim whose transaction is durable, unless it found nothing and may wait on.
    fn answer_or_park(&mut self, claim: ClaimCall) {
        let parked = self.waiting.parked.values().map(VecDeque::len).sum::<usize>();
        let waits = claim.found_nothing() && claim.deadline > Instant::now() && parked < MAX_PARKED;
        if !waits {
            return claim.answer();
        }
        let queue = claim.request.queue.clone();
        match claim.next_due() {
            Some(due) => self.waiting.due.insert(queue.clone(), due),
            None => self.waiting.due.remove(&queue),
        };
        self.waiting.parked.entry(queue).or_default().push_back(claim);
    }

    fn failed(&mut self, batch: Batch, error: rusqlite::Error) {
        let failure = StorageFailure::new(error, errno::last(&self.connection));
        // Some failures end the transaction by themselves.
        if !self.connection.is_autocommit()
            && let Err(error) = self.execute("ROLLBACK")
        {
            tracing::error!(%error, "a failed transaction cannot be rolled back");
        }
        if !std::mem::replace(&mut self.waiting.failing, true) {
            tracing::error!(
                error = &failure as &dyn std::error::Error,
                "the database does not take transactions"
            );
        }
        batch.fail(&failure);
        self.forget_empty_queues();
    }

    fn healed(&mut self) {
        if std::mem::take(&mut self.waiting.failing) {
            tracing::info!("the database takes transactions again");
        }
    }
}

/// Where tests kill the process: `broker.<request>.before_commit`, `broker.<request>.after_commit`.
fn crash_point(batch: &Batch, moment: &str) {
    for name in batch.names() {
        tracing::trace!(request = name, moment, "a transaction is at its commit");
        fail::fail_point!(&format!("broker.{name}.{moment}"), |_| std::process::abort());
    }
}
