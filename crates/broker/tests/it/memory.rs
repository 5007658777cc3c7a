//! The broker in memory.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pixmill_broker::{BrokerOptions, ClaimRequest, EventQuery, MemoryBroker};
use tokio::time::Instant;

use crate::conformance::tasks::{claim_up_to, ordinary_worker, task};
use crate::conformance::{Backend, Bench, Opened};

/// Opens brokers that forget everything when they are dropped.
struct Memory;

#[async_trait]
impl Backend for Memory {
    async fn open(&mut self, options: BrokerOptions) -> Opened {
        let broker = Arc::new(MemoryBroker::new(options));
        Opened {
            broker: broker.clone(),
            registry: broker,
        }
    }

    fn is_durable(&self) -> bool {
        false
    }
}

broker_conformance!(conformance, || Memory);

/// Under paused time only a timer makes time pass, and only when there is nothing else to do: whoever was woken saw
/// none pass.
#[tokio::test(start_paused = true)]
async fn nobody_who_waits_needs_a_timer_to_be_woken() {
    let bench = Bench::open(Box::new(Memory)).await;
    let began = Instant::now();
    let long = Duration::from_secs(600);
    let described = task();
    let id = described.id;
    let claiming = bench.begin(move |broker| async move {
        let request = ClaimRequest {
            wait: long,
            ..claim_up_to(1)
        };
        broker.claim(request).await.unwrap()
    });
    let reading = bench.begin(move |broker| async move {
        let query = EventQuery {
            limit: 1,
            wait: long,
            ..EventQuery::default()
        };
        broker.events(query).await.unwrap()
    });
    let claiming = claiming.settled().await;
    let reading = reading.settled().await;
    bench.submit(described).await;
    assert_eq!(claiming.woken().await.leases.len(), 1);
    reading.woken().await;

    let told = bench.begin(move |broker| async move { broker.revoked(&ordinary_worker(), long).await.unwrap() });
    let waiting = bench.begin(move |broker| async move { broker.wait(id, long).await.unwrap() });
    let told = told.settled().await;
    let waiting = waiting.settled().await;
    bench.broker.cancel(id, Vec::new()).await.unwrap();
    assert_eq!(told.woken().await.len(), 1);
    waiting.woken().await;
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_wait_takes_as_long_as_it_says() {
    let bench = Bench::open(Box::new(Memory)).await;
    let began = Instant::now();
    let wait = Duration::from_secs(600);
    let request = ClaimRequest { wait, ..claim_up_to(1) };
    assert_eq!(bench.claim(request).await.leases, []);
    assert_eq!(began.elapsed(), wait);
}
