//! Small values that are not tasks.

use std::collections::HashSet;
use std::time::Duration;

use pixmill_broker::{Entry, Expected, PutOutcome};
use tokio::task::JoinSet;

use super::{Backend, Bench};

const MINUTE: Duration = Duration::from_secs(60);
const TICK: Duration = Duration::from_millis(1);

/// Writes a value that stays, whatever is there, and returns its version.
async fn put(bench: &Bench, namespace: &str, key: &str, value: &[u8]) -> u64 {
    put_for(bench, namespace, key, value, None).await
}

async fn put_for(bench: &Bench, namespace: &str, key: &str, value: &[u8], ttl: Option<Duration>) -> u64 {
    let outcome = bench
        .registry
        .put_if(namespace, key, value.to_vec(), Expected::Any, ttl)
        .await
        .unwrap();
    stored(outcome)
}

/// Writes the value `new` when `expected` holds.
async fn put_if(bench: &Bench, key: &str, expected: Expected) -> PutOutcome {
    bench
        .registry
        .put_if("space", key, b"new".to_vec(), expected, None)
        .await
        .unwrap()
}

fn stored(outcome: PutOutcome) -> u64 {
    match outcome {
        PutOutcome::Stored(version) => version,
        PutOutcome::Found(found) => panic!("not stored, but found {found:?}"),
    }
}

async fn get(bench: &Bench, key: &str) -> Option<Entry> {
    bench.registry.get("space", key).await.unwrap()
}

async fn keys(bench: &Bench, namespace: &str, after: Option<&str>, limit: usize) -> Vec<String> {
    let entries = bench.registry.list(namespace, after, limit).await.unwrap();
    entries.into_iter().map(|(key, _)| key).collect()
}

pub(crate) async fn what_is_put_is_got(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    assert_eq!(get(&bench, "key").await, None);
    let longest_key = "k".repeat(256);
    let values: [(&str, Vec<u8>); 5] = [
        ("key", b"value".to_vec()),
        ("empty", Vec::new()),
        ("binary", (0..=255).collect()),
        ("large", vec![7; 64 * 1024]),
        (&longest_key, b"long".to_vec()),
    ];
    for (key, value) in &values {
        put(&bench, "space", key, value).await;
    }
    let overwritten = put(&bench, "space", "key", b"other").await;

    let bench = bench.reopen().await;
    let expected = Entry {
        value: b"other".to_vec(),
        version: overwritten,
        expires_at: None,
    };
    assert_eq!(get(&bench, "key").await, Some(expected));
    for (key, value) in &values[1..] {
        assert_eq!(get(&bench, key).await.map(|entry| entry.value).as_ref(), Some(value));
    }
}

pub(crate) async fn every_write_has_a_version_of_its_own(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let mut versions = HashSet::new();
    for _ in 0..5 {
        let version = put(&bench, "space", "key", b"the same").await;
        assert!(versions.insert(version), "version {version} came back");
        assert_eq!(get(&bench, "key").await.map(|entry| entry.version), Some(version));
    }
}

pub(crate) async fn a_version_never_comes_back(backend: Box<dyn Backend>) {
    let mut bench = Bench::open(backend).await;
    let mut versions = HashSet::new();
    for _ in 0..3 {
        assert!(versions.insert(put(&bench, "space", "key", b"one").await));
        assert!(bench.registry.delete("space", "key", Expected::Any).await.unwrap());
        assert!(versions.insert(put_for(&bench, "space", "key", b"two", Some(MINUTE)).await));
        bench.clock.advance(MINUTE);
        bench.broker.purge(1_000).await.unwrap();
        bench = bench.reopen().await;
    }
}

pub(crate) async fn absent_means_nothing_or_expired(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let first = stored(put_if(&bench, "key", Expected::Absent).await);
    let PutOutcome::Found(Some(found)) = put_if(&bench, "key", Expected::Absent).await else {
        panic!("the key is taken")
    };
    assert_eq!((found.version, found.value), (first, b"new".to_vec()));

    put_for(&bench, "space", "brief", b"old", Some(MINUTE)).await;
    bench.clock.advance(MINUTE - TICK);
    let taken = put_if(&bench, "brief", Expected::Absent).await;
    assert!(matches!(taken, PutOutcome::Found(Some(_))), "{taken:?}");
    bench.clock.advance(TICK);
    stored(put_if(&bench, "brief", Expected::Absent).await);
    assert_eq!(get(&bench, "brief").await.map(|entry| entry.expires_at), Some(None));
}

pub(crate) async fn a_version_must_be_the_one_found(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    assert_eq!(
        put_if(&bench, "key", Expected::Version(1)).await,
        PutOutcome::Found(None)
    );
    let first = put(&bench, "space", "key", b"first").await;
    let second = stored(put_if(&bench, "key", Expected::Version(first)).await);
    let found = get(&bench, "key").await;
    assert_eq!(
        put_if(&bench, "key", Expected::Version(first)).await,
        PutOutcome::Found(found.clone())
    );
    assert_eq!(get(&bench, "key").await, found);

    let bench = bench.reopen().await;
    stored(put_if(&bench, "key", Expected::Version(second)).await);
    let brief = put_for(&bench, "space", "brief", b"old", Some(MINUTE)).await;
    bench.clock.advance(MINUTE);
    let expired = put_if(&bench, "brief", Expected::Version(brief)).await;
    assert_eq!(expired, PutOutcome::Found(None));
}

pub(crate) async fn expired_entries_do_not_exist(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    put_for(&bench, "space", "brief", b"value", Some(MINUTE)).await;
    put_for(&bench, "space", "long", b"value", Some(2 * MINUTE)).await;
    let expires_at = bench.now().after(MINUTE);
    assert_eq!(
        get(&bench, "brief").await.map(|entry| entry.expires_at),
        Some(Some(expires_at))
    );
    assert_eq!(keys(&bench, "space", None, 9).await, ["brief", "long"]);

    let bench = bench.reopen().await;
    bench.clock.advance(MINUTE);
    for _ in 0..2 {
        assert_eq!(get(&bench, "brief").await, None);
        assert_eq!(keys(&bench, "space", None, 9).await, ["long"]);
        assert_eq!(
            keys(&bench, "space", None, 1).await,
            ["long"],
            "it takes no place on a page"
        );
        assert!(!bench.registry.delete("space", "brief", Expected::Any).await.unwrap());
        bench.broker.purge(1_000).await.unwrap();
    }
}

pub(crate) async fn a_write_without_a_ttl_stays(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    put_for(&bench, "space", "key", b"brief", Some(MINUTE)).await;
    put(&bench, "space", "key", b"lasting").await;
    bench.clock.advance(1_000_000 * MINUTE);
    bench.broker.purge(1_000).await.unwrap();
    let bench = bench.reopen().await;
    assert_eq!(
        get(&bench, "key").await.map(|entry| entry.value),
        Some(b"lasting".to_vec())
    );
}

pub(crate) async fn lists_are_ordered_and_go_on_after_a_key(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    for key in ["b", "ä", "a/2", "a", "B", "a/10", "é€", "_"] {
        put(&bench, "space", key, key.as_bytes()).await;
    }
    let in_order = ["B", "_", "a", "a/10", "a/2", "b", "ä", "é€"];
    assert_eq!(keys(&bench, "space", None, 100).await, in_order);
    assert_eq!(keys(&bench, "space", None, 3).await, in_order[..3]);
    assert_eq!(keys(&bench, "space", Some("a"), 2).await, in_order[3..5]);
    assert_eq!(
        keys(&bench, "space", Some("a/"), 1).await,
        ["a/10"],
        "after a key that is not there"
    );
    assert_eq!(keys(&bench, "space", Some("é€"), 9).await, Vec::<String>::new());
    let entries = bench.registry.list("space", None, 100).await.unwrap();
    for (key, entry) in entries {
        assert_eq!(get(&bench, &key).await, Some(entry));
    }
}

pub(crate) async fn namespaces_are_apart(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let names = ["a", "ab", "a/b", "b", ""];
    for namespace in names {
        put(&bench, namespace, "key", namespace.as_bytes()).await;
        put(&bench, namespace, "b/key", namespace.as_bytes()).await;
    }
    assert!(bench.registry.delete("a", "b/key", Expected::Any).await.unwrap());
    for namespace in names {
        let found = bench.registry.get(namespace, "key").await.unwrap();
        assert_eq!(found.map(|entry| entry.value).as_deref(), Some(namespace.as_bytes()));
        let expected = if namespace == "a" {
            &["key"][..]
        } else {
            &["b/key", "key"]
        };
        assert_eq!(keys(&bench, namespace, None, 9).await, expected);
    }
}

pub(crate) async fn a_delete_takes_what_it_expects_only(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let delete = async |expected| bench.registry.delete("space", "key", expected).await.unwrap();
    assert!(!delete(Expected::Any).await, "there is nothing");
    let old = put(&bench, "space", "key", b"old").await;
    let current = put(&bench, "space", "key", b"current").await;
    assert!(!delete(Expected::Version(old)).await);
    assert!(!delete(Expected::Absent).await);
    assert_eq!(get(&bench, "key").await.map(|entry| entry.version), Some(current));
    assert!(delete(Expected::Version(current)).await);
    assert_eq!(get(&bench, "key").await, None);
    assert!(!delete(Expected::Version(current)).await);
}

pub(crate) async fn of_many_at_once_one_creates(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let writes: JoinSet<PutOutcome> = (0..8_u8)
        .map(|writer| {
            let registry = bench.registry.clone();
            async move {
                let write = registry.put_if("space", "key", vec![writer], Expected::Absent, None);
                write.await.unwrap()
            }
        })
        .collect();
    let outcomes = writes.join_all().await;
    let winners: Vec<_> = outcomes
        .iter()
        .filter_map(|outcome| match outcome {
            PutOutcome::Stored(version) => Some(*version),
            PutOutcome::Found(_) => None,
        })
        .collect();
    let entry = get(&bench, "key").await.expect("one has won");
    assert_eq!(winners, [entry.version]);
}
