//! Stored: the answer, and the message.

use serde_json::json;

use super::{JOBS, Jobs, jobs_with, receipt};
use crate::support::gateway::Gateway;
use crate::support::nats_server::NatsServer;
use crate::support::streams::Streams;

const CONTRACT: &str = r#"
openapi: 3.1.0
info: { title: t, version: "1" }
paths:
  /jobs:
    post:
      operationId: createJob
      requestBody: { content: { application/json: { schema: { type: object } } } }
      responses:
        "201": { description: made, content: { application/vnd.job+json: {} } }
        "503": { description: later }
  /two:
    post:
      operationId: createTwo
      responses: { "200": { description: a }, "201": { description: b } }
"#;

#[tokio::test]
async fn the_receipt_is_what_the_stream_said() {
    let jobs = Jobs::start(json!({}), JOBS).await;
    let answer = jobs.post("{}").await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let kept = &jobs.streams.messages("JOBS").await[0];
    let id = kept.header("Nats-Msg-Id").expect("every message has an id");
    let request = answer.header("natsgate-request-id").expect("every answer has one");
    assert_eq!(id, format!("POST%20/jobs:request:{request}"));
    let receipt = format!(r#"{{"id":"{id}","stream":"JOBS","sequence":1,"duplicate":false}}"#);
    assert_eq!(answer.text(), receipt);
    assert_eq!(answer.header("idempotent-replayed"), None);
    assert_eq!(answer.header("natsgate-idempotency"), None);
}

#[tokio::test]
async fn the_contracts_only_success_is_the_status() {
    let nats = NatsServer::start().await;
    Streams::of(&nats.url()).await.create("JOBS", &["jobs.>"], json!({})).await;
    let yaml = "contracts: [{ file: contract.yaml }]
operations:
  createJob: { publish: { subject: jobs.new, stream: JOBS } }
  createTwo: { publish: { subject: jobs.two, stream: JOBS } }
";
    let gateway = Gateway::start_unconnected(&nats.url(), yaml, &[("contract.yaml", CONTRACT)]).await;
    gateway.connected().await;
    let made = gateway.post("/jobs", "{}").await;
    assert_eq!(receipt(&made), (1, false));
    assert_eq!(made.status, 201);
    let two = gateway.post("/two", "").await;
    assert_eq!(receipt(&two), (2, false));
    assert_eq!(two.status, 202, "the contract leaves it open");
}

#[tokio::test]
async fn a_case_answers_with_what_the_stream_said() {
    let reply = "    reply:
      - when: ${ack.duplicate}
        status: 208
        body: { again: \"${ack.sequence}\" }
      - status: 200
        headers: { X-Stream: \"${ack.stream}\" }
        body: { ok: true, at: \"${ack.sequence}\", of: \"${body.name}\", text: \"#${ack.sequence}\" }
";
    let jobs = Jobs::start(json!({}), &format!("{JOBS}{reply}")).await;
    let answer = jobs.keyed("k", r#"{"name":"a"}"#).await;
    assert_eq!((answer.status, answer.header("x-stream")), (200, Some("JOBS")));
    assert_eq!(answer.text(), r##"{"ok":true,"at":1,"of":"a","text":"#1"}"##);
    let again = jobs.keyed("k", r#"{"name":"a"}"#).await;
    assert_eq!((again.status, again.text().as_str()), (208, r#"{"again":1}"#));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
}

#[tokio::test]
async fn a_message_carries_its_origin_and_no_deadline() {
    let jobs = Jobs::start(json!({}), JOBS).await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let headers = [("Content-Type", "application/json"), ("traceparent", trace), ("tracestate", "vendor=1")];
    let answer = jobs.gateway.send("POST", "/jobs", &headers, b"{}").await;
    let kept = &jobs.streams.messages("JOBS").await[0];
    assert_eq!(
        kept.header_names(),
        [
            "Content-Type",
            "Nats-Expected-Stream",
            "Nats-Msg-Id",
            "Natsgate-Request-Id",
            "traceparent",
            "tracestate"
        ]
    );
    assert_eq!(kept.header("Natsgate-Request-Id"), answer.header("natsgate-request-id"));
    assert_eq!(kept.header("Nats-Expected-Stream"), Some("JOBS"));
    assert_eq!(kept.header("Content-Type"), Some("application/json"));
    assert_eq!(kept.header("tracestate"), Some("vendor=1"));
    let parent = kept.header("traceparent").expect("a trace");
    assert!(parent.starts_with("00-0af7651916cd43dd8448eb211c80319c-") && parent != trace, "{parent}");
}

#[tokio::test]
async fn what_a_client_says_in_our_vocabulary_stays_outside() {
    let jobs = Jobs::start(
        json!({ "allow_rollup_hdrs": true, "allow_msg_ttl": true }),
        &jobs_with("forward_headers: [X-Tag]"),
    )
    .await;
    jobs.post("1").await;
    let mut headers = vec![("Content-Type", "application/json"), ("x-tag", "a"), ("X-Tag", "b")];
    for name in [
        "Nats-Rollup",
        "nats-rollup",
        "NATS-ROLLUP",
        "Nats-Msg-Id",
        "nats-msg-id",
        "Nats-Expected-Stream",
        "Nats-Expected-Last-Sequence",
        "Nats-TTL",
        "Nats-Schedule",
        "Nats-Incr",
        "Natsgate-Fingerprint",
        "natsgate-request-id",
    ] {
        headers.push((name, "all"));
    }
    let answer = jobs.gateway.send("POST", "/jobs", &headers, b"2").await;
    assert_eq!(receipt(&answer), (2, false));
    let kept = jobs.streams.messages("JOBS").await;
    assert_eq!(kept.len(), 2, "a rollup would have removed the first");
    let expected = [
        "Content-Type",
        "Nats-Expected-Stream",
        "Nats-Msg-Id",
        "Natsgate-Request-Id",
        "X-Tag",
        "traceparent",
    ];
    assert_eq!(kept[1].header_names(), expected);
    for name in expected {
        assert_ne!(kept[1].header(name), Some("all"), "{name}");
    }
    assert_eq!(kept[1].header_values("X-Tag"), ["a", "b"]);
}

#[tokio::test]
async fn subject_payload_and_headers_are_rendered() {
    let yaml = r#"operations:
  DELETE /infra/{userhash}/{testId}:
    publish:
      subject: jobs.${path.userhash}.delete
      stream: JOBS
      payload: { candidateId: "${path.userhash}", testId: "${path.testId}", n: 1.5, note: "${query.?note}" }
      headers: { X-Reason: "because ${query.why}" }
"#;
    let jobs = Jobs::start(json!({}), yaml).await;
    let answer = jobs.gateway.delete("/infra/3f9a/a%20b?why=done").await;
    assert_eq!(receipt(&answer), (1, false));
    let kept = &jobs.streams.messages("JOBS").await[0];
    assert_eq!((kept.subject.as_str(), kept.sequence), ("jobs.3f9a.delete", 1));
    assert_eq!(&kept.payload[..], br#"{"candidateId":"3f9a","testId":"a b","n":1.5}"#);
    assert_eq!(kept.json()["testId"], "a b");
    assert_eq!(kept.header("X-Reason"), Some("because done"));
    for path in ["/infra/a.b/x", "/infra/*/x", "/infra/%3E/x", "/infra/%20/x", "/infra/%0d%0a/x"] {
        let refused = jobs.gateway.delete(&format!("{path}?why=done")).await;
        assert_eq!(super::problem(&refused), (400, "invalid_parameter", "not_executed"), "{path}");
    }
    assert_eq!(jobs.streams.count("JOBS").await, 1);
}
