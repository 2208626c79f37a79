//! Too many at once: who is over a limit hears it at once, who is within it notices nothing.

use std::time::Instant;

use super::told;
use crate::support::gateway::Gateway;
use crate::support::http::{Answer, Client};
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;
use tokio::task::JoinSet;

const ADMITTED: usize = 50;
const EXCESS: usize = 500;

/// A gateway with this many requests in flight, none of which is answered before the test says so.
async fn full(nats: &NatsServer, yaml: &str, count: usize) -> (Gateway, Service, JoinSet<Answer>) {
    let service = Service::silent(&nats.url(), "slow").await;
    let gateway = Gateway::start(&nats.url(), yaml).await;
    let mut held = JoinSet::new();
    for _ in 0..count {
        let url = gateway.url.clone();
        held.spawn(async move { Client::connect(&url).await.send("POST", "/slow", &[], b"{}").await });
    }
    while service.seen().len() < count {
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    (gateway, service, held)
}

async fn release(service: &Service, held: JoinSet<Answer>) {
    for message in service.seen() {
        service.answer(&message, "done").await;
    }
    for answer in held.join_all().await {
        assert_eq!((answer.status, answer.text().as_str()), (200, "done"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_excess_is_shed_at_once_and_what_was_admitted_is_answered() {
    let nats = NatsServer::start().await;
    let yaml = "operations:
  POST /slow: { request: { subject: slow, timeout: 20s }, limits: { in_flight: 50 } }
";
    let (gateway, service, held) = full(&nats, yaml, ADMITTED).await;
    let began = Instant::now();
    let mut excess = JoinSet::new();
    for _ in 0..10 {
        let url = gateway.url.clone();
        excess.spawn(async move {
            let mut client = Client::connect(&url).await;
            for _ in 0..EXCESS / 10 {
                let answer = client.send("POST", "/slow", &[], b"{}").await;
                assert_eq!((told(&answer), answer.problem().1), ((503, "overloaded"), "not_executed"));
                assert_eq!(answer.header("retry-after"), Some("1"));
            }
        });
    }
    excess.join_all().await;
    let took = began.elapsed();
    assert!(took.as_millis() < 1_000, "{EXCESS} were shed in {took:?}");
    assert_eq!((service.seen().len(), gateway.inner.in_flight()), (ADMITTED, ADMITTED));
    release(&service, held).await;
    assert_eq!((gateway.inner.in_flight(), gateway.waiting()), (0, 0));
}

#[tokio::test]
async fn a_refusal_neither_reads_nor_parses_and_keeps_the_connection() {
    let nats = NatsServer::start().await;
    let yaml = "server: { in_flight: 1 }
operations:
  POST /slow: { request: { subject: slow, timeout: 20s } }
  POST /x/{id}: { request: { subject: 'x.${path.id}', payload: { a: '${body.a}' } }, limits: { max_body: 10 } }
";
    let (gateway, service, held) = full(&nats, yaml, 1).await;
    let mut client = Client::connect(&gateway.url).await;
    // What would be refused for what it is is not even looked at.
    for (path, body) in [("/x/1", &b"no json"[..]), ("/x/a.b", b"{}"), ("/x/1", &[b'x'; 100])] {
        assert_eq!(told(&client.send("POST", path, &[], body).await), (503, "overloaded"));
    }
    // A path that leads nowhere takes no place, and costs no more to answer.
    assert_eq!(told(&client.send("GET", "/nowhere", &[], b"").await), (404, "not_found"));
    client.write(b"POST /x/1 HTTP/1.1\r\nHost: t\r\nContent-Length: 1000000\r\n\r\n").await;
    assert_eq!(told(&client.answer("POST", Instant::now()).await), (503, "overloaded"));
    release(&service, held).await;
}
