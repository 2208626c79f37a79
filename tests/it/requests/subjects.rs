//! Whatever a client writes into a path, it can choose one token of a subject and nothing else.

use futures_util::StreamExt;

use crate::support::gateway::Gateway;
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;

const ITEMS: &str = "operations:
  GET /items/{id}: { request: { subject: 'items.${path.id}' } }
  GET /items/{id}/parts/{part}: { request: { subject: 'items.${path.id}.${path.part}' } }
  GET /tokens/{id}: { request: { subject: 'items.${token(path.id)}' } }
  GET /search: { request: { subject: 'items.${query.q}' } }
";

/// Dots, wildcards, white space, control characters, what is not ASCII, and what is no encoded text at all.
const ILLEGAL: &str = "a.b . .. %2e %2E%2e * %2a %3E %20 a%20b %09 %0d%0a %0A %00 a%00 %7f %C2%A0 %e2%80%a8 %c3%a9 \
    %ff %C3 %zz % %2 x%0d%0aPUB%20items.y%200%0d%0a";

#[tokio::test]
async fn values_that_are_no_token_are_refused_and_nothing_is_sent() {
    let nats = NatsServer::start().await;
    let _service = Service::echo(&nats.url(), "items.>").await;
    let mut tap = nats.client().await.subscribe(">").await.expect("tap");
    let gateway = Gateway::start(&nats.url(), ITEMS).await;
    for value in ILLEGAL.split_whitespace().chain([""]) {
        for (path, parameter) in [
            (format!("/items/{value}"), "id"),
            (format!("/items/{value}/parts/p"), "id"),
            (format!("/items/i/parts/{value}"), "part"),
            (format!("/search?q={value}"), "q"),
        ] {
            let answer = gateway.get(&path).await;
            assert_eq!(
                (answer.status, answer.problem()),
                (400, ("invalid_parameter", "not_executed")),
                "{path}"
            );
            assert_eq!(answer.json()["errors"][0]["parameter"], parameter, "{path}");
        }
    }
    // No URI at all: refused before there is a request.
    assert_eq!(gateway.get("/items/>").await.status, 400);
    assert_eq!(gateway.get("/items/last").await.status, 200);
    loop {
        let subject = tap.next().await.expect("a message").subject;
        match subject.as_str() {
            "items.last" => break,
            other => assert!(other.starts_with(['$', '_']), "sent to {other}"),
        }
    }
    assert_eq!(gateway.inner.nats().status().reconnects, 0);
}

#[tokio::test]
async fn what_is_one_token_passes_as_it_is() {
    let nats = NatsServer::start().await;
    let service = Service::echo(&nats.url(), "items.>").await;
    let gateway = Gateway::start(&nats.url(), ITEMS).await;
    for (path, subject) in [
        ("/items/a-b_c~d", "items.a-b_c~d"),
        ("/items/%61", "items.a"),
        ("/items/a%2Fb", "items.a/b"),
        ("/items/%2561", "items.%61"),
        ("/items/$x!'()+,;=:@&", "items.$x!'()+,;=:@&"),
        ("/tokens/a.b", "items.a%2Eb"),
        ("/tokens/*", "items.%2A"),
        ("/tokens/%3E", "items.%3E"),
        ("/tokens/a%20b", "items.a%20b"),
        ("/tokens/%c3%a9", "items.%C3%A9"),
        ("/tokens/%0d%0a", "items.%0D%0A"),
        ("/tokens/100%25", "items.100%25"),
    ] {
        let answer = gateway.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert_eq!(subjects(&service).last().map(String::as_str), Some(subject), "{path}");
    }
}

#[tokio::test]
async fn a_value_that_is_too_long_for_the_protocol_is_refused_and_the_connection_stays_up() {
    let nats = NatsServer::start().await;
    let service = Service::echo(&nats.url(), "items.>").await;
    let gateway = Gateway::start(&nats.url(), ITEMS).await;
    for path in [format!("/items/{}", "a".repeat(5000)), format!("/tokens/{}", "%2e".repeat(1700))] {
        let answer = gateway.get(&path).await;
        assert_eq!(
            (answer.status, answer.problem()),
            (414, ("uri_too_long", "not_executed")),
            "{}",
            answer.text()
        );
    }
    assert_eq!(gateway.get("/items/last").await.status, 200);
    assert_eq!(subjects(&service), ["items.last"]);
    assert_eq!(gateway.inner.nats().status().reconnects, 0);
}

fn subjects(service: &Service) -> Vec<String> {
    service.seen().iter().map(|message| message.subject.to_string()).collect()
}
