//! `natsgate streams drift`: what an upgrade without an error has left as it was.

use natsgate::jetstream::apply::Applied;
use serde_json::json;

use super::bench::{Bench, NONE, manifests, text};
use crate::support::golden;

const STREAM: &str = "name: ORDERS, subjects: [orders.*], storage: file";
const WORK: &str = "streamName: ORDERS, durableName: WORK, ackPolicy: explicit, ackWait: 30s, maxDeliver: 5";

/// What NACK's controller does with a consumer that exists: it lays the manifest's fields over the server's, so that
/// a field which is gone from the manifest is sent back as the server has it.
async fn as_nack_would(bench: &Bench, more: &[(&str, serde_json::Value)]) {
    let mut config = bench.config("CONSUMER.INFO.ORDERS.WORK").await;
    for (field, value) in more {
        config[*field] = value.clone();
    }
    let body = json!({ "stream_name": "ORDERS", "config": config });
    bench.api("CONSUMER.CREATE.ORDERS.WORK", body).await.expect("an update");
}

#[tokio::test]
async fn a_backoff_that_was_removed_from_the_manifest_stays_until_it_is_applied_whole() {
    let bench = Bench::start().await;
    let with = format!("{WORK}, backoff: [1s, 5s]");
    for spec in [WORK, &with] {
        let applied = bench.apply(&manifests(STREAM, &[spec]), NONE).await;
        assert!(!applied.iter().any(Applied::is_failure), "{applied:?}");
    }
    assert_eq!(
        bench.config("CONSUMER.INFO.ORDERS.WORK").await["ack_wait"],
        json!(1_000_000_000),
        "backoff[0] is in force"
    );

    // The manifest no longer has it, the chart is upgraded, and no error is told.
    as_nack_would(&bench, &[("ack_wait", json!(30_000_000_000_u64))]).await;
    let live = bench.config("CONSUMER.INFO.ORDERS.WORK").await;
    assert_eq!(
        (&live["ack_wait"], &live["backoff"]),
        (&json!(1_000_000_000), &json!([1_000_000_000_u64, 5_000_000_000_u64]))
    );
    let drift = bench.command(&text(STREAM, &[WORK]), &["drift"]).await;
    golden::assert("tests/jetstream/drift-backoff.expected", &drift.seen());

    let applied = bench.command(&text(STREAM, &[WORK]), &["apply"]).await;
    golden::assert("tests/jetstream/apply-backoff.expected", &applied.seen());
    let live = bench.config("CONSUMER.INFO.ORDERS.WORK").await;
    assert_eq!((&live["ack_wait"], live.get("backoff")), (&json!(30_000_000_000_u64), None));
    let drift = bench.command(&text(STREAM, &[WORK]), &["drift"]).await;
    assert_eq!(drift.seen(), "no drift: 2 as declared\nexit code 0\n");
}

#[tokio::test]
async fn each_way_in_which_nothing_changed_is_told_apart() {
    let bench = Bench::start().await;
    let hands_off =
        "streamName: ORDERS, durableName: HANDS_OFF, ackPolicy: explicit, ackWait: 30s, preventUpdate: true";
    bench
        .apply(&manifests(&format!("{STREAM}, maxMsgSize: 100, noAck: true"), &[WORK, hands_off]), NONE)
        .await;
    let now = text(
        STREAM,
        &[
            &WORK.replace("explicit", "all").replace("maxDeliver: 5", "maxDeliver: 6"),
            &hands_off.replace("30s", "40s"),
            "streamName: ORDERS, durableName: MISSING, ackPolicy: explicit, ackWait: 1s",
        ],
    );
    let drift = bench.command(&now, &["drift"]).await;
    golden::assert("tests/jetstream/drift.expected", &drift.seen());
    let drift = bench.command(&now, &["drift", "--output", "json"]).await;
    assert_eq!(drift.code, 3);
    let names: Vec<_> =
        drift.json()["drifted"].as_array().expect("rows").iter().map(|row| row["name"].clone()).collect();
    assert_eq!(names, ["ORDERS", "ORDERS > WORK", "ORDERS > HANDS_OFF", "ORDERS > MISSING"]);
    assert!(drift.json()["drifted"][0]["fields"][0]["cause"].is_string());
}
