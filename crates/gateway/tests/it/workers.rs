//! Who mills, as the registry knows it.

use std::time::Duration;

use axum::http::StatusCode;
use pixmill_broker::{Expected, Registry, WorkerReport, announce_worker};

use crate::harness::World;
use crate::unreliable::Fault;

const LIFETIME: Duration = Duration::from_secs(30);

async fn announce(world: &World, id: &str, busy: u64) {
    let report = WorkerReport {
        host: "miller-1".to_owned(),
        pid: 42,
        version: "0.1.0".to_owned(),
        queue: "images".parse().unwrap(),
        slots: 4,
        busy,
        draining: busy == 0,
        uptime_ms: 60_000,
    };
    announce_worker(&*world.registry, &id.parse().unwrap(), report, LIFETIME)
        .await
        .unwrap();
}

#[tokio::test]
async fn living_workers_are_listed() {
    let world = World::new().await;
    assert_eq!(world.get("/v1/workers").await.json()["workers"], serde_json::json!([]));
    announce(&world, "miller-1-42-a", 3).await;
    announce(&world, "miller-1-42-b", 0).await;
    let listed = world.get("/v1/workers").await.json();
    insta::assert_json_snapshot!(listed, {
        ".workers[].started_at" => "[time]", ".workers[].last_heartbeat" => "[time]",
    });
    let time = |name: &str| {
        let text = listed["workers"][0][name].as_str().unwrap();
        text.parse::<jiff::Timestamp>().unwrap()
    };
    assert_eq!(time("last_heartbeat").duration_since(time("started_at")).as_secs(), 60);
}

#[tokio::test]
async fn pages_follow_each_other() {
    let world = World::new().await;
    for id in ["a", "b", "c"] {
        announce(&world, id, 1).await;
    }
    let first = world.get("/v1/workers?limit=2").await.json();
    assert_eq!(first["workers"][1]["id"], "b");
    assert_eq!(first["next"], "b");
    let last = world.get("/v1/workers?limit=2&cursor=b").await.json();
    assert_eq!(last["workers"][0]["id"], "c");
    assert_eq!(last.get("next"), None);
}

/// Another version may say more, or less, or something else.
#[tokio::test]
async fn records_of_other_versions_are_borne() {
    let world = World::new().await;
    for (id, record) in [
        (
            "newer",
            r#"{"schema":7,"ttl_ms":30000,"host":"h","pid":1,"version":"9.0.0","queue":"images","slots":2,"busy":1,
                "draining":false,"uptime_ms":5,"gpu":{"count":2}}"#,
        ),
        (
            "older",
            r#"{"schema":1,"ttl_ms":30000,"host":"h","pid":1,"version":"0.0.1","queue":"images","slots":1,"busy":0}"#,
        ),
        ("strange", "not even JSON"),
    ] {
        world
            .registry
            .put_if("workers", id, record.into(), Expected::Any, Some(LIFETIME))
            .await
            .unwrap();
    }
    let listed = world.get("/v1/workers").await.json();
    let versions: Vec<_> = listed["workers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|worker| &worker["version"])
        .collect();
    assert_eq!(versions, ["9.0.0", "0.0.1"]);
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused() {
    let world = World::new().await;
    for (query, code) in [
        ("limit=0", "invalid_query"),
        ("limit=501", "invalid_query"),
        ("sort=host", "invalid_query"),
        ("cursor=", "invalid_cursor"),
        ("cursor=no+such+id", "invalid_cursor"),
    ] {
        let answer = world.get(&format!("/v1/workers?{query}")).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (StatusCode::BAD_REQUEST, code),
            "{query}"
        );
    }
}

#[tokio::test]
async fn workers_are_counted_by_queue() {
    let world = World::new().await;
    let before = world.get("/metrics").await.text();
    assert!(before.contains("\npixmill_workers{queue=\"images\"} 0\n"), "{before}");
    announce(&world, "a", 1).await;
    announce(&world, "b", 3).await;
    let text = world.get("/metrics").await.text();
    for line in [
        "pixmill_workers{queue=\"images\"} 2",
        "pixmill_workers_slots{queue=\"images\"} 8",
        "pixmill_workers_slots_busy{queue=\"images\"} 4",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\nis not in\n{text}");
    }
}

#[tokio::test]
async fn probes_answer_for_a_process_without_clients() {
    let world = World::new().await;
    assert_eq!(world.probe("/healthz").await.json()["status"], "ok");
    assert_eq!(world.probe("/readyz").await.json()["status"], "ready");
    assert!(
        world
            .probe("/metrics")
            .await
            .text()
            .contains("pixmill_http_requests_total")
    );
    for path in ["/v1/workers", "/docs", "/upload"] {
        assert_eq!(world.probe(path).await.problem(), "route_not_found", "{path}");
    }
    world.gateway.announce_shutdown();
    assert_eq!(world.probe("/readyz").await.problem(), "shutting_down");
    assert_eq!(world.probe("/healthz").await.status, StatusCode::OK);
    let away = World::new().await;
    away.broker.set(Some(Fault::Away));
    assert_eq!(away.probe("/readyz").await.problem(), "broker_unavailable");
}
