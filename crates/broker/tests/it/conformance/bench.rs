//! One broker on the bench: its clock in the test's hand, its storage the backend's business.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pixmill_broker::{
    Broker, BrokerOptions, ClaimRequest, Claimed, EventPage, EventQuery, Lease, QueueStats, Reaped, Registry, Submitted,
};
use pixmill_types::{EventKind, NewTask, QueueName, Task, TaskId, Timestamp};
use tokio::task::{JoinHandle, JoinSet};

use super::clock::ManualClock;
use super::tasks::{claim_up_to, submission};

/// The lease of every case that does not choose its own.
pub(crate) const LEASE: Duration = Duration::from_secs(30);
/// A third of it: how often workers renew.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(10);
/// Longer than any machine needs for one call, and never waited for by a broker that works.
const PATIENCE: Duration = Duration::from_secs(60);

/// One kind of broker under test, with storage of its own.
#[async_trait]
pub(crate) trait Backend: Send {
    /// Opens a broker: over empty storage the first time, over what the last one left after that. The last one was
    /// dropped without a goodbye.
    async fn open(&mut self, options: BrokerOptions) -> Opened;

    /// Whether tasks outlive the broker that stored them, so that [`Bench::reopen`] opens another.
    fn is_durable(&self) -> bool;
}

/// Two views of one broker.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) registry: Arc<dyn Registry>,
}

/// A broker under test.
pub(crate) struct Bench {
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) registry: Arc<dyn Registry>,
    pub(crate) clock: Arc<ManualClock>,
    options: BrokerOptions,
    backend: Box<dyn Backend>,
}

impl Bench {
    /// Opens a broker with ordinary options.
    pub(crate) async fn open(backend: Box<dyn Backend>) -> Self {
        Self::open_with(backend, |_| {}).await
    }

    /// Opens a broker with options changed by `change`.
    pub(crate) async fn open_with(mut backend: Box<dyn Backend>, change: impl FnOnce(&mut BrokerOptions)) -> Self {
        let clock = Arc::new(ManualClock::new());
        let mut options = BrokerOptions {
            lease: LEASE,
            clock: clock.clone(),
            ..BrokerOptions::default()
        };
        change(&mut options);
        let Opened { broker, registry } = backend.open(options.clone()).await;
        Self {
            broker,
            registry,
            clock,
            options,
            backend,
        }
    }

    /// Drops the broker and opens another on the same storage, where the backend is durable. Cases do so wherever
    /// nothing but what was acknowledged may matter from there on.
    pub(crate) async fn reopen(self) -> Self {
        let Self {
            broker,
            registry,
            clock,
            options,
            mut backend,
        } = self;
        let opened = if backend.is_durable() {
            drop((broker, registry));
            backend.open(options.clone()).await
        } else {
            Opened { broker, registry }
        };
        Self {
            broker: opened.broker,
            registry: opened.registry,
            clock,
            options,
            backend,
        }
    }

    /// The broker's time.
    pub(crate) fn now(&self) -> Timestamp {
        self.options.clock.now()
    }

    /// Begins a call that is to wait, in a task of its own.
    pub(crate) fn begin<T, F>(&self, call: impl FnOnce(Arc<dyn Broker>) -> F) -> Waiting<T>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        Waiting {
            call: tokio::spawn(call(self.broker.clone())),
            broker: self.broker.clone(),
        }
    }

    /// Makes `count` calls at the same time, each of its own number, and returns what they returned.
    pub(crate) async fn at_once<T, F>(&self, count: usize, call: impl Fn(Arc<dyn Broker>, usize) -> F) -> Vec<T>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let calls: JoinSet<T> = (0..count).map(|index| call(self.broker.clone(), index)).collect();
        calls.join_all().await
    }

    /// Time passes while nobody can reach the broker.
    pub(crate) fn be_away(&self, time: Duration) {
        self.clock.advance(time);
    }

    /// Time passes while reapers do their rounds, as they always do; returns what they did together.
    pub(crate) async fn live(&self, time: Duration) -> Reaped {
        let mut total = Reaped::default();
        let mut left = time;
        loop {
            let round = left.min(HEARTBEAT / 2);
            self.clock.advance(round);
            left -= round;
            let reaped = self.broker.reap(1_000).await.unwrap();
            total.requeued.extend(reaped.requeued);
            total.failed.extend(reaped.failed);
            if left.is_zero() {
                return total;
            }
        }
    }

    /// Stores a task that must be new, and returns its record.
    pub(crate) async fn submit(&self, task: NewTask) -> Task {
        match self.broker.submit(submission(task)).await.unwrap() {
            Submitted::Created(task) => *task,
            other => panic!("not created: {other:?}"),
        }
    }

    /// Stores tasks in this order and returns their ids.
    pub(crate) async fn submit_all(&self, tasks: impl IntoIterator<Item = NewTask>) -> Vec<TaskId> {
        let mut ids = Vec::new();
        for task in tasks {
            ids.push(self.submit(task).await.id);
        }
        ids
    }

    /// Claims as `request` says.
    pub(crate) async fn claim(&self, request: ClaimRequest) -> Claimed {
        self.broker.claim(request).await.unwrap()
    }

    /// Claims one ordinary task that must be ready.
    pub(crate) async fn claim_one(&self) -> Lease {
        let mut leases = self.claim(claim_up_to(1)).await.leases;
        assert_eq!(leases.len(), 1, "no task was ready");
        leases.remove(0)
    }

    /// Ids of the tasks that a claim as `request` says brings, in its order.
    pub(crate) async fn claimed_ids(&self, request: ClaimRequest) -> Vec<TaskId> {
        self.claim(request)
            .await
            .leases
            .iter()
            .map(|lease| lease.task.id)
            .collect()
    }

    /// Stores and claims an ordinary task.
    pub(crate) async fn start(&self, task: NewTask) -> Lease {
        let id = self.submit(task).await.id;
        let lease = self.claim_one().await;
        assert_eq!(lease.task.id, id, "another task was ready");
        lease
    }

    /// Reads a record that must be there.
    pub(crate) async fn get(&self, task: TaskId) -> Task {
        self.broker.get(task).await.unwrap()
    }

    /// The counts of the queue of images.
    pub(crate) async fn images(&self) -> QueueStats {
        let stats = self.broker.stats().await.unwrap();
        let row = stats.queues.into_iter().find(|row| row.queue == QueueName::images());
        row.expect("the queue has no tasks")
    }

    /// What happened to `task` so far, in order, each with the attempt it happened in.
    pub(crate) async fn history(&self, task: TaskId) -> Vec<(EventKind, u32)> {
        let query = EventQuery {
            task: Some(task),
            limit: 1_000,
            ..EventQuery::default()
        };
        match self.broker.events(query).await.unwrap() {
            EventPage::Events(events) => events.iter().map(|event| (event.kind, event.attempt)).collect(),
            EventPage::Gap { .. } => panic!("a log read from its oldest event has no gap"),
        }
    }
}

/// A call under way that waits for something to happen.
#[derive(Debug)]
pub(crate) struct Waiting<T> {
    call: JoinHandle<T>,
    broker: Arc<dyn Broker>,
}

impl<T> Waiting<T> {
    /// Gives the call the time of another, so that most likely it waits by now. No case depends on that: a call that
    /// begins to wait later must not miss what happened before.
    pub(crate) async fn settled(self) -> Self {
        for _ in 0..3 {
            tokio::task::yield_now().await;
            self.broker.stats().await.unwrap();
        }
        assert!(!self.call.is_finished(), "the call did not wait");
        self
    }

    /// What the call returns, which was woken by now.
    pub(crate) async fn woken(self) -> T {
        let returned = tokio::time::timeout(PATIENCE, self.call).await;
        returned.expect("nobody woke the call").unwrap()
    }

    /// Drops the call where it is.
    pub(crate) async fn drop_it(self) {
        self.call.abort();
        assert!(self.call.await.is_err_and(|error| error.is_cancelled()));
    }
}
