//! One operation through all stages and back under constant load, from a legacy service to a responder that at first is
//! not quite the same: nobody outside notices, and the gate stays shut until it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_nats::HeaderMap;
use bytes::Bytes;
use futures_util::future::join_all;
use natsgate::gateway::reload::Outcome;
use natsgate::migrate::status::Status;
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::reload::reload;
use crate::support::gateway::Gateway;
use crate::support::http::Client;
use crate::support::legacy::{self, Legacy};
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;

const OPERATION: &str = "GET /x/{id}";
/// Of so many ids, one is not there.
const IDS: usize = 20;

fn text(legacy: &Legacy, stage: &str, ignore: &str) -> String {
    super::of(
        &legacy.url,
        "GET",
        "",
        &format!(
            "{stage}, fallback: true, key: '${{path.id}}', compare: {{ ignore: [{ignore}] }}, promote_when: {{ compared: 200, mismatch: 3%, p99_delta: 1s, for: 1s }}"
        ),
    )
    .replace("timeout: 2s", "timeout: 6s")
    .replace("upstreams:", "migration: { every: 100ms }\nupstreams:")
}

/// One side's answer: status and body.
fn answer(id: &str, version: &str) -> (u16, String) {
    match id.parse::<usize>().is_ok_and(|id| id % IDS == 0) {
        true => (404, json!({ "error": format!("no {id}") }).to_string()),
        false => (200, json!({ "id": id, "version": version }).to_string()),
    }
}

/// A responder that is slower, names its version otherwise, and reports what is missing otherwise until it is mended.
async fn responder(nats: &NatsServer, mended: &Arc<AtomicBool>) -> Service {
    let mended = Arc::clone(mended);
    Service::start(&nats.url(), "x.*", move |message| {
        let (status, body) = answer(&message.subject.replace("x.", ""), "nats");
        let mut headers = HeaderMap::new();
        match (status, mended.load(Ordering::Relaxed)) {
            (200, _) => {}
            (status, true) => {
                headers.insert("Nats-Service-Error-Code", status.to_string());
                headers.insert("Nats-Service-Error", "missing");
            }
            (_, false) => {
                headers.insert("Nats-Service-Error-Code", "500");
                headers.insert("Nats-Service-Error", "missing");
            }
        }
        Some((headers, Bytes::from(body)))
    })
    .await
}

/// Waits until the status of the migration is as it should be.
async fn until(gateway: &Gateway, what: &str, holds: impl Fn(&Status) -> bool) -> Status {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        let status = gateway.inner.migration(OPERATION).expect("a migration");
        if holds(&status) {
            return status;
        }
        assert!(Instant::now() < end, "never came: {what}: {status:#?}");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_operation_moves_through_all_stages_and_back_and_nobody_outside_notices() {
    let nats = NatsServer::start().await;
    let legacy = Legacy::start(|seen| {
        let id = seen.head.uri.path().replace("/x/", "");
        let (status, body) = answer(&id, "legacy");
        (Duration::from_millis(3), legacy::json(status, body))
    })
    .await;
    let mended = Arc::new(AtomicBool::new(false));
    let service = responder(&nats, &mended).await;
    let gateway = Gateway::start(&nats.url(), &text(&legacy, "stage: legacy", "")).await;
    let (open, asked) = (AtomicBool::new(true), AtomicUsize::new(0));
    let client = || async {
        let mut client = Client::connect(&gateway.url).await;
        while open.load(Ordering::Relaxed) {
            let id = asked.fetch_add(1, Ordering::Relaxed).to_string();
            let given = client.send("GET", &format!("/x/{id}"), &[], b"").await;
            let (status, body) = answer(&id, given.json()["version"].as_str().unwrap_or_default());
            assert_eq!((given.status, given.text()), (status, body), "a client noticed");
        }
    };
    let moving = async {
        let apply = async |stage: &str, ignore: &str| {
            let outcome = reload(&gateway, &text(&legacy, stage, ignore)).await.outcome;
            assert_eq!(outcome, Outcome::Applied, "{stage}");
        };
        apply("stage: shadow", "").await;
        let status =
            until(&gateway, "both differences", |status| status.fields.len() == 2 && status.compared > 200)
                .await;
        let rows: Vec<Vec<String>> = status.fields.iter().map(|row| row.pointers.clone()).collect();
        assert_eq!(rows, [vec!["/version".to_owned()], vec!["status".to_owned()]]);
        assert_eq!(
            status.fields[0].example.legacy["/version"], "string(6)",
            "nothing is shown that is not allowed"
        );
        assert!(!status.gate.holds && status.nats.p99_ms.is_some() && status.legacy.p99_ms >= Some(3.0));

        apply("stage: shadow", "/version").await;
        let status = until(&gateway, "evidence of the new comparison", |status| {
            status.compared > 200 && status.fields.iter().all(|row| row.pointers == ["status"])
        })
        .await;
        assert!(!status.gate.holds, "one in {IDS} still differs: {:?}", status.interval);

        mended.store(true, Ordering::Relaxed);
        let status = until(&gateway, "the gate opens", |status| status.gate.holds).await;
        assert!(status.compared >= 200 && status.gate.conditions.iter().all(|condition| condition.holds));

        for stage in [
            "stage: canary, percent: 10%",
            "stage: canary, percent: 50%",
            "stage: legacy",
            "stage: canary, percent: 100%",
            "stage: mirror",
            "stage: legacy",
            "stage: mirror",
            "stage: nats",
            "stage: legacy",
            "stage: nats",
        ] {
            apply(stage, "/version").await;
            let before = asked.load(Ordering::Relaxed);
            crate::requests::until("the load goes on", || asked.load(Ordering::Relaxed) > before + 100).await;
        }
        // Nobody listens any more, and the legacy service is still there.
        drop(service);
        let before = legacy.seen().len();
        crate::requests::until("the legacy service helps out", || legacy.seen().len() > before + 100).await;
        open.store(false, Ordering::Relaxed);
    };
    tokio::join!(join_all((0..4).map(|_| client())), moving);
    let status = gateway.inner.migration(OPERATION).expect("a migration");
    assert!(status.fallbacks.total > 0 && status.stage == "nats", "{status:#?}");
}
