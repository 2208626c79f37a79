//! Request-reply through the gateway: what a client sees, and what a service sees.

mod access_log;
mod body;
mod capture;
mod cases;
mod deadline;
mod drain;
mod failures;
mod hostile;
mod memory;
mod message;
mod outage;
mod problem_cases;
mod readiness;
mod replies;
mod reserved;
mod routes;
mod services;
mod silent;
mod status;
mod subjects;

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::support::gateway::Gateway;
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;

const ECHO: &str = "operations:\n  POST /echo:\n    request: { subject: echo }\n";

#[tokio::test]
async fn a_body_without_a_payload_passes_byte_for_byte() {
    let nats = NatsServer::start().await;
    let service = Service::echo(&nats.url(), "echo").await;
    let gateway = Gateway::start(&nats.url(), ECHO).await;
    let body = "{ \"a\" : 1.10, \"a\": 2 }\n";
    let answer = gateway.post("/echo", body).await;
    assert_eq!((answer.status, answer.text().as_str()), (200, body));
    assert_eq!(service.seen()[0].payload, body.as_bytes());
    assert_eq!(gateway.waiting(), 0);
}

/// Waits until something holds.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < end, "never came: {what}");
        sleep(Duration::from_millis(2)).await;
    }
}
