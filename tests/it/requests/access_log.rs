//! One line a request, that can be searched and cannot be forged.

use serde_json::Value;

use crate::support::http::Client;
use crate::support::nats_server::NatsServer;
use crate::support::process::Process;
use crate::support::service::Service;

const YAML: &str = "operations:
  GET /users/{id}: { request: { subject: 'users.${path.id}', timeout: 10s } }
  POST /login: { request: { subject: login } }
";

#[tokio::test]
async fn a_line_says_who_asked_for_what_and_what_became_of_it() {
    let nats = NatsServer::start().await;
    let _service = Service::saying(&nats.url(), "users.7", "{}").await;
    let process = Process::serve(&nats.url(), YAML).await;
    process.connected().await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    let answer = process.send("GET", "/users/7", &[("traceparent", &parent)]).await;
    let line = &process.access_lines("/users/7", 1).await[0];
    assert_eq!(line["request_id"], answer.header("natsgate-request-id").expect("request id"));
    assert_eq!((&line["trace_id"], &line["operation"]), (&trace.into(), &"GET /users/{id}".into()));
    assert_eq!(
        (&line["method"], &line["status"], &line["ip"]),
        (&"GET".into(), &200.into(), &"127.0.0.1".into())
    );
    assert_eq!((line.get("code"), line.get("outcome"), line.get("cause")), (None, None, None));
    let duration = line["duration_us"].as_u64().expect("microseconds");
    assert!(duration > 0 && duration < 5_000_000, "{duration}");
    assert_eq!((&line["level"], line["timestamp"].is_string()), (&"INFO".into(), true));

    process.send("GET", "/users/8", &[]).await;
    let line = &process.access_lines("/users/8", 1).await[0];
    assert_eq!(
        (&line["status"], &line["code"], &line["outcome"]),
        (&503.into(), &"no_responders".into(), &"not_executed".into())
    );
    assert!(line["cause"].as_str().is_some_and(|cause| !cause.is_empty()), "{line}");
    process.send("GET", "/nowhere", &[]).await;
    let line = &process.access_lines("/nowhere", 1).await[0];
    assert_eq!(
        (&line["status"], &line["code"], line["operation"].as_str().unwrap_or_default()),
        (&404.into(), &"not_found".into(), "")
    );
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_a_line_too() {
    let nats = NatsServer::start().await;
    let service = Service::silent(&nats.url(), "users.*").await;
    let process = Process::serve(&nats.url(), YAML).await;
    process.connected().await;
    let mut client = Client::connect(&process.url).await;
    client.write(b"GET /users/7 HTTP/1.1\r\nHost: test\r\n\r\n").await;
    super::until("the service has it", || service.seen().len() == 1).await;
    drop(client);
    let line = &process.access_lines("/users/7", 1).await[0];
    assert_eq!((&line["status"], &line["operation"]), (&499.into(), &"GET /users/{id}".into()));
    process
        .until("nobody waits", |ready| ready["nats"]["waiting_replies"] == 0 && ready["in_flight"] == 0)
        .await;
}

#[tokio::test]
async fn what_clients_and_services_send_cannot_forge_a_line_or_leak_a_secret() {
    let nats = NatsServer::start().await;
    let headers = [("Nats-Service-Error-Code", "401"), ("Nats-Service-Error", "bad \"} {\"status\":200")];
    let _service = Service::with_headers(&nats.url(), "login", &headers, "").await;
    let process = Process::serve(&nats.url(), YAML).await;
    process.connected().await;
    let mut client = Client::connect(&process.url).await;
    let secret = [
        ("Authorization", "Bearer s3cret"),
        ("Cookie", "session=s3cret"),
        ("Content-Type", "application/json"),
    ];
    let answer = client.send("POST", "/login?token=s3cret", &secret, br#"{"password":"s3cret"}"#).await;
    assert_eq!(answer.status, 401);
    let forged = "/users/a%0d%0a%7B%22status%22:200%7D%1b[31m";
    assert_eq!(client.send("GET", forged, &[], b"").await.status, 400);
    let long = format!("/users/{}", "a".repeat(3000));
    assert_eq!(client.send("GET", &long, &[], b"").await.status, 503);
    assert_eq!(process.access_lines("/login", 1).await[0]["status"], 401);
    assert_eq!(process.access_lines(forged, 1).await[0]["status"], 400);
    assert!(process.access_lines(&long[..256], 1).await.len() == 1, "a path is cut");
    let all: Vec<Value> = process.log();
    assert!(!all.iter().any(|line| line.to_string().contains("s3cret")), "{all:?}");
    assert_eq!(all.iter().filter(|line| line.get("status").is_some()).count(), 3, "one line a request");
}
