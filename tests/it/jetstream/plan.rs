//! `natsgate streams plan` and `apply` as they are seen on a terminal.

use natsgate::jetstream::live::Live;
use natsgate::jetstream::manifest::Manifests;
use natsgate::jetstream::plan::plan;
use natsgate::jetstream::version::Version;
use serde_json::{Value, json};

use super::bench::{ALL, Bench, NONE, fields, manifests, text};
use super::declared;
use crate::support::command::natsgate;
use crate::support::golden;

/// What the output has of the machine and of the server's version.
fn stable(bench: &Bench, text: &str) -> String {
    text.replace(&bench.server.url(), "nats://SERVER").replace(&bench.version().to_string(), "VERSION")
}

const STREAM: &str = "name: ORDERS, subjects: [orders.>, refunds.*], storage: file, maxAge: 24h, maxMsgs: 100, \
                      retention: limits, compression: s2, metadata: { owner: a, team: x }";
const WORK: &str = "streamName: ORDERS, durableName: WORK, ackPolicy: explicit, ackWait: 30s, backoff: [1s, 5s], \
                    maxDeliver: 5, filterSubject: orders.new";

const AFTER: &str = "name: ORDERS, subjects: [orders.>], storage: file, maxAge: 1h30m, maxMsgs: 200, description: all orders, \
                     retention: interest, metadata: { owner: b }, consumerLimits: { maxAckPending: 2000 }";
const WORK_AFTER: &str = "streamName: ORDERS, durableName: WORK, ackPolicy: explicit, ackWait: 20s, maxDeliver: 5, \
                          filterSubjects: [orders.new, orders.old]";
const OTHERS: [&str; 2] = [
    "streamName: ORDERS, durableName: AUDIT, ackPolicy: all, ackWait: 30s, preventUpdate: true",
    "streamName: ORDERS, durableName: NEW, ackPolicy: explicit, ackWait: 30s",
];

#[tokio::test]
async fn every_field_is_marked_and_unmanaged_things_are_listed() {
    let bench = Bench::start().await;
    let audit = "streamName: ORDERS, durableName: AUDIT, ackPolicy: none";
    let old = "streamName: ORDERS, durableName: OLD, ackPolicy: explicit, ackWait: 1s";
    bench.apply(&manifests(STREAM, &[WORK, audit, old]), NONE).await;
    bench.api("STREAM.CREATE.ELSEWHERE", json!({ "name": "ELSEWHERE" })).await.expect("a stream");
    let after = text(AFTER, &[WORK_AFTER, OTHERS[0], OTHERS[1]]);
    let run = bench.command(&after, &["plan"]).await;
    golden::assert("tests/jetstream/plan.expected", &stable(&bench, &run.seen()));
    let run = bench.command(&after, &["plan", "--output", "json"]).await;
    assert_eq!(run.code, 3, "{}", run.seen());
    let mut json = run.json();
    // The server's other defaults come and go with its version; a test of its own compares them.
    for asset in json["assets"].as_array_mut().expect("assets") {
        assert!(asset["effective"]["name"].is_string(), "{asset}");
        asset.as_object_mut().expect("an object").remove("effective");
    }
    let json = serde_json::to_string_pretty(&json).expect("JSON") + "\n";
    golden::assert("tests/jetstream/plan.json", &stable(&bench, &json));

    let refused = bench.command(&after, &["apply"]).await;
    golden::assert("tests/jetstream/refused.expected", &stable(&bench, &refused.seen()));
    let dry = bench.command(&after, &["apply", "--dry-run", "--allow-destructive"]).await;
    assert_eq!((dry.code, dry.stdout.contains("to update")), (3, true), "{}", dry.seen());

    let applied = bench.command(&after, &["apply", "--allow-destructive"]).await;
    golden::assert("tests/jetstream/applied.expected", &stable(&bench, &applied.seen()));
    let again = bench.command(&after, &["apply", "--allow-destructive", "--output", "json"]).await;
    let outcomes: Vec<_> =
        again.json()["applied"].as_array().expect("rows").iter().map(|row| row["outcome"].clone()).collect();
    assert_eq!(outcomes, ["exists", "exists", "prevented", "exists"]);
    assert_eq!(again.code, 3);
    // What no manifest declares was left alone.
    for subject in ["CONSUMER.INFO.ORDERS.OLD", "STREAM.INFO.ELSEWHERE"] {
        bench.api(subject, json!({})).await.expect("it is still there");
    }
}

#[tokio::test]
async fn a_subject_that_another_stream_captures_is_told_before_the_server_refuses() {
    let bench = Bench::start().await;
    bench
        .api("STREAM.CREATE.THEIRS", json!({ "name": "THEIRS", "subjects": ["orders.new"] }))
        .await
        .expect("a stream");
    let ours = text(
        "name: ORDERS, subjects: [orders.*]",
        &["streamName: ORDERS, durableName: C, ackPolicy: explicit, ackWait: 1s"],
    );
    let run = bench.command(&ours, &["plan"]).await;
    golden::assert("tests/jetstream/overlap.expected", &run.seen());
    let applied = bench.command(&ours, &["apply"]).await;
    assert_eq!(applied.code, 1);
    assert!(applied.stdout.contains("skipped: its stream ORDERS failed"), "{}", applied.seen());
}

#[tokio::test]
async fn a_subject_moves_from_one_stream_to_another_in_one_go() {
    let bench = Bench::start().await;
    let both = |a: &str, b: &str| {
        let mut both = manifests(&format!("name: A, subjects: [{a}]"), &[]);
        both.streams.extend(manifests(&format!("name: B, subjects: [{b}]"), &[]).streams);
        both
    };
    bench.apply(&both("a", "b, c"), NONE).await;
    let applied = bench.apply(&both("a, c", "b"), ALL).await;
    assert!(!applied.iter().any(natsgate::jetstream::apply::Applied::is_failure), "{applied:?}");
    assert_eq!(fields(&bench.plan(&both("a, c", "b")).await), Vec::<&str>::new());
}

#[tokio::test]
async fn exit_codes_tell_what_is_to_be_done() {
    let bench = Bench::start().await;
    let declared = text("name: S, subjects: [s]", &[]);
    for (command, code) in [("plan", 3), ("drift", 3), ("apply", 0), ("plan", 0), ("drift", 0), ("apply", 0)]
    {
        let run = bench.command(&declared, &[command]).await;
        assert_eq!(run.code, code, "{command}: {}", run.seen());
    }
    for command in ["plan", "apply", "drift"] {
        let run = bench.command(&declared.replace("subjects", "subject"), &[command]).await;
        assert_eq!(run.code, 64, "{}", run.seen());
        assert!(run.stderr.contains("streams.yaml:4:"), "{}", run.seen());
    }
    let run =
        natsgate("tests/jetstream", &["streams", "plan", "nowhere.yaml", "--nats", &bench.server.url()]);
    assert_eq!(run.code, 64, "{}", run.seen());
    assert!(run.stderr.contains("--> arguments:1:1"), "{}", run.seen());
    let away = format!("nats://127.0.0.1:{}", crate::support::nats_server::free_port());
    let run = natsgate("deploy/jetstream", &["streams", "plan", "stacks.yaml", "--nats", &away]);
    assert_eq!(run.code, 1, "{}", run.seen());
    assert!(run.stderr.ends_with("; name another server with --nats\n"), "{}", run.seen());
}

#[test]
fn a_field_that_is_newer_than_the_server_is_told_by_both_versions() {
    let declared: Manifests =
        declared(&text("name: S, allowAtomicPublish: true, allowMsgCounter: false", &[]));
    let live = Live { version: Version(2, 11, 4), max_ack_pending: None, streams: Default::default() };
    let mut declared = natsgate::jetstream::declared::declared(&declared, None);
    declared[0].config.insert("allow_batched".to_owned(), Value::Bool(true));
    let plan = plan(declared, &live);
    let told: Vec<_> = plan.assets[0]
        .problems
        .iter()
        .map(|one| (one.message.as_str(), one.reason.as_deref().unwrap_or("")))
        .collect();
    assert_eq!(
        told,
        [
            (
                "stream `S` asks for `allowAtomicPublish`, which this server does not know",
                "servers from 2.12 on know it, this one is 2.11.4"
            ),
            (
                "stream `S` asks for `allow_batched`, which this server does not know",
                "servers from 2.14 on know it, this one is 2.11.4"
            ),
        ]
    );
}
