//! What `plan` prints as the configuration to come, against what the nats command shows of the server afterwards.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::bench::{Bench, text};

/// The nats command: `make test-matrix` builds one and names it.
fn nats_command() -> Option<PathBuf> {
    let named = std::env::var_os("NATS_CLI").map(PathBuf::from);
    if named.is_none() {
        eprintln!("SKIPPED: no nats command, `make test-matrix` builds one");
    }
    named
}

const STREAM: &str = "name: ORDERS, subjects: [orders.>, refunds.*], storage: file, maxAge: 24h, maxMsgs: 100, discard: new, \
                      maxMsgsPerSubject: 5, compression: s2, duplicateWindow: 1m, description: all orders, allowRollup: true, \
                      denyDelete: true, allowDirect: true, metadata: { owner: a }, republish: { source: orders.>, destination: out.> }";
const CONSUMERS: [&str; 4] = [
    "streamName: ORDERS, durableName: WORK, ackPolicy: explicit, ackWait: 30s, backoff: [1s, 5s], maxDeliver: 5, filterSubject: orders.new",
    "streamName: ORDERS, durableName: MANY, ackPolicy: all, ackWait: 40s, filterSubjects: [orders.b, orders.a], maxWaiting: 7, sampleFreq: '50'",
    "streamName: ORDERS, durableName: PUSH, ackPolicy: explicit, ackWait: 1m, deliverSubject: to.me, deliverGroup: g, heartbeatInterval: 5s, \
     flowControl: true, rateLimitBps: 1000, replayPolicy: original, headersOnly: true, inactiveThreshold: 1h",
    "streamName: ORDERS, durableName: NONE, ackPolicy: none, deliverPolicy: byStartTime, optStartTime: '2026-01-31T12:00:00Z', memStorage: true",
];

#[tokio::test]
async fn the_nats_command_shows_what_was_planned() {
    let Some(nats) = nats_command() else { return };
    let bench = Bench::start().await;
    let declared = text(STREAM, &CONSUMERS);
    let planned = bench.command(&declared, &["plan", "--output", "json"]).await.json();
    let applied = bench.command(&declared, &["apply"]).await;
    assert_eq!(applied.code, 0, "{}", applied.seen());
    let assets = planned["assets"].as_array().expect("assets");
    assert_eq!(assets.len(), 5);
    for asset in assets {
        let stream = asset["stream"].as_str().expect("a stream");
        let asked = match asset["consumer"].as_str() {
            Some(consumer) => vec!["consumer", "info", stream, consumer, "--json"],
            None => vec!["stream", "info", stream, "--json"],
        };
        let shown = info(&nats, &bench, &asked);
        assert_eq!(plain(&asset["effective"]), plain(&shown["config"]), "{asked:?}");
    }
}

fn info(nats: &PathBuf, bench: &Bench, asked: &[&str]) -> Value {
    let home = tempfile::tempdir().expect("a home without contexts");
    let output = Command::new(nats)
        .args(["--server", &bench.server.url()])
        .args(asked)
        .env("HOME", home.path())
        .env("XDG_CONFIG_HOME", home.path())
        .output()
        .expect("the nats command runs");
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(&output.stderr)))
}

/// Without what is at rest, which each side may leave out, and without the server's own notes.
fn plain(config: &Value) -> Value {
    let at_rest = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_f64() == Some(0.0),
        // The command writes Go's zero for a moment that is not set.
        Value::String(text) => matches!(text.as_str(), "" | "none" | "0001-01-01T00:00:00Z"),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(true) => false,
    };
    let Value::Object(fields) = config else { panic!("a configuration: {config}") };
    let mut out: std::collections::BTreeMap<_, _> = fields.clone().into_iter().collect();
    if let Some(Value::Object(metadata)) = out.get_mut("metadata") {
        metadata.retain(|key, _| !key.starts_with("_nats."));
    }
    for name in ["subjects", "filter_subjects"] {
        if let Some(Value::Array(items)) = out.get_mut(name) {
            items.sort_by_key(Value::to_string);
        }
    }
    out.retain(|_, value| !at_rest(value));
    Value::Object(out.into_iter().collect())
}
