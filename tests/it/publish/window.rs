//! Bounds: how much may await its acknowledgement together.

use std::time::Duration;

use futures_util::future::join_all;
use natsgate::gateway::reload::{Cause, Outcome};
use serde_json::json;

use super::{Jobs, problem};
use crate::support::http::Client;

/// So many messages of one stream may await their acknowledgement together.
const WINDOW: usize = 1024;

const YAML: &str = "nats:
  ping_interval: 10s
operations:
  POST /patient:
    publish: { subject: jobs.new, stream: JOBS, timeout: 20s }
    limits: { in_flight: 2000 }
  POST /hasty: { publish: { subject: jobs.hasty, stream: JOBS, timeout: 300ms } }
  POST /other: { publish: { subject: other.new, stream: OTHER, timeout: 300ms } }
";

#[tokio::test(flavor = "multi_thread")]
async fn whoever_finds_no_place_before_a_stream_by_the_deadline_is_told_so() {
    let jobs = Jobs::start(json!({}), YAML).await;
    jobs.streams.create("OTHER", &["other.>"], json!({})).await;
    jobs.nats.pause();
    let patient = join_all((0..WINDOW).map(|_| async {
        Client::connect(&jobs.gateway.url).await.send("POST", "/patient", &[], b"1").await
    }));
    let hasty = async {
        let until = tokio::time::Instant::now() + Duration::from_secs(10);
        while jobs.gateway.waiting() < WINDOW {
            assert!(tokio::time::Instant::now() < until, "only {} wait", jobs.gateway.waiting());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let hasty = jobs.gateway.post("/hasty", "2").await;
        let other = jobs.gateway.post("/other", "3").await;
        // Another table has no other window: what waits on the former one still waits.
        jobs.gateway.replace("natsgate.yaml", &YAML.replace("300ms", "299ms"));
        let reload = jobs.gateway.reloader.reload(Cause::Signal).await;
        assert_eq!(reload.outcome, Outcome::Applied, "{}", reload.report);
        let after = jobs.gateway.post("/hasty", "2").await;
        jobs.nats.resume();
        (hasty, other, after)
    };
    let (patient, (hasty, other, after)) = tokio::join!(patient, hasty);
    assert_eq!(problem(&hasty), (503, "overloaded", "not_executed"));
    assert_eq!(problem(&after), (503, "overloaded", "not_executed"), "after a reload");
    assert_eq!(hasty.header("retry-after"), Some("1"));
    assert!(hasty.took >= Duration::from_millis(290) && hasty.took < Duration::from_secs(2), "{hasty:?}");
    assert_eq!(problem(&other), (504, "timeout", "unknown"), "another stream has a window of its own");
    assert!(patient.iter().all(|answer| answer.status == 202), "{:?}", patient[0]);
    let subjects = jobs.streams.messages("JOBS").await;
    assert_eq!(subjects.len(), WINDOW);
    assert!(subjects.iter().all(|kept| kept.subject == "jobs.new"), "stored although refused");
    assert_eq!(jobs.streams.count("OTHER").await, 1, "sent, and stored once the server went on");
    assert_eq!(jobs.gateway.waiting(), 0);
}
