//! What the log tells of a request, and how much of it.

use natsgate::authenticate::made::hash_key;
use serde_json::Value;

use crate::support::nats_server::NatsServer;
use crate::support::process::Process;
use crate::support::service::Service;

const OPEN: &str = "operations: { 'GET /users/{id}': { request: { subject: 'users.${path.id}' } } }\n";

#[tokio::test]
async fn a_request_id_of_a_clients_problem_finds_its_line() {
    let nats = NatsServer::start().await;
    let process = Process::serve(&nats.url(), OPEN).await;
    process.connected().await;
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let problem = process.send("GET", "/users/7", &[("traceparent", parent)]).await.json();
    let id = problem["request_id"].as_str().expect("a request id");
    process.access_lines("/users/7", 1).await;
    let lines: Vec<Value> = process.log().into_iter().filter(|line| line["request_id"] == id).collect();
    let [line] = lines.as_slice() else { panic!("one line: {lines:?}") };
    assert_eq!((&line["code"], &line["outcome"]), (&problem["code"], &problem["outcome"]));
    assert_eq!(line["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
}

#[tokio::test]
async fn lines_of_what_went_well_can_be_a_part_and_trouble_always_has_one() {
    let nats = NatsServer::start().await;
    let _service = Service::saying(&nats.url(), "users.7", "{}").await;
    let yaml = format!("telemetry: {{ access_log: {{ sample: 0% }} }}\n{OPEN}");
    let process = Process::serve(&nats.url(), &yaml).await;
    process.connected().await;
    for _ in 0..20 {
        assert_eq!(process.send("GET", "/users/7", &[]).await.status, 200);
    }
    assert_eq!(process.send("GET", "/users/8", &[]).await.status, 503);
    process.access_lines("/users/8", 1).await;
    assert_eq!(process.access_lines("/users/7", 0).await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_line_names_its_caller_or_why_there_is_none() {
    let nats = NatsServer::start().await;
    let _service = Service::saying(&nats.url(), "users.7", "{}").await;
    let dir = tempfile::tempdir().expect("a folder");
    let keys = dir.path().join("keys.yaml");
    let odd = "a \\\"name\\\" \\\\ of marks";
    std::fs::write(&keys, format!("\"{odd}\": {}\n", hash_key("a-good-key"))).expect("the keys");
    let yaml = format!(
        "security:\n  services: {{ api_key: {{ keys: {} }} }}\noperations:\n  GET /users/{{id}}: {{ request: {{ subject: 'users.${{path.id}}' }}, security: [services: []] }}\n",
        keys.display()
    );
    let process = Process::serve(&nats.url(), &yaml).await;
    process.connected().await;
    let send = async |key: Option<&str>| {
        let headers: Vec<(&str, &str)> = key.map(|key| ("X-API-Key", key)).into_iter().collect();
        process.send("GET", "/users/7", &headers).await.status
    };
    assert_eq!(send(Some("a-good-key")).await, 200);
    assert_eq!(send(Some("a-bad-key")).await, 401);
    assert_eq!(send(None).await, 401);
    let lines = process.access_lines("/users/7", 3).await;
    assert_eq!(
        (&lines[0]["caller"], &lines[0]["verifier"]),
        (&"a \"name\" \\ of marks".into(), &"services".into())
    );
    for line in &lines[1..] {
        assert_eq!((line.get("caller"), &line["code"]), (None, &"unauthenticated".into()));
    }
    let cause = |line: &Value| line["cause"].as_str().expect("a cause").to_owned();
    assert!(
        cause(&lines[1]).starts_with("services (") && cause(&lines[2]).starts_with("services ("),
        "{lines:?}"
    );
    assert_ne!(cause(&lines[1]), cause(&lines[2]));
    assert!(!process.log().iter().any(|line| line.to_string().contains("a-bad-key")));
}
