//! Starts the parts of a worker and ends them in order.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use pixmill_blob::BlobStore;
use pixmill_broker::{Broker, Registry};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::backoff::Outage;
use crate::capacity::Capacity;
use crate::context::{Context, supervise};
use crate::metrics::Metrics;
use crate::options::WorkerOptions;
use crate::running::{Running, StopReason};
use crate::slots::Slots;
use crate::store::Store;
use crate::{claim, control, heartbeat, janitor, reaper, remains};

/// How long a drain that is over waits for the last answers of broker and store, and again for the threads.
const LAST_ANSWERS: Duration = Duration::from_secs(5);

/// What a worker stands on.
#[derive(Debug, Clone)]
pub struct WorkerServices {
    /// Tasks.
    pub broker: Arc<dyn Broker>,
    /// The same tasks, for the heartbeat alone: a connection of its own, or the same value when the broker is embedded.
    pub heartbeat_broker: Arc<dyn Broker>,
    /// Small values, asked by the heartbeat's thread.
    pub registry: Arc<dyn Registry>,
    /// Bytes.
    pub blobs: BlobStore,
}

/// A worker that runs. Dropping it without [`Worker::drain`] stops everything without waiting for it: leases that
/// cannot be released any more run out.
pub struct Worker {
    context: Arc<Context>,
    /// Owns the claim loop.
    claiming: TaskTracker,
    /// Owns the other loops.
    loops: TaskTracker,
    /// The grace of a drain is over.
    hard: CancellationToken,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// Counts the threads that live.
    alive: TaskTracker,
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("options", &self.context.options)
            .finish_non_exhaustive()
    }
}

impl Worker {
    /// Starts the claim loop, the control channel, the reaper and the janitor on the current runtime, the heartbeat
    /// and the milling on threads of their own; of these, without slots, only the reaper and the janitor.
    ///
    /// Metrics go to the recorder that is installed now.
    ///
    /// # Errors
    /// The operating system's, when it refuses a thread.
    ///
    /// # Panics
    /// Outside a tokio runtime with time enabled.
    pub fn start(services: WorkerServices, options: WorkerOptions) -> io::Result<Self> {
        let WorkerServices {
            broker,
            heartbeat_broker,
            registry,
            blobs,
        } = services;
        let metrics = Arc::new(Metrics::new());
        let alive = TaskTracker::new();
        let (slots, mut threads) = Slots::start(options.slots, &alive)?;
        let context = Arc::new(Context {
            broker,
            registry: Arc::clone(&registry),
            blobs,
            capacity: Arc::new(Capacity::new(
                options.slots,
                options.memory_budget_bytes,
                Arc::clone(&metrics),
            )),
            running: Arc::new(Running::new()),
            slots,
            metrics,
            attempts: TaskTracker::new(),
            settling: Outage::new("attempts: broker"),
            store: Store::new(),
            tasks_ended_by_reaper: Notify::new(),
            draining: CancellationToken::new(),
            giving_up: CancellationToken::new(),
            stopping: CancellationToken::new(),
            options,
        });
        if context.options.slots > 0 {
            let heartbeat = heartbeat::start(Arc::clone(&context), heartbeat_broker, registry, &alive)
                .inspect_err(|_| context.slots.close())?;
            threads.push(heartbeat);
        }
        let worker = Self {
            context,
            claiming: TaskTracker::new(),
            loops: TaskTracker::new(),
            hard: CancellationToken::new(),
            threads: Mutex::new(threads),
            alive,
        };
        worker.start_loops();
        let options = &worker.context.options;
        if options.slots > 0 {
            tracing::info!(
                worker.id = %options.id,
                worker.queue = %options.queue,
                worker.slots = options.slots,
                worker.upkeep = options.upkeep,
                "the worker has started"
            );
        }
        Ok(worker)
    }

    fn start_loops(&self) {
        let draining = &self.context.draining;
        let stopping = &self.context.stopping;
        if self.context.options.slots > 0 {
            self.spawn(&self.claiming, draining, "claim loop", claim::run);
            self.spawn(&self.loops, stopping, "control channel", control::run);
        }
        if !self.context.options.upkeep {
            return;
        }
        self.spawn(&self.loops, stopping, "reaper", reaper::run);
        self.spawn(&self.loops, stopping, "remains", remains::clear_dead_ends);
        self.spawn(&self.loops, stopping, "janitor: purge", janitor::purge_expired);
        self.spawn(&self.loops, stopping, "janitor: deletions", janitor::delete_blobs);
        self.spawn(&self.loops, stopping, "janitor: sweep", janitor::sweep_strays);
    }

    fn spawn<F>(
        &self,
        owner: &TaskTracker,
        end: &CancellationToken,
        name: &'static str,
        run: impl Fn(Arc<Context>) -> F + Send + 'static,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let context = Arc::clone(&self.context);
        owner.spawn(supervise(name, end.clone(), move || run(Arc::clone(&context))));
    }

    /// Claims no more, lets what runs finish within the grace period, stops and releases the rest. When it returns,
    /// everything that the worker started has ended.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the worker draining; calling again goes on. Several callers may wait.
    pub async fn drain(&self) {
        let context = &self.context;
        context.draining.cancel();
        self.claiming.close();
        context.attempts.close();
        let in_hand_ends = async {
            self.claiming.wait().await;
            context.attempts.wait().await;
        };
        tokio::select! {
            () = in_hand_ends => {}
            () = tokio::time::sleep(context.options.drain_grace) => self.stop_now(),
            () = self.hard.cancelled() => {}
        }
        self.settle_rest().await;
        context.stopping.cancel();
        context.slots.close();
        self.loops.close();
        self.loops.wait().await;
        self.join_threads().await;
        if context.options.slots > 0 {
            tracing::info!(worker.id = %context.options.id, "the worker has ended");
        }
    }

    /// Ends a drain at once: what still runs is stopped and released. Without a drain under way it begins one.
    pub fn stop_now(&self) {
        self.context.draining.cancel();
        self.context.running.close(StopReason::Drained);
        self.hard.cancel();
    }

    /// Waits for what was stopped to tell the broker; not for ever, since the broker may be away.
    async fn settle_rest(&self) {
        let context = &self.context;
        for _ in 0..2 {
            let settled = async {
                self.claiming.wait().await;
                context.attempts.wait().await;
            };
            if tokio::time::timeout(LAST_ANSWERS, settled).await.is_ok() {
                return;
            }
            context.giving_up.cancel();
        }
        tracing::error!(
            attempts = context.attempts.len(),
            "attempts hang in broker or store; their leases will run out"
        );
    }

    /// A thread ends with its piece of work, and engines stop within milliseconds; one that does not is left behind. Its task was
    /// released.
    async fn join_threads(&self) {
        self.alive.close();
        if tokio::time::timeout(LAST_ANSWERS, self.alive.wait()).await.is_err() {
            tracing::warn!(
                threads = self.alive.len(),
                "milling threads do not stop and are left behind, their tasks run again"
            );
            return;
        }
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // It has let go of everything: what is left of it ends at once.
            if thread.join().is_err() {
                tracing::error!("a thread of the worker panicked");
            }
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stop_now();
        self.context.giving_up.cancel();
        self.context.stopping.cancel();
        self.context.slots.close();
    }
}
