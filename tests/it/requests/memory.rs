//! Requests that nobody answers and clients that go away leave nothing behind in the process.

use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use futures_util::future::join_all;
use serde_json::Value;
use tokio::sync::Barrier;

use crate::support::http::Client;
use crate::support::nats_server::NatsServer;
use crate::support::process::Process;

const YAML: &str = "operations:
  POST /slow: { request: { subject: slow, timeout: 200ms } }
  POST /forever: { request: { subject: slow, timeout: 60s } }
";
const FOREVER: &[u8] = b"POST /forever HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\n\r\nx";
const AT_ONCE: usize = 500;
const MIB: u64 = 1024 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn twenty_thousand_unanswered_and_two_thousand_abandoned_requests_leave_nothing() {
    let nats = NatsServer::start().await;
    let mut silent = nats.client().await.subscribe("slow").await.expect("a service that never answers");
    let _read = tokio_util::task::AbortOnDropHandle::new(tokio::spawn(async move {
        while futures_util::StreamExt::next(&mut silent).await.is_some() {}
    }));
    let process = Process::serve(&nats.url(), YAML).await;
    process.connected().await;
    // What the process needs for so many connections at once is no leak.
    unanswered(&process, 4).await;
    abandoned(&process).await;
    let before = process.resident();
    unanswered(&process, 40).await;
    for _ in 0..4 {
        abandoned(&process).await;
    }
    let after = process.resident();
    println!("resident memory: {} MiB before, {} MiB after", before / MIB, after / MIB);
    assert!(after < before + 20 * MIB, "{before} bytes before, {after} after");
    assert_eq!(process.ready().await.json()["nats"]["reconnects"], 0);
}

/// So many requests on each of many connections, none of which is answered by a service.
async fn unanswered(process: &Process, each: usize) {
    let clients = (0..AT_ONCE).map(|_| async {
        let mut client = Client::connect(&process.url).await;
        let mut unanswered = 0;
        while unanswered < each {
            let answer = client.send("POST", "/slow", &[], &[b'x'; 100]).await;
            match answer.problem().0 {
                "timeout" => unanswered += 1,
                // A busy machine may not get all of them into the connection in time.
                code => assert_eq!(code, "overloaded"),
            }
        }
    });
    join_all(clients).await;
    nobody_waits(process).await;
}

/// Many requests whose clients go away while they wait.
async fn abandoned(process: &Process) {
    let waiting = Arc::new(Barrier::new(AT_ONCE + 1));
    let clients = (0..AT_ONCE).map(|_| {
        let waiting = Arc::clone(&waiting);
        async move {
            let mut all = pin!(waiting.wait());
            loop {
                let mut client = Client::connect(&process.url).await;
                let sent = client.write(FOREVER).await;
                assert!(sent, "the request is not taken");
                tokio::select! {
                    _all = &mut all => return,
                    // Refused by a busy machine, and told so: asked again.
                    refused = client.answer("POST", Instant::now()) => assert_eq!(refused.status, 503, "{refused:?}"),
                }
            }
        }
    });
    tokio::join!(join_all(clients), async {
        let all = |ready: &Value| {
            ready["in_flight"] == AT_ONCE && ready["nats"]["waiting_replies"].as_u64() >= Some(AT_ONCE as u64)
        };
        process.until("all wait", all).await;
        waiting.wait().await;
    });
    nobody_waits(process).await;
}

async fn nobody_waits(process: &Process) {
    let nobody = |ready: &Value| ready["nats"]["waiting_replies"] == 0 && ready["in_flight"] == 0;
    process.until("nobody waits", nobody).await;
}
