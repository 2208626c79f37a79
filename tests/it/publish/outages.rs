//! NATS gone before, during and after a publish: nothing stored twice, nothing stored late, nothing claimed that is not so.

use std::time::Duration;

use serde_json::json;

use super::{Jobs, jobs_with, keyed, problem, receipt};
use crate::support::cut::Cut;
use crate::support::gateway::Gateway;
use crate::support::nats_server::NatsServer;
use crate::support::streams::Streams;

/// Waits until the gateway knows that its connection has gone.
async fn lost(gateway: &Gateway) {
    let until = tokio::time::Instant::now() + Duration::from_secs(10);
    while gateway.inner.nats().is_connected() {
        assert!(tokio::time::Instant::now() < until, "the loss is not noticed");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn without_nats_nothing_is_stored_later() {
    let mut jobs = Jobs::start(json!({ "storage": "file" }), &jobs_with("retry_for: 200ms")).await;
    assert_eq!(receipt(&jobs.post("{}").await), (1, false));
    jobs.nats.kill();
    lost(&jobs.gateway).await;
    for _ in 0..5 {
        let answer = jobs.post("{}").await;
        assert_eq!(problem(&answer), (503, "nats_unavailable", "not_executed"));
        assert_eq!((answer.header("retry-after"), &answer.json()["retryable"]), (Some("2"), &json!(true)));
        assert!(answer.took >= Duration::from_millis(190), "held: {answer:?}");
        assert!(answer.took < Duration::from_secs(1), "and not to the deadline: {answer:?}");
    }
    jobs.nats.restart().await;
    jobs.gateway.connected().await;
    assert_eq!(receipt(&jobs.post("{}").await), (2, false), "nothing came in between");
}

#[tokio::test]
async fn a_short_outage_is_absorbed() {
    let yaml = jobs_with("retry_for: 8s, timeout: 9s");
    let mut jobs = Jobs::start(json!({ "storage": "file" }), &yaml).await;
    jobs.nats.kill();
    lost(&jobs.gateway).await;
    let (nats, gateway) = (&mut jobs.nats, &jobs.gateway);
    let (answer, ()) = tokio::join!(gateway.post("/jobs", "{}"), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        nats.restart().await;
    });
    assert_eq!(receipt(&answer), (1, false));
    assert_eq!(jobs.streams.count("JOBS").await, 1);
}

/// A gateway whose connection can be broken between a message and its acknowledgement.
struct Breakable {
    _nats: NatsServer,
    streams: Streams,
    cut: Cut,
    gateway: Gateway,
}

impl Breakable {
    async fn start(yaml: &str) -> Breakable {
        let nats = NatsServer::start().await;
        let streams = Streams::of(&nats.url()).await;
        streams.create("JOBS", &["jobs.>"], json!({})).await;
        let cut = Cut::to(nats.port()).await;
        let gateway = Gateway::start(&cut.url(), yaml).await;
        Breakable { _nats: nats, streams, cut, gateway }
    }

    /// Breaks the connection once the stream holds `count` messages, the last of them not acknowledged.
    async fn break_after(&self, count: u64, broken: impl FnOnce(&Cut)) {
        self.streams.holds("JOBS", count).await;
        broken(&self.cut);
        lost(&self.gateway).await;
    }
}

#[tokio::test]
async fn a_lost_acknowledgement_is_asked_for_again_under_the_same_id() {
    let breakable = Breakable::start(&jobs_with("retry_for: 4s, timeout: 5s")).await;
    for (key, sequence) in [("", 1), ("k", 2)] {
        breakable.cut.mute();
        let answer = async {
            match key {
                "" => breakable.gateway.post("/jobs", "{}").await,
                key => keyed(&breakable.gateway, "/jobs", key, "{}").await,
            }
        };
        let broken = async {
            breakable.break_after(sequence, Cut::cut).await;
            breakable.cut.resume();
        };
        let (answer, ()) = tokio::join!(answer, broken);
        assert_eq!(receipt(&answer), (sequence, false), "our own first try is no repetition");
        assert_eq!(answer.header("idempotent-replayed"), None);
        assert_eq!(breakable.streams.count("JOBS").await, sequence, "stored once");
    }
}

#[tokio::test]
async fn an_acknowledgement_that_stays_lost_is_unknown() {
    let breakable = Breakable::start(&jobs_with("retry_for: 300ms, timeout: 5s")).await;
    for (key, sequence, retryable) in [("", 1, false), ("k", 2, true)] {
        breakable.cut.mute();
        let answer = async {
            match key {
                "" => breakable.gateway.post("/jobs", "{}").await,
                key => keyed(&breakable.gateway, "/jobs", key, "{}").await,
            }
        };
        let (answer, ()) = tokio::join!(answer, breakable.break_after(sequence, Cut::refuse));
        assert_eq!(problem(&answer), (504, "connection_lost", "unknown"));
        assert_eq!(answer.json()["retryable"], retryable);
        assert!(answer.took < Duration::from_secs(3), "answered before the deadline: {answer:?}");
        breakable.cut.resume();
        breakable.gateway.connected().await;
    }
    // The repetition that was invited to finds its message.
    assert_eq!(receipt(&keyed(&breakable.gateway, "/jobs", "k", "{}").await), (2, true));
    assert_eq!(breakable.streams.count("JOBS").await, 2);
}

#[tokio::test]
async fn a_refusal_of_the_second_try_does_not_hide_the_first() {
    let breakable = Breakable::start(&jobs_with("retry_for: 4s, timeout: 5s")).await;
    breakable.cut.mute();
    let broken = async {
        breakable.break_after(1, Cut::cut).await;
        breakable.streams.update("JOBS", &["jobs.>"], json!({ "sealed": true })).await;
        breakable.cut.resume();
    };
    let (answer, ()) = tokio::join!(breakable.gateway.post("/jobs", "{}"), broken);
    assert_eq!(problem(&answer), (504, "connection_lost", "unknown"));
    assert_eq!(breakable.streams.count("JOBS").await, 1, "which is why it is not called refused");
}

#[tokio::test]
async fn what_is_in_flight_when_the_process_ends_is_answered() {
    let breakable = Breakable::start(&jobs_with("timeout: 5s")).await;
    breakable.cut.mute();
    let ending = async {
        breakable.streams.holds("JOBS", 1).await;
        breakable.gateway.begin_stop();
        breakable.cut.resume();
    };
    let (answer, ()) = tokio::join!(breakable.gateway.post("/jobs", "{}"), ending);
    assert_eq!(receipt(&answer), (1, false));
    breakable.gateway.stop().await;
}

#[tokio::test]
async fn a_message_is_held_from_the_moment_it_could_not_be_stored() {
    // The first try waits longer for its acknowledgement than messages are held.
    let breakable = Breakable::start(&jobs_with("retry_for: 500ms, timeout: 8s")).await;
    breakable.cut.mute();
    let broken = async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        breakable.break_after(1, Cut::cut).await;
        breakable.cut.resume();
    };
    let (answer, ()) = tokio::join!(breakable.gateway.post("/jobs", "{}"), broken);
    assert_eq!(receipt(&answer), (1, false));
}

#[tokio::test]
async fn a_silent_connection_is_noticed_and_told_apart() {
    let yaml = jobs_with("timeout: 400ms");
    let breakable = Breakable::start(&yaml).await;
    breakable.cut.stall();
    let answer = breakable.gateway.post("/jobs", "{}").await;
    assert_eq!(problem(&answer), (504, "timeout", "unknown"));
    assert!(answer.took < Duration::from_secs(1), "{answer:?}");
    lost(&breakable.gateway).await;
    breakable.cut.resume();
    breakable.gateway.connected().await;
    let stored = breakable.streams.count("JOBS").await;
    let answer = breakable.gateway.post("/jobs", "{}").await;
    assert_eq!(receipt(&answer), (stored + 1, false));
}

#[tokio::test]
async fn a_gateway_that_was_there_first_publishes_once_nats_has_come() {
    let mut nats = NatsServer::prepared("");
    let gateway = Gateway::start_unconnected(&nats.url(), &jobs_with("retry_for: 0s"), &[]).await;
    let early = gateway.post("/jobs", "{}").await;
    assert_eq!(problem(&early), (503, "nats_unavailable", "not_executed"));
    assert_eq!(gateway.ready().await.status, 200);
    nats.restart().await;
    Streams::of(&nats.url()).await.create("JOBS", &["jobs.>"], json!({})).await;
    gateway.connected().await;
    assert_eq!(receipt(&gateway.post("/jobs", "{}").await), (1, false));
}
