//! Which files are opened, and which are refused, untouched.

use std::fs;
use std::iter;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use pixmill_broker::{Broker, BrokerError, BrokerOptions, EndedQuery, OpenError, SqliteBroker};
use pixmill_types::Timestamp;
use rusqlite::Connection;

use crate::conformance::tasks::{submission, task};

fn open(database: &Path) -> Result<SqliteBroker, OpenError> {
    SqliteBroker::open(database, BrokerOptions::default())
}

#[tokio::test]
async fn folders_are_made_and_a_clean_end_leaves_one_plain_file() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("a/b/pixmill.db");
    let broker = open(&database).unwrap();
    broker.submit(submission(task())).await.unwrap();
    drop(broker);
    let mut names: Vec<String> = fs::read_dir(database.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["peers", "pixmill.db", "pixmill.db-lock", "workers"]);
}

#[tokio::test]
async fn outsiders_cannot_read_what_is_there() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("data");
    let broker = open(&folder.join("pixmill.db")).unwrap();
    broker.submit(submission(task())).await.unwrap();
    broker.backup(&folder.join("copy.db")).unwrap();
    let inside = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let found: Vec<PathBuf> = iter::once(folder.clone()).chain(inside).collect();
    for path in &found {
        let mode = fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o007, 0, "{}: {mode:o}", path.display());
    }
    // The folder, the two in it, the database with log, index and lock, the copy.
    assert_eq!(found.len(), 8, "{found:?}");
}

#[tokio::test]
async fn nothing_is_acknowledged_into_a_database_that_nobody_will_find() {
    let root = tempfile::tempdir().unwrap();
    let (data, aside) = (root.path().join("data"), root.path().join("aside"));
    let broker = open(&data.join("pixmill.db")).unwrap();
    broker.submit(submission(task())).await.unwrap();
    // As when a volume is unmounted, or somebody begins anew under a running process.
    fs::rename(&data, &aside).unwrap();
    for replaced in [false, true] {
        if replaced {
            fs::create_dir(&data).unwrap();
            fs::copy(aside.join("pixmill.db"), data.join("pixmill.db")).unwrap();
        }
        let refusal = broker.submit(submission(task())).await.unwrap_err();
        assert!(matches!(refusal, BrokerError::Unavailable(_)), "{refusal}");
        broker.check().await.unwrap_err();
    }
    fs::remove_dir_all(&data).unwrap();
    fs::rename(&aside, &data).unwrap();
    broker.submit(submission(task())).await.unwrap();
    assert_eq!(broker.stats().await.unwrap().queues[0].ready, 2);
}

#[test]
fn a_newer_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("pixmill.db");
    drop(open(&database).unwrap());
    let connection = Connection::open(&database).unwrap();
    connection.pragma_update(None, "user_version", 1_000).unwrap();
    connection.pragma_update(None, "journal_mode", "DELETE").unwrap();
    drop(connection);
    let before = fs::read(&database).unwrap();

    let refusal = open(&database).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        format!(
            "{} has database version 1000, this pixmill knows versions up to 2; use the release that wrote it, or a \
             newer one",
            database.display()
        )
    );
    assert!(fs::read(&database).unwrap() == before);
}

#[tokio::test]
async fn a_database_of_the_first_version_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("pixmill.db");
    let (broker, unwanted) = (open(&database).unwrap(), task());
    broker.submit(submission(unwanted.clone())).await.unwrap();
    let ended = broker.cancel(unwanted.id, Vec::new()).await.unwrap();
    drop(broker);
    let connection = Connection::open(&database).unwrap();
    let as_it_was = "DROP INDEX tasks_ended; PRAGMA user_version = 1";
    connection.execute_batch(as_it_was).unwrap();
    drop(connection);

    let query = EndedQuery {
        queue: ended.queue.clone(),
        since: Timestamp::from_millis(0),
        after: None,
        limit: 9,
    };
    assert_eq!(open(&database).unwrap().ended(query).await.unwrap(), [ended]);
}

#[test]
fn files_of_others_are_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let foreign = folder.path().join("foreign.db");
    let connection = Connection::open(&foreign).unwrap();
    connection.execute_batch("CREATE TABLE recipes (name TEXT)").unwrap();
    drop(connection);
    let text = folder.path().join("notes.txt");
    fs::write(&text, "these are not the bytes of a database, by no means".repeat(100)).unwrap();

    for path in [foreign, text] {
        let before = fs::read(&path).unwrap();
        let refusal = open(&path).unwrap_err();
        assert!(matches!(refusal, OpenError::Foreign { .. }), "{refusal}");
        assert!(fs::read(&path).unwrap() == before);
    }
}

#[tokio::test]
async fn a_change_of_the_ageing_time_applies_to_tasks_that_wait() {
    use crate::conformance::tasks::{claim_up_to, with_priority};
    use std::time::Duration;

    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("pixmill.db");
    let with_ageing = |ageing| BrokerOptions {
        ageing,
        ..BrokerOptions::default()
    };
    // Without any worth, priorities do not count: first come, first served.
    let broker = SqliteBroker::open(&database, with_ageing(Duration::ZERO)).unwrap();
    let (plain, urgent) = (with_priority(5), with_priority(6));
    let urgent_id = urgent.id;
    broker.submit(submission(plain)).await.unwrap();
    broker.submit(submission(urgent)).await.unwrap();
    drop(broker);

    let broker = SqliteBroker::open(&database, with_ageing(Duration::from_secs(3_600))).unwrap();
    let leases = broker.claim(claim_up_to(1)).await.unwrap().leases;
    assert_eq!(leases[0].task.id, urgent_id);
}
