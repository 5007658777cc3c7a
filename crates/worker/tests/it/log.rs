//! What the log says.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use pixmill_types::{EventKind, FailureCode, Payload};
use tracing::field::{Field, Visit};
use tracing::span;
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};

use crate::support::{Bench, PHOTO, bench_with_clock, claim_and_die, let_leases_run_out};

/// The events of one thread.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<Line>>>);

#[derive(Debug, Clone)]
struct Line {
    level: Level,
    fields: BTreeMap<&'static str, String>,
}

impl Log {
    /// Those whose messages begin like this.
    fn lines(&self, start: &str) -> Vec<Line> {
        let mut lines = self.0.lock().unwrap().clone();
        lines.retain(|line| line.field("message").starts_with(start));
        lines
    }

    /// Levels and messages of attempts that failed.
    fn failures(&self) -> Vec<(Level, String)> {
        let lines = self.lines("the attempt failed").into_iter();
        lines
            .map(|line| (line.level, line.field("message").to_owned()))
            .collect()
    }
}

impl Line {
    /// The field of that name; empty when there is none.
    fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

impl Subscriber for Log {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        // Other tests of the process have none.
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event()
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields(BTreeMap::new());
        event.record(&mut fields);
        self.0.lock().unwrap().push(Line {
            level: *event.metadata().level(),
            fields: fields.0,
        });
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

#[tokio::test]
async fn a_failed_attempt_says_whether_another_follows() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let bench = Bench::new();
    let worker = bench.start();
    let truncated = bench.submit("hostile/body_cut.jpg", |_| {}).await;
    assert_eq!(bench.failure(truncated).await.code, FailureCode::ImageTruncated);
    let for_good = (Level::WARN, "the attempt failed, and the task for good".to_owned());
    let again = (Level::WARN, "the attempt failed, another follows".to_owned());

    // Of another length than its record says, which storage may heal.
    let task = bench
        .submit(PHOTO, |task| {
            let Payload::Mill(mill) = &mut task.payload;
            mill.input.bytes += 1;
            task.max_attempts = 2;
        })
        .await;
    assert_eq!(bench.failure(task).await.code, FailureCode::StorageUnavailable);
    worker.drain().await;
    assert_eq!(log.failures(), [for_good.clone(), again, for_good]);
}

#[tokio::test]
async fn each_task_that_is_taken_from_a_dead_worker_is_named() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let (mut bench, clock) = bench_with_clock();
    bench.options.slots = 0;
    let mut expected = Vec::new();
    for (max_attempts, outcome) in [(2, "another attempt follows"), (1, "and failed for good")] {
        let task = bench.submit(PHOTO, |task| task.max_attempts = max_attempts).await;
        claim_and_die(&bench, task).await;
        expected.push((
            task.to_string(),
            format!("the task was taken from its worker, {outcome}"),
        ));
    }
    let worker = bench.start();
    let_leases_run_out(&bench, &clock).await;
    bench
        .happened(expected[1].0.parse().unwrap(), EventKind::Failed(FailureCode::Crashed))
        .await;
    worker.drain().await;
    let lines = log.lines("the task was taken");
    let told: Vec<(String, String)> = lines
        .iter()
        .map(|line| (line.field("task.id").to_owned(), line.field("message").to_owned()))
        .collect();
    assert_eq!(told, expected);
    for line in lines {
        let rest = ["task.attempt", "worker.id", "failure.code"].map(|name| line.field(name));
        assert_eq!((line.level, rest), (Level::WARN, ["1", "dead-worker", "crashed"]));
    }
}
