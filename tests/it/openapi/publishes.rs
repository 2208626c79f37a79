//! Every answer to a publish, provoked, and held against the document.

use serde_json::{Value, json};

use super::demo;
use super::kept::Document;
use crate::support::gateway::Gateway;
use crate::support::http::Answer;
use crate::support::nats_server::NatsServer;
use crate::support::streams::Streams;

const ID: &str = "deleteStack";

fn held(document: &Document, operation: &str, answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(answer.header("natsgate-code").unwrap_or_default(), code, "{}", answer.text());
    document.speaks_of(operation, answer);
}

async fn with_stream(more: Value) -> (NatsServer, Streams, Gateway, Document) {
    let nats = NatsServer::start().await;
    let streams = Streams::of(&nats.url()).await;
    streams.create("STACKS", &["stack.delete"], more).await;
    let gateway = Gateway::start(&nats.url(), &demo()).await;
    let document = Document::of(&gateway);
    (nats, streams, gateway, document)
}

#[tokio::test]
async fn successes_and_repetitions_are_in_the_document() {
    let (_nats, streams, gateway, document) = with_stream(json!({})).await;
    let send = async |path: &str, headers: &[(&str, &str)], body: &[u8]| {
        gateway.send("DELETE", path, headers, body).await
    };
    held(&document, ID, &send("/infra/a/b", &[], b"").await, 200, "");
    let key = [("Idempotency-Key", "one")];
    held(&document, ID, &send("/infra/a/b", &key, b"").await, 200, "");
    let again = send("/infra/a/b", &key, b"").await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    held(&document, ID, &again, 200, "");
    held(&document, ID, &send("/infra/a/c", &key, b"").await, 422, "idempotency_mismatch");
    streams.remove("STACKS", 2).await;
    let gone = send("/infra/a/b", &key, b"").await;
    assert_eq!(gone.header("natsgate-idempotency"), Some("unverified"));
    held(&document, ID, &gone, 200, "");
    held(
        &document,
        ID,
        &send("/infra/a/b", &[("Idempotency-Key", "a b")], b"").await,
        400,
        "idempotency_key_required",
    );
    held(&document, ID, &send("/infra/a/b", &[], &[b'x'; 80]).await, 415, "unsupported_media_type");
    held(&document, ID, &send("/infra/%00/b", &[], b"").await, 400, "invalid_parameter");
    held(
        &document,
        ID,
        &send(&format!("/infra/{}/b", "a".repeat(129)), &[], b"").await,
        400,
        "invalid_parameter",
    );
    held(&document, ID, &send("/infra/a/b", &[("Accept", "image/png")], b"").await, 406, "not_acceptable");
    streams.update("STACKS", &["stack.delete"], json!({ "sealed": true })).await;
    held(&document, ID, &send("/infra/a/b", &[], b"").await, 500, "misconfigured");
}

#[tokio::test]
async fn what_a_stream_refuses_is_in_the_document() {
    let (_nats, _streams, gateway, document) = with_stream(json!({ "max_msg_size": 4 })).await;
    held(&document, ID, &gateway.delete("/infra/a/b").await, 413, "message_too_large");
    let one = json!({ "discard": "new", "discard_new_per_subject": true, "max_msgs_per_subject": 1 });
    let (_nats, _streams, gateway, document) = with_stream(one).await;
    held(&document, ID, &gateway.delete("/infra/a/b").await, 200, "");
    held(&document, ID, &gateway.delete("/infra/a/b").await, 409, "subject_full");
}

#[tokio::test]
async fn what_a_case_rewrites_has_its_own_shape_in_the_document() {
    let full = json!({ "discard": "new", "max_msgs": 1 });
    let (_nats, _streams, gateway, document) = with_stream(full).await;
    held(&document, ID, &gateway.delete("/infra/a/b").await, 200, "");
    let answer = gateway.delete("/infra/a/b").await;
    assert_eq!(answer.json()["success"], false);
    held(&document, ID, &answer, 200, "stream_full");

    let nats = NatsServer::start().await;
    let gateway = Gateway::start(&nats.url(), &demo()).await;
    held(&document, ID, &gateway.delete("/infra/a/b").await, 200, "stream_unavailable");
    let gateway = Gateway::start_unconnected("nats://127.0.0.1:1", &demo(), &[]).await;
    let answer = gateway.delete("/infra/a/b").await;
    assert_eq!(answer.header("retry-after"), Some("2"), "the headers keep the truth");
    held(&document, ID, &answer, 200, "nats_unavailable");
    let responses = document.operation(ID)["responses"].as_object().expect("responses");
    assert!(
        !responses.contains_key("504"),
        "every problem of this status is rewritten: {:?}",
        responses.keys()
    );
}

#[tokio::test]
async fn without_a_case_a_publish_answers_a_receipt() {
    let nats = NatsServer::start().await;
    Streams::of(&nats.url()).await.create("JOBS", &["jobs.>"], json!({})).await;
    let yaml = "operations:\n  POST /jobs/{kind}:\n    publish: { subject: \"jobs.${path.kind}\", stream: JOBS, idempotency: required }\n";
    let gateway = Gateway::start(&nats.url(), yaml).await;
    let document = Document::of(&gateway);
    let id = "postJobsByKind";
    let key = [("Idempotency-Key", "k"), ("Content-Type", "text/csv")];
    let stored = gateway.send("POST", "/jobs/a", &key, b"a,b").await;
    assert_eq!(stored.json()["stream"], "JOBS");
    held(&document, id, &stored, 202, "");
    held(&document, id, &gateway.post("/jobs/a", "{}").await, 400, "idempotency_key_required");
    held(&document, id, &gateway.send("POST", "/jobs/a.b", &key, b"{}").await, 400, "invalid_parameter");
    let operation = document.operation(id);
    let parameters = operation["parameters"].as_array().expect("parameters");
    let key = parameters.iter().find(|one| one["name"] == "Idempotency-Key").expect("the key");
    assert_eq!(key["required"], true);
    let kind = parameters.iter().find(|one| one["name"] == "kind").expect("the parameter");
    for (token, legal) in [
        ("a", true),
        ("a-b,c/d=~!", true),
        ("a.b", false),
        ("*", false),
        ("", false),
        ("a b", false),
        (">", false),
        ("é", false),
    ] {
        assert_eq!(document.admits(&kind["schema"], &json!(token)).is_ok(), legal, "{token}");
    }
}
