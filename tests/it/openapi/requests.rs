//! Every problem that a request to a service can end with, provoked, and held against the document.

use std::collections::BTreeSet;
use std::time::Instant;

use async_nats::HeaderMap;
use serde_json::json;

use super::kept::Document;
use super::{demo, package, published_of};
use crate::support::gateway::Gateway;
use crate::support::http::{Answer, Client};
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;
use crate::support::streams::Streams;

const ID: &str = "assignUserRole";
const PATH: &str = "/users/ada/roles";
const SUBJECT: &str = "auth.users.roles.assign";
const JSON: (&str, &str) = ("Content-Type", "application/json");
const BODY: &[u8] = b"{\"roleId\": \"editor\"}";

/// A service that does what the role says: `418` is an error without a body, `404 x` one with, others are replies.
async fn service(nats: &NatsServer) -> Service {
    Service::start(&nats.url(), SUBJECT, |message| {
        let asked: serde_json::Value = serde_json::from_slice(&message.payload).expect("JSON");
        let asked = asked["roleIDs"][0].as_str().expect("a role").to_owned();
        let mut headers = HeaderMap::new();
        let (code, body) = asked.split_once(' ').unwrap_or((asked.as_str(), ""));
        match code.parse::<u16>() {
            Ok(code) => {
                headers.insert("Nats-Service-Error-Code", code.to_string().as_str());
                headers.insert("Nats-Service-Error", "no");
                let body =
                    if body.is_empty() { String::new() } else { json!({ "message": body }).to_string() };
                Some((headers, body.into()))
            }
            Err(_) if code == "silent" => None,
            Err(_) if code == "odd" => Some((headers, "no JSON".into())),
            Err(_) => {
                Some((headers, json!({ "success": code == "editor", "message": "ok" }).to_string().into()))
            }
        }
    })
    .await
}

struct Setup {
    gateway: Gateway,
    document: Document,
    told: BTreeSet<String>,
}

impl Setup {
    fn of(gateway: Gateway) -> Setup {
        let document = Document::of(&gateway);
        Setup { gateway, document, told: BTreeSet::new() }
    }

    fn hold(&mut self, answer: &Answer, status: u16, code: &str) {
        assert_eq!(answer.status, status, "{}", answer.text());
        assert_eq!(answer.header("natsgate-code").unwrap_or_default(), code, "{}", answer.text());
        self.document.speaks_of(ID, answer);
        self.told.insert(code.to_owned());
    }

    async fn role(&mut self, role: &str, status: u16, code: &str) {
        let body = json!({ "roleId": role }).to_string();
        let answer = self.gateway.send("POST", PATH, &[JSON], body.as_bytes()).await;
        self.hold(&answer, status, code);
    }

    async fn send(&mut self, path: &str, headers: &[(&str, &str)], body: &[u8], status: u16, code: &str) {
        let answer = self.gateway.send("POST", path, headers, body).await;
        self.hold(&answer, status, code);
    }
}

#[tokio::test]
async fn every_answer_to_a_request_is_in_the_document() {
    let nats = NatsServer::start().await;
    let _service = service(&nats).await;
    let mut setup = Setup::of(Gateway::start(&nats.url(), &demo()).await);
    setup.role("editor", 200, "").await;
    setup.role("emperor", 422, "").await;
    setup.role("404 nobody", 404, "").await;
    setup.role("404", 502, "bad_reply").await;
    setup.role("418", 418, "service_error").await;
    setup.role("silent", 504, "timeout").await;
    setup.role("odd", 502, "bad_reply").await;
    setup.send(PATH, &[JSON], b"{", 400, "malformed_body").await;
    setup.send(PATH, &[JSON], b"{\"roleId\": 5}", 422, "invalid_body").await;
    setup.send(&format!("/users/{}/roles", "a".repeat(65)), &[JSON], BODY, 400, "invalid_parameter").await;
    setup.send("/users/%FF/roles", &[JSON], BODY, 400, "invalid_parameter").await;
    setup.send(PATH, &[JSON, ("Accept", "text/html")], BODY, 406, "not_acceptable").await;
    setup.send(PATH, &[("Content-Type", "text/plain")], BODY, 415, "unsupported_media_type").await;
    setup.send(PATH, &[JSON, ("Content-Encoding", "gzip")], BODY, 415, "unsupported_media_type").await;
    setup.send(PATH, &[JSON], &vec![b' '; 70_000], 413, "body_too_large").await;
    setup.send(&format!("{PATH}?{}", "q".repeat(9000)), &[JSON], BODY, 414, "uri_too_long").await;
    setup.send(PATH, &[JSON, ("X-Long", &"h".repeat(66_000))], BODY, 431, "headers_too_large").await;
    setup.send(PATH, &[JSON, ("Expect", "more")], BODY, 417, "expectation_failed").await;
    setup.send(PATH, &[JSON, ("Host", "another")], BODY, 400, "malformed_request").await;
    let mut slow = Client::connect(&setup.gateway.url).await;
    slow.write(
        format!(
            "POST {PATH} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{{"
        )
        .as_bytes(),
    )
    .await;
    let answer = slow.answer("POST", Instant::now()).await;
    setup.hold(&answer, 408, "request_timeout");
    setup.gateway.inner.close();
    setup.send(PATH, &[JSON], BODY, 503, "draining").await;
    assert_eq!(setup.told.len(), 16, "{:?}", setup.told);
}

#[tokio::test]
async fn what_nats_says_is_in_the_document() {
    let mut nats = NatsServer::start().await;
    let mut setup = Setup::of(Gateway::start(&nats.url(), &demo()).await);
    setup.send(PATH, &[JSON], BODY, 503, "no_responders").await;
    let _service = Service::silent(&nats.url(), SUBJECT).await;
    let url = setup.gateway.url.clone();
    let waits =
        tokio::spawn(async move { Client::connect(&url).await.send("POST", PATH, &[JSON], BODY).await });
    while setup.gateway.waiting() == 0 {
        tokio::task::yield_now().await;
    }
    nats.kill();
    let answer = waits.await.expect("an answer");
    setup.hold(&answer, 504, "connection_lost");
    let nowhere = Gateway::start_unconnected("nats://127.0.0.1:1", &demo(), &[]).await;
    let mut setup = Setup::of(nowhere);
    setup.send(PATH, &[JSON], BODY, 503, "nats_unavailable").await;
}

#[tokio::test]
async fn a_stream_in_place_of_a_service_is_in_the_document() {
    let nats = NatsServer::start().await;
    Streams::of(&nats.url()).await.create("ALL", &["auth.>"], json!({})).await;
    let mut setup = Setup::of(Gateway::start(&nats.url(), &demo()).await);
    setup.send(PATH, &[JSON], BODY, 502, "captured_by_stream").await;
}

#[tokio::test]
async fn limits_and_permissions_are_in_the_document() {
    let nats = NatsServer::with(&format!(
        "authorization {{ users [ {{ user: gw, password: pw, permissions {{ publish {{ deny: [\"{SUBJECT}\"] }} }} }} ] }}"
    ))
    .await;
    let contract = package("openapi/common.yaml").display().to_string();
    let yaml = format!(
        "nats:\n  user: gw\n  password: pw\ncontracts: [{{ file: {contract} }}]\noperations:\n  {ID}:\n    \
         limits: {{ rate: 2/h, per: ip }}\n    request: {{ subject: {SUBJECT} }}\n"
    );
    let mut setup = Setup::of(Gateway::start(&nats.url(), &yaml).await);
    setup.send(PATH, &[JSON], BODY, 500, "misconfigured").await;
    setup.send(PATH, &[JSON], BODY, 500, "misconfigured").await;
    setup.send(PATH, &[JSON], BODY, 429, "rate_limited").await;
}

#[tokio::test]
async fn an_error_without_a_body_has_any_status() {
    let nats = NatsServer::start().await;
    let contract = package("openapi/common.yaml").display().to_string();
    let yaml = format!(
        "contracts: [{{ file: {contract} }}]\noperations:\n  {ID}:\n    limits: {{ in_flight: 1 }}\n    \
         request: {{ subject: {SUBJECT}, payload: {{ roleIDs: [\"${{body.roleId}}\"] }} }}\n"
    );
    let _service = service(&nats).await;
    let mut setup = Setup::of(Gateway::start(&nats.url(), &yaml).await);
    for status in [404, 418, 422, 503, 599] {
        setup.role(&status.to_string(), status, "service_error").await;
    }
    let url = setup.gateway.url.clone();
    let waits = tokio::spawn(async move {
        Client::connect(&url).await.send("POST", PATH, &[JSON], b"{\"roleId\": \"silent\"}").await
    });
    while setup.gateway.waiting() == 0 {
        tokio::task::yield_now().await;
    }
    setup.role("editor", 503, "overloaded").await;
    assert_eq!(waits.await.expect("an answer").status, 504);
}

#[tokio::test]
async fn what_a_service_answers_that_nobody_describes_is_in_the_document() {
    let nats = NatsServer::start().await;
    let _service = Service::start(&nats.url(), "files.*", |message| {
        let mut headers = HeaderMap::new();
        let body = match message.subject.split('.').nth(1) {
            Some("text") => {
                headers.insert("Content-Type", "text/csv");
                "a,b"
            }
            Some("made") => {
                headers.insert("Natsgate-Status", "201");
                "{}"
            }
            // One status that the gateway has problems of, and one that it has none of.
            Some(code @ ("400" | "404")) => {
                headers.insert("Nats-Service-Error-Code", code);
                "{\"error\": \"no\"}"
            }
            _ => "[1]",
        };
        Some((headers, body.into()))
    })
    .await;
    let yaml = "operations:\n  GET /files/{name}: { request: { subject: \"files.${path.name}\" } }\n";
    let gateway = Gateway::start(&nats.url(), yaml).await;
    let document = Document::of(&gateway);
    for (name, status) in [("json", 200), ("text", 200), ("made", 201), ("400", 400), ("404", 404)] {
        let answer = gateway.send("GET", &format!("/files/{name}"), &[], b"").await;
        assert_eq!(answer.status, status, "{}", answer.text());
        document.speaks_of("getFilesByName", &answer);
    }
}

#[test]
fn answers_to_head_have_no_body_in_the_document() {
    let yaml = "operations:\n  HEAD /files/{name}: { request: { subject: \"files.${path.name}\" } }\n";
    let document = published_of(yaml, &[]);
    let responses = document["paths"]["/files/{name}"]["head"]["responses"].as_object().expect("responses");
    assert!(responses.contains_key("200") && responses.contains_key("503"));
    for (status, response) in responses {
        assert!(response.get("$ref").is_none() && response.get("content").is_none(), "{status}: {response}");
    }
}
