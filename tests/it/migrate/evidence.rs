//! Evidence: it adds up over instances, outlives restarts, and says what may not be shown to nobody.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use natsgate::migrate::status::Status;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::of;
use crate::reload::reload;
use crate::support::gateway::Gateway;
use crate::support::legacy::{Legacy, json};
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;
use crate::support::streams::Streams;

const OPERATION: &str = "GET /x/{id}";

/// One operation, and evidence that is kept quickly.
fn yaml(legacy: &Legacy, migration: &str) -> String {
    format!("migration: {{ every: 50ms }}\n{}", of(&legacy.url, "GET", "", migration))
}

async fn gateway(nats: &NatsServer, legacy: &Legacy, migration: &str) -> Gateway {
    Gateway::start(&nats.url(), &yaml(legacy, migration)).await
}

fn status(gateway: &Gateway) -> Status {
    gateway.inner.migration(OPERATION).expect("the operation has two sides")
}

async fn ask(gateway: &Gateway, times: usize) {
    for id in 0..times {
        let answer = gateway.get(&format!("/x/{id}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
}

/// Waits until the status says what it should.
async fn becomes(gateway: &Gateway, what: &str, holds: impl Fn(&Status) -> bool) -> Status {
    let until = Instant::now() + Duration::from_secs(15);
    loop {
        let status = status(gateway);
        if holds(&status) {
            return status;
        }
        assert!(Instant::now() < until, "never came: {what}: {status:#?}");
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn instances_add_up_and_restarts_lose_nothing() {
    let mut nats = NatsServer::start().await;
    let legacy = Legacy::saying(r#"{"a":1,"b":1}"#).await;
    let _service = Service::saying(&nats.url(), "x.*", r#"{"a":1,"b":2}"#).await;
    let one = gateway(&nats, &legacy, "stage: shadow").await;
    let other = gateway(&nats, &legacy, "stage: shadow").await;
    ask(&one, 6).await;
    ask(&other, 4).await;
    for gateway in [&one, &other] {
        let status = becomes(gateway, "all pairs", |status| status.compared == 10).await;
        assert_eq!((status.mismatched, status.fields.len()), (10, 1), "{status:#?}");
        assert_eq!((&*status.fields[0].pointers, status.fields[0].count), (&["/b".to_owned()][..], 10));
        assert_eq!((status.legacy.answers, status.nats.answers), (10, 10));
    }
    becomes(&one, "both have written", |status| status.instances == 2).await;
    let since = becomes(&one, "the stage is known", |status| status.since.is_some()).await.since;

    // What was counted just before the end is stored too.
    ask(&one, 3).await;
    becomes(&one, "the last pairs are there", |status| status.compared == 13).await;
    one.stop().await;
    becomes(&other, "the last pairs of the other", |status| status.compared == 13).await;
    let again = gateway(&nats, &legacy, "stage: shadow").await;
    becomes(&again, "what was before", |status| status.compared == 13 && status.since == since).await;

    // Without NATS it stays in memory, and is added once NATS is back.
    nats.kill();
    ask(&again, 2).await;
    let status = becomes(&again, "failed copies", |status| status.candidate_errors == 2).await;
    assert_eq!(status.compared, 15);
    becomes(&again, "it is told", |status| status.not_kept.as_deref() == Some("not connected")).await;
    nats.restart().await;
    becomes(&other, "what was seen meanwhile", |status| status.compared == 15).await;
    becomes(&again, "it is kept", |status| status.not_kept.is_none() && status.compared == 15).await;
}

#[tokio::test]
async fn what_waits_for_a_connection_waits_for_nothing_else() {
    let mut nats = NatsServer::start().await;
    let legacy = Legacy::saying("1").await;
    nats.kill();
    let rarely = yaml(&legacy, "stage: shadow").replace("every: 50ms", "every: 10m");
    let gateway = Gateway::start_unconnected(&nats.url(), &rarely, &[]).await;
    becomes(&gateway, "it is told", |status| status.not_kept.as_deref() == Some("not connected")).await;
    nats.restart().await;
    becomes(&gateway, "it is kept", |status| status.not_kept.is_none()).await;
}

/// Whoever comes second in writing adds to what the first one wrote.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instances_that_write_at_the_same_time_lose_nothing() {
    let nats = NatsServer::start().await;
    let legacy = Legacy::saying("1").await;
    let _service = Service::saying(&nats.url(), "x.*", "1").await;
    let often = |gateway: String| gateway.replace("50ms", "1ms");
    let yaml = often(yaml(&legacy, "stage: shadow"));
    let url = nats.url();
    let start = || Gateway::start(&url, &yaml);
    let (one, other, third) = tokio::join!(start(), start(), start());
    tokio::join!(ask(&one, 150), ask(&other, 150), ask(&third, 150));
    for gateway in [&one, &other, &third] {
        becomes(gateway, "every pair, once", |status| status.matched == 450 && status.instances == 3).await;
    }
    tokio::join!(one.stop(), other.stop());
    let last = becomes(&third, "it stays so", |status| status.instances == 3).await;
    assert_eq!(last.compared, 450);
}

#[tokio::test]
async fn what_is_written_anew_is_seen_anew() {
    let nats = NatsServer::start().await;
    let legacy = Legacy::saying(r#"{"a":1,"at":1}"#).await;
    let _service = Service::saying(&nats.url(), "x.*", r#"{"a":1,"at":2}"#).await;
    let when = "promote_when: { compared: 20, mismatch: 20%, for: 1s, p99_delta: 10s }";
    let gateway = gateway(&nats, &legacy, &format!("stage: shadow, {when}")).await;
    ask(&gateway, 30).await;
    let shut = becomes(&gateway, "all pairs", |status| status.compared >= 20).await;
    assert!(!shut.gate.holds);
    let mismatch = shut.gate.conditions.iter().find(|one| one.name == "mismatch").expect("a condition");
    assert_eq!(mismatch.missing.as_deref(), Some("fewer mismatches: fix or ignore what differs"));
    let stage = becomes(&gateway, "the stage is known", |status| status.since.is_some()).await.since;

    let ignoring = yaml(&legacy, &format!("stage: shadow, {when}, compare: {{ ignore: [/at] }}"));
    reload(&gateway, &ignoring).await;
    assert_eq!(status(&gateway).compared, 0, "what was seen before does not count");
    let until = Instant::now() + Duration::from_secs(20);
    while !status(&gateway).gate.holds {
        assert!(Instant::now() < until, "{:#?}", status(&gateway).gate);
        ask(&gateway, 5).await;
    }
    let open = status(&gateway);
    assert_eq!((open.mismatched, &open.since), (0, &stage));

    // Who answers is no part of what is compared.
    reload(&gateway, &ignoring.replace("stage: shadow", "stage: canary, percent: 50%")).await;
    let moved = status(&gateway);
    assert!(moved.compared > 0 && moved.stage == "canary" && (moved.percent - 50.0).abs() < 1e-9);
}

/// Where no copies are made, what clients are answered is what there is to see.
#[tokio::test]
async fn a_canary_shows_both_sides() {
    let nats = NatsServer::start().await;
    let legacy = Legacy::start(|_| (Duration::from_millis(20), json(404, "{}"))).await;
    let _service = Service::saying(&nats.url(), "x.*", "{}").await;
    let migration = "stage: canary, percent: 50%, key: '${path.id}'";
    let gateway = gateway(&nats, &legacy, migration).await;
    for id in 0..40 {
        gateway.get(&format!("/x/{id}")).await;
    }
    let status =
        becomes(&gateway, "all answers", |status| status.legacy.answers + status.nats.answers == 40).await;
    assert_eq!((status.legacy.errors.get("404").copied(), status.compared), (Some(status.legacy.answers), 0));
    assert!(status.legacy.answers > 5 && status.nats.answers > 5 && status.nats.errors.is_empty());
    assert!(status.legacy.p50_ms.is_some_and(|p50| p50 > 10.0), "{:?}", status.legacy);
}

#[tokio::test]
async fn mismatches_are_stored_without_what_may_not_be_shown() {
    let nats = NatsServer::start().await;
    let legacy = Legacy::saying(r#"{"name":"Ann Secret","kind":"old","n":1}"#).await;
    let _service = Service::saying(&nats.url(), "x.*", r#"{"name":"Bob","kind":"new"}"#).await;
    let migration = "stage: shadow, compare: { show: [/kind] }";
    let gateway = gateway(&nats, &legacy, migration).await;
    gateway.send("GET", "/x/7?q=Query-Secret", &[("Authorization", "Bearer Header-Secret")], b"").await;
    let streams = Streams::of(&nats.url()).await;
    let kept = loop {
        if status(&gateway).mismatched == 1 {
            let names = async_nats::jetstream::new(nats.client().await);
            if names.get_stream("NATSGATE_MISMATCHES").await.is_ok() {
                let kept = streams.messages("NATSGATE_MISMATCHES").await;
                if !kept.is_empty() {
                    break kept;
                }
            }
        }
        sleep(Duration::from_millis(10)).await;
    };
    assert_eq!(kept[0].subject, "natsgate.mismatch.GET=20=2Fx=2F=7Bid=7D");
    let said: Value = serde_json::from_slice(&kept[0].payload).expect("JSON");
    assert_eq!(said["operation"], OPERATION);
    assert_eq!(said["pointers"], serde_json::json!(["/kind", "/n", "/name"]));
    assert_eq!(
        said["legacy"],
        serde_json::json!({ "/kind": "\"old\"", "/n": "number", "/name": "string(10)" })
    );
    assert_eq!(
        said["nats"],
        serde_json::json!({ "/kind": "\"new\"", "/n": "missing", "/name": "string(3)" })
    );
    becomes(&gateway, "it is in the bucket", |status| status.instances == 1).await;
    for stream in ["NATSGATE_MISMATCHES", "KV_natsgate_migration"] {
        for message in streams.messages(stream).await {
            let text = String::from_utf8_lossy(&message.payload).into_owned();
            assert!(!text.contains("Secret") && !text.contains("Bob"), "{text}");
        }
    }
}

#[tokio::test]
async fn without_jetstream_evidence_stays_in_memory() {
    let nats =
        NatsServer::with("accounts { A { users: [ { user: a, password: a } ] } }\nno_auth_user: a").await;
    let legacy = Legacy::saying(r#"{"a":1}"#).await;
    let _service = Service::saying(&nats.url(), "x.*", r#"{"a":1}"#).await;
    let gateway = gateway(&nats, &legacy, "stage: shadow").await;
    ask(&gateway, 5).await;
    let is_off =
        |status: &Status| status.not_kept.as_deref().is_some_and(|why| why.contains("JetStream is off"));
    let status = becomes(&gateway, "pairs in memory", |status| status.compared == 5 && is_off(status)).await;
    assert_eq!(status.matched, 5);
}

#[tokio::test]
async fn a_user_who_may_not_keep_evidence_is_told_and_harmed_by_nothing() {
    let nats = NatsServer::with(
        "authorization { users: [ { user: a, password: a, permissions: { publish: { deny: [\"$JS.API.>\", \"$KV.>\"] } } } ] }\nno_auth_user: a",
    )
    .await;
    let legacy = Legacy::saying(r#"{"a":1}"#).await;
    let _service = Service::saying(&nats.url(), "x.*", r#"{"a":2}"#).await;
    let gateway = gateway(&nats, &legacy, "stage: shadow").await;
    ask(&gateway, 5).await;
    let is_denied =
        |status: &Status| status.not_kept.as_deref().is_some_and(|why| why.contains("permission"));
    becomes(&gateway, "what is missing", |status| status.compared == 5 && is_denied(status)).await;
    ask(&gateway, 5).await;
    becomes(&gateway, "more pairs", |status| status.mismatched == 10).await;
}

#[tokio::test]
async fn a_reset_begins_anew_for_all_instances() {
    let nats = NatsServer::start().await;
    let legacy = Legacy::saying(r#"{"a":1}"#).await;
    let _service = Service::saying(&nats.url(), "x.*", r#"{"a":2}"#).await;
    let one = gateway(&nats, &legacy, "stage: shadow").await;
    let other = gateway(&nats, &legacy, "stage: shadow").await;
    ask(&one, 3).await;
    becomes(&other, "all pairs", |status| status.compared == 3).await;
    assert_eq!(one.inner.reset_evidence("GET /nothing").await, Ok(false));
    assert_eq!(one.inner.reset_evidence(OPERATION).await, Ok(true));
    assert_eq!(status(&one).compared, 0);
    becomes(&other, "it is forgotten", |status| status.compared == 0).await;
    ask(&other, 2).await;
    becomes(&one, "and counted anew", |status| status.compared == 2 && status.fields[0].count == 2).await;
}

#[tokio::test]
async fn what_differs_by_itself_is_noise() {
    let nats = NatsServer::start().await;
    let count = AtomicU64::new(0);
    let legacy = Legacy::start(move |_| {
        let body = format!(r#"{{"a":1,"at":{}}}"#, count.fetch_add(1, Ordering::Relaxed));
        (Duration::ZERO, json(200, body))
    })
    .await;
    let service = |message: &async_nats::Message| {
        let body = if message.subject.ends_with("7") { r#"{"a":2,"at":"x"}"# } else { r#"{"a":1,"at":"x"}"# };
        Some((async_nats::HeaderMap::new(), Bytes::from_static(body.as_bytes())))
    };
    let _service = Service::start(&nats.url(), "x.*", service).await;
    let gateway = gateway(&nats, &legacy, "stage: shadow, shadow: { noise: legacy }").await;
    ask(&gateway, 8).await;
    let status = becomes(&gateway, "all pairs", |status| status.compared == 8).await;
    assert_eq!((status.noise, status.mismatched), (7, 1), "{status:#?}");
    assert_eq!(
        (&*status.noise_fields[0].pointer, status.noise_fields[0].count, status.noise_fields[0].of),
        ("/at", 8, 8)
    );
    assert_eq!(status.rate, Some(1.0), "the gate lets nothing pass that is not ignored");
    let noise: Vec<_> = status.fields.iter().map(|row| (row.pointers.join(" "), row.noise)).collect();
    assert_eq!(noise, [("/at".to_owned(), true), ("/a /at".to_owned(), false)]);
}

/// What was written for another writing of the operation goes once it is old; what is lost in between comes back.
#[tokio::test]
async fn the_bucket_keeps_what_is_needed() {
    let nats = NatsServer::start().await;
    let legacy = Legacy::saying(r#"{"a":1}"#).await;
    let _service = Service::saying(&nats.url(), "x.*", r#"{"a":1}"#).await;
    let kept = |migration: &str| yaml(&legacy, migration).replace("50ms", "50ms, max_age: 1s");
    let one = Gateway::start(&nats.url(), &kept("stage: shadow")).await;
    ask(&one, 3).await;
    becomes(&one, "all pairs", |status| status.compared == 3 && status.instances == 1).await;
    let streams = Streams::of(&nats.url()).await;
    streams.holds("KV_natsgate_migration", 2).await;

    let jetstream = async_nats::jetstream::new(nats.client().await);
    jetstream.delete_stream("KV_natsgate_migration").await.expect("it was there");
    ask(&one, 1).await;
    becomes(&one, "it is there again", |status| status.compared == 4 && status.instances == 1).await;
    one.stop().await;
    let again = Gateway::start(&nats.url(), &kept("stage: shadow")).await;
    becomes(&again, "what was before", |status| status.compared == 4).await;
    again.stop().await;

    sleep(Duration::from_millis(1100)).await;
    let anew = Gateway::start(&nats.url(), &kept("stage: shadow, compare: { ignore: [/a] }")).await;
    ask(&anew, 1).await;
    becomes(&anew, "the new pair", |status| status.compared == 1 && status.instances == 1).await;
    streams.holds("KV_natsgate_migration", 2).await;
    let keys: Vec<String> =
        streams.messages("KV_natsgate_migration").await.into_iter().map(|kept| kept.subject).collect();
    assert!(keys.iter().any(|key| key.ends_with(".stage")), "{keys:?}");
}
