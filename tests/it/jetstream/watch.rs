//! `streams.watch`: what monitoring sees of a server that is not as declared.

use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep};

use super::bench::{Bench, NONE, manifests, text};
use crate::support::command::natsgate;
use crate::support::gateway::Gateway;
use crate::support::http::Client;

const STREAM: &str = "name: ORDERS, subjects: [orders.*], storage: file, maxAge: 720h";
const WORK: &str = "streamName: ORDERS, durableName: WORK, ackPolicy: explicit, ackWait: 30s, maxDeliver: 5";
const YAML: &str = "manifests: [streams.yaml]\nstreams: { watch: 1s }\noperations: {}\n";

/// Waits for lines of the metrics, and hands out all of them.
async fn until(gateway: &Gateway, lines: &[&str]) -> String {
    let patience = Instant::now() + Duration::from_secs(20);
    loop {
        let answer = Client::connect(&gateway.admin).await.send("GET", "/metrics", &[], b"").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
        let text = answer.text();
        if lines.iter().all(|line| text.lines().any(|one| one == *line)) {
            return text;
        }
        assert!(Instant::now() < patience, "{lines:?} never came:\n{text}");
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn what_drifts_is_in_the_metrics_until_it_is_applied() {
    let mut bench = Bench::start().await;
    bench.apply(&manifests(STREAM, &[WORK]), NONE).await;
    let files = [("streams.yaml", text(STREAM, &[WORK]))];
    let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let gateway = Gateway::start_with(&bench.server.url(), YAML, &files).await;
    let stream = "natsgate_stream_drift{stream=\"ORDERS\",consumer=\"\"} 0";
    let success = "natsgate_stream_drift_check_success 1";
    let as_declared = ["natsgate_stream_drift{stream=\"ORDERS\",consumer=\"WORK\"} 0", stream, success];
    let metrics = until(&gateway, &as_declared).await;
    assert!(metrics.contains("\nnatsgate_stream_drift_check_timestamp_seconds 1"), "{metrics}");

    let mut config = bench.config("CONSUMER.INFO.ORDERS.WORK").await;
    config["backoff"] = json!([1_000_000_000_u64]);
    let body = json!({ "stream_name": "ORDERS", "config": config });
    bench.api("CONSUMER.CREATE.ORDERS.WORK", body).await.expect("somebody else's update");
    until(&gateway, &["natsgate_stream_drift{stream=\"ORDERS\",consumer=\"WORK\"} 1", stream, success]).await;

    bench.apply(&manifests(STREAM, &[WORK]), NONE).await;
    until(&gateway, &as_declared).await;
    bench.server.kill();
    // What was known stays, and is not taken for news.
    until(&gateway, &["natsgate_stream_drift_check_success 0", as_declared[0], stream]).await;
}

#[tokio::test]
async fn who_does_not_watch_is_told_nothing() {
    let bench = Bench::start().await;
    let gateway = Gateway::start(&bench.server.url(), "operations: {}\n").await;
    let text = until(&gateway, &[]).await;
    assert!(!text.contains("drift"), "{text}");
}

#[test]
fn a_watch_that_cannot_be_meant_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("natsgate.yaml"), "streams: { watch: 10ms }\noperations: {}\n")
        .expect("a file");
    let run = natsgate(folder.path().to_str().expect("UTF-8"), &["check", "--config", "natsgate.yaml"]);
    assert_eq!(run.code, 64, "{}", run.seen());
    for told in ["`watch` must be at least 1s", "there are no manifests to watch"] {
        assert!(run.stderr.contains(told), "{}", run.seen());
    }
}
