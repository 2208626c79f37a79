//! When the connection to NATS goes: whoever waits hears of it at once, and nothing is sent later.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio_util::task::AbortOnDropHandle;

use crate::support::cut::Cut;
use crate::support::gateway::Gateway;
use crate::support::http::Client;
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;

const POST: &str = "operations:\n  POST /x: { request: { subject: x, timeout: 20s } }\n";

#[tokio::test]
async fn a_request_that_waits_is_answered_as_soon_as_the_server_dies() {
    let mut nats = NatsServer::start().await;
    let silent = Service::silent(&nats.url(), "x").await;
    let gateway = Gateway::start(&nats.url(), POST).await;
    let (answer, died) = tokio::join!(async { (gateway.post("/x", "1").await, Instant::now()) }, async {
        super::until("the service has the request", || silent.seen().len() == 1).await;
        nats.kill();
        Instant::now()
    });
    let (answer, answered) = answer;
    assert_eq!((answer.status, answer.problem()), (504, ("connection_lost", "unknown")));
    assert!(answered - died < Duration::from_millis(200), "{:?}", answered - died);
    assert_eq!(answer.header("retry-after"), None);
    drop(silent);
    nats.restart().await;
    let service = Service::echo(&nats.url(), "x").await;
    gateway.connected().await;
    assert_eq!(gateway.post("/x", "2").await.text(), "2");
    assert_eq!(service.seen().len(), 1, "the first request is not repeated");
}

#[tokio::test]
async fn what_was_asked_while_the_server_was_down_never_arrives() {
    let mut nats = NatsServer::start().await;
    let gateway = Gateway::start(&nats.url(), POST).await;
    nats.kill();
    super::until("the loss is noticed", || !gateway.inner.nats().is_connected()).await;
    for _ in 0..20 {
        let answer = gateway.post("/x", "early").await;
        assert_eq!((answer.status, answer.problem()), (503, ("nats_unavailable", "not_executed")));
        assert_eq!((answer.header("retry-after"), &answer.json()["retryable"]), (Some("2"), &true.into()));
        assert!(answer.took < Duration::from_millis(500), "{:?}", answer.took);
    }
    nats.restart().await;
    let service = Service::echo(&nats.url(), "x").await;
    gateway.connected().await;
    assert_eq!(gateway.post("/x", "late").await.status, 200);
    assert_eq!(service.seen().len(), 1);
}

#[tokio::test]
async fn a_request_may_be_held_until_the_connection_is_back() {
    let mut nats = NatsServer::start().await;
    let yaml = "operations:\n  POST /x: { request: { subject: x, timeout: 20s, retry_for: 19s } }\n";
    let gateway = Gateway::start(&nats.url(), yaml).await;
    nats.kill();
    super::until("the loss is noticed", || !gateway.inner.nats().is_connected()).await;
    let (answer, _service) = tokio::join!(gateway.post("/x", "held"), async {
        super::until("the request is held", || gateway.inner.in_flight() == 1).await;
        nats.restart().await;
        Service::echo(&nats.url(), "x").await
    });
    assert_eq!((answer.status, answer.text().as_str()), (200, "held"));
}

/// Asks over and over, with a number each, and keeps the outcome of each: empty for a success.
struct Load {
    outcomes: Arc<Mutex<HashMap<u64, String>>>,
    askers: Vec<AbortOnDropHandle<()>>,
}

impl Load {
    fn start(url: &str) -> Load {
        let (outcomes, next) = (Arc::<Mutex<HashMap<_, _>>>::default(), Arc::new(AtomicU64::new(1)));
        let asker = |_| {
            let (url, outcomes, next) = (url.to_owned(), Arc::clone(&outcomes), Arc::clone(&next));
            AbortOnDropHandle::new(tokio::spawn(async move {
                let mut client = Client::connect(&url).await;
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let answer = client.send("POST", "/x", &[], number.to_string().as_bytes()).await;
                    let outcome = answer.problem().1.to_owned();
                    assert_eq!(outcome.is_empty(), answer.status == 200, "{}", answer.text());
                    outcomes.lock().expect("no panic").insert(number, outcome);
                }
            }))
        };
        Load { askers: (0..16).map(asker).collect(), outcomes }
    }

    fn count(&self, outcome: &str) -> usize {
        self.outcomes.lock().expect("no panic").values().filter(|known| *known == outcome).count()
    }

    fn stop(self) -> HashMap<u64, String> {
        drop(self.askers);
        std::mem::take(&mut self.outcomes.lock().expect("no panic"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_gap_between_the_cut_and_its_notice_every_answer_is_true() {
    let nats = NatsServer::start().await;
    let cut = Cut::to(nats.port()).await;
    let service = Service::echo(&nats.url(), "x").await;
    let gateway = Gateway::start(&cut.url(), POST).await;
    let load = Load::start(&gateway.url);
    for cuts in 1..=10 {
        let done = load.count("");
        super::until("requests succeed", || load.count("") > done + 50).await;
        cut.cut();
        super::until("the loss is noticed", || gateway.inner.nats().status().reconnects >= cuts).await;
    }
    cut.refuse();
    let refused = load.count("not_executed");
    super::until("requests are refused", || load.count("not_executed") > refused + 200).await;
    let before = numbers(&service);
    cut.resume();
    gateway.connected().await;
    let done = load.count("");
    super::until("requests succeed again", || load.count("") > done + 50).await;
    assert!(load.count("unknown") > 0, "nothing waited when the connection was cut");
    let outcomes = load.stop();
    let seen = numbers(&service);
    let lied: Vec<_> = seen.iter().filter(|n| outcomes.get(n).is_some_and(|o| o == "not_executed")).collect();
    assert!(lied.is_empty(), "delivered although refused: {lied:?}");
    let asked_before = *before.iter().max().expect("some");
    let late: Vec<_> = seen.difference(&before).filter(|number| **number < asked_before).collect();
    assert!(late.is_empty(), "delivered after the connection was back: {late:?}");
}

fn numbers(service: &Service) -> HashSet<u64> {
    let number = |message: &async_nats::Message| std::str::from_utf8(&message.payload).ok()?.parse().ok();
    service.seen().iter().filter_map(number).collect()
}
