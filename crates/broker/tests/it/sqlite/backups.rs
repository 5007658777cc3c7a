//! Copies of a database in use, and how one is put back.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pixmill_broker::{Broker, BrokerOptions, EventPage, EventQuery, OpenError, SqliteBroker};
use pixmill_types::{EventCursor, TaskId, TaskState};

use crate::conformance::tasks::{claim_up_to, completion, submission, task};

fn open(database: &Path) -> SqliteBroker {
    SqliteBroker::open(database, BrokerOptions::default()).unwrap()
}

async fn submit(broker: &SqliteBroker) -> TaskId {
    let task = task();
    let id = task.id;
    broker.submit(submission(task)).await.unwrap();
    id
}

async fn last_cursor(broker: &SqliteBroker) -> EventCursor {
    let query = EventQuery {
        limit: 1_000,
        ..EventQuery::default()
    };
    match broker.events(query).await.unwrap() {
        EventPage::Events(events) => events.last().unwrap().cursor.clone(),
        gap @ EventPage::Gap { .. } => panic!("{gap:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_made_under_load_is_one_moment_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let broker = Arc::new(open(&folder.path().join("pixmill.db")));
    let acknowledged_before = submit(&broker).await;
    let stop = Arc::new(AtomicBool::new(false));
    let load = tokio::spawn({
        let (broker, stop) = (broker.clone(), stop.clone());
        async move {
            while !stop.load(Ordering::Relaxed) {
                submit(&broker).await;
                for lease in broker.claim(claim_up_to(1)).await.unwrap().leases {
                    broker.complete(lease.id, completion()).await.unwrap();
                }
            }
        }
    });
    for number in 0..5 {
        let copy = folder.path().join(format!("copies/{number}.db"));
        fs::create_dir_all(copy.parent().unwrap()).unwrap();
        let (from, to) = (broker.clone(), copy.clone());
        let report = tokio::task::spawn_blocking(move || from.backup(&to))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(report.bytes, fs::metadata(&copy).unwrap().len());

        let copied = open(&copy);
        copied.get(acknowledged_before).await.unwrap();
        let stats = copied.stats().await.unwrap();
        let row = &stats.queues[0];
        let records = row.ready + row.delayed + row.running + row.completed + row.failed + row.cancelled;
        assert_eq!(records, report.tasks);
    }
    stop.store(true, Ordering::Relaxed);
    load.await.unwrap();
}

#[tokio::test]
async fn what_is_restored_belongs_to_whoever_the_folder_belongs_to() {
    /// Nobody, on most systems.
    const SERVICE: u32 = 65_534;
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.db");
    {
        let broker = open(&folder.path().join("pixmill.db"));
        submit(&broker).await;
        broker.backup(&copy).unwrap();
    }
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    // Only root can give anything away, and only root's files could belong to somebody else than the service.
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    if is_root {
        chown(&data, Some(SERVICE), Some(SERVICE)).unwrap();
    }
    SqliteBroker::restore(&copy, &data.join("pixmill.db")).unwrap();
    let owner = |path: &Path| {
        let metadata = fs::metadata(path).unwrap();
        (metadata.uid(), metadata.gid())
    };
    let names: Vec<_> = fs::read_dir(&data)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
    for path in names {
        assert_eq!(owner(&path), owner(&data), "{}", path.display());
    }
}

#[tokio::test]
async fn a_restored_backup_is_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (database, copy) = (folder.path().join("pixmill.db"), folder.path().join("copy.db"));
    let broker = open(&database);
    let kept = submit(&broker).await;
    let running = broker.claim(claim_up_to(1)).await.unwrap().leases.remove(0);
    broker.backup(&copy).unwrap();
    let cursor = last_cursor(&broker).await;
    broker.complete(running.id, completion()).await.unwrap();
    let lost = submit(&broker).await;

    let refusal = SqliteBroker::restore(&copy, &database).unwrap_err();
    assert!(matches!(refusal, OpenError::InUse { .. }), "{refusal}");
    drop(broker);
    assert_eq!(SqliteBroker::restore(&copy, &database).unwrap().tasks, 1);

    let broker = open(&database);
    assert_eq!(
        broker.get(kept).await.unwrap().state,
        TaskState::Queued,
        "its worker is gone"
    );
    broker.get(lost).await.unwrap_err();
    let query = EventQuery {
        after: Some(cursor),
        limit: 10,
        ..EventQuery::default()
    };
    let page = broker.events(query).await.unwrap();
    assert!(
        matches!(page, EventPage::Gap { .. }),
        "a cursor of the lost future: {page:?}"
    );
    let strays = fs::read_dir(folder.path()).unwrap();
    let strays: Vec<_> = strays.map(|entry| entry.unwrap().file_name()).collect();
    assert!(
        !strays.iter().any(|name| name.to_string_lossy().contains("partial")),
        "{strays:?}"
    );
}

#[tokio::test]
async fn a_bad_backup_is_refused_and_the_database_stays() {
    let folder = tempfile::tempdir().unwrap();
    let (database, copy) = (folder.path().join("pixmill.db"), folder.path().join("copy.db"));
    let broker = open(&database);
    let kept = submit(&broker).await;
    broker.backup(&copy).unwrap();
    let refusal = broker.backup(&copy).unwrap_err();
    assert!(
        matches!(&refusal, OpenError::Exists { path } if path == &copy),
        "{refusal}"
    );
    drop(broker);

    let mut bytes = fs::read(&copy).unwrap();
    let third = bytes.len() / 3;
    bytes[third..2 * third].fill(0x5a);
    let damaged = folder.path().join("damaged.db");
    fs::write(&damaged, &bytes).unwrap();
    SqliteBroker::restore(&damaged, &database).unwrap_err();
    let empty = folder.path().join("empty.db");
    fs::write(&empty, b"").unwrap();
    let refusal = SqliteBroker::restore(&empty, &database).unwrap_err();
    assert!(matches!(refusal, OpenError::Foreign { .. }), "{refusal}");
    let missing = SqliteBroker::restore(&folder.path().join("missing.db"), &database);
    missing.unwrap_err();

    open(&database).get(kept).await.unwrap();
}
