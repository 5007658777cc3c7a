//! What the log says.

use std::fmt;
use std::sync::{Arc, Mutex};

use pixmill_types::{FailureCode, Payload};
use tracing::field::{Field, Visit};
use tracing::span;
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};

use crate::support::{Bench, PHOTO};

/// Levels and messages of the events of one thread.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<(Level, String)>>>);

impl Log {
    /// Those of attempts that failed.
    fn failures(&self) -> Vec<(Level, String)> {
        let mut events = self.0.lock().unwrap().clone();
        events.retain(|(_, message)| message.starts_with("the attempt failed"));
        events
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
        let mut message = Message(String::new());
        event.record(&mut message);
        self.0.lock().unwrap().push((*event.metadata().level(), message.0));
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
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
