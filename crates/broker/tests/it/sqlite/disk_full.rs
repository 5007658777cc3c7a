//! The disk is full: nothing is acknowledged, nothing is lost, and it heals by itself.

use std::path::Path;

use pixmill_broker::{Broker, BrokerError, BrokerOptions, SqliteBroker, Submitted};
use pixmill_types::TaskId;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::child::{Child, Role, tell};
use crate::conformance::tasks::{claim_up_to, completion, submission, task};

/// What the database's log may grow by before the disk is "full", bytes.
const ROOM: u64 = 256 * 1024;
/// Submissions after which the room is certainly used up.
const TOO_MANY: usize = 10_000;

#[test]
fn a_full_disk_refuses_and_heals() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("pixmill.db");
    let mut child = Child::start(Role::FillDisk, &database);
    let reports: Vec<String> = std::iter::from_fn(|| child.report()).map(|report| report.0).collect();
    assert!(child.join().success(), "{reports:?}");
    assert_eq!(
        reports,
        ["full", "claims-refused", "check-refused", "readable", "healed"],
    );
}

/// Limits the size of the files that this process may write; the kernel refuses with `EFBIG` what goes beyond.
fn limit_file_size(bytes: Option<u64>) {
    let hard = getrlimit(Resource::Fsize).maximum;
    let limit = Rlimit {
        current: bytes.or(hard),
        maximum: hard,
    };
    setrlimit(Resource::Fsize, limit).unwrap();
}

/// The part of [`Role::FillDisk`].
pub(super) async fn fill(database: &Path) {
    let broker = SqliteBroker::open(database, BrokerOptions::default()).unwrap();
    let log = database.with_extension("db-wal");
    limit_file_size(Some(std::fs::metadata(&log).unwrap().len() + ROOM));

    let stored = submit_until_full(&broker).await;
    tell("full", stored.len());
    // Leasing needs room as well: nobody gets a lease that is not stored.
    let refused = broker.claim(claim_up_to(100)).await;
    assert!(matches!(refused, Err(BrokerError::StorageFull(_))), "{refused:?}");
    tell("claims-refused", 1);
    let refused = broker.check().await;
    assert!(matches!(refused, Err(BrokerError::StorageFull(_))), "{refused:?}");
    tell("check-refused", 1);
    assert_eq!(broker.known(&stored).await.unwrap(), vec![true; stored.len()]);
    let ready = broker.stats().await.unwrap().queues[0].ready;
    assert_eq!(ready, stored.len() as u64, "nothing that was refused is there");
    tell("readable", ready);

    limit_file_size(None);
    broker.check().await.unwrap();
    broker.submit(submission(task())).await.unwrap();
    let leases = broker.claim(claim_up_to(1)).await.unwrap().leases;
    assert_eq!(leases[0].task.id, stored[0]);
    broker.complete(leases[0].id, completion()).await.unwrap();
    tell("healed", stored[0]);
}

async fn submit_until_full(broker: &SqliteBroker) -> Vec<TaskId> {
    let mut stored = Vec::new();
    for _ in 0..TOO_MANY {
        let task = task();
        let id = task.id;
        match broker.submit(submission(task)).await {
            Ok(Submitted::Created(_)) => stored.push(id),
            Err(BrokerError::StorageFull(_)) => return stored,
            other => panic!("{other:?}"),
        }
    }
    panic!("the disk never was full");
}
