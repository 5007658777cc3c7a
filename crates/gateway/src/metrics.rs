//! What the gateway measures, and the text Prometheus reads.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use metrics::{Counter, Gauge, Key, Label, Level, Metadata, Recorder, SharedString, Unit};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use pixmill_broker::{QueueStats, Stats};
use pixmill_types::{QueueName, Timestamp};

/// Upper bounds of the buckets of durations, seconds.
const DURATION_BUCKETS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
];
/// Samples of durations are folded into their buckets after so many requests, since nobody may ever scrape.
const UPKEEP_EVERY: u64 = 1_024;

const REQUESTS: &str = "pixmill_http_requests_total";
const DURATION: &str = "pixmill_http_request_duration_seconds";
const IN_FLIGHT: &str = "pixmill_http_requests_in_flight";
const UPLOAD_BYTES: &str = "pixmill_upload_bytes_total";
const RESPONSE_BYTES: &str = "pixmill_http_response_bytes_total";

/// Measurements cannot be collected.
#[derive(Debug, thiserror::Error)]
#[error("metrics cannot be collected")]
pub struct MetricsError(#[source] Box<dyn std::error::Error + Send + Sync>);

/// Where measurements are collected: those of the gateway and, once installed, those of the whole process.
#[derive(Clone)]
pub struct Metrics {
    recorder: Arc<PrometheusRecorder>,
    handle: PrometheusHandle,
}

impl Metrics {
    /// Collects what anything in this process records through the `metrics` macros. At most once a process.
    ///
    /// # Errors
    /// [`MetricsError`] when somebody else collects it.
    pub fn install() -> Result<Self, MetricsError> {
        let metrics = Self::detached()?;
        metrics::set_global_recorder(metrics.recorder.clone())
            .map_err(|error| MetricsError(error.to_string().into()))?;
        Ok(metrics)
    }

    /// Collects nothing but what the gateway itself records: for several gateways in one process.
    ///
    /// # Errors
    /// [`MetricsError`] when the buckets are refused: a defect.
    pub fn detached() -> Result<Self, MetricsError> {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), DURATION_BUCKETS)
            .map_err(|error| MetricsError(Box::new(error)))?
            .build_recorder();
        let handle = recorder.handle();
        Ok(Self {
            recorder: Arc::new(recorder),
            handle,
        })
    }

    /// Everything collected, in the text format of Prometheus.
    pub(crate) fn render(&self) -> String {
        self.handle.render()
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// The gateway's own measurements.
pub(crate) struct HttpMetrics {
    metrics: Metrics,
    in_flight: Gauge,
    upload_bytes: Counter,
    response_bytes: Counter,
    requests: AtomicU64,
}

const METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, Some(module_path!()));

impl HttpMetrics {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let recorder = &*metrics.recorder;
        let about = |text: &'static str| SharedString::const_str(text);
        recorder.describe_counter(REQUESTS.into(), None, about("HTTP requests answered."));
        recorder.describe_histogram(
            DURATION.into(),
            Some(Unit::Seconds),
            about("Time from the head of an HTTP request to the end of its response, seconds."),
        );
        recorder.describe_gauge(IN_FLIGHT.into(), None, about("HTTP requests under way."));
        recorder.describe_counter(
            UPLOAD_BYTES.into(),
            Some(Unit::Bytes),
            about("Bytes of images received whole."),
        );
        recorder.describe_counter(
            RESPONSE_BYTES.into(),
            Some(Unit::Bytes),
            about("Bytes of response bodies handed to clients."),
        );
        Self {
            in_flight: recorder.register_gauge(&Key::from_static_name(IN_FLIGHT), &METADATA),
            upload_bytes: recorder.register_counter(&Key::from_static_name(UPLOAD_BYTES), &METADATA),
            response_bytes: recorder.register_counter(&Key::from_static_name(RESPONSE_BYTES), &METADATA),
            requests: AtomicU64::new(0),
            metrics: metrics.clone(),
        }
    }

    pub(crate) fn began(&self) {
        self.in_flight.increment(1.0);
    }

    /// Counts one request whose response has ended. `route` is a pattern and `method` a known one, so that clients
    /// cannot make up series.
    pub(crate) fn ended(&self, method: &'static str, route: String, status: u16, bytes: u64, duration: Duration) {
        self.in_flight.decrement(1.0);
        self.response_bytes.increment(bytes);
        let labels = vec![
            Label::from_static_parts("method", method),
            Label::new("route", route),
            Label::new("status", status.to_string()),
        ];
        let recorder = &*self.metrics.recorder;
        recorder
            .register_counter(&Key::from_parts(REQUESTS, labels.clone()), &METADATA)
            .increment(1);
        recorder
            .register_histogram(&Key::from_parts(DURATION, labels), &METADATA)
            .record(duration);
        if self.requests.fetch_add(1, Ordering::Relaxed) % UPKEEP_EVERY == UPKEEP_EVERY - 1 {
            self.metrics.handle.run_upkeep();
        }
    }

    pub(crate) fn uploaded(&self, bytes: u64) {
        self.upload_bytes.increment(bytes);
    }
}

impl std::fmt::Debug for HttpMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpMetrics").finish_non_exhaustive()
    }
}

type QueueGauge = (&'static str, &'static str, fn(&QueueStats, Timestamp) -> f64);

/// Gauges of a queue: name, what it says, how it is read.
const QUEUE_GAUGES: &[QueueGauge] = &[
    ("pixmill_queue_ready_tasks", "Tasks ready to be claimed.", |queue, _| {
        queue.ready as f64
    }),
    (
        "pixmill_queue_delayed_tasks",
        "Tasks that wait for their start time or a retry.",
        |queue, _| queue.delayed as f64,
    ),
    ("pixmill_queue_running_tasks", "Tasks under way.", |queue, _| {
        queue.running as f64
    }),
    (
        "pixmill_queue_dead_letter_tasks",
        "Failed tasks kept until retried or expired.",
        |queue, _| queue.failed as f64,
    ),
    (
        "pixmill_oldest_queued_age_seconds",
        "Time the longest-waiting ready task has waited, seconds; 0 when none waits.",
        |queue, now| age(queue.oldest_ready, now),
    ),
    (
        "pixmill_oldest_running_age_seconds",
        "Time the longest-running attempt has run, seconds; 0 when none runs.",
        |queue, now| age(queue.oldest_running, now),
    ),
];

fn age(since: Option<Timestamp>, now: Timestamp) -> f64 {
    since.map_or(0.0, |since| now.since(since).as_secs_f64())
}

/// What the broker told at a scrape.
#[derive(Debug)]
pub(crate) struct BrokerState {
    pub(crate) stats: Stats,
    /// By the queue they take from.
    pub(crate) workers: BTreeMap<QueueName, WorkerCount>,
}

/// The living workers of one queue.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct WorkerCount {
    pub(crate) workers: u64,
    pub(crate) slots: u64,
    pub(crate) busy: u64,
}

type WorkerGauge = (&'static str, &'static str, fn(&WorkerCount) -> u64);

/// Gauges of the workers of a queue: name, what it says, how it is read.
const WORKER_GAUGES: &[WorkerGauge] = &[
    (
        "pixmill_workers",
        "Workers that have given a sign of life lately.",
        |count| count.workers,
    ),
    (
        "pixmill_workers_slots",
        "Images that all living workers together can mill at the same time.",
        |count| count.slots,
    ),
    (
        "pixmill_workers_slots_busy",
        "Slots that are taken, as the workers said last.",
        |count| count.busy,
    ),
];

/// Writes the gauges that are read from the broker at each scrape, so that none is ever stale.
pub(crate) fn write_broker(text: &mut String, state: Option<&BrokerState>) {
    write_header(text, "pixmill_broker_up", "Whether the broker answers: 1 or 0.");
    write_line(text, format_args!("pixmill_broker_up {}", u8::from(state.is_some())));
    let Some(state) = state else { return };
    write_stats(text, &state.stats);
    let mut counts = state.workers.clone();
    counts.entry(QueueName::images()).or_default();
    for (name, about, read) in WORKER_GAUGES {
        write_header(text, name, about);
        for (queue, count) in &counts {
            write_line(text, format_args!("{name}{{queue=\"{queue}\"}} {}", read(count)));
        }
    }
}

fn write_stats(text: &mut String, stats: &Stats) {
    let images = QueueName::images();
    let mut queues = stats.queues.clone();
    if !queues.iter().any(|queue| queue.queue == images) {
        queues.push(empty(images));
    }
    for (name, about, read) in QUEUE_GAUGES {
        write_header(text, name, about);
        for queue in &queues {
            // Queue names are made of letters, digits, `-` and `_`: nothing to escape.
            write_line(
                text,
                format_args!("{name}{{queue=\"{}\"}} {}", queue.queue, read(queue, stats.now)),
            );
        }
    }
    let name = "pixmill_pending_deletion_tasks";
    write_header(text, name, "Deleted tasks whose files are still to be removed.");
    write_line(text, format_args!("{name} {}", stats.pending_deletions));
}

fn write_header(text: &mut String, name: &str, about: &str) {
    write_line(text, format_args!("# HELP {name} {about}"));
    write_line(text, format_args!("# TYPE {name} gauge"));
}

fn write_line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{line}");
}

fn empty(queue: QueueName) -> QueueStats {
    QueueStats {
        queue,
        ready: 0,
        delayed: 0,
        running: 0,
        completed: 0,
        failed: 0,
        cancelled: 0,
        oldest_ready: None,
        oldest_running: None,
    }
}
