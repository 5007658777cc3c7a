//! Processes are killed; what they acknowledged stays, and their work goes on at once.

use std::collections::HashSet;
use std::path::Path;

use pixmill_broker::{Broker, BrokerError, BrokerOptions, ListQuery, SqliteBroker, Submitted};
use pixmill_types::{FailureCode, NewTask, TaskId, TaskState};

use super::child::{Child, Role};
use crate::conformance::tasks::{claim_up_to, completion, submission, task};

/// Acknowledged submissions and completions before the kill.
const REPORTS: usize = 300;

fn open(database: &Path) -> SqliteBroker {
    SqliteBroker::open(database, BrokerOptions::default()).unwrap()
}

fn ids(reports: &[(String, String)], kind: &str) -> HashSet<TaskId> {
    let wanted = reports.iter().filter(|report| report.0 == kind);
    wanted.map(|report| report.1.parse().unwrap()).collect()
}

#[tokio::test]
async fn a_kill_under_load_loses_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("pixmill.db");
    for _ in 0..3 {
        let mut child = Child::start(Role::Load, &database);
        let mut reports: Vec<_> = std::iter::from_fn(|| child.report()).take(REPORTS).collect();
        reports.extend(child.kill());
        let submitted = ids(&reports, "submitted");
        let completed = ids(&reports, "completed");
        assert!(!submitted.is_empty() && !completed.is_empty(), "the load was too short");

        let broker = open(&database);
        for task in &submitted {
            broker.get(*task).await.unwrap();
        }
        for task in &completed {
            assert_eq!(broker.get(*task).await.unwrap().state, TaskState::Completed);
        }
        let stats = broker.stats().await.unwrap();
        assert_eq!(stats.queues[0].running, 0, "the dead worker's tasks are free at once");
        finish_everything(&broker).await;
        assert_counts_are_true(&broker).await;
    }
}

async fn finish_everything(broker: &SqliteBroker) {
    loop {
        let leases = broker.claim(claim_up_to(100)).await.unwrap().leases;
        if leases.is_empty() {
            return;
        }
        for lease in leases {
            broker.complete(lease.id, completion()).await.unwrap();
        }
    }
}

async fn assert_counts_are_true(broker: &SqliteBroker) {
    let mut listed = 0;
    let mut after = None;
    loop {
        let query = ListQuery {
            state: Some(TaskState::Completed),
            after,
            limit: 1_000,
            ..ListQuery::default()
        };
        let page = broker.list(query).await.unwrap();
        listed += page.tasks.len() as u64;
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let stats = broker.stats().await.unwrap();
    let row = &stats.queues[0];
    assert_eq!((row.completed, row.ready, row.running), (listed, 0, 0));
}

#[tokio::test]
async fn a_dead_process_gives_its_leases_up_at_once_and_a_living_one_keeps_them() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("pixmill.db");
    let broker = open(&database);
    let patient = NewTask {
        timeout_ms: 3_600_000,
        ..task()
    };
    let id = patient.id;
    broker.submit(submission(patient)).await.unwrap();
    let mut child = Child::start(Role::Hold, &database);
    while child.report().unwrap().0 != "claimed" {}

    assert_eq!(broker.reap(10).await.unwrap().requeued.len(), 0, "its worker lives");
    drop(child);
    assert_eq!(broker.reap(10).await.unwrap().requeued.len(), 1, "its worker is gone");
    let again = broker.get(id).await.unwrap();
    assert_eq!(again.state, TaskState::Queued);
    assert_eq!(again.failure.unwrap().code, FailureCode::Crashed);
    let locks = std::fs::read_dir(folder.path().join("workers")).unwrap();
    assert_eq!(locks.count(), 0, "its lock file is tidied up");
}

#[tokio::test]
async fn an_abort_before_the_commit_leaves_nothing_and_after_it_everything() {
    for (role, survives) in [(Role::AbortBeforeCommit, false), (Role::AbortAfterCommit, true)] {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("pixmill.db");
        let mut child = Child::start(role, &database);
        let reports: Vec<_> = std::iter::from_fn(|| child.report()).collect();
        assert!(!child.join().success());
        let acknowledged = ids(&reports, "submitted");
        let tried = ids(&reports, "trying");
        let unknown: Vec<_> = tried.difference(&acknowledged).copied().collect();
        assert_eq!((acknowledged.len(), unknown.len()), (3, 1));

        let broker = open(&database);
        for task in &acknowledged {
            broker.get(*task).await.unwrap();
        }
        let found = broker.get(unknown[0]).await;
        assert_eq!(found.is_ok(), survives, "{role:?}: {found:?}");
        if !survives {
            assert!(matches!(found, Err(BrokerError::NotFound(_))));
        }
        // Asking again is safe either way.
        let again = NewTask {
            id: unknown[0],
            ..task()
        };
        let answer = broker.submit(submission(again)).await.unwrap();
        assert_eq!(matches!(answer, Submitted::Existing(_)), survives);
        assert_eq!(broker.stats().await.unwrap().queues[0].ready, 4);
    }
}
