//! Creating what is missing on a real server, and nothing more.

use std::time::Duration;

use natsgate::diagnostic::{Diagnostics, Place};
use natsgate::jetstream::apply::{Applied, Options, Outcome, create_missing, render};
use natsgate::jetstream::manifest::{self, Manifests};
use natsgate::nats::{self, Nats};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{declared, package};
use crate::support::golden;
use crate::support::nats_server::NatsServer;

const PATIENCE: Duration = Duration::from_secs(20);

fn deadline() -> Instant {
    Instant::now() + PATIENCE
}

async fn server() -> (NatsServer, Nats) {
    let server = NatsServer::start().await;
    let nats = connect(&server).await;
    (server, nats)
}

async fn connect(server: &NatsServer) -> Nats {
    let options = nats::Options { servers: vec![server.url()], ..nats::Options::default() };
    let nats = Nats::start(options).expect("options are right");
    assert!(nats.connected(deadline()).await, "not connected: {:?}", nats.status());
    nats
}

async fn apply(nats: &Nats, manifests: &Manifests, replicas: Option<u32>) -> Vec<Applied> {
    create_missing(nats, manifests, &Options { replicas }, deadline()).await
}

/// The configuration that the server has.
async fn live(nats: &Nats, asked: &str) -> Value {
    nats.api(asked, &json!({}), deadline()).await.expect("it exists")["config"].clone()
}

fn shipped() -> Manifests {
    let mut diagnostics = Diagnostics::default();
    manifest::load(&[(package("deploy/jetstream/stacks.yaml"), Place::default())], &mut diagnostics)
}

/// A stream of these fields, and consumers of these.
fn manifests(stream: &str, consumers: &[&str]) -> Manifests {
    let resource = |kind: &str, spec: &str| {
        format!("---\napiVersion: jetstream.nats.io/v1beta2\nkind: {kind}\nspec: {{ {spec} }}\n")
    };
    let consumers: String = consumers.iter().map(|spec| resource("Consumer", spec)).collect();
    declared(&(resource("Stream", stream) + &consumers))
}

#[tokio::test]
async fn the_shipped_manifests_are_created_once() {
    let (_server, nats) = server().await;
    let first = apply(&nats, &shipped(), Some(1)).await;
    assert!(first.iter().all(|row| row.outcome == Outcome::Created), "{}", render(&first));
    assert_eq!(first.len(), 2);

    let stream = live(&nats, "STREAM.INFO.STACKS").await;
    assert_eq!((&stream["num_replicas"], &stream["storage"]), (&json!(1), &json!("file")));
    assert_eq!(stream["duplicate_window"], json!(600_000_000_000_u64));
    let consumer = live(&nats, "CONSUMER.INFO.STACKS.STACK_DELETE").await;
    assert_eq!((&consumer["ack_wait"], &consumer["max_deliver"]), (&json!(1_200_000_000_000_u64), &json!(5)));
    assert_eq!(consumer["deliver_subject"], Value::Null);

    let second = apply(&nats, &shipped(), Some(1)).await;
    assert!(second.iter().all(|row| row.outcome == Outcome::Exists), "{}", render(&second));
    assert!(!second.iter().any(Applied::is_failure));
}

#[tokio::test]
async fn what_exists_otherwise_is_told_and_left_alone() {
    let (_server, nats) = server().await;
    let before = manifests(
        "name: ORDERS, subjects: [orders.*], storage: file, maxAge: 24h, metadata: { owner: a }",
        &[
            "streamName: ORDERS, durableName: WORK, ackPolicy: explicit, ackWait: 30s, filterSubject: orders.new",
        ],
    );
    assert!(!apply(&nats, &before, None).await.iter().any(Applied::is_failure));
    let stream = live(&nats, "STREAM.INFO.ORDERS").await;
    let consumer = live(&nats, "CONSUMER.INFO.ORDERS.WORK").await;

    let after = manifests(
        "name: ORDERS, subjects: [orders.>], storage: memory, maxAge: 1h30m, allowDirect: true, metadata: { owner: b }",
        &[
            "streamName: ORDERS, durableName: WORK, ackPolicy: all, ackWait: 20m, filterSubject: orders.old",
            "streamName: ORDERS, durableName: NEW, ackPolicy: explicit, ackWait: 1s",
        ],
    );
    let applied = apply(&nats, &after, None).await;
    golden::assert("tests/jetstream/differs.expected", &render(&applied));
    assert!(!applied.iter().any(Applied::is_failure));
    assert_eq!(live(&nats, "STREAM.INFO.ORDERS").await, stream);
    assert_eq!(live(&nats, "CONSUMER.INFO.ORDERS.WORK").await, consumer);
}

#[tokio::test]
async fn a_failed_stream_skips_its_consumers_and_no_other() {
    let (_server, nats) = server().await;
    let mut both = manifests("name: WIDE, replicas: 3", &["streamName: WIDE, durableName: A"]);
    let other =
        manifests("name: OTHER", &["streamName: OTHER, durableName: B", "streamName: GONE, durableName: C"]);
    both.streams.extend(other.streams);
    both.consumers.extend(other.consumers);
    let applied = apply(&nats, &both, None).await;
    golden::assert("tests/jetstream/failed.expected", &render(&applied));
    let failed: Vec<_> = applied.iter().filter(|row| row.is_failure()).map(|row| row.name.as_str()).collect();
    assert_eq!(failed, ["WIDE", "WIDE > A", "GONE > C"]);
    assert_eq!(live(&nats, "STREAM.INFO.OTHER").await["storage"], json!("memory"));
}

#[tokio::test]
async fn what_the_server_fills_in_is_no_difference() {
    let (_server, nats) = server().await;
    let manifests = manifests(
        "name: FULL, subjects: [b.*, a.*], storage: file, maxMsgs: 0, maxBytes: -1, maxAge: 1m, maxMsgsPerSubject: 0, \
         duplicateWindow: '0', compression: none, persistMode: default, noAck: false, sealed: false, firstSequence: 0, \
         allowDirect: false, republish: { source: a.*, destination: 'out.{{wildcard(1)}}' }, \
         sources: [{ name: FAR, optStartTime: '2026-01-31T13:00:00.500+01:00', externalApiPrefix: $JS.hub.API }], \
         consumerLimits: { maxAckPending: 2000 }, metadata: { owner: a }",
        &[
            "streamName: FULL, durableName: BACK, ackPolicy: explicit, ackWait: 30s, backoff: [1s, 5s], maxDeliver: 0, \
             filterSubjects: [b.x, a.x], sampleFreq: 100%, maxWaiting: 0, memStorage: false, priorityPolicy: none",
            "streamName: FULL, durableName: ONE, ackPolicy: all, ackWait: '0', filterSubjects: [a.y], replicas: 0, \
             deliverPolicy: byStartTime, optStartTime: '2026-01-31T13:00:00+01:00'",
            "streamName: FULL, durableName: PUSH, ackPolicy: explicit, backoff: [1s], deliverSubject: to.me, deliverGroup: g, \
             heartbeatInterval: 5s, flowControl: true, rateLimitBps: 1000, replayPolicy: original, headersOnly: true",
        ],
    );
    let first = apply(&nats, &manifests, None).await;
    assert!(first.iter().all(|row| row.outcome == Outcome::Created), "{}", render(&first));
    let second = apply(&nats, &manifests, None).await;
    assert!(second.iter().all(|row| row.outcome == Outcome::Exists), "{}", render(&second));
}

#[tokio::test]
async fn what_an_older_server_ignores_is_told() {
    let (_server, nats) = server().await;
    let manifests = manifests(
        "name: S",
        &[
            "streamName: S, durableName: PINNED, ackPolicy: explicit, ackWait: 1m, priorityPolicy: pinned_client, \
           pinnedTtl: 2m, priorityGroups: [jobs], pauseUntil: '2026-01-31T12:00:00Z'",
        ],
    );
    let version = nats.status().server.expect("connected").version;
    let knows_priorities = !version.starts_with("2.10.");
    for expected in [Outcome::Created, Outcome::Exists] {
        match &apply(&nats, &manifests, None).await[1].outcome {
            Outcome::Differs(fields) if !knows_priorities => {
                let names: Vec<_> = fields.iter().map(|field| field.field.as_str()).collect();
                assert_eq!(names, ["pause_until", "priority_policy", "priority_timeout", "priority_groups"]);
            }
            outcome => assert!(knows_priorities && *outcome == expected, "{version}: {outcome:?}"),
        }
    }
}

#[tokio::test]
async fn two_at_once_create_each_thing_once() {
    let (server, nats) = server().await;
    let (other, manifests) = (connect(&server).await, shipped());
    let (one, two) = tokio::join!(apply(&nats, &manifests, Some(1)), apply(&other, &manifests, Some(1)));
    assert!(!one.iter().chain(&two).any(Applied::is_failure), "{}{}", render(&one), render(&two));
    let account = nats.api("INFO", &json!({}), deadline()).await.expect("account");
    assert_eq!((&account["streams"], &account["consumers"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn without_jetstream_the_reason_is_told_by_the_deadline() {
    let server =
        NatsServer::with("accounts { A { users: [{ user: a, password: p }] } }\nno_auth_user: a").await;
    let nats = connect(&server).await;
    let applied = apply(&nats, &shipped(), Some(1)).await;
    let Outcome::Failed(reason) = &applied[0].outcome else { panic!("{}", render(&applied)) };
    assert!(reason.contains("off for this account") || reason.contains("not enabled"), "{reason}");
    assert!(matches!(applied[1].outcome, Outcome::Skipped(_)));
}
