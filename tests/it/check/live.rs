//! `natsgate check --live`: what the operations need, asked of a real server.

use serde_json::{Value, json};

use crate::support::command::{Run, natsgate};
use crate::support::nats_server::{NatsServer, free_port};
use crate::support::streams::Streams;

const YAML: &str = "operations:
  GET /users/{id}: { request: { subject: \"users.${path.id}.get\" } }
  POST /jobs: { publish: { subject: jobs.new, stream: JOBS } }
";

/// Runs the check in a thread of its own, against one server.
async fn check(yaml: &str, nats: &str, more: &[&'static str]) -> Run {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("natsgate.yaml"), yaml).expect("a configuration");
    let (nats, more) = (nats.to_owned(), more.to_vec());
    let run = tokio::task::spawn_blocking(move || {
        let mut args = vec!["check", "--config", "natsgate.yaml", "--live", "--nats", &nats];
        args.extend(more);
        natsgate(folder.path().to_str().expect("UTF-8"), &args)
    });
    run.await.expect("a run")
}

#[tokio::test]
async fn what_is_missing_is_told_and_what_to_do() {
    let nats = NatsServer::start().await;
    let run = check(YAML, &nats.url(), &[]).await;
    assert_eq!(
        run.seen(),
        "natsgate.yaml: 2 operations are bound
ready    GET /users/{id}
broken   POST /jobs
           stream JOBS does not exist: create it by `natsgate streams apply`, NACK or `nats stream add`
exit code 1
"
    );
    let run = check(YAML, &nats.url(), &["--output", "json"]).await;
    assert_eq!(run.code, 1);
    assert_eq!(
        run.json()["live"][0],
        json!({ "operation": "GET /users/{id}", "state": "ready", "problems": [] })
    );
    assert_eq!(run.json()["live"][1]["state"], "broken");

    let streams = Streams::of(&nats.url()).await;
    streams.create("JOBS", &["jobs.>"], json!({})).await;
    let run = check(YAML, &nats.url(), &[]).await;
    assert_eq!(
        run.seen(),
        "natsgate.yaml: 2 operations are bound\nready    GET /users/{id}\nready    POST /jobs\nexit code 0\n"
    );
}

#[tokio::test]
async fn a_legacy_service_is_not_said_to_be_ready() {
    let nats = NatsServer::start().await;
    let yaml = "upstreams: { old: { url: 'http://127.0.0.1:1' } }\noperations:\n  GET /a: { forward: { upstream: old } }\n";
    let run = check(yaml, &nats.url(), &[]).await;
    assert_eq!((run.code, run.stdout.contains("legacy   GET /a (not asked)\n")), (0, true), "{}", run.seen());
    let run = check(yaml, &nats.url(), &["--output", "json"]).await;
    assert_eq!(run.json()["live"][0]["state"], "unchecked");
}

#[tokio::test]
async fn a_stream_that_cannot_do_its_work_is_broken() {
    let nats = NatsServer::start().await;
    let streams = Streams::of(&nats.url()).await;
    let problem = async || -> String {
        let run = check(YAML, &nats.url(), &["--output", "json"]).await;
        let rows = run.json()["live"].clone();
        let problems: Vec<Value> = rows
            .as_array()
            .expect("rows")
            .iter()
            .flat_map(|row| row["problems"].as_array().cloned().expect("problems"))
            .collect();
        assert_eq!((run.code, problems.len()), (1, 1), "{problems:?}");
        problems[0].as_str().expect("a text").to_owned()
    };
    streams.create("JOBS", &["other.>"], json!({ "no_ack": false })).await;
    assert_eq!(
        problem().await,
        "stream JOBS does not capture jobs.new (it has: other.>): add the subject to the stream"
    );
    streams.update("JOBS", &["jobs.>"], json!({ "no_ack": true })).await;
    assert!(problem().await.contains("acknowledges nothing (noAck)"));
    streams.update("JOBS", &["jobs.>", "users.*.get"], json!({})).await;
    assert!(problem().await.starts_with("stream JOBS captures the request subject users.*.get"));
    streams.update("JOBS", &["jobs.>"], json!({ "sealed": true })).await;
    assert!(problem().await.contains("is sealed"));
}

#[tokio::test]
async fn bodies_that_no_message_can_hold_are_told() {
    let nats = NatsServer::with("max_payload: 1000").await;
    Streams::of(&nats.url()).await.create("JOBS", &["jobs.>"], json!({})).await;
    let run = check(YAML, &nats.url(), &[]).await;
    assert_eq!(run.code, 1);
    assert!(run.stdout.contains("lower limits.max_body or raise max_payload"), "{}", run.seen());
}

#[tokio::test]
async fn without_jetstream_a_publish_is_broken_and_a_request_is_not() {
    let accounts =
        "accounts { APP { users [{ user: app, password: pw }] }, SYS { users [{ user: s, password: s }] } }
        system_account: SYS";
    let nats = NatsServer::with(accounts).await;
    let yaml = format!("nats:\n  user: app\n  password: hunter2\n{YAML}");
    let refused = check(&yaml, &nats.url(), &[]).await;
    assert_eq!(refused.code, 1, "the password is wrong");
    assert!(refused.stderr.contains("authorization violation"), "{}", refused.seen());
    assert!(
        refused.stderr.contains("`password` is written in the configuration"),
        "warnings are told as well"
    );
    assert!(!refused.seen().contains("hunter2"));

    let run = check(&yaml.replace("hunter2", "pw"), &nats.url(), &[]).await;
    assert_eq!(run.code, 1);
    assert!(run.stdout.contains("ready    GET /users/{id}"), "{}", run.seen());
    let missing = "JetStream is not available for this account, and JOBS is needed";
    assert!(run.stdout.contains(missing), "{}", run.seen());
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_failure_with_a_next_step() {
    let url = format!("nats://127.0.0.1:{}", free_port());
    let run = check(YAML, &url, &[]).await;
    assert_eq!(run.code, 1);
    assert!(run.stderr.starts_with(&format!("error: cannot connect to {url}: ")), "{}", run.seen());
    assert!(run.stderr.ends_with("; name another server with --nats\n"), "{}", run.seen());
    // What is wrong with the files does not depend on a server.
    let run = check("operations: { GET /a: { request: {} } }\n", &url, &[]).await;
    assert_eq!(run.code, 64);
}
