//! Applying to a real server: what is written, what is left alone, and what is told about it.

use natsgate::diagnostic::Diagnostics;
use natsgate::jetstream::apply::{Applied, Edit, Options, Outcome, render};
use natsgate::jetstream::manifest::{self, Manifests};
use natsgate::yaml::Located;
use serde_json::{Value, json};

use super::bench::{ALL, Bench, NONE, fields, manifests, text};
use super::package;
use crate::support::cluster::Cluster;
use crate::support::golden;
use crate::support::nats_server::NatsServer;

fn shipped() -> Manifests {
    let mut diagnostics = Diagnostics::default();
    manifest::load(&[Located::default_of(package("deploy/jetstream/stacks.yaml"))], &mut diagnostics)
}

#[tokio::test]
async fn the_shipped_manifests_are_created_once() {
    let bench = Bench::start().await;
    let first = bench.apply_plan(&bench.plan_with(&shipped(), Some(1)).await, NONE).await;
    assert!(first.iter().all(|row| row.outcome == Outcome::Created), "{}", render(&first));
    assert_eq!(first.len(), 2);

    let stream = bench.config("STREAM.INFO.STACKS").await;
    assert_eq!((&stream["num_replicas"], &stream["storage"]), (&json!(1), &json!("file")));
    assert_eq!(stream["duplicate_window"], json!(600_000_000_000_u64));
    let consumer = bench.config("CONSUMER.INFO.STACKS.STACK_DELETE").await;
    assert_eq!((&consumer["ack_wait"], &consumer["max_deliver"]), (&json!(1_200_000_000_000_u64), &json!(5)));
    assert_eq!(consumer["deliver_subject"], Value::Null);

    let plan = bench.plan_with(&shipped(), Some(1)).await;
    assert!(!plan.has_differences(), "{}", plan.render());
    let second = bench.apply_plan(&plan, ALL).await;
    assert!(second.iter().all(|row| row.outcome == Outcome::Exists), "{}", render(&second));
    assert!(!second.iter().any(Applied::is_failure));
}

const BEFORE: &str = "name: ORDERS, subjects: [orders.*], storage: file, maxAge: 24h, metadata: { owner: a }";
const WORK: &str =
    "streamName: ORDERS, durableName: WORK, ackPolicy: explicit, ackWait: 30s, filterSubject: orders.new";

#[tokio::test]
async fn what_exists_is_left_alone_where_only_what_is_missing_is_created() {
    let bench = Bench::start().await;
    assert!(!bench.apply(&manifests(BEFORE, &[WORK]), NONE).await.iter().any(Applied::is_failure));
    let stream = bench.config("STREAM.INFO.ORDERS").await;
    let consumer = bench.config("CONSUMER.INFO.ORDERS.WORK").await;
    let after = manifests(
        "name: ORDERS, subjects: [orders.>], storage: memory, maxAge: 1h30m, allowDirect: true, metadata: { owner: b }",
        &[
            "streamName: ORDERS, durableName: WORK, ackPolicy: all, ackWait: 20m, filterSubject: orders.old",
            "streamName: ORDERS, durableName: NEW, ackPolicy: explicit, ackWait: 1s",
        ],
    );
    let applied = bench.apply(&after, Options { create_only: true, ..NONE }).await;
    golden::assert("tests/jetstream/differs.expected", &render(&applied));
    assert!(!applied.iter().any(Applied::is_failure));
    assert_eq!(bench.config("STREAM.INFO.ORDERS").await, stream);
    assert_eq!(bench.config("CONSUMER.INFO.ORDERS.WORK").await, consumer);
}

#[tokio::test]
async fn a_failed_stream_skips_its_consumers_and_no_other() {
    let bench = Bench::start().await;
    let mut both = manifests("name: WIDE, replicas: 3", &["streamName: WIDE, durableName: A"]);
    let other =
        manifests("name: OTHER", &["streamName: OTHER, durableName: B", "streamName: GONE, durableName: C"]);
    both.streams.extend(other.streams);
    both.consumers.extend(other.consumers);
    let applied = bench.apply(&both, NONE).await;
    golden::assert("tests/jetstream/failed.expected", &render(&applied));
    let failed: Vec<_> = applied.iter().filter(|row| row.is_failure()).map(|row| row.name.as_str()).collect();
    assert_eq!(failed, ["WIDE", "WIDE > A", "GONE > C"]);
    assert_eq!(bench.config("STREAM.INFO.OTHER").await["storage"], json!("memory"));
}

#[tokio::test]
async fn what_the_server_fills_in_is_no_difference() {
    let bench = Bench::start().await;
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
    let first = bench.apply(&manifests, NONE).await;
    assert!(first.iter().all(|row| row.outcome == Outcome::Created), "{}", render(&first));
    let plan = bench.plan(&manifests).await;
    assert!(!plan.has_differences(), "{}", plan.render());
}

#[tokio::test]
async fn what_an_older_server_does_not_know_is_refused_before_anything_is_sent() {
    let bench = Bench::start().await;
    let manifests = manifests(
        "name: S, allowAtomicPublish: true",
        &[
            "streamName: S, durableName: PINNED, ackPolicy: explicit, ackWait: 1m, priorityPolicy: pinned_client, \
           pinnedTtl: 2m, priorityGroups: [jobs], pauseUntil: '2026-01-31T12:00:00Z'",
        ],
    );
    let applied = bench.apply(&manifests, NONE).await;
    if bench.version() >= natsgate::jetstream::version::Version(2, 12, 0) {
        assert!(applied.iter().all(|row| row.outcome == Outcome::Created), "{}", render(&applied));
        return;
    }
    let Outcome::Refused(reason) = &applied[0].outcome else { panic!("{}", render(&applied)) };
    assert!(reason.contains("asks for `allowAtomicPublish`, which this server does not know"), "{reason}");
    assert!(matches!(applied[1].outcome, Outcome::Skipped(_)), "{}", render(&applied));
    assert!(bench.api("STREAM.INFO.S", json!({})).await.is_err(), "nothing was sent");
}

#[tokio::test]
async fn two_at_once_create_each_thing_once() {
    let bench = Bench::start().await;
    let other = Bench::connect(&bench.server).await;
    let plan = bench.plan_with(&shipped(), Some(1)).await;
    let apply_other = natsgate::jetstream::apply::apply(&other, &plan, NONE, super::bench::deadline());
    let (one, two) = tokio::join!(bench.apply_plan(&plan, NONE), apply_other);
    assert!(!one.iter().chain(&two).any(Applied::is_failure), "{}{}", render(&one), render(&two));
    let account = bench.api("INFO", json!({})).await.expect("account");
    assert_eq!((&account["streams"], &account["consumers"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn what_somebody_edits_between_plan_and_apply_is_left_alone_and_told() {
    let bench = Bench::start().await;
    bench.apply(&manifests(BEFORE, &[WORK]), NONE).await;
    let after = manifests(
        &format!("{BEFORE}, description: ours"),
        &[
            &WORK.replace("30s", "40s"),
            "streamName: ORDERS, durableName: NEW, ackPolicy: explicit, ackWait: 1s",
        ],
    );
    let plan = bench.plan(&after).await;
    // Between both, somebody else raises the age, deletes one consumer and creates the other.
    let mut config = bench.config("STREAM.INFO.ORDERS").await;
    config["max_age"] = json!(172_800_000_000_000_u64);
    bench.api("STREAM.UPDATE.ORDERS", config).await.expect("an edit");
    let theirs = json!({ "durable_name": "NEW", "name": "NEW", "ack_policy": "all", "max_deliver": 7 });
    let body = json!({ "stream_name": "ORDERS", "config": theirs });
    bench.api("CONSUMER.CREATE.ORDERS.NEW", body).await.expect("a consumer");
    bench.api("CONSUMER.DELETE.ORDERS.WORK", json!({})).await.expect("it was there");

    let applied = bench.apply_plan(&plan, ALL).await;
    let Outcome::Conflict(Edit::Changed, changes) = &applied[0].outcome else {
        panic!("{}", render(&applied))
    };
    assert_eq!(changes.iter().map(|change| change.field.as_str()).collect::<Vec<_>>(), ["max_age"]);
    assert_eq!(bench.config("STREAM.INFO.ORDERS").await["description"], Value::Null);
    assert!(applied[1..].iter().all(|row| matches!(row.outcome, Outcome::Skipped(_))));

    // The stream as planned again, so that the consumers are looked at.
    let mut plan = plan;
    plan.assets.retain(|planned| planned.declared.consumer.is_some());
    let consumers = bench.apply_plan(&plan, ALL).await;
    golden::assert("tests/jetstream/conflict.expected", &(render(&applied) + &render(&consumers)));
    assert_eq!(bench.config("CONSUMER.INFO.ORDERS.NEW").await["max_deliver"], json!(7));
    assert!(bench.api("CONSUMER.INFO.ORDERS.WORK", json!({})).await.is_err(), "nothing was created again");
}

#[tokio::test]
async fn costly_changes_need_their_flags_and_manifests_can_forbid_them() {
    let bench = Bench::start().await;
    let message = async || {
        let jetstream = async_nats::jetstream::new(bench.server.client().await);
        jetstream.publish("orders.new", "x".into()).await.expect("published").await.expect("stored");
        bench.api("STREAM.INFO.ORDERS", json!({})).await.expect("a stream")["state"]["messages"].clone()
    };
    bench.apply(&manifests(BEFORE, &[WORK]), NONE).await;
    assert_eq!(message().await, json!(1));
    let memory = BEFORE.replace("file", "memory");
    let mut told = String::new();
    for (spec, options) in [
        (BEFORE.replace("24h", "1h"), NONE),
        (memory.clone(), NONE),
        (memory.clone(), Options { replace: true, ..NONE }),
        (format!("{memory}, preventDelete: true"), ALL),
        (format!("{}, preventUpdate: true", BEFORE.replace("24h", "1h")), ALL),
        (memory, ALL),
    ] {
        let applied = bench.apply(&manifests(&spec, &[WORK]), options).await;
        told += &format!("{}\n", render(&applied));
    }
    golden::assert("tests/jetstream/costly.expected", &told);
    let info = bench.api("STREAM.INFO.ORDERS", json!({})).await.expect("a stream");
    assert_eq!((&info["config"]["storage"], &info["state"]["messages"]), (&json!("memory"), &json!(0)));
    assert_eq!(info["state"]["consumer_count"], json!(1));
}

#[tokio::test]
async fn what_a_cluster_keeps_is_proven_too() {
    let mut cluster = Cluster::start(3).await;
    let bench = Bench::on(cluster.nodes.remove(0)).await;
    let work = "streamName: R3, durableName: WORK, ackPolicy: explicit, ackWait: 30s";
    for (stream, consumer) in [
        ("name: R3, replicas: 3, storage: file, subjects: [r3.*]", work.to_owned()),
        (
            "name: R3, replicas: 3, storage: file, subjects: [r3.>], maxAge: 1h",
            format!("{work}, backoff: [1s, 2s]"),
        ),
        (
            "name: R3, replicas: 3, storage: file, subjects: [r3.>]",
            format!("{work}, replicas: 3, memStorage: true"),
        ),
    ] {
        let declared = manifests(stream, &[&consumer]);
        let applied = bench.apply(&declared, ALL).await;
        assert!(!applied.iter().any(Applied::is_failure), "{}", render(&applied));
        assert_eq!(fields(&bench.plan(&declared).await), Vec::<&str>::new());
    }
}

#[tokio::test]
async fn what_the_server_keeps_otherwise_is_told_and_fails() {
    // A server with a lower bound of its own, which no answer of its API tells.
    let server =
        NatsServer::with("jetstream { store_dir: $DIR/limited, limits { max_ack_pending: 50 } }").await;
    let bench = Bench::on(server).await;
    let declared = text("name: S", &["streamName: S, durableName: C, ackPolicy: explicit, ackWait: 1s"]);
    let run = bench.command(&declared, &["apply"]).await;
    golden::assert("tests/jetstream/kept.expected", &run.seen());
}

#[tokio::test]
async fn a_pause_is_begun_moved_and_ended() {
    let bench = Bench::start().await;
    if !bench.is_from(2, 11, "a pause") {
        return;
    }
    for pause in ["", ", pauseUntil: '2100-01-01T01:00:00+01:00'", ", pauseUntil: '2101-01-01T00:00:00Z'", ""]
    {
        let manifests = manifests(
            "name: S",
            &[&format!("streamName: S, durableName: C, ackPolicy: explicit, ackWait: 1s{pause}")],
        );
        let applied = bench.apply(&manifests, NONE).await;
        assert!(!applied.iter().any(Applied::is_failure), "{}", render(&applied));
        assert_eq!(fields(&bench.plan(&manifests).await), Vec::<&str>::new());
    }
}

#[tokio::test]
async fn what_no_manifest_can_write_stays() {
    let bench = Bench::start().await;
    if !bench.is_from(2, 14, "allow_batched") {
        return;
    }
    let config = json!({ "name": "S", "storage": "memory", "allow_batched": true, "description": "old" });
    bench.api("STREAM.CREATE.S", config).await.expect("a stream");
    let declared = manifests("name: S, description: new", &[]);
    let plan = bench.plan(&declared).await;
    assert_eq!(fields(&plan), ["description"]);
    assert!(
        plan.render().contains("= allow_batched: true  (no manifest can write it: it stays)"),
        "{}",
        plan.render()
    );
    bench.apply_plan(&plan, NONE).await;
    let live = bench.config("STREAM.INFO.S").await;
    assert_eq!((&live["description"], &live["allow_batched"]), (&json!("new"), &json!(true)));
}

#[tokio::test]
async fn without_jetstream_the_reason_is_told() {
    let server =
        NatsServer::with("accounts { A { users: [{ user: a, password: p }] } }\nno_auth_user: a").await;
    let bench = Bench::on(server).await;
    let run = bench.command(&text("name: S", &[]), &["apply"]).await;
    assert_eq!(run.code, 1, "{}", run.seen());
    assert!(
        run.stderr.contains("off for this account") || run.stderr.contains("not enabled"),
        "{}",
        run.seen()
    );
}
