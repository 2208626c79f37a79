//! Under load: no request fails, and none is served by half of one table and half of another.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures_util::future::join_all;
use natsgate::gateway::reload::Outcome;

use super::reload;
use crate::support::gateway::Gateway;
use crate::support::http::Client;
use crate::support::nats_server::NatsServer;
use crate::support::process::Process;
use crate::support::service::Service;

const REQUESTS: usize = 20_000;
const CLIENTS: usize = 16;
const RELOADS: usize = 20;

/// The version stands in the message, in the reply's body and in a header: an answer of two tables would differ in them.
fn version(number: usize) -> String {
    format!(
        "operations:\n  POST /x:\n    request: {{ subject: x, timeout: 20s, payload: {{ version: {number} }} }}\n    reply:\n      - when: ${{reply.version == {number}}}\n        status: 200\n        headers: {{ x-version: '{number}' }}\n        body: {{ version: '${{reply.version}}' }}\n      - status: 500\n        body: {{ mixed: '${{reply.version}}' }}\n"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reloads_fail_no_request_and_mix_no_tables() {
    let nats = NatsServer::start().await;
    let _service = Service::echo(&nats.url(), "x").await;
    let gateway = Gateway::start(&nats.url(), &version(0)).await;
    let (left, done) = (AtomicUsize::new(REQUESTS), AtomicUsize::new(0));
    let client = || async {
        let mut client = Client::connect(&gateway.url).await;
        let mut seen = Vec::new();
        while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
            let answer = client.send("POST", "/x", &[], b"").await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            let version = answer.header("x-version").expect("a version").to_owned();
            assert_eq!(answer.text(), format!("{{\"version\":{version}}}"));
            seen.push(version);
            done.fetch_add(1, Ordering::Relaxed);
        }
        seen.dedup();
        seen
    };
    let reloads = async {
        for number in 1..=RELOADS {
            // Spread over the load: each comes once its share of the requests is answered.
            let due = number * REQUESTS / (RELOADS + 1);
            while done.load(Ordering::Relaxed) < due {
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
            let (text, outcome) = match number % 2 {
                0 => (version(number), Outcome::Applied),
                _ => (version(number).replace("subject: x", "subject: 'x..y'"), Outcome::Invalid),
            };
            assert_eq!(reload(&gateway, &text).await.outcome, outcome);
        }
    };
    let (seen, ()) = tokio::join!(join_all((0..CLIENTS).map(|_| client())), reloads);
    assert_eq!(done.load(Ordering::Relaxed), REQUESTS);
    let versions: std::collections::BTreeSet<&String> = seen.iter().flatten().collect();
    assert_eq!(versions.len(), RELOADS / 2 + 1, "every table was used: {versions:?}");
    assert_eq!((gateway.inner.in_flight(), gateway.waiting()), (0, 0));
}

/// As behind a load balancer: it looks at `/ready`, and clients end when told to.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shutdown_fails_no_request() {
    let nats = NatsServer::start().await;
    let _service = Service::echo(&nats.url(), "x").await;
    let yaml =
        "server: { drain_delay: 500ms }\noperations:\n  POST /x: { request: { subject: x, timeout: 20s } }\n";
    let mut process = Process::serve(&nats.url(), yaml).await;
    process.connected().await;
    let (open, done) = (Arc::new(AtomicBool::new(true)), AtomicUsize::new(0));
    let client = || async {
        let mut client = Client::connect(&process.url).await;
        while open.load(Ordering::Relaxed) {
            let answer = client.send("POST", "/x", &[], b"{}").await;
            assert_eq!((answer.status, answer.text().as_str()), (200, "{}"));
            done.fetch_add(1, Ordering::Relaxed);
            if answer.header("connection") == Some("close") {
                return;
            }
        }
    };
    let balancer = async {
        while done.load(Ordering::Relaxed) < 2000 {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        process.terminate().await;
        process.until("not ready", |ready| ready["ready"] == false).await;
        open.store(false, Ordering::Relaxed);
    };
    tokio::join!(join_all((0..CLIENTS).map(|_| client())), balancer);
    assert_eq!(process.exit_code().await, Some(0));
    let answered = done.load(Ordering::Relaxed);
    assert_eq!(process.access_lines("/x", answered).await.len(), answered);
}
