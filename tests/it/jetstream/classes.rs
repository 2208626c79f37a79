//! The class of every field's change, held against what a real server does with it.

use natsgate::jetstream::plan::{Class, Op};
use natsgate::jetstream::version::Version;
use serde_json::{Value, json};

use super::bench::{ALL, Bench, NONE, changes, fields, manifests};

const V2_10: Version = Version(2, 10, 0);
const V2_11: Version = Version(2, 11, 0);
const V2_12: Version = Version(2, 12, 0);

use Class::{Destructive, InPlace, Replace};

/// The first server that knows it, before, after, the field, its class.
const STREAM: &[(Version, &str, &str, &str, Class)] = &[
    (V2_10, "", "description: a", "description", InPlace),
    (V2_10, "subjects: [a.*, b]", "subjects: [a.>, b]", "subjects", InPlace),
    (V2_10, "subjects: [a.*, b]", "subjects: [a.*]", "subjects", Destructive),
    (V2_10, "", "retention: workqueue", "retention", Replace),
    (V2_10, "retention: workqueue", "", "retention", Replace),
    (V2_10, "retention: workqueue", "retention: interest", "retention", Replace),
    (V2_10, "", "retention: interest", "retention", Destructive),
    (V2_10, "retention: interest", "", "retention", InPlace),
    (V2_10, "", "maxMsgs: 5", "max_msgs", Destructive),
    (V2_10, "maxMsgs: 5", "maxMsgs: 6", "max_msgs", InPlace),
    (V2_10, "maxMsgs: 5", "", "max_msgs", InPlace),
    (V2_10, "maxBytes: 5000", "maxBytes: 4000", "max_bytes", Destructive),
    (V2_10, "maxAge: 2h", "maxAge: 1h", "max_age", Destructive),
    (V2_10, "maxAge: 2h", "maxAge: ''", "max_age", InPlace),
    (V2_10, "maxMsgsPerSubject: 5", "maxMsgsPerSubject: 1", "max_msgs_per_subject", Destructive),
    (V2_10, "", "maxMsgSize: 100", "max_msg_size", InPlace),
    (V2_10, "storage: file", "", "storage", Replace),
    (V2_10, "", "discard: new", "discard", InPlace),
    (V2_10, "", "noAck: true", "no_ack", InPlace),
    (V2_10, "", "duplicateWindow: 1m", "duplicate_window", InPlace),
    (V2_10, "mirror: { name: ORIGIN }", "mirror: { name: OTHER }", "mirror.name", Replace),
    (V2_10, "", "sources: [{ name: ORIGIN }]", "sources[ORIGIN].name", InPlace),
    (V2_10, "", "denyDelete: true", "deny_delete", InPlace),
    (V2_10, "denyDelete: true", "", "deny_delete", Replace),
    (V2_10, "denyPurge: true", "", "deny_purge", Replace),
    (V2_10, "", "allowRollup: true", "allow_rollup_hdrs", InPlace),
    (V2_10, "", "compression: s2", "compression", InPlace),
    (V2_10, "", "allowDirect: true", "allow_direct", InPlace),
    (V2_10, "", "consumerLimits: { maxAckPending: 50 }", "consumer_limits.max_ack_pending", InPlace),
    (V2_10, "", "metadata: { owner: a }", "metadata.owner", InPlace),
    (V2_11, "", "allowMsgTtl: true", "allow_msg_ttl", InPlace),
    (V2_11, "allowMsgTtl: true", "", "allow_msg_ttl", Replace),
    (V2_12, "maxConsumers: 9", "maxConsumers: 8", "max_consumers", InPlace),
    (V2_12, "", "allowMsgCounter: true", "allow_msg_counter", Replace),
    (V2_12, "", "allowAtomicPublish: true", "allow_atomic", InPlace),
    (
        V2_12,
        "allowMsgSchedules: true, allowRollup: true",
        "allowRollup: true",
        "allow_msg_schedules",
        Replace,
    ),
    (V2_12, "storage: file, persistMode: async", "storage: file", "persist_mode", Replace),
];

const CONSUMER: &[(Version, &str, &str, &str, Class)] = &[
    (V2_10, "deliverPolicy: all", "deliverPolicy: new", "deliver_policy", Replace),
    (
        V2_10,
        "deliverPolicy: byStartSequence, optStartSeq: 3",
        "deliverPolicy: byStartSequence, optStartSeq: 4",
        "opt_start_seq",
        Replace,
    ),
    (V2_10, "", "ackPolicy: all", "ack_policy", Replace),
    (V2_10, "", "replayPolicy: original", "replay_policy", Replace),
    (V2_10, "deliverSubject: d", "deliverSubject: d, heartbeatInterval: 5s", "idle_heartbeat", Replace),
    (
        V2_10,
        "deliverSubject: d, heartbeatInterval: 5s",
        "deliverSubject: d, heartbeatInterval: 5s, flowControl: true",
        "flow_control",
        Replace,
    ),
    (V2_10, "deliverSubject: d", "deliverSubject: e", "deliver_subject", InPlace),
    (V2_10, "maxWaiting: 10", "maxWaiting: 11", "max_waiting", Replace),
    (V2_10, "maxWaiting: 10", "", "max_waiting", Replace),
    (V2_10, "ackWait: 5s", "ackWait: 6s", "ack_wait", InPlace),
    (V2_10, "maxDeliver: 3", "maxDeliver: 4", "max_deliver", InPlace),
    (V2_10, "maxDeliver: 3", "", "max_deliver", InPlace),
    (V2_10, "ackWait: 1s", "ackWait: 1s, backoff: [1s, 2s]", "backoff", InPlace),
    (V2_10, "", "maxAckPending: 5", "max_ack_pending", InPlace),
    (V2_10, "", "filterSubject: s.a", "filter_subjects", InPlace),
    (V2_10, "filterSubject: s.a", "filterSubjects: [s.a, s.b]", "filter_subjects", InPlace),
    (V2_10, "", "sampleFreq: '50'", "sample_freq", InPlace),
    (V2_10, "deliverSubject: d", "deliverSubject: d, rateLimitBps: 5000", "rate_limit_bps", InPlace),
    (V2_10, "deliverSubject: d", "deliverSubject: d, deliverGroup: g", "deliver_group", InPlace),
    (V2_10, "", "headersOnly: true", "headers_only", InPlace),
    (V2_10, "", "maxRequestBatch: 5", "max_batch", InPlace),
    (V2_10, "", "maxRequestExpires: 1s", "max_expires", InPlace),
    (V2_10, "", "maxRequestMaxBytes: 50", "max_bytes", InPlace),
    (V2_10, "inactiveThreshold: 1h", "", "inactive_threshold", InPlace),
    (V2_10, "", "description: a", "description", InPlace),
    (V2_10, "metadata: { a: b }", "", "metadata.a", InPlace),
];

#[tokio::test]
async fn a_stream_s_changes_are_classed_as_the_server_treats_them() {
    let bench = Bench::start().await;
    for name in ["ORIGIN", "OTHER"] {
        bench.api(&format!("STREAM.CREATE.{name}"), json!({ "name": name })).await.expect("an origin");
    }
    for (since, before, after, field, class) in STREAM {
        if !bench.is_from(since.0, since.1, field) {
            continue;
        }
        let spec = |more: &str| {
            let subjects =
                if more.contains("subjects") || more.contains("mirror") { "" } else { ", subjects: [s.*]" };
            manifests(&format!("name: S{subjects}{}{more}", if more.is_empty() { "" } else { ", " }), &[])
        };
        bench.apply(&spec(before), ALL).await;
        check(&bench, "STREAM.UPDATE.S", &spec(after), field, *class, &format!("{before} → {after}")).await;
        bench.api("STREAM.DELETE.S", json!({})).await.expect("it was there");
    }
}

#[tokio::test]
async fn a_consumer_s_changes_are_classed_as_the_server_treats_them() {
    let bench = Bench::start().await;
    let push = [
        (V2_10, "", "deliverSubject: d", "deliver_subject", Replace),
        (V2_10, "deliverSubject: d", "", "deliver_subject", Replace),
    ];
    for (_, before, after, field, class) in CONSUMER.iter().chain(&push) {
        let spec = |more: &str| {
            let ack = if more.contains("ackPolicy") { "" } else { ", ackPolicy: explicit" };
            let wait = if more.contains("ackWait") { "" } else { ", ackWait: 30s" };
            let more = if more.is_empty() { String::new() } else { format!(", {more}") };
            manifests(
                "name: S, subjects: [s.*]",
                &[&format!("streamName: S, durableName: C{ack}{wait}{more}")],
            )
        };
        bench.apply(&spec(before), ALL).await;
        check(&bench, "CONSUMER.CREATE.S.C", &spec(after), field, *class, &format!("{before} → {after}"))
            .await;
        bench.api("CONSUMER.DELETE.S.C", json!({})).await.expect("it was there");
    }
}

/// The plan shows the field with its class; a plain update is refused exactly where the plan says replace; applied with
/// every flag, nothing is left to do.
async fn check(
    bench: &Bench,
    subject: &str,
    after: &natsgate::jetstream::manifest::Manifests,
    field: &str,
    class: Class,
    told: &str,
) {
    let plan = bench.plan(after).await;
    let found: Vec<_> = changes(&plan).filter(|change| change.field == field).collect();
    let [change] = found.as_slice() else { panic!("{told}: {:?}", fields(&plan)) };
    assert_eq!(change.class, class, "{told}");
    let planned = plan.assets.iter().find(|planned| !planned.changes.is_empty()).expect("an asset");
    let config = Value::Object(planned.declared.config.clone());
    if change.op == Op::Remove && change.declared.is_null() {
        assert!(config.get(field).is_none(), "{told}");
    }
    let refused = bench.apply_plan(&plan, NONE).await;
    assert_eq!(
        refused.iter().any(natsgate::jetstream::apply::Applied::is_failure),
        class != InPlace,
        "{told}: {refused:?}"
    );
    if class != InPlace {
        let body = match subject.starts_with("CONSUMER") {
            true => json!({ "stream_name": "S", "config": config, "action": "update" }),
            false => config,
        };
        let updated = bench.api(subject, body).await;
        assert_eq!(updated.is_err(), class == Replace, "{told}: {updated:?}");
        bench.apply(after, ALL).await;
    }
    assert_eq!(fields(&bench.plan(after).await), Vec::<&str>::new(), "{told}");
}
