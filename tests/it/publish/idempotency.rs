//! The same message twice: stored once, and every answer true.

use async_nats::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{JOBS, Jobs, jobs_with, keyed, problem, receipt};
use crate::support::gateway::Gateway;
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;
use crate::support::streams::Streams;

#[tokio::test]
async fn the_same_key_is_stored_once() {
    let jobs = Jobs::start(json!({}), JOBS).await;
    jobs.post("{}").await;
    let first = jobs.keyed("k-1", "{}").await;
    assert_eq!(receipt(&first), (2, false));
    assert_eq!(first.header("idempotent-replayed"), None);
    // A quoted key is the same key.
    for key in ["k-1", "\"k-1\""] {
        let again = jobs.keyed(key, "{}").await;
        assert_eq!((again.status, receipt(&again)), (202, (2, true)));
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(again.header("natsgate-idempotency"), None);
        assert_eq!(again.json()["id"], first.json()["id"]);
    }
    assert_eq!(jobs.streams.count("JOBS").await, 2);
}

#[tokio::test]
async fn the_same_key_for_another_request_is_a_mistake() {
    let yaml = format!("{JOBS}  PUT /jobs/{{id}}: {{ publish: {{ subject: jobs.put, stream: JOBS }} }}\n");
    let jobs = Jobs::start(json!({}), &yaml).await;
    assert_eq!(receipt(&jobs.keyed("k", "{}").await), (1, false));
    let put = async |path: &str, body: &str| {
        jobs.gateway.send("PUT", path, &[("Idempotency-Key", "k")], body.as_bytes()).await
    };
    assert_eq!(receipt(&put("/jobs/1", "{}").await), (2, false), "another operation, another key space");
    for other in [
        jobs.keyed("k", "{ }").await,
        keyed(&jobs.gateway, "/jobs?x=1", "k", "{}").await,
        put("/jobs/2", "{}").await,
        put("/jobs/1?", "x").await,
    ] {
        assert_eq!(problem(&other), (422, "idempotency_mismatch", "not_executed"));
        assert_eq!(other.json()["retryable"], false);
    }
    assert_eq!(receipt(&put("/jobs/1", "{}").await), (2, true));
    assert_eq!(jobs.streams.count("JOBS").await, 2);
}

#[tokio::test]
async fn a_key_that_is_none_is_refused() {
    let jobs = Jobs::start(json!({}), JOBS).await;
    let long = "x".repeat(256);
    for key in ["", "\"\"", "a b", "caf\u{e9}", &long] {
        let refused = jobs.keyed(key, "{}").await;
        assert_eq!(problem(&refused), (400, "idempotency_key_required", "not_executed"), "{key:?}");
        assert_eq!(refused.json()["errors"][0]["parameter"], "Idempotency-Key");
    }
    let two = [("Idempotency-Key", "a"), ("Idempotency-Key", "a")];
    let refused = jobs.gateway.send("POST", "/jobs", &two, b"{}").await;
    assert_eq!(problem(&refused), (400, "idempotency_key_required", "not_executed"));
    assert_eq!(jobs.streams.count("JOBS").await, 0);
}

#[tokio::test]
async fn a_key_can_be_required_or_ignored() {
    let jobs = Jobs::start(json!({}), &jobs_with("idempotency: required")).await;
    let refused = jobs.post("{}").await;
    assert_eq!(problem(&refused), (400, "idempotency_key_required", "not_executed"));
    assert_eq!(receipt(&jobs.keyed("k", "{}").await), (1, false));

    let jobs = Jobs::start(json!({}), &jobs_with("idempotency: off")).await;
    for sequence in 1..=2 {
        assert_eq!(receipt(&jobs.keyed("not even a key", "{}").await), (sequence, false));
    }
}

#[tokio::test]
async fn the_operator_says_what_is_the_same() {
    let jobs = Jobs::start(json!({}), &jobs_with(r#"message_id: ["${body.a}", "${body.b}"]"#)).await;
    let bodies = [r#"{"a":"x","b":"y"}"#, r#"{"a":"x:y","b":""}"#, r#"{"a":"","b":"x:y"}"#];
    for (body, sequence) in bodies.into_iter().zip(1..) {
        assert_eq!(receipt(&jobs.post(body).await), (sequence, false), "{body}");
    }
    let again = jobs.post(bodies[0]).await;
    assert_eq!((receipt(&again), again.header("idempotent-replayed")), ((1, true), Some("true")));
    assert_eq!(again.json()["id"], "POST%20/jobs:x:y");
    let other = jobs.post(r#"{"a":"x","b":"y","c":1}"#).await;
    assert_eq!(problem(&other), (422, "idempotency_mismatch", "not_executed"));
    // What the operator says counts, whatever key the client sends.
    assert_eq!(receipt(&jobs.keyed("k", bodies[0]).await), (1, true));
    let missing = jobs.post(r#"{"a":"x"}"#).await;
    assert_eq!(problem(&missing), (400, "malformed_body", "not_executed"));
    assert_eq!(jobs.streams.count("JOBS").await, 3);
}

#[tokio::test]
async fn two_operations_never_share_an_id() {
    let nats = NatsServer::start().await;
    let streams = Streams::of(&nats.url()).await;
    streams.create("JOBS", &["jobs.>"], json!({})).await;
    let operation = |name: &str| {
        format!(
            "  {name}: {{ publish: {{ subject: jobs.new, stream: JOBS, message_id: [\"${{query.id}}\"] }} }}\n"
        )
    };
    let yaml = ["POST /a", "POST /b", "PUT /a"].map(operation).concat();
    let gateway = Gateway::start(&nats.url(), &format!("operations:\n{yaml}")).await;
    for (method, path, sequence) in [("POST", "/a", 1), ("POST", "/b", 2), ("PUT", "/a", 3)] {
        let answer = gateway.send(method, &format!("{path}?id=1"), &[], b"{}").await;
        assert_eq!(receipt(&answer), (sequence, false));
    }
}

#[tokio::test]
async fn a_repetition_after_the_work_was_done_succeeds_unverified() {
    let jobs = Jobs::start(json!({ "retention": "workqueue" }), JOBS).await;
    assert_eq!(receipt(&jobs.keyed("k", "{}").await), (1, false));
    jobs.streams.remove("JOBS", 1).await;
    let again = jobs.keyed("k", "{}").await;
    assert_eq!((again.status, receipt(&again)), (202, (1, true)));
    assert_eq!(again.header("natsgate-idempotency"), Some("unverified"));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(jobs.streams.count("JOBS").await, 0, "and the work is not done again");
}

#[tokio::test]
async fn after_the_window_it_is_another_message() {
    let jobs = Jobs::start(json!({ "duplicate_window": 100_000_000 }), JOBS).await;
    assert_eq!(receipt(&jobs.keyed("k", "{}").await), (1, false));
    assert_eq!(receipt(&jobs.keyed("k", "{}").await), (1, true));
    // The server forgets ids in rounds of its own.
    let until = tokio::time::Instant::now() + std::time::Duration::from_secs(5);
    while receipt(&jobs.keyed("k", "{}").await).1 {
        assert!(tokio::time::Instant::now() < until, "the window never ended");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(jobs.streams.count("JOBS").await, 2);
}

#[tokio::test]
async fn a_message_of_another_writer_under_our_id_is_not_called_verified() {
    let jobs = Jobs::start(json!({}), &jobs_with(r#"message_id: ["${body.a}"]"#)).await;
    let mut headers = HeaderMap::new();
    headers.insert("Nats-Msg-Id", "POST%20/jobs:1");
    let client = jobs.nats.client().await;
    client.publish_with_headers("jobs.other", headers, "{}".into()).await.expect("published");
    jobs.streams.holds("JOBS", 1).await;
    let answer = jobs.post(r#"{"a":1}"#).await;
    assert_eq!(receipt(&answer), (1, true));
    assert_eq!(answer.header("natsgate-idempotency"), Some("unverified"));
}

#[tokio::test]
async fn somebody_elses_message_is_never_taken_for_the_original() {
    let other = STANDARD.encode("NATS/1.0\r\nNats-Msg-Id: other\r\nNatsgate-Fingerprint: other\r\n\r\n");
    let reply = json!({ "message": { "subject": "jobs.new", "seq": 1, "hdrs": other } }).to_string();
    // A stream of the same name in another place: what its API finds under the sequence is another message.
    let yaml = format!("nats:\n  jetstream: {{ api_prefix: elsewhere.API }}\n{JOBS}");
    let jobs = Jobs::start(json!({}), &yaml).await;
    let _elsewhere = Service::start(&jobs.nats.url(), "elsewhere.API.STREAM.MSG.GET.JOBS", move |_| {
        Some((HeaderMap::new(), reply.clone().into()))
    })
    .await;
    assert_eq!(receipt(&jobs.keyed("k", "{}").await), (1, false));
    let again = jobs.keyed("k", "{}").await;
    assert_eq!(receipt(&again), (1, true));
    assert_eq!(again.header("natsgate-idempotency"), Some("unverified"));
}
