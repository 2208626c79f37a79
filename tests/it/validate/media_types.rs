//! Media types of bodies, and bodies that nobody asked for.

use crate::support::gateway::Gateway;
use crate::support::http::{Answer, Client};
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;
use std::time::Instant;

const CONTRACT: &str = "openapi: 3.1.0
info: { title: t, version: '1' }
paths:
  /json:
    post:
      operationId: json
      requestBody: { content: { 'Application/JSON; charset=utf-8': {} } }
      responses: { '200': { description: done } }
  /any:
    post:
      operationId: any
      requestBody: { content: { image/*: {}, '*/*': {} } }
      responses: { '200': { description: done } }
  /upload:
    post:
      operationId: upload
      requestBody: { content: { multipart/form-data: { schema: { type: object, properties: { file: { type: string } } } }, text/*: {}, application/octet-stream: {} } }
      responses: { '200': { description: done } }
  /none:
    get: { operationId: none, responses: { '200': { description: done } } }
    delete: { operationId: remove, responses: { '200': { description: done } } }
    post: { operationId: start, responses: { '200': { description: done } } }
  /needed:
    post:
      operationId: needed
      requestBody: { required: true, content: { application/json: {} } }
      responses: { '200': { description: done } }
";

async fn start(nats: &NatsServer, validate: &str) -> Gateway {
    let operations: String = ["json", "any", "upload", "none", "remove", "start", "needed"]
        .iter()
        .map(|id| format!("  {id}: {{ request: {{ subject: x }}, validate: {validate} }}\n"))
        .collect();
    let yaml = format!("contracts: [{{ file: api.yaml }}]\noperations:\n{operations}");
    let gateway = Gateway::start_unconnected(&nats.url(), &yaml, &[("api.yaml", CONTRACT)]).await;
    gateway.connected().await;
    gateway
}

#[tokio::test]
async fn media_types_are_compared_as_they_are_meant() {
    let nats = NatsServer::start().await;
    let _service = Service::echo(&nats.url(), "x").await;
    let gateway = start(&nats, "enforce").await;
    for (path, content_type, status) in [
        ("/json", "application/json", 200),
        ("/json", "APPLICATION/Json;charset=\"UTF-8\" ; x=y", 200),
        ("/json", "application/json; charset=us-ascii", 200),
        ("/json", "application/json; charset=utf-16", 415),
        ("/json", "application/json; charset=\"iso-8859-1\"", 415),
        ("/json", "application/problem+json", 415),
        ("/json", "application/json; charset", 415),
        ("/json", "application/json, text/plain", 415),
        ("/json", "application", 415),
        ("/json", "*/*", 415),
        ("/json", "", 415),
        ("/any", "image/png", 200),
        ("/any", "application/xml; charset=iso-8859-1", 200),
        ("/any", "nonsense", 415),
        ("/upload", "multipart/form-data; boundary=\"a;b\"", 200),
        ("/upload", "Text/CSV", 200),
        ("/upload", "application/json", 415),
    ] {
        let answer = gateway.send("POST", path, &[("Content-Type", content_type)], b"1").await;
        assert_eq!((answer.status, answer.text() == "1"), (status, status == 200), "{path} {content_type}");
    }
    let twice = [("Content-Type", "application/json"), ("Content-Type", "application/json")];
    assert_eq!(gateway.send("POST", "/json", &twice, b"1").await.status, 415);
    assert_eq!(gateway.send("POST", "/upload", &[], b"\xff\x00").await.body, b"\xff\x00");
}

#[tokio::test]
async fn an_encoding_is_refused_however_it_is_listed() {
    let nats = NatsServer::start().await;
    let _service = Service::echo(&nats.url(), "x").await;
    let gateway = start(&nats, "enforce").await;
    let json = ("Content-Type", "application/json");
    for (lines, status) in [
        (&["gzip"] as &[&str], 415),
        (&["identity, gzip"], 415),
        (&["identity", "br"], 415),
        (&["gzip;q=0"], 415),
        (&["identity, Identity"], 200),
        (&["identity", "identity"], 200),
        (&[""], 200),
    ] {
        let mut headers = vec![json];
        headers.extend(lines.iter().map(|line| ("Content-Encoding", *line)));
        let answer = gateway.send("POST", "/json", &headers, b"1").await;
        assert_eq!(answer.status, status, "{lines:?}");
    }
}

#[tokio::test]
async fn a_body_that_nobody_declares_is_refused_unless_it_says_nothing() {
    let nats = NatsServer::start().await;
    let service = Service::echo(&nats.url(), "x").await;
    let gateway = start(&nats, "enforce").await;
    let json = ("Content-Type", "application/json");
    let long = format!("{{{}}}", " ".repeat(50_000));
    for method in ["GET", "DELETE", "POST"] {
        for (body, status) in [
            ("", 200),
            ("{}", 200),
            (" { } \r\n", 200),
            ("null", 200),
            ("\"\"", 200),
            ("[]", 200),
            ("{\"id\":1}", 415),
            ("0", 415),
            ("nul", 415),
            ("{}{}", 415),
            (long.as_str(), 415),
        ] {
            let answer = gateway.send(method, "/none", &[json], body.as_bytes()).await;
            assert_eq!(answer.status, status, "{method} {body:.40}");
            if status == 415 {
                assert_eq!(answer.problem(), ("unsupported_media_type", "not_executed"));
                assert_eq!(answer.json()["detail"], "this operation takes no body");
            }
        }
    }
    assert!(service.seen().iter().all(|message| message.payload.is_empty()));
    let chunked = chunked(&gateway, "/none", b"{\"id\": 1}").await;
    assert_eq!(chunked.status, 415);
}

async fn chunked(gateway: &Gateway, path: &str, body: &[u8]) -> Answer {
    let mut client = Client::connect(&gateway.url).await;
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n",
        body.len()
    );
    client.write(&[head.as_bytes(), body, b"\r\n0\r\n\r\n"].concat()).await;
    client.answer("POST", Instant::now()).await
}

#[tokio::test]
async fn where_the_contract_is_not_enforced_bodies_pass() {
    let nats = NatsServer::start().await;
    let _service = Service::echo(&nats.url(), "x").await;
    for validate in ["log", "off"] {
        let gateway = start(&nats, validate).await;
        for (method, path, headers, body) in [
            ("POST", "/json", &[("Content-Type", "text/csv")] as &[(&str, &str)], "a,b"),
            ("POST", "/json", &[("Content-Type", "application/json; charset=utf-16")], "1"),
            ("POST", "/json", &[("Content-Type", "nonsense")], "1"),
            ("DELETE", "/none", &[], "{\"id\":1}"),
            ("DELETE", "/none", &[], " {}"),
            ("POST", "/none", &[("Content-Type", "text/csv")], "a,b"),
            ("POST", "/needed", &[], ""),
        ] {
            let answer = gateway.send(method, path, headers, body.as_bytes()).await;
            assert_eq!(
                (answer.status, answer.text().as_str()),
                (200, body),
                "{validate} {method} {path} {headers:?}"
            );
        }
        let encoded = gateway.send("POST", "/json", &[("Content-Encoding", "gzip")], b"x").await;
        assert_eq!(encoded.status, 415, "{validate}");
    }
}
