//! Replicated streams: leaders lost under load, and one message from several sides at once.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;

use super::{JOBS, jobs_with, keyed, receipt};
use crate::support::cluster::Cluster;
use crate::support::gateway::Gateway;
use crate::support::http::{Answer, Client};
use crate::support::streams::Streams;

const CLIENTS: usize = 6;
/// How soon a lost leader is replaced, the machine being busy.
const RECOVERED_WITHIN: Duration = Duration::from_secs(20);

async fn replicated(yaml: &str) -> (Cluster, Streams, Gateway) {
    let cluster = Cluster::start(3).await;
    let urls = cluster.urls().join(",");
    let streams = Streams::of(&urls).await;
    streams.create("JOBS", &["jobs.>"], json!({ "num_replicas": 3, "storage": "file" })).await;
    let gateway = Gateway::start(&urls, yaml).await;
    (cluster, streams, gateway)
}

/// Clients that post one after the other until told to stop.
struct Load<'a> {
    gateway: &'a Gateway,
    stored: AtomicUsize,
    over: AtomicBool,
}

impl Load<'_> {
    async fn run(&self) -> Vec<Answer> {
        let clients = (0..CLIENTS).map(|_| async {
            let mut client = Client::connect(&self.gateway.url).await;
            let mut answers = Vec::new();
            while !self.over.load(Ordering::Relaxed) {
                let answer = client.send("POST", "/jobs", &[], b"{}").await;
                self.stored.fetch_add(usize::from(answer.status == 202), Ordering::Relaxed);
                answers.push(answer);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            answers
        });
        join_all(clients).await.into_iter().flatten().collect()
    }

    /// Waits until `more` messages have been stored; says how long that took.
    async fn stores(&self, more: usize) -> Duration {
        let (began, goal) = (Instant::now(), self.stored.load(Ordering::Relaxed) + more);
        while self.stored.load(Ordering::Relaxed) < goal {
            assert!(began.elapsed() < RECOVERED_WITHIN, "no leader came back");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        began.elapsed()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_leader_loses_nothing_and_stores_nothing_twice() {
    let (mut cluster, streams, gateway) = replicated(&jobs_with("retry_for: 500ms, timeout: 2s")).await;
    let load = Load { gateway: &gateway, stored: AtomicUsize::new(0), over: AtomicBool::new(false) };
    let (answers, ()) = tokio::join!(load.run(), async {
        load.stores(60).await;
        let leader = cluster.leader_of("JOBS").await;
        cluster.kill(leader);
        // What was on its way at that moment may still be acknowledged.
        load.stores(CLIENTS + 1).await;
        load.stores(60).await;
        load.over.store(true, Ordering::Relaxed);
    });

    let kept = streams.messages("JOBS").await;
    let mut by_request = HashMap::new();
    for message in &kept {
        let request = message.header("Natsgate-Request-Id").expect("an id");
        assert_eq!(by_request.insert(request, message.sequence), None, "stored twice: {request}");
    }
    let (mut sequences, mut gap) = (HashSet::new(), 0);
    for answer in &answers {
        let request = answer.header("natsgate-request-id").expect("an id");
        if answer.status == 202 {
            let (sequence, duplicate) = receipt(answer);
            assert_eq!(by_request.get(request), Some(&sequence), "an acknowledged message is lost");
            assert!(!duplicate && sequences.insert(sequence), "{sequence} was told twice");
            continue;
        }
        gap += 1;
        match super::problem(answer) {
            (503, "stream_unavailable" | "nats_unavailable", "not_executed") => {
                assert_eq!(by_request.get(request), None, "stored although refused: {}", answer.text());
            }
            (504, "timeout" | "connection_lost", "unknown") => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(gap > 0, "the test has met no gap");
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_publishes_of_one_key_store_one_message() {
    let (_cluster, streams, gateway) =
        replicated(&JOBS.replace("stream: JOBS", "stream: JOBS, timeout: 5s")).await;
    for round in 1..=5 {
        let key = format!("k-{round}");
        let answers = join_all((0..6).map(|_| keyed(&gateway, "/jobs", &key, "{}"))).await;
        let receipts: Vec<_> = answers.iter().map(receipt).collect();
        assert!(receipts.iter().all(|(sequence, _)| *sequence == receipts[0].0), "{receipts:?}");
        let firsts = receipts.iter().filter(|(_, duplicate)| !duplicate).count();
        assert_eq!(firsts, 1, "exactly one of them stored it: {receipts:?}");
        assert_eq!(streams.count("JOBS").await, round);
    }
}
