//! Bodies: their limits, their time, their media type, and when they are looked at.

use std::time::{Duration, Instant};

use crate::support::gateway::Gateway;
use crate::support::http::{Answer, Client};
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;

const JSON: (&str, &str) = ("Content-Type", "application/json");

async fn chunked(gateway: &Gateway, path: &str, body: &[u8]) -> Answer {
    let mut client = Client::connect(&gateway.url).await;
    let head = format!("POST {path} HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.write(head.as_bytes()).await;
    for chunk in body.chunks(10_000) {
        client.write(format!("{:x}\r\n", chunk.len()).as_bytes()).await;
        client.write(chunk).await;
        client.write(b"\r\n").await;
    }
    client.write(b"0\r\n\r\n").await;
    client.answer("POST", Instant::now()).await
}

#[tokio::test]
async fn a_body_over_the_servers_own_limit_is_refused_and_the_connection_stays_up() {
    let nats = NatsServer::with("max_payload: 64kB").await;
    let service = Service::echo(&nats.url(), "echo").await;
    let yaml = "operations:\n  POST /echo: { request: { subject: echo, timeout: 10s }, limits: { max_body: 1MiB } }\n";
    let gateway = Gateway::start(&nats.url(), yaml).await;
    // The last fits, but not together with the headers.
    for size in [1_000_000, 65_537, 65_536, 65_500] {
        let body = vec![b'x'; size];
        for answer in
            [gateway.send("POST", "/echo", &[], &body).await, chunked(&gateway, "/echo", &body).await]
        {
            assert_eq!(
                (answer.status, answer.problem()),
                (413, ("body_too_large", "not_executed")),
                "{size}"
            );
        }
    }
    let answer = gateway.send("POST", "/echo", &[], &[b'x'; 65_000]).await;
    assert_eq!((answer.status, answer.body.len()), (200, 65_000));
    assert_eq!(service.seen().len(), 1);
    assert_eq!(gateway.inner.nats().status().reconnects, 0);
}

#[tokio::test]
async fn a_body_over_the_operations_limit_is_refused_however_it_comes() {
    let nats = NatsServer::start().await;
    let service = Service::echo(&nats.url(), "echo").await;
    let yaml = "operations:\n  POST /echo: { request: { subject: echo, timeout: 10s }, limits: { max_body: 100 } }\n";
    let gateway = Gateway::start(&nats.url(), yaml).await;
    for size in [101, 20_000, 8_000_000] {
        let body = vec![b'x'; size];
        for answer in
            [gateway.send("POST", "/echo", &[], &body).await, chunked(&gateway, "/echo", &body).await]
        {
            assert_eq!(
                (answer.status, answer.problem()),
                (413, ("body_too_large", "not_executed")),
                "{size}"
            );
            assert!(answer.json()["detail"].as_str().is_some_and(|detail| detail.contains("100")));
        }
    }
    for answer in [
        gateway.send("POST", "/echo", &[], &[b'x'; 100]).await,
        chunked(&gateway, "/echo", &[b'x'; 100]).await,
    ] {
        assert_eq!((answer.status, answer.body.len()), (200, 100));
    }
    assert_eq!(service.seen().len(), 2);
}

#[tokio::test]
async fn a_client_that_sends_on_after_a_refusal_still_reads_it() {
    let nats = NatsServer::start().await;
    let yaml = "operations:\n  POST /x/{id}: { request: { subject: 'x.${path.id}', timeout: 10s }, limits: { max_body: 100 } }\n";
    let gateway = Gateway::start(&nats.url(), yaml).await;
    for (path, status) in [("/x/1", 413), ("/x/a.b", 413), ("/nowhere", 404)] {
        let mut client = Client::connect(&gateway.url).await;
        let head = format!("POST {path} HTTP/1.1\r\nHost: test\r\nContent-Length: 30000000\r\n\r\n");
        let sent = client.write(&[head.as_bytes(), &vec![b'x'; 30_000_000]].concat()).await;
        assert!(sent, "{path}: the connection was closed too early");
        assert_eq!(client.answer("POST", Instant::now()).await.status, status);
        assert_eq!(client.send("GET", "/nowhere", &[], b"").await.status, 404, "and may go on");
    }
}

#[tokio::test]
async fn a_client_that_asks_before_it_sends_is_told() {
    let nats = NatsServer::start().await;
    let _service = Service::echo(&nats.url(), "echo").await;
    let gateway = Gateway::start(&nats.url(), super::ECHO).await;
    let head = |size| {
        format!("POST /echo HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: {size}\r\n\r\n")
    };
    let mut client = Client::connect(&gateway.url).await;
    client.write(head(2).as_bytes()).await;
    assert_eq!(client.answer("POST", Instant::now()).await.status, 100);
    client.write(b"ok").await;
    assert_eq!(client.answer("POST", Instant::now()).await.text(), "ok");
    client.write(head(2_000_000).as_bytes()).await;
    assert_eq!(client.answer("POST", Instant::now()).await.status, 413);
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn a_body_that_does_not_come_is_answered_at_the_deadline() {
    let nats = NatsServer::start().await;
    let service = Service::echo(&nats.url(), "echo").await;
    let yaml = "operations:\n  POST /echo: { request: { subject: echo, timeout: 300ms } }\n";
    let gateway = Gateway::start(&nats.url(), yaml).await;
    let mut client = Client::connect(&gateway.url).await;
    let began = Instant::now();
    client.write(b"POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nhalf").await;
    let answer = client.answer("POST", began).await;
    assert_eq!((answer.status, answer.problem()), (408, ("request_timeout", "not_executed")));
    assert!(answer.took >= Duration::from_millis(300) && answer.took < Duration::from_millis(700));
    assert!(client.is_closed().await, "what is left of the body is no next request");
    assert!(service.seen().is_empty());
}

#[tokio::test]
async fn an_encoded_body_is_refused() {
    let nats = NatsServer::start().await;
    let service = Service::echo(&nats.url(), "echo").await;
    let gateway = Gateway::start(&nats.url(), super::ECHO).await;
    for (encoding, status) in [("gzip", 415), ("br", 415), ("identity, gzip", 415), ("Identity", 200)] {
        let answer = gateway.send("POST", "/echo", &[("Content-Encoding", encoding)], b"x").await;
        assert_eq!(answer.status, status, "{encoding}");
    }
    assert_eq!(service.seen().len(), 1);
}

#[tokio::test]
async fn a_body_that_a_mapping_reads_has_one_meaning() {
    let nats = NatsServer::start().await;
    let service = Service::echo(&nats.url(), "x").await;
    let yaml = "operations:\n  POST /x: { request: { subject: x, timeout: 10s, payload: { a: '${body.a}' } }, limits: { max_body: 1MiB } }\n";
    let gateway = Gateway::start(&nats.url(), yaml).await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for body in [
        r#"{"a":1,"a":2}"#,
        r#"{"a":1,"b":{"c":1,"\u0063":2}}"#,
        r#"{"a":1"#,
        r#"{"a":1} x"#,
        "not json",
        r#"{"a":NaN}"#,
        r#"{"a":"\ud800"}"#,
        "\u{feff}{}",
        &deep,
        &format!(r#"{{"a":{deep}}}"#),
    ] {
        let answer = gateway.post("/x", body).await;
        let shown: String = body.chars().take(40).collect();
        assert_eq!((answer.status, answer.problem()), (400, ("malformed_body", "not_executed")), "{shown}");
    }
    let not_utf8 = gateway.send("POST", "/x", &[JSON], b"{\"a\":\"\xff\"}").await;
    assert_eq!(not_utf8.problem().0, "malformed_body");
    let other = gateway.send("POST", "/x", &[("Content-Type", "text/plain")], br#"{"a":1}"#).await;
    assert_eq!((other.status, other.problem().0), (415, "unsupported_media_type"));
    assert!(service.seen().is_empty());
    for content_type in
        ["application/json", "application/merge-patch+json", "Application/JSON; charset=utf-8"]
    {
        let answer =
            gateway.send("POST", "/x", &[("Content-Type", content_type)], br#" { "a" : 1.0 } "#).await;
        assert_eq!((answer.status, answer.text().as_str()), (200, r#"{"a":1.0}"#), "{content_type}");
    }
}

#[tokio::test]
async fn a_contract_says_which_media_types_there_are_and_whether_there_must_be_a_body() {
    let nats = NatsServer::start().await;
    let service = Service::echo(&nats.url(), "x").await;
    let yaml = "contracts: [{ file: api.yaml }]\noperations:\n  upload: { request: { subject: x } }\n";
    let contract = "openapi: 3.0.3
info: { title: t, version: '1' }
paths:
  /x:
    post:
      operationId: upload
      requestBody: { required: true, content: { application/json: {}, image/*: {} } }
      responses: { '200': { description: done } }
";
    let gateway = Gateway::start_unconnected(&nats.url(), yaml, &[("api.yaml", contract)]).await;
    gateway.connected().await;
    for (content_type, status) in [
        ("application/json", 200),
        ("IMAGE/png", 200),
        ("text/plain", 415),
        ("application/jsonx", 415),
        ("", 415),
    ] {
        let answer = gateway.send("POST", "/x", &[("Content-Type", content_type)], b"x").await;
        assert_eq!(answer.status, status, "{content_type}");
    }
    let empty = gateway.send("POST", "/x", &[JSON], b"").await;
    assert_eq!((empty.status, empty.problem().0), (400, "malformed_body"));
    assert_eq!(service.seen().len(), 2);
}
