//! What a failover loses of the tasks that were acknowledged under load, counted: with replicas that are waited for, nothing.
//!
//! `cargo nextest run -p pixmill-broker redis::failover --no-capture` prints the counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use pixmill_broker::{Broker, BrokerOptions, RedisBroker};
use pixmill_types::TaskId;
use tokio::task::JoinSet;

use super::sentinel::{Watched, with_replicas};
use super::server::wait_until;
use crate::conformance::tasks::{submission, task};

/// Submissions under way at the same time.
const SUBMITTERS: usize = 16;
/// How often each of them submits, so that a failover that takes long does not become a flood.
const INTERVAL: Duration = Duration::from_millis(20);
/// Tasks that were acknowledged before something happens.
const BEFORE: usize = 500;

/// What makes the replica the master.
#[derive(Debug, Clone, Copy)]
enum Cause {
    /// The master is killed.
    Kill,
    /// Somebody asks for it; the old master answers whoever is connected until it is told that it is a replica now.
    Switch,
}

/// Submitters that go on until they are stopped, and note what was acknowledged, in order.
struct Load {
    stopped: Arc<AtomicBool>,
    count: Arc<AtomicUsize>,
    submitters: JoinSet<Vec<TaskId>>,
}

impl Load {
    fn start(broker: &Arc<RedisBroker>) -> Self {
        let mut load = Self {
            stopped: Arc::default(),
            count: Arc::default(),
            submitters: JoinSet::new(),
        };
        for _ in 0..SUBMITTERS {
            let (broker, stopped, count) = (Arc::clone(broker), Arc::clone(&load.stopped), Arc::clone(&load.count));
            load.submitters.spawn(async move {
                let mut acknowledged = Vec::new();
                let mut turn = tokio::time::interval(INTERVAL);
                while !stopped.load(Ordering::Relaxed) {
                    turn.tick().await;
                    let described = task();
                    let id = described.id;
                    // What is not acknowledged is not owed.
                    if broker.submit(submission(described)).await.is_ok() {
                        acknowledged.push(id);
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                }
                acknowledged
            });
        }
        load
    }

    async fn stop(self) -> Vec<Vec<TaskId>> {
        self.stopped.store(true, Ordering::Relaxed);
        self.submitters.join_all().await
    }
}

async fn open(watched: &Watched, replicas: u32) -> Arc<RedisBroker> {
    let address = watched.address();
    let opened = RedisBroker::open(&address, with_replicas(replicas), BrokerOptions::default());
    Arc::new(opened.await.unwrap())
}

/// Fails over under load; returns how many of how many acknowledged tasks are gone.
async fn lost(cause: Cause, replicas: u32) -> (usize, usize) {
    let mut watched = Watched::start();
    let load = Load::start(&open(&watched, replicas).await);
    wait_until("tasks are acknowledged", || {
        load.count.load(Ordering::Relaxed) >= BEFORE
    });
    match cause {
        Cause::Kill => watched.kill(0),
        Cause::Switch => {
            watched.switch();
            wait_until("the old master is a replica", || {
                watched.ask(watched.servers[0], &["ROLE"]).contains("slave")
            });
        }
    }
    let acknowledged = load.stop().await;
    watched.wait_for_master(1);

    let broker = open(&watched, 0).await;
    let (mut gone, mut all) = (0, 0);
    for mine in &acknowledged {
        let known = broker.known(mine).await.unwrap();
        gone += known.iter().filter(|is_known| !**is_known).count();
        all += known.len();
    }
    println!("failover by {cause:?}, waiting for {replicas} replicas: {gone} of {all} acknowledged tasks lost");
    (gone, all)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_replica_that_is_waited_for_a_killed_master_loses_nothing() {
    let (gone, all) = lost(Cause::Kill, 1).await;
    assert!(gone == 0 && all >= BEFORE, "{gone} of {all}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_replica_that_is_waited_for_a_switch_loses_nothing() {
    let (gone, all) = lost(Cause::Switch, 1).await;
    assert!(gone == 0 && all >= BEFORE, "{gone} of {all}");
}

/// How many are lost is a matter of luck, and of how long the old master goes on; what came before is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_waiting_what_was_acknowledged_before_is_kept() {
    for cause in [Cause::Kill, Cause::Switch] {
        let (gone, all) = lost(cause, 0).await;
        assert!(gone + BEFORE / 2 < all, "{cause:?}: {gone} of {all}");
    }
}
