//! One deadline around everything, and what a service is told of it.

use std::time::{Duration, SystemTime};

use crate::support::gateway::Gateway;
use crate::support::http::{Answer, Client};
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;

const TOLERANCE: Duration = Duration::from_millis(400);

fn took(answer: &Answer, due: Duration) {
    assert!(answer.took >= due && answer.took < due + TOLERANCE, "{:?}", answer.took);
}

#[tokio::test]
async fn silence_is_answered_at_the_deadline() {
    let nats = NatsServer::start().await;
    let _service = Service::silent(&nats.url(), "x").await;
    let yaml = "operations:\n  POST /x: { request: { subject: x, timeout: 500ms } }\n";
    let gateway = Gateway::start(&nats.url(), yaml).await;
    let answer = gateway.post("/x", "{}").await;
    took(&answer, Duration::from_millis(500));
    assert_eq!((answer.status, answer.problem()), (504, ("timeout", "unknown")));
    assert_eq!((answer.header("retry-after"), &answer.json()["retryable"]), (None, &false.into()));
    super::until("nobody waits", || gateway.waiting() == 0).await;
}

#[tokio::test]
async fn a_client_may_have_less_patience_and_not_more() {
    let nats = NatsServer::start().await;
    let service = Service::silent(&nats.url(), "x").await;
    let yaml = "operations:\n  GET /x: { request: { subject: x, timeout: 1500ms } }\n";
    let gateway = Gateway::start(&nats.url(), yaml).await;
    let ask = async |wait| gateway.send("GET", "/x", &[("Prefer", wait)], b"").await;
    let (less, more) = tokio::join!(ask("respond-async, wait=1"), ask("wait=100"));
    took(&less, Duration::from_secs(1));
    took(&more, Duration::from_millis(1500));
    let mut left: Vec<u64> = service.seen().iter().map(timeout_ms).collect();
    left.sort_unstable();
    assert!((900..=1000).contains(&left[0]) && (1400..=1500).contains(&left[1]), "{left:?}");
}

#[tokio::test]
async fn a_service_is_told_when_nobody_waits_any_more() {
    let nats = NatsServer::start().await;
    let service = Service::saying(&nats.url(), "x", "{}").await;
    let yaml = "operations:\n  GET /x: { request: { subject: x, timeout: 3s } }\n";
    let gateway = Gateway::start(&nats.url(), yaml).await;
    let before = SystemTime::now();
    gateway.get("/x").await;
    let seen = &service.seen()[0];
    let text = header(seen, "Natsgate-Deadline");
    assert!(text.ends_with('Z') && text.len() == "2026-01-01T00:00:00.000Z".len(), "{text}");
    let deadline = humantime::parse_rfc3339(&text).expect("RFC 3339");
    let left = deadline.duration_since(before).expect("in the future");
    assert!(left >= Duration::from_millis(2999) && left < Duration::from_secs(3) + TOLERANCE, "{left:?}");
    assert!((2600..=3000).contains(&timeout_ms(seen)));
}

#[tokio::test]
async fn the_time_that_a_body_took_counts() {
    let nats = NatsServer::start().await;
    let service = Service::silent(&nats.url(), "x").await;
    let yaml = "operations:\n  POST /x: { request: { subject: x, timeout: 1s } }\n";
    let gateway = Gateway::start(&nats.url(), yaml).await;
    let mut client = Client::connect(&gateway.url).await;
    let began = std::time::Instant::now();
    client.write(b"POST /x HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\n{").await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    client.write(b"}").await;
    let answer = client.answer("POST", began).await;
    assert_eq!(answer.problem().0, "timeout");
    took(&answer, Duration::from_secs(1));
    assert!((100..=400).contains(&timeout_ms(&service.seen()[0])));
}

fn timeout_ms(message: &async_nats::Message) -> u64 {
    header(message, "Natsgate-Timeout-Ms").parse().expect("milliseconds")
}

fn header(message: &async_nats::Message, name: &str) -> String {
    message.headers.as_ref().and_then(|headers| headers.get(name)).expect("header").to_string()
}
