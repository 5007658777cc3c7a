//! What a purge leaves in the tables.

use std::time::Duration;

use pixmill_broker::{Broker, BrokerOptions, SqliteBroker};
use rusqlite::Connection;

use crate::conformance::tasks::{keyed, task};

#[tokio::test]
async fn one_loop_leaves_no_expired_key() {
    const KEYS: i64 = 25;
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("pixmill.db");
    let options = BrokerOptions {
        idempotency_ttl: Duration::ZERO,
        ..BrokerOptions::default()
    };
    let broker = SqliteBroker::open(&database, options).unwrap();
    for number in 0..KEYS {
        let submission = keyed(task(), &format!("key-{number}"), b"a photo");
        broker.submit(submission).await.unwrap();
    }
    let count = || -> i64 {
        let connection = Connection::open(&database).unwrap();
        connection
            .query_row("SELECT count(*) FROM idempotency", [], |row| row.get(0))
            .unwrap()
    };
    assert_eq!(count(), KEYS);
    while broker.purge(7).await.unwrap() == 7 {}
    assert_eq!(count(), 0);
}
