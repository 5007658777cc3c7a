//! Records are listed in pages, newest first.

use pixmill_broker::{BrokerError, ListCursor, ListQuery, Page};
use pixmill_types::{QueueName, TaskId, TaskState};

use super::tasks::{completion, in_queue, task};
use super::{Backend, Bench};

fn ids(page: &Page) -> Vec<TaskId> {
    page.tasks.iter().map(|task| task.id).collect()
}

fn reversed(ids: &[TaskId]) -> Vec<TaskId> {
    ids.iter().rev().copied().collect()
}

fn up_to(limit: usize) -> ListQuery {
    ListQuery {
        limit,
        ..ListQuery::default()
    }
}

async fn list(bench: &Bench, query: ListQuery) -> Page {
    bench.broker.list(query).await.unwrap()
}

pub(crate) async fn newest_first_in_pages(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let empty = list(&bench, up_to(2)).await;
    assert_eq!((ids(&empty), empty.next), (vec![], None));
    // Arrival decides, not the id: ids are made by clocks that may differ.
    let mut tasks = [task(), task(), task(), task(), task()];
    tasks.reverse();
    let stored = bench.submit_all(tasks).await;

    let first = list(&bench, up_to(2)).await;
    let bench = bench.reopen().await;
    let second = list(
        &bench,
        ListQuery {
            after: first.next.clone(),
            ..up_to(2)
        },
    )
    .await;
    let last = list(
        &bench,
        ListQuery {
            after: second.next.clone(),
            ..up_to(2)
        },
    )
    .await;
    let pages = [ids(&first), ids(&second), ids(&last)];
    assert_eq!(pages.each_ref().map(Vec::len), [2, 2, 1]);
    assert_eq!(pages.concat(), reversed(&stored));
    assert_eq!(last.next, None);
    assert_eq!(first.tasks[0], bench.get(stored[4]).await, "whole records");

    let exact = list(&bench, up_to(5)).await;
    assert_eq!((ids(&exact).len(), exact.next), (5, None), "no empty page at the end");
}

pub(crate) async fn filters_by_state_and_queue(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let running = bench.start(task()).await;
    let completed = bench.start(task()).await;
    bench.broker.complete(completed.id, completion()).await.unwrap();
    let cancelled = bench.submit(task()).await.id;
    bench.broker.cancel(cancelled, Vec::new()).await.unwrap();
    let other = bench.submit(in_queue("other")).await.id;
    let queued = bench.submit(task()).await.id;
    let listed = async |state: Option<TaskState>, queue: Option<&str>| {
        let query = ListQuery {
            state,
            queue: queue.map(|name| name.parse::<QueueName>().unwrap()),
            ..up_to(9)
        };
        ids(&list(&bench, query).await)
    };
    let [running, completed] = [running.task.id, completed.task.id];
    let all = [queued, other, cancelled, completed, running];
    assert_eq!(listed(None, None).await, all);
    assert_eq!(listed(Some(TaskState::Queued), None).await, [queued, other]);
    assert_eq!(listed(Some(TaskState::Queued), Some("images")).await, [queued]);
    assert_eq!(listed(None, Some("other")).await, [other]);
    assert_eq!(listed(Some(TaskState::Running), None).await, [running]);
    assert_eq!(listed(Some(TaskState::Completed), None).await, [completed]);
    assert_eq!(listed(Some(TaskState::Cancelled), None).await, [cancelled]);
    assert_eq!(listed(Some(TaskState::Failed), None).await, []);
    assert_eq!(listed(None, Some("nowhere")).await, []);
}

pub(crate) async fn pages_are_stable_while_tasks_come_and_go(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    for state in [None, Some(TaskState::Queued)] {
        let before = bench.submit_all((0..7).map(|_| task())).await;
        let mut seen = Vec::new();
        let mut query = ListQuery { state, ..up_to(2) };
        loop {
            let page = list(&bench, query.clone()).await;
            seen.extend(ids(&page));
            let Some(next) = page.next else { break };
            query.after = Some(next);
            bench.submit(task()).await;
            // The one the cursor came from must not be what holds the place.
            bench.broker.delete(seen[seen.len() - 1]).await.unwrap();
        }
        assert_eq!(
            seen[..7],
            reversed(&before),
            "each once, in order, none that came later"
        );
        for id in list(&bench, up_to(1_000)).await.tasks {
            bench.broker.delete(id.id).await.unwrap();
        }
    }
}

pub(crate) async fn a_foreign_cursor_is_refused(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    bench.submit_all([task(), task()]).await;
    for foreign in [
        "",
        "x",
        "-1",
        "'; DROP TABLE tasks",
        "99999999999999999999999999",
        "\u{0}",
    ] {
        let query = ListQuery {
            after: Some(ListCursor(foreign.to_owned())),
            ..up_to(1)
        };
        assert_refused!(bench.broker.list(query).await, BrokerError::InvalidCursor);
    }
}
