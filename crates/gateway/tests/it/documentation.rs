//! The OpenAPI document and the page that shows it.

use axum::http::StatusCode;
use serde_json::Value;

use crate::harness::World;

#[tokio::test]
async fn the_document_says_what_there_is() {
    let world = World::new().await;
    let document = world.get("/openapi.json").await.json();
    assert_eq!(document["openapi"], "3.1.0");
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let responses: Vec<_> = operation["responses"]
                .as_object()
                .unwrap()
                .keys()
                .map(String::as_str)
                .collect();
            operations.push(format!("{} {path}: {}", method.to_uppercase(), responses.join(" ")));
        }
    }
    insta::assert_snapshot!(operations.join("\n"));
}

#[tokio::test]
async fn every_reference_leads_somewhere() {
    let world = World::new().await;
    let document = world.get("/openapi.json").await.json();
    let mut found = 0;
    visit(&document, &mut |value| {
        if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
            found += 1;
        }
    });
    assert!(found > 10);
}

#[tokio::test]
async fn problems_are_described_as_they_are_served() {
    let world = World::new().await;
    let document = world.get("/openapi.json").await.json();
    let served = world.get("/nowhere").await.json();
    let schema = &document["components"]["schemas"]["ProblemDocument"];
    assert!(
        schema["properties"]["code"]["enum"]
            .as_array()
            .unwrap()
            .contains(&served["code"])
    );
    for name in served.as_object().unwrap().keys() {
        assert!(schema["properties"].get(name).is_some(), "{name}");
    }
    for name in schema["required"].as_array().unwrap() {
        assert!(served.get(name.as_str().unwrap()).is_some(), "{name}");
    }
    let narrowed =
        "/paths/~1status~1{task_id}/get/responses/404/content/application~1problem+json/schema/allOf/1/properties";
    assert_eq!(
        document.pointer(narrowed).unwrap()["code"]["enum"],
        serde_json::json!(["task_not_found"])
    );
    assert_eq!(
        document.pointer(narrowed).unwrap()["status"]["enum"],
        serde_json::json!([404])
    );
}

fn visit(value: &Value, see: &mut impl FnMut(&Value)) {
    see(value);
    match value {
        Value::Array(items) => items.iter().for_each(|item| visit(item, see)),
        Value::Object(members) => members.values().for_each(|member| visit(member, see)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[tokio::test]
async fn the_page_asks_nobody_else() {
    let world = World::new().await;
    let root = world.get("/").await;
    assert_eq!(
        (root.status, root.header("location")),
        (StatusCode::TEMPORARY_REDIRECT, Some("/docs"))
    );
    let page = world.get("/docs").await;
    assert_eq!(page.header("content-type"), Some("text/html"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.contains("default-src 'none'") && !policy.contains("http"),
        "{policy}"
    );
    let text = page.text();
    let addresses = text
        .split(['"'])
        .filter(|part| part.ends_with(".js") || part.ends_with(".css") || part.ends_with(".png"));
    let mut files = 0;
    for address in addresses {
        assert!(address.starts_with("/docs/"), "{address}");
        assert_eq!(world.get(address).await.status, StatusCode::OK, "{address}");
        files += 1;
    }
    assert!(files >= 5, "{text}");
    assert!(!text.contains("//"), "{text}");
    let initializer = world.get("/docs/swagger-initializer.js").await.text();
    assert!(
        initializer.contains("/openapi.json") && initializer.contains("\"validatorUrl\": \"none\""),
        "{initializer}"
    );
    assert_eq!(world.get("/docs/nothing").await.problem(), "route_not_found");
}
