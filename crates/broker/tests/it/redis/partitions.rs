//! Several partitions behind one queue name.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use pixmill_broker::{
    Broker, BrokerError, BrokerOptions, ClaimRequest, Completion, EventPage, EventQuery, FollowUp, ListQuery,
    RedisBroker, RedisOptions, Submitted,
};
use pixmill_types::{EventKind, TaskId};

use super::cluster::Cluster;
use super::server::Server;
use crate::conformance::tasks::{
    claim_up_to, completion, in_queue, keyed, lasting_failure, ordinary_worker, submission, task,
};

const PARTITIONS: u32 = 4;

async fn open(address: &str) -> Arc<RedisBroker> {
    let redis = RedisOptions {
        partitions: PARTITIONS,
        ..RedisOptions::default()
    };
    Arc::new(
        RedisBroker::open(address, redis, BrokerOptions::default())
            .await
            .unwrap(),
    )
}

async fn submit(broker: &RedisBroker, count: usize) -> Vec<TaskId> {
    let mut ids = Vec::new();
    for _ in 0..count {
        let described = task();
        ids.push(described.id);
        let answer = broker.submit(submission(described)).await.unwrap();
        assert!(matches!(answer, Submitted::Created(_)), "{answer:?}");
    }
    ids
}

async fn a_life_in_all_partitions(broker: &RedisBroker) {
    let ids = submit(broker, 40).await;
    let lost = claim_up_to(10);
    let first = broker.claim(lost.clone()).await.unwrap();
    assert_eq!(first.leases.len(), 10, "from as many partitions as it takes");
    let mut again = broker.claim(lost).await.unwrap().leases;
    let mut leases = first.leases.clone();
    again.sort_by_key(|lease| lease.id);
    leases.sort_by_key(|lease| lease.id);
    assert_eq!(again, leases, "the same request gets the same leases");

    while leases.len() < ids.len() {
        leases.extend(broker.claim(claim_up_to(3)).await.unwrap().leases);
    }
    let fences: Vec<_> = leases.iter().map(|lease| lease.id).collect();
    let renewed = broker.heartbeat(&ordinary_worker(), &fences).await.unwrap();
    assert!(
        renewed
            .iter()
            .all(|answer| matches!(answer, pixmill_broker::Renewal::Renewed(_)))
    );
    broker.cancel(leases[0].task.id, Vec::new()).await.unwrap();
    assert_eq!(
        broker.revoked(&ordinary_worker(), Duration::ZERO).await.unwrap(),
        [leases[0].id]
    );
    for lease in &leases[1..] {
        broker.complete(lease.id, completion()).await.unwrap();
    }
    let stats = broker.stats().await.unwrap();
    assert_eq!((stats.queues[0].completed, stats.queues[0].cancelled), (39, 1));

    let mut listed = Vec::new();
    let mut query = ListQuery {
        limit: 7,
        ..ListQuery::default()
    };
    loop {
        let page = broker.list(query.clone()).await.unwrap();
        listed.extend(page.tasks.into_iter().map(|task| task.id));
        let Some(next) = page.next else { break };
        query.after = Some(next);
    }
    assert_eq!(listed.len(), 40, "each once");
    assert_eq!(listed.into_iter().collect::<HashSet<_>>(), ids.into_iter().collect());
    assert_eq!(read_events(broker).await, 120);
}

/// Reads the log in small pages; checks that each task's events come in their order, and returns how many there are.
async fn read_events(broker: &RedisBroker) -> usize {
    let mut query = EventQuery {
        limit: 7,
        ..EventQuery::default()
    };
    let mut seen = Vec::new();
    loop {
        let EventPage::Events(page) = broker.events(query.clone()).await.unwrap() else {
            panic!("nothing was trimmed")
        };
        let Some(last) = page.last() else { break };
        query.after = Some(last.cursor.clone());
        seen.extend(page.into_iter().map(|event| (event.task, event.kind)));
    }
    for (index, (task, kind)) in seen.iter().enumerate() {
        if *kind == EventKind::Started {
            assert!(seen[..index].contains(&(*task, EventKind::Queued)));
        }
    }
    seen.len()
}

#[tokio::test]
async fn all_partitions_are_one_queue() {
    let server = Server::start();
    let broker = open(&server.address()).await;
    a_life_in_all_partitions(&broker).await;
}

#[tokio::test]
async fn partitions_of_a_cluster_lie_on_its_nodes() {
    let cluster = Cluster::start();
    let broker = open(&cluster.address()).await;
    a_life_in_all_partitions(&broker).await;
    let used = (0..3).filter(|node| cluster.keys(*node) > 0).count();
    assert!(used >= 2, "four hash tags fell on {used} nodes");
}

#[tokio::test]
async fn no_partition_waits_for_the_others() {
    let server = Server::start();
    let broker = open(&server.address()).await;
    submit(&broker, 400).await;
    let mut served: Vec<usize> = Vec::new();
    for _ in 0..200 {
        let lease = broker.claim(claim_up_to(1)).await.unwrap().leases.remove(0);
        served.push(usize::from(lease.task.id.as_bytes()[15]) % PARTITIONS as usize);
    }
    for partition in 0..PARTITIONS as usize {
        let mut since = 0;
        let mut longest = 0;
        for one in &served {
            since = if *one == partition { 0 } else { since + 1 };
            longest = longest.max(since);
        }
        // All have tasks, so each is served once a round: the oldest of each waits as long as those of the others.
        assert!(
            longest < PARTITIONS as usize,
            "partition {partition} waited for {longest} claims"
        );
    }
}

#[tokio::test]
async fn a_task_in_any_partition_wakes_a_waiting_claim() {
    let server = Server::start();
    let broker = open(&server.address()).await;
    for _ in 0..12 {
        let waiting = tokio::spawn({
            let broker = Arc::clone(&broker);
            async move {
                let request = ClaimRequest {
                    wait: Duration::from_secs(60),
                    ..claim_up_to(1)
                };
                broker.claim(request).await.unwrap()
            }
        });
        tokio::task::yield_now().await;
        let ids = submit(&broker, 1).await;
        let claimed = waiting.await.unwrap();
        assert_eq!(claimed.leases[0].task.id, ids[0]);
    }
}

#[tokio::test]
async fn a_key_counts_in_all_partitions_wherever_the_first_task_with_it_lies() {
    let server = Server::start();
    let broker = open(&server.address()).await;
    let in_partition = |partition: u8| loop {
        let described = task();
        if described.id.as_bytes()[15] % PARTITIONS as u8 == partition {
            return described;
        }
    };
    // The key itself lies in any of them.
    for first in 0..PARTITIONS as u8 {
        for second in 0..PARTITIONS as u8 {
            let key = format!("key-{first}-{second}");
            let created = in_partition(first);
            let id = created.id;
            let answer = broker.submit(keyed(created, &key, b"one")).await.unwrap();
            assert!(matches!(answer, Submitted::Created(_)), "{key}: {answer:?}");
            let again = broker.submit(keyed(in_partition(second), &key, b"one")).await.unwrap();
            assert!(
                matches!(&again, Submitted::Existing(task) if task.id == id),
                "{key}: {again:?}"
            );
        }
    }
}

#[tokio::test]
async fn of_many_at_once_with_one_key_one_creates_wherever_they_lie() {
    let server = Server::start();
    let broker = open(&server.address()).await;
    for round in 0..6 {
        let key = format!("key-{round}");
        let calls: tokio::task::JoinSet<_> = (0..8)
            .map(|_| {
                let (broker, submission) = (Arc::clone(&broker), keyed(task(), &key, b"one"));
                async move { broker.submit(submission).await.unwrap() }
            })
            .collect();
        let mut ids = HashSet::new();
        let mut created = 0;
        for answer in calls.join_all().await {
            match answer {
                Submitted::Created(task) => {
                    created += 1;
                    ids.insert(task.id);
                }
                Submitted::Existing(task) => {
                    ids.insert(task.id);
                }
                Submitted::Full { .. } => panic!("there is room"),
            }
        }
        assert_eq!((created, ids.len()), (1, 1), "all are told of the same task");
        assert_refused!(broker.submit(keyed(task(), &key, b"two")).await, BrokerError::KeyReused);
    }
}

#[tokio::test]
async fn follow_ups_come_once_in_whichever_partition_their_task_lies() {
    let server = Server::start();
    let broker = open(&server.address()).await;
    submit(&broker, 24).await;
    let mut owed = HashSet::new();
    for index in 0..24 {
        let lease = broker.claim(claim_up_to(1)).await.unwrap().leases.remove(0);
        let follow_ups = vec![
            FollowUp::of(lease.task.id, in_queue("webhooks")),
            FollowUp::of(lease.task.id, in_queue("webhooks")),
        ];
        owed.extend(follow_ups.iter().map(|follow_up| follow_up.task().id));
        // Each is asked for twice, as after a reply that was lost.
        for _ in 0..2 {
            let follow_ups = follow_ups.clone();
            let ended = match index % 3 {
                0 => {
                    let completion = Completion {
                        follow_ups,
                        ..completion()
                    };
                    broker.complete(lease.id, completion).await
                }
                1 => broker.fail(lease.id, lasting_failure(), follow_ups).await,
                _ => broker.cancel(lease.task.id, follow_ups).await,
            };
            ended.unwrap();
        }
    }
    let known = broker.known(&owed.iter().copied().collect::<Vec<_>>()).await.unwrap();
    assert!(known.into_iter().all(|is_known| is_known));
    let request = ClaimRequest {
        queue: "webhooks".parse().unwrap(),
        ..claim_up_to(100)
    };
    let leases = broker.claim(request).await.unwrap().leases;
    assert_eq!(leases.len(), 48);
    assert_eq!(
        leases.into_iter().map(|lease| lease.task.id).collect::<HashSet<_>>(),
        owed
    );
}
