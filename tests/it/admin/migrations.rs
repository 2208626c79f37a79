//! What the API tells and changes of operations that move.

use std::path::Path;

use natsgate::migrate::status::Status;
use serde_json::{Value, json};

use crate::support::gateway::Gateway;
use crate::support::nats_server::NatsServer;

const YAML: &str = "migration: { every: 50ms }
upstreams: { old: { url: 'http://127.0.0.1:1' } }
operations:
  GET /orders/{id}:
    request: { subject: 'orders.${path.id}.get' }
    forward: { upstream: old }
    migration: { stage: canary, percent: 0.01% }
  GET /plain: { request: { subject: plain } }
";
const ORDERS: &str = "/api/migrations/GET%20%2Forders%2F%7Bid%7D";
const JSON: [(&str, &str); 1] = [("Content-Type", "application/json")];

#[tokio::test]
async fn operations_that_move_are_told_each_and_together() {
    let nats = NatsServer::start().await;
    let gateway = Gateway::start(&nats.url(), YAML).await;
    let all = gateway.admin("GET", "/api/migrations", &[], "").await.json();
    let all = all["migrations"].as_array().expect("a list").clone();
    assert_eq!(all.len(), 1, "those that have two sides: {all:?}");
    let one = gateway.admin("GET", ORDERS, &[], "").await.json();
    for told in [&all[0], &one] {
        assert_eq!(told["operation"], "GET /orders/{id}");
        assert_eq!((&told["stage"], &told["percent"]), (&json!("canary"), &json!(0.01)));
        assert_eq!(told["gate"]["holds"], false);
        assert!(told["next"].is_array(), "{told}");
    }
    assert!(one["fields"].is_array() && all[0].get("fields").is_none(), "{one}");
    let status = gateway.admin("GET", "/api/status", &[], "").await.json();
    assert_eq!(status["migrations"][0]["operation"], "GET /orders/{id}");
    let told = |name: &str| {
        let operations = status["operations"].as_array().expect("operations");
        operations.iter().find(|one| one["name"] == name).expect("the operation")["migration"].clone()
    };
    let expected = json!({ "stage": "canary", "percent": 0.01, "fallback": false });
    assert_eq!((told("GET /orders/{id}"), told("GET /plain")), (expected, Value::Null));
}

#[tokio::test]
async fn evidence_begins_anew_and_a_name_that_is_none_gets_those_that_are() {
    let nats = NatsServer::start().await;
    let gateway = Gateway::start(&nats.url(), YAML).await;
    kept(&gateway).await;
    let reset = gateway.admin("POST", &format!("{ORDERS}/reset"), &JSON, "{}").await;
    assert_eq!(
        (reset.status, reset.json()["operation"].clone()),
        (200, json!("GET /orders/{id}")),
        "{}",
        reset.text()
    );
    for (method, path) in [
        ("GET", "/api/migrations/nobody"),
        ("GET", "/api/migrations/GET%20%2Fplain"),
        ("POST", "/api/migrations/nobody/reset"),
    ] {
        let answer = gateway.admin(method, path, &JSON, "{}").await;
        assert_eq!(answer.status, 404, "{path}");
        let detail = answer.json()["detail"].as_str().expect("a detail").to_owned();
        assert!(detail.contains("there are GET /orders/{id}"), "{detail}");
    }
    let as_a_form = gateway.admin("POST", &format!("{ORDERS}/reset"), &[], "").await;
    assert_eq!(as_a_form.status, 415, "a form of another page must not do it");
    let read = gateway.admin("GET", &format!("{ORDERS}/reset"), &[], "").await;
    assert_eq!((read.status, read.header("allow")), (405, Some("POST")));
}

/// Waits until evidence is kept in NATS.
pub(super) async fn kept(gateway: &Gateway) {
    let until = tokio::time::Instant::now() + std::time::Duration::from_secs(15);
    loop {
        let told = gateway.inner.migrations();
        if told.iter().all(|status| status.not_kept.is_none() && status.since.is_some()) {
            return;
        }
        assert!(tokio::time::Instant::now() < until, "never kept: {told:?}");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

#[test]
fn every_field_of_a_status_is_described() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/admin-api.md");
    let page = std::fs::read_to_string(page).expect("the page of the API");
    let schema = schemars::schema_for!(Status).to_value();
    let mut names = Vec::new();
    properties_of(&schema, &mut names);
    assert!(names.len() > 40, "{names:?}");
    names.retain(|name| !page.contains(&format!("`{name}`")));
    assert!(names.is_empty(), "docs/admin-api.md does not describe {names:?}");
}

fn properties_of(schema: &Value, names: &mut Vec<String>) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::Object(properties)) = members.get("properties") {
                names.extend(properties.keys().cloned());
            }
            members.values().for_each(|value| properties_of(value, names));
        }
        Value::Array(items) => items.iter().for_each(|item| properties_of(item, names)),
        _ => {}
    }
}
