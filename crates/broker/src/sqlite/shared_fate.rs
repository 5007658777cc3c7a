//! A transaction that fails: nobody in it is told otherwise, and the next one is none the worse.

use super::bare::{bare_writer, submit_plain, task};
use super::operations::read;
use super::operations::submit::SubmitAnswer;
use crate::{BrokerError, BrokerOptions};
use pixmill_types::Priority;

#[test]
fn a_full_database_refuses_and_heals() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = bare_writer(folder.path(), BrokerOptions::default());
    let pages: i64 = writer
        .connection
        .pragma_query_value(None, "page_count", |row| row.get(0))
        .unwrap();
    let limit = |writer: &super::Writer, pages: i64| {
        writer
            .connection
            .pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
            .unwrap();
    };
    limit(&writer, pages + 4);
    let mut stored = 0;
    let refusal = loop {
        match writer.now("submit", |step| submit_plain(step, task(Priority::default(), None))) {
            Ok(SubmitAnswer::Created(_)) => stored += 1,
            Ok(other) => panic!("{other:?}"),
            Err(refusal) => break refusal,
        }
    };
    assert!(matches!(refusal, BrokerError::StorageFull(_)), "{refusal:?}");
    assert!(stored > 0);

    limit(&writer, 1_000_000);
    writer
        .now("submit", |step| submit_plain(step, task(Priority::default(), None)))
        .unwrap();
    let now = writer.options.clock.now();
    let stats = read::stats(&writer.connection, now).unwrap();
    assert_eq!(
        stats.queues[0].ready,
        stored + 1,
        "nothing of the failed transaction stands"
    );
}
