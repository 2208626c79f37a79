//! The request id: a trusted proxy's, if it can stand everywhere; else one of the gateway's own.

use serde_json::json;

use crate::support::gateway::Gateway;
use crate::support::http::Answer;
use crate::support::nats_server::NatsServer;
use crate::support::process::Process;
use crate::support::service::Service;
use crate::support::streams::Streams;

const X: &str = "operations:\n  GET /x: { request: { subject: x } }\n";

fn id(answer: &Answer) -> &str {
    let ids: Vec<&str> = answer
        .headers
        .iter()
        .filter(|(name, _)| name == "natsgate-request-id")
        .map(|(_, value)| value.as_str())
        .collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
    ids[0]
}

#[tokio::test]
async fn a_trusted_proxys_id_is_on_everything() {
    let nats = NatsServer::start().await;
    let service = Service::echo(&nats.url(), "x").await;
    let process = Process::serve(&nats.url(), &format!("{}{X}", super::BEHIND_PROXY)).await;
    process.connected().await;
    let answer = process.send("GET", "/x", &[("X-Request-Id", "edge-1/7")]).await;
    assert_eq!((answer.status, id(&answer)), (200, "edge-1/7"));
    let seen = service.seen();
    let headers = seen[0].headers.as_ref().expect("headers");
    assert_eq!(headers.get("Natsgate-Request-Id").map(|id| id.as_str()), Some("edge-1/7"));
    assert_eq!(process.access_lines("/x", 1).await[0]["request_id"], "edge-1/7");
    let problem = process.send("GET", "/nowhere", &[("X-Request-Id", "edge-1/8")]).await;
    let document = problem.json();
    assert_eq!((id(&problem), &document["request_id"]), ("edge-1/8", &json!("edge-1/8")));
    assert_eq!(document["instance"], "urn:natsgate:request:edge-1/8");
}

#[tokio::test]
async fn whatever_else_comes_gets_a_fresh_one() {
    let nats = NatsServer::start().await;
    let trusting = Gateway::start_unconnected(&nats.url(), &format!("{}{X}", super::BEHIND_PROXY), &[]).await;
    let long = "a".repeat(129);
    for given in ["", "a b", "a\tb", "a\"b", "a\\b", "{}", "<x>", "a%0d%0ab", "caf\u{e9}", "a,b", &long] {
        let answer = trusting.send("GET", "/nowhere", &[("X-Request-Id", given)], b"").await;
        assert_eq!(id(&answer).len(), 36, "{given:?}");
        assert_ne!(id(&answer), given);
    }
    let two = [("X-Request-Id", "a"), ("X-Request-Id", "b")];
    assert_eq!(id(&trusting.send("GET", "/nowhere", &two, b"").await).len(), 36);
    let longest = "a".repeat(128);
    assert_eq!(id(&trusting.send("GET", "/nowhere", &[("X-Request-Id", &longest)], b"").await), longest);
    let distrusting = Gateway::start_unconnected(&nats.url(), X, &[]).await;
    let answer = distrusting.send("GET", "/nowhere", &[("X-Request-Id", "mine")], b"").await;
    assert_eq!(id(&answer).len(), 36);
}

/// A proxy that tries again, or lets its clients choose, sends one id twice.
#[tokio::test]
async fn an_id_that_comes_twice_suppresses_no_message() {
    let nats = NatsServer::start().await;
    let streams = Streams::of(&nats.url()).await;
    streams.create("JOBS", &["jobs.>"], json!({})).await;
    let yaml = format!(
        "{}operations:\n  POST /jobs: {{ publish: {{ subject: jobs.new, stream: JOBS }} }}\n",
        super::BEHIND_PROXY
    );
    let gateway = Gateway::start(&nats.url(), &yaml).await;
    let post = async |headers: &[(&str, &str)]| {
        let answer = gateway.send("POST", "/jobs", headers, b"{}").await;
        assert_eq!((answer.status, id(&answer)), (202, "same"));
        answer.json()
    };
    assert_eq!(post(&[("X-Request-Id", "same")]).await["sequence"], 1);
    let second = post(&[("X-Request-Id", "same")]).await;
    assert_eq!((&second["sequence"], &second["duplicate"]), (&json!(2), &json!(false)));
    // With a key the second is a duplicate, and said to be one: another request had stored it.
    let keyed = [("X-Request-Id", "same"), ("Idempotency-Key", "k")];
    assert_eq!(post(&keyed).await["duplicate"], false);
    let again = post(&keyed).await;
    assert_eq!((&again["sequence"], &again["duplicate"]), (&json!(3), &json!(true)));
}
