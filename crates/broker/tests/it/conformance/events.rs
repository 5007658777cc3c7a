//! What happened is told in order, to readers who come back.

use std::time::Duration;

use pixmill_broker::{BrokerError, EventPage, EventQuery};
use pixmill_types::{Event, EventCursor, EventKind, FailureCode, TaskId};

use super::bench::Waiting;
use super::tasks::{completion, passing_failure, task};
use super::{Backend, Bench};

fn up_to(limit: usize) -> EventQuery {
    EventQuery {
        limit,
        ..EventQuery::default()
    }
}

async fn read(bench: &Bench, query: EventQuery) -> Vec<Event> {
    match bench.broker.events(query).await.unwrap() {
        EventPage::Events(events) => events,
        EventPage::Gap { .. } => panic!("nothing was trimmed"),
    }
}

/// Reads on from `after` in pages of `limit` to the end of the log.
async fn read_on(bench: &Bench, after: Option<EventCursor>, limit: usize) -> Vec<Event> {
    let mut query = EventQuery { after, ..up_to(limit) };
    let mut all = Vec::new();
    loop {
        let page = read(bench, query.clone()).await;
        assert!(page.len() <= limit);
        let Some(last) = page.last() else { return all };
        query.after = Some(last.cursor.clone());
        all.extend(page);
    }
}

fn waiting(bench: &Bench, query: EventQuery) -> Waiting<EventPage> {
    let long = EventQuery {
        wait: Duration::from_secs(600),
        ..query
    };
    bench.begin(|broker| async move { broker.events(long).await.unwrap() })
}

fn told(events: &[Event]) -> Vec<(TaskId, EventKind)> {
    events.iter().map(|event| (event.task, event.kind)).collect()
}

pub(crate) async fn a_life_is_told_in_order(backend: Box<dyn Backend>) {
    let bench = Bench::open_with(backend, |options| options.backoff_base = Duration::ZERO).await;
    let mut at = Vec::new();
    let mut tick = || {
        bench.clock.advance(Duration::from_secs(1));
        at.push(bench.now());
    };
    tick();
    let task = bench.submit(task()).await;
    tick();
    let first = bench.claim_one().await;
    tick();
    bench
        .broker
        .fail(first.id, passing_failure(), Vec::new())
        .await
        .unwrap();
    tick();
    let second = bench.claim_one().await;
    tick();
    bench.broker.complete(second.id, completion()).await.unwrap();
    tick();
    bench.broker.delete(task.id).await.unwrap();

    let bench = bench.reopen().await;
    let events = read(&bench, up_to(100)).await;
    let retrying = EventKind::Retrying(FailureCode::StorageUnavailable);
    let expected = [
        (EventKind::Queued, 0),
        (EventKind::Started, 1),
        (retrying, 1),
        (EventKind::Started, 2),
        (EventKind::Completed, 2),
        (EventKind::Deleted, 2),
    ];
    assert_eq!(events.len(), expected.len());
    for ((event, (kind, attempt)), at) in events.iter().zip(expected).zip(at) {
        assert_eq!((event.kind, event.attempt, event.at), (kind, attempt, at));
        assert_eq!((event.task, &event.queue), (task.id, &task.queue));
    }
}

pub(crate) async fn pages_join_without_a_gap_or_a_repetition(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    for _ in 0..3 {
        let lease = bench.start(task()).await;
        bench.broker.complete(lease.id, completion()).await.unwrap();
    }
    let whole = read(&bench, up_to(1_000)).await;
    assert_eq!(whole.len(), 9);
    let bench = bench.reopen().await;
    for limit in [1, 2, 9] {
        assert_eq!(read_on(&bench, None, limit).await, whole);
    }
    let from_third = read_on(&bench, Some(whole[2].cursor.clone()), 4).await;
    assert_eq!(from_third, whole[3..]);
}

pub(crate) async fn those_of_one_task_are_read_alone(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let ids = bench.submit_all([task(), task(), task()]).await;
    bench.broker.cancel(ids[1], Vec::new()).await.unwrap();
    bench.broker.cancel(ids[0], Vec::new()).await.unwrap();
    let of = |task: TaskId, limit: usize, after: Option<EventCursor>| EventQuery {
        task: Some(task),
        after,
        ..up_to(limit)
    };
    let first = read(&bench, of(ids[1], 1, None)).await;
    assert_eq!(told(&first), [(ids[1], EventKind::Queued)]);
    let second = read(&bench, of(ids[1], 9, Some(first[0].cursor.clone()))).await;
    assert_eq!(told(&second), [(ids[1], EventKind::Cancelled)]);
    let end = read(&bench, of(ids[1], 9, Some(second[0].cursor.clone()))).await;
    assert_eq!(end, []);
    assert_eq!(read(&bench, of(TaskId::generate(), 9, None)).await, []);
}

pub(crate) async fn a_reader_at_the_end_sees_what_comes(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    assert_eq!(read(&bench, up_to(9)).await, []);
    let first = bench.submit(task()).await.id;
    let seen = read(&bench, up_to(9)).await;
    assert_eq!(told(&seen), [(first, EventKind::Queued)]);
    let on = EventQuery {
        after: Some(seen[0].cursor.clone()),
        ..up_to(9)
    };
    assert_eq!(read(&bench, on.clone()).await, []);

    let bench = bench.reopen().await;
    let second = bench.submit(task()).await.id;
    assert_eq!(told(&read(&bench, on).await), [(second, EventKind::Queued)]);
}

pub(crate) async fn a_waiting_reader_is_woken(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let waiting_from_nothing = waiting(&bench, up_to(9)).settled().await;
    let id = bench.submit(task()).await.id;
    let EventPage::Events(first) = waiting_from_nothing.woken().await else {
        panic!("nothing was trimmed")
    };
    assert_eq!(told(&first), [(id, EventKind::Queued)]);

    let on = EventQuery {
        after: Some(first[0].cursor.clone()),
        ..up_to(9)
    };
    let waiting_at_the_end = waiting(&bench, on).settled().await;
    bench.broker.cancel(id, Vec::new()).await.unwrap();
    let EventPage::Events(second) = waiting_at_the_end.woken().await else {
        panic!("nothing was trimmed")
    };
    assert_eq!(told(&second), [(id, EventKind::Cancelled)]);
}

pub(crate) async fn a_waiting_reader_of_one_task_sees_no_other(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let mine = task();
    let query = EventQuery {
        task: Some(mine.id),
        ..up_to(9)
    };
    let waiting = waiting(&bench, query).settled().await;
    bench.submit(task()).await;
    let waiting = waiting.settled().await;
    let id = bench.submit(mine).await.id;
    let EventPage::Events(events) = waiting.woken().await else {
        panic!("nothing was trimmed")
    };
    assert_eq!(told(&events), [(id, EventKind::Queued)]);
}

pub(crate) async fn it_gives_up_when_the_wait_is_over(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let query = EventQuery {
        wait: Duration::from_millis(20),
        ..up_to(9)
    };
    assert_eq!(read(&bench, query).await, []);
}

pub(crate) async fn a_trimmed_log_answers_gap_once(backend: Box<dyn Backend>) {
    let bench = Bench::open_with(backend, |options| options.max_events = 4).await;
    bench.submit(task()).await;
    let seen = read(&bench, up_to(1)).await;
    let lost = EventQuery {
        after: Some(seen[0].cursor.clone()),
        ..up_to(9)
    };
    let ids = bench.submit_all((0..20).map(|_| task())).await;
    bench.broker.purge(1_000).await.unwrap();

    let bench = bench.reopen().await;
    let EventPage::Gap { resume } = bench.broker.events(lost).await.unwrap() else {
        panic!("events after the cursor were trimmed")
    };
    let kept = read_on(&bench, Some(resume), 3).await;
    let tasks: Vec<_> = kept.iter().map(|event| event.task).collect();
    assert_eq!(tasks, ids[16..], "the newest are kept, none is skipped");
    assert_eq!(
        read_on(&bench, None, 9).await,
        kept,
        "a new reader begins at the oldest"
    );
}

pub(crate) async fn a_reader_that_keeps_up_sees_no_gap(backend: Box<dyn Backend>) {
    let bench = Bench::open_with(backend, |options| options.max_events = 4).await;
    let mut on = up_to(9);
    for _ in 0..10 {
        let ids = bench.submit_all([task(), task(), task()]).await;
        let events = read(&bench, on.clone()).await;
        let new: Vec<_> = ids.into_iter().map(|id| (id, EventKind::Queued)).collect();
        assert_eq!(told(&events), new);
        on.after = events.last().map(|event| event.cursor.clone());
    }
    assert_eq!(read(&bench, on).await, []);
}

pub(crate) async fn a_foreign_cursor_is_refused(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    bench.submit(task()).await;
    for foreign in [
        "",
        "x",
        "1",
        "-",
        "'; DROP TABLE events",
        "99999999999999999999999999",
        "\u{0}",
    ] {
        let query = EventQuery {
            after: Some(EventCursor(foreign.to_owned())),
            ..up_to(9)
        };
        assert_refused!(bench.broker.events(query).await, BrokerError::InvalidCursor);
    }
}
