//! What the API tells: the shape of every answer as a golden file, and no secret in any.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::READING;
use crate::support::gateway::Gateway;
use crate::support::golden;
use crate::support::nats_server::NatsServer;

const SECRETS: [&str; 4] =
    ["hunter2-hunter2-hunter2-hunter2", "hunter2-password", "hunter2-user-key", "$argon2id$"];

/// A value with its types in place of what differs from run to run.
pub(super) fn shape(value: &Value) -> Value {
    match value {
        Value::Object(map) => map.iter().map(|(name, value)| (name.clone(), shape(value))).collect(),
        Value::Array(items) => match items.first() {
            Some(first) => Value::Array(vec![shape(first)]),
            None => Value::Array(Vec::new()),
        },
        Value::String(_) => "text".into(),
        Value::Number(_) => "number".into(),
        Value::Bool(_) => "true or false".into(),
        Value::Null => Value::Null,
    }
}

#[tokio::test]
async fn every_answer_has_its_shape_and_no_secret() {
    let nats = NatsServer::start().await;
    let key = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let yaml = "\
server: { admin_token: { file: token } }
security: { services: { api_key: { keys: keys.yaml } } }
operations:
  GET /users/{id}:
    request: { subject: 'users.${path.id}.get' }
    limits: { rate: 10/s, in_flight: 7 }
    security: [{ services: [] }]
  POST /orders:
    publish: { subject: orders.new, stream: ORDERS }
    security: []
  GET /orders/{id}:
    request: { subject: 'orders.${path.id}.get' }
    forward: { upstream: old }
    migration: { stage: canary, percent: 0.01%, fallback: true }
    security: []
upstreams: { old: { url: 'http://127.0.0.1:1' } }
migration: { every: 50ms }
";
    let token = "hunter2-hunter2-hunter2-hunter2";
    let files = [("token", token), ("keys.yaml", &format!("billing: {key}\n"))];
    let gateway = Gateway::start_with(&nats.url(), yaml, &files).await;
    gateway.get("/users/ada").await;
    super::migrations::kept(&gateway).await;
    let bearer = format!("Bearer {token}");
    // What is logged is told by a process that logs.
    for path in READING.into_iter().filter(|path| path.starts_with("/api/") && *path != "/api/log-level") {
        let answer = gateway.admin("GET", path, &[("Authorization", &bearer)], "").await;
        assert_eq!(answer.status, 200, "{path}");
        let text = answer.text();
        for secret in SECRETS.into_iter().chain([key]) {
            assert!(!text.contains(secret), "{path} tells {secret}");
        }
        let name = path.trim_start_matches("/api/");
        let shape = serde_json::to_string_pretty(&shape(&answer.json())).expect("JSON") + "\n";
        golden::assert(&format!("tests/admin/{name}.json"), &shape);
    }
}

/// Names that an answer has from elsewhere: statuses, codes, verifiers.
const NOT_FIELDS: [&str; 3] = ["401", "unauthenticated", "services"];

fn fields(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(name, value)| {
            into.insert(name.clone());
            fields(value, into);
        }),
        Value::Array(items) => items.iter().for_each(|item| fields(item, into)),
        _ => {}
    }
}

#[test]
fn every_field_is_described() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(folder.join("docs/admin-api.md")).expect("the page of the API");
    let mut all = BTreeSet::new();
    for entry in std::fs::read_dir(folder.join("tests/admin")).expect("the shapes of the answers") {
        let text = std::fs::read_to_string(entry.expect("an entry").path()).expect("a shape");
        fields(&serde_json::from_str(&text).expect("JSON"), &mut all);
    }
    assert!(all.len() > 60, "only {} fields were found", all.len());
    let missing: Vec<_> = all
        .iter()
        .filter(|name| !NOT_FIELDS.contains(&name.as_str()) && !page.contains(&format!("`{name}`")))
        .collect();
    assert!(missing.is_empty(), "docs/admin-api.md does not describe {missing:?}");
}

#[tokio::test]
async fn operations_are_told_with_their_bindings_and_their_state() {
    let nats = NatsServer::start().await;
    let gateway = Gateway::start(
        &nats.url(),
        "operations:\n  POST /orders/{id}: { publish: { subject: 'orders.${path.id}', stream: ORDERS } }\n",
    )
    .await;
    let status = gateway.admin("GET", "/api/status", &[], "").await.json();
    let operation = &status["operations"][0];
    assert_eq!(operation["name"], "POST /orders/{id}");
    assert_eq!((&operation["method"], &operation["path"]), (&"POST".into(), &"/orders/{id}".into()));
    let binding = &operation["binding"];
    assert_eq!(binding["kind"], "publish");
    assert_eq!((&binding["subject"], &binding["stream"]), (&"orders.*".into(), &"ORDERS".into()));
    assert_eq!(operation["state"]["state"], "broken");
    assert!(operation["state"]["problems"][0].as_str().expect("a problem").contains("ORDERS does not exist"));
    assert_eq!(status["nats"]["connected"], true);
    assert_eq!(status["gateway"]["ready"], true);
}
