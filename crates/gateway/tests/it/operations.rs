//! What those who run it ask for: health, metrics, ids, methods, origins.

use std::collections::HashSet;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use pixmill_broker::BrokerOptions;
use pixmill_gateway::GatewayOptions;

use crate::harness::{World, image_request, small_png};
use crate::unreliable::Fault;

#[tokio::test]
async fn health_is_the_process_and_readiness_what_it_stands_on() {
    let world = World::new().await;
    world.broker.set(Some(Fault::Away));
    assert_eq!(world.get("/healthz").await.json()["status"], "ok");
    let ready = world.get("/readyz").await;
    assert_eq!(
        (ready.status, ready.problem().as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, "broker_unavailable")
    );
    let well = World::new().await;
    assert_eq!(well.get("/readyz").await.json()["status"], "ready");
    // The answer is remembered, so that probes cannot wear out the disk.
    well.broker.set(Some(Fault::Away));
    assert_eq!(well.get("/readyz").await.status, StatusCode::OK);
}

#[tokio::test]
async fn metrics_are_explained_and_counted() {
    let world = World::new().await;
    world.submitted().await;
    world.submitted().await;
    world.claim().await;
    world.get("/nowhere").await;
    world.get("/status/x").await;
    let answer = world.get("/metrics").await;
    assert_eq!(
        answer.header("content-type"),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    let text = answer.text();
    let explained: HashSet<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# HELP ")?.split_once(' '))
        .map(|(name, _)| name)
        .collect();
    let typed: HashSet<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(explained, typed);
    for sample in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let name = sample.split(['{', ' ']).next().unwrap();
        let base = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|suffix| name.strip_suffix(suffix))
            .unwrap_or(name);
        assert!(
            explained.contains(name) || explained.contains(base),
            "{sample} has no HELP"
        );
        let value = sample.rsplit(' ').next().unwrap();
        assert!(value.parse::<f64>().is_ok(), "{sample}");
    }
    let uploaded = 2 * small_png().len();
    for line in [
        "pixmill_http_requests_total{method=\"POST\",route=\"/upload\",status=\"202\"} 2",
        "pixmill_http_requests_total{method=\"GET\",route=\"unmatched\",status=\"404\"} 1",
        "pixmill_http_requests_total{method=\"GET\",route=\"/status/{task_id}\",status=\"404\"} 1",
        "pixmill_queue_ready_tasks{queue=\"images\"} 1",
        "pixmill_queue_running_tasks{queue=\"images\"} 1",
        "pixmill_queue_dead_letter_tasks{queue=\"images\"} 0",
        "pixmill_broker_up 1",
        &format!("pixmill_upload_bytes_total {uploaded}"),
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\nis not in\n{text}");
    }
    for name in [
        "pixmill_oldest_queued_age_seconds",
        "pixmill_oldest_running_age_seconds",
    ] {
        assert!(explained.contains(name), "{name}");
    }
}

#[tokio::test]
async fn metrics_outlive_the_broker() {
    let world = World::new().await;
    world.broker.set(Some(Fault::Away));
    let answer = world.get("/metrics").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.text().contains("\npixmill_broker_up 0\n"));
}

#[tokio::test]
async fn a_request_keeps_its_id() {
    let world = World::new().await;
    let ask = |id: &str| {
        Request::get("/nowhere")
            .header("x-request-id", id)
            .body(Body::empty())
            .unwrap()
    };
    let answer = world.send(ask("trace-17")).await;
    assert_eq!(answer.header("x-request-id"), Some("trace-17"));
    assert_eq!(answer.problem(), "route_not_found");
    for insane in ["", "a b", "\"><script>", &"a".repeat(129)] {
        let answer = world.send(ask(insane)).await;
        let id = answer.header("x-request-id").unwrap();
        assert!(id != insane && id.len() == 36, "{insane:?} became {id:?}");
        answer.problem();
    }
}

#[tokio::test]
async fn methods_that_a_path_does_not_know() {
    let world = World::new().await;
    for (method, path, allowed) in [
        ("GET", "/upload", "POST"),
        ("DELETE", "/v1/tasks", "GET,HEAD,POST"),
        ("PUT", "/v1/tasks/x", "DELETE,GET,HEAD"),
        ("PATCH", "/status/x", "GET,HEAD"),
        ("BREW", "/", "GET,HEAD"),
        ("POST", "/docs", "GET,HEAD"),
    ] {
        let request = |method: &str| Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let sorted = |allow: Option<&str>| {
            let mut methods: Vec<_> = allow.unwrap().split(',').map(str::to_owned).collect();
            methods.sort();
            methods.join(",")
        };
        let answer = world.send(request(method)).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            "{method} {path}"
        );
        assert_eq!(sorted(answer.header("allow")), allowed, "{method} {path}");
        let options = world.send(request("OPTIONS")).await;
        assert_eq!(
            (options.status, options.body.len()),
            (StatusCode::NO_CONTENT, 0),
            "{path}"
        );
        assert_eq!(sorted(options.header("allow")), allowed, "OPTIONS {path}");
    }
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let world = World::new().await;
    let id = world.submitted().await;
    for path in [
        format!("/v1/tasks/{id}"),
        "/nowhere".to_owned(),
        "/openapi.json".to_owned(),
    ] {
        let get = world.get(&path).await;
        let head = world.send(Request::head(&path).body(Body::empty()).unwrap()).await;
        assert_eq!((head.status, head.body.len()), (get.status, 0), "{path}");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
    }
}

#[tokio::test]
async fn an_endless_url_is_refused() {
    let world = World::new().await;
    let answer = world.get(&format!("/{}", "a".repeat(40_000))).await;
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (StatusCode::URI_TOO_LONG, "uri_too_long")
    );
}

#[tokio::test]
async fn pages_of_other_origins_call_only_when_they_may() {
    let page = "https://app.example.com";
    let preflight = || {
        Request::options("/v1/tasks")
            .header("origin", page)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type,idempotency-key")
            .body(Body::empty())
            .unwrap()
    };
    let closed = World::new().await;
    assert_eq!(
        closed.send(preflight()).await.header("access-control-allow-origin"),
        None
    );
    for origins in [vec![page.to_owned()], vec!["*".to_owned()]] {
        let options = GatewayOptions {
            cors_origins: origins.clone(),
            ..GatewayOptions::default()
        };
        let world = World::with(options, BrokerOptions::default()).await;
        let answer = world.send(preflight()).await;
        assert!(answer.status.is_success());
        assert_eq!(answer.header("access-control-allow-origin"), Some(origins[0].as_str()));
        assert!(
            answer
                .header("access-control-allow-headers")
                .unwrap()
                .contains("idempotency-key")
        );
        let mut request = image_request("/v1/tasks", "image/png", small_png());
        request.headers_mut().insert("origin", page.parse().unwrap());
        let answer = world.send(request).await;
        assert_eq!(answer.header("access-control-allow-origin"), Some(origins[0].as_str()));
        assert!(
            answer
                .header("access-control-expose-headers")
                .unwrap()
                .contains("location")
        );
    }
}

#[tokio::test]
async fn stats_count_what_there_is() {
    let world = World::new().await;
    assert_eq!(world.get("/v1/stats").await.json()["queues"], serde_json::json!([]));
    world.submitted().await;
    insta::assert_json_snapshot!(world.get("/v1/stats").await.json(), {
        ".now" => "[time]", ".queues[].oldest_ready_ms" => "[age]",
    });
}
