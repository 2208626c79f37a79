//! JetStream publish through the gateway: what a client is told, and what a stream really holds.

mod acknowledged;
mod cluster;
mod idempotency;
mod outages;
mod refused;
mod window;

use serde_json::{Value, json};

use crate::support::gateway::Gateway;
use crate::support::http::Answer;
use crate::support::nats_server::NatsServer;
use crate::support::streams::Streams;

/// One operation into the stream JOBS, with the body as it comes.
const JOBS: &str = "operations:\n  POST /jobs:\n    publish: { subject: jobs.new, stream: JOBS }\n";

/// A server with the stream JOBS on `jobs.>`, and a gateway before it.
struct Jobs {
    nats: NatsServer,
    streams: Streams,
    gateway: Gateway,
}

impl Jobs {
    async fn start(stream: Value, yaml: &str) -> Jobs {
        let nats = NatsServer::start().await;
        let streams = Streams::of(&nats.url()).await;
        streams.create("JOBS", &["jobs.>"], stream).await;
        let gateway = Gateway::start(&nats.url(), yaml).await;
        Jobs { nats, streams, gateway }
    }

    async fn post(&self, body: &str) -> Answer {
        self.gateway.post("/jobs", body).await
    }

    async fn keyed(&self, key: &str, body: &str) -> Answer {
        keyed(&self.gateway, "/jobs", key, body).await
    }
}

async fn keyed(gateway: &Gateway, path: &str, key: &str, body: &str) -> Answer {
    let headers = [("Content-Type", "application/json"), ("Idempotency-Key", key)];
    gateway.send("POST", path, &headers, body.as_bytes()).await
}

/// The configuration of [`JOBS`] with more keys in its binding.
fn jobs_with(more: &str) -> String {
    JOBS.replace("stream: JOBS", &format!("stream: JOBS, {more}"))
}

/// Status, code and outcome of a problem, which headers and body tell alike.
fn problem(answer: &Answer) -> (u16, &str, &str) {
    let (code, outcome) = answer.problem();
    let body = answer.json();
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{}", answer.text());
    assert_eq!(body["type"], format!("urn:natsgate:problem:{code}"));
    assert_eq!((body["code"].as_str(), body["outcome"].as_str()), (Some(code), Some(outcome)));
    assert_eq!(body["status"], answer.status);
    assert_eq!(body["request_id"].as_str(), answer.header("natsgate-request-id"));
    (answer.status, code, outcome)
}

/// The receipt of a first publish.
fn receipt(answer: &Answer) -> (u64, bool) {
    assert!((200..300).contains(&answer.status), "{} {}", answer.status, answer.text());
    let body = answer.json();
    (body["sequence"].as_u64().expect("a sequence"), body["duplicate"].as_bool().expect("a flag"))
}

#[tokio::test]
async fn a_message_is_stored_before_its_client_is_told() {
    let jobs = Jobs::start(json!({}), JOBS).await;
    for sequence in 1..=3 {
        let answer = jobs.post("{\"a\": 1.10}\n").await;
        assert_eq!(answer.status, 202);
        assert_eq!(jobs.streams.count("JOBS").await, sequence);
        assert_eq!(receipt(&answer), (sequence, false));
    }
    let messages = jobs.streams.messages("JOBS").await;
    assert!(messages.iter().all(|message| &message.payload[..] == b"{\"a\": 1.10}\n"));
    assert_eq!(jobs.gateway.waiting(), 0);
}
