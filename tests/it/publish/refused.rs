//! Refused, or never heard of again: one row of the problem table each, and nothing stored that was called refused.

use std::time::Duration;

use serde_json::{Value, json};

use super::{JOBS, Jobs, jobs_with, problem, receipt};
use crate::support::gateway::Gateway;
use crate::support::http::Answer;
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;
use crate::support::streams::Streams;

fn retry_after(answer: &Answer) -> Option<u64> {
    assert_eq!(answer.json()["retryable"], answer.header("retry-after").is_some());
    answer.header("retry-after").and_then(|seconds| seconds.parse().ok())
}

#[tokio::test]
async fn a_missing_stream_is_unavailable_after_the_time_that_messages_are_held() {
    let nats = NatsServer::start().await;
    let gateway = Gateway::start(&nats.url(), &jobs_with("retry_for: 300ms, timeout: 5s")).await;
    let answer = gateway.post("/jobs", "{}").await;
    assert_eq!(problem(&answer), (503, "stream_unavailable", "not_executed"));
    assert_eq!(retry_after(&answer), Some(5));
    assert!(answer.took >= Duration::from_millis(250) && answer.took < Duration::from_secs(2), "{answer:?}");
    let gateway = Gateway::start(&nats.url(), &jobs_with("retry_for: 0s")).await;
    let answer = gateway.post("/jobs", "{}").await;
    assert_eq!(problem(&answer), (503, "stream_unavailable", "not_executed"));
    assert!(answer.took < Duration::from_millis(250), "{answer:?}");
}

#[tokio::test]
async fn a_stream_that_comes_in_time_takes_the_message() {
    let nats = NatsServer::start().await;
    let gateway = Gateway::start(&nats.url(), &jobs_with("retry_for: 4s, timeout: 5s")).await;
    let streams = Streams::of(&nats.url()).await;
    let made = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        streams.create("JOBS", &["jobs.>"], json!({})).await;
    };
    let (answer, ()) = tokio::join!(gateway.post("/jobs", "{}"), made);
    assert_eq!(receipt(&answer), (1, false));
}

#[tokio::test]
async fn a_full_stream_says_so_and_repetitions_still_succeed() {
    for limit in [json!({ "max_msgs": 1 }), json!({ "max_bytes": 600 })] {
        let mut stream = json!({ "discard": "new" });
        stream.as_object_mut().expect("an object").extend(limit.as_object().expect("an object").clone());
        let jobs = Jobs::start(stream, JOBS).await;
        let body = format!("\"{}\"", "x".repeat(150));
        assert_eq!(receipt(&jobs.keyed("k", &body).await), (1, false));
        let answer = jobs.keyed("other", &body).await;
        assert_eq!(problem(&answer), (503, "stream_full", "not_executed"), "{limit}");
        assert_eq!(retry_after(&answer), Some(5));
        assert_eq!(receipt(&jobs.keyed("k", &body).await), (1, true));
        assert_eq!(jobs.streams.count("JOBS").await, 1);
    }
}

#[tokio::test]
async fn a_full_subject_says_so() {
    let limits = json!({ "discard": "new", "discard_new_per_subject": true, "max_msgs_per_subject": 1 });
    let jobs = Jobs::start(limits, JOBS).await;
    assert_eq!(receipt(&jobs.post("{}").await), (1, false));
    let answer = jobs.post("{}").await;
    assert_eq!(problem(&answer), (409, "subject_full", "not_executed"));
    assert_eq!(retry_after(&answer), None);
    assert_eq!(jobs.streams.count("JOBS").await, 1);
}

#[tokio::test]
async fn what_only_an_operator_can_mend_is_misconfigured() {
    let jobs = Jobs::start(json!({}), &jobs_with("retry_for: 4s, timeout: 5s")).await;
    jobs.streams.update("JOBS", &["jobs.>"], json!({ "sealed": true })).await;
    let sealed = jobs.post("{}").await;
    assert_eq!(problem(&sealed), (500, "misconfigured", "not_executed"));
    assert!(sealed.took < Duration::from_secs(1), "held although nothing will change: {sealed:?}");
    assert!(!sealed.text().contains("sealed"), "the cause is for the log: {}", sealed.text());

    let nats = NatsServer::start().await;
    let streams = Streams::of(&nats.url()).await;
    streams.create("OTHERS", &["jobs.>"], json!({})).await;
    streams.create("JOBS", &["nothing"], json!({})).await;
    let gateway = Gateway::start(&nats.url(), JOBS).await;
    let wrong = gateway.post("/jobs", "{}").await;
    assert_eq!(problem(&wrong), (500, "misconfigured", "not_executed"));
    assert_eq!((streams.count("OTHERS").await, streams.count("JOBS").await), (0, 0));
}

#[tokio::test]
async fn a_missing_permission_is_misconfigured_and_not_a_timeout() {
    let nats = NatsServer::with(
        "authorization { users [
            { user: gw, password: pw, permissions { publish { deny: [\"jobs.>\"] } } },
            { user: op, password: pw } ] }",
    )
    .await;
    let yaml = format!("nats:\n  user: gw\n  password: pw\n{JOBS}");
    let gateway = Gateway::start(&nats.url(), &yaml).await;
    let denied = gateway.post("/jobs", "{}").await;
    assert_eq!(problem(&denied), (500, "misconfigured", "not_executed"));
    assert!(denied.took < Duration::from_secs(1), "{denied:?}");
}

#[tokio::test]
async fn a_message_over_a_limit_says_which() {
    let yaml = format!("{}    limits: {{ max_body: 2MiB }}\n", jobs_with("forward_headers: [X-Big]"));
    let jobs = Jobs::start(json!({ "max_msg_size": 1000 }), &yaml).await;
    let large = jobs.post(&format!("\"{}\"", "x".repeat(1000))).await;
    assert_eq!(problem(&large), (413, "message_too_large", "not_executed"));
    // Body and headers together are over what the server takes, the body alone is not.
    let full = jobs.post(&format!("\"{}\"", "x".repeat((1 << 20) - 10))).await;
    assert_eq!(problem(&full), (413, "body_too_large", "not_executed"));
    assert_eq!(jobs.gateway.inner.nats().status().reconnects, 0, "the connection stays up");
    let over = jobs.post(&format!("\"{}\"", "x".repeat(1 << 20))).await;
    assert_eq!(problem(&over), (413, "body_too_large", "not_executed"));
    let header = "x".repeat(66_000);
    let headers = jobs.gateway.send("POST", "/jobs", &[("X-Big", header.as_str())], b"{}").await;
    assert_eq!(problem(&headers), (431, "headers_too_large", "not_executed"));
    assert_eq!(jobs.streams.count("JOBS").await, 0);
    assert_eq!(receipt(&jobs.post("{}").await), (1, false));
}

#[tokio::test]
async fn a_head_that_nobody_reads_is_refused_by_the_server_itself() {
    let jobs = Jobs::start(json!({}), JOBS).await;
    let header = "x".repeat(600_000);
    let answer = jobs.gateway.send("POST", "/jobs", &[("X-Big", header.as_str())], b"{}").await;
    assert_eq!(answer.status, 431);
    assert_eq!(jobs.streams.count("JOBS").await, 0);
}

#[tokio::test]
async fn a_stream_that_never_acknowledges_is_a_timeout_and_unknown() {
    let jobs = Jobs::start(json!({ "no_ack": true }), &jobs_with("timeout: 400ms")).await;
    let answer = jobs.post("{}").await;
    assert_eq!(problem(&answer), (504, "timeout", "unknown"));
    assert_eq!(answer.json()["retryable"], false, "a repetition would be another message");
    assert!(answer.took >= Duration::from_millis(390) && answer.took < Duration::from_secs(2), "{answer:?}");
    let keyed = jobs.keyed("k", "{}").await;
    assert_eq!(problem(&keyed), (504, "timeout", "unknown"));
    assert_eq!(keyed.json()["retryable"], true, "the stream removes the duplicate");
    assert_eq!(jobs.gateway.waiting(), 0);
}

#[tokio::test]
async fn an_account_without_jetstream_is_unavailable() {
    let nats = NatsServer::with(
        "accounts { APP { users [{ user: app, password: pw }] }, SYS { users [{ user: s, password: s }] } }
        system_account: SYS",
    )
    .await;
    let yaml = format!("nats:\n  user: app\n  password: pw\n{JOBS}");
    let gateway = Gateway::start(&nats.url(), &yaml).await;
    let answer = gateway.post("/jobs", "{}").await;
    assert_eq!(problem(&answer), (503, "stream_unavailable", "not_executed"));
}

#[tokio::test]
async fn somebody_elses_reply_is_no_acknowledgement() {
    let nats = NatsServer::start().await;
    let _service = Service::saying(&nats.url(), "jobs.new", "{\"ok\":true}").await;
    let gateway = Gateway::start(&nats.url(), JOBS).await;
    let answer = gateway.post("/jobs", "{}").await;
    assert_eq!(problem(&answer), (502, "bad_reply", "unknown"));
}

#[tokio::test]
async fn a_problem_case_speaks_to_legacy_clients_and_the_headers_keep_the_truth() {
    let case = "    problem:
      - when: ${problem.code == \"stream_full\"}
        status: 200
        content_type: text/plain
        body: \"failed: ${problem.title}\"
      - when: ${problem.outcome == \"not_executed\"}
        status: 200
        body: { success: false, name: \"${body.?name}\", retry: \"${problem.retryable}\" }
";
    let full = json!({ "discard": "new", "max_msgs": 1, "max_msg_size": 600 });
    let jobs = Jobs::start(full, &format!("{JOBS}{case}")).await;
    jobs.post("{}").await;
    let answer = jobs.post("{\"name\":\"a\"}").await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "failed: Stream full"));
    assert_eq!(answer.header("content-type"), Some("text/plain"));
    assert_eq!(answer.problem(), ("stream_full", "not_executed"));
    assert_eq!(answer.header("retry-after"), Some("5"));
    let large = jobs.post(&format!("{{\"name\":\"{}\"}}", "x".repeat(600))).await;
    assert_eq!(large.problem(), ("message_too_large", "not_executed"));
    let body: Value = large.json();
    assert_eq!((large.status, &body["success"], &body["retry"]), (200, &json!(false), &json!(false)));
}

#[tokio::test]
async fn the_word_of_another_stream_is_no_acknowledgement() {
    let nats = NatsServer::start().await;
    let _other = Service::saying(&nats.url(), "jobs.new", r#"{"stream":"OTHERS","seq":7}"#).await;
    let gateway = Gateway::start(&nats.url(), JOBS).await;
    let answer = gateway.post("/jobs", "{}").await;
    assert_eq!(problem(&answer), (502, "bad_reply", "unknown"));
}
