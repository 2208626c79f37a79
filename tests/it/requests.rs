//! Request-reply through the gateway: what a client sees, and what a service sees.

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
