//! Nothing runs late: what failed as not sent, or died with its connection, never reaches a responder afterwards.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use natsgate::nats::{Failure, Nats};
use tokio_util::task::AbortOnDropHandle;

use super::{PATIENCE, ask, connected, message, on_each, options, until, within};
use crate::support::cut::Cut;
use crate::support::nats_server::NatsServer;

#[tokio::test]
async fn nothing_asked_while_the_server_was_down_arrives_later() {
    let mut server = NatsServer::start().await;
    let nats = connected(options(server.url())).await;
    server.kill();
    until("the loss is noticed", || !nats.is_connected()).await;
    let outcomes = join_all((0..500).map(|_| ask(&nats, "users.set", PATIENCE))).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Err(Failure::NotConnected))));
    assert!(!nats.connected(within(Duration::from_millis(20))).await);
    assert!(nats.status().last_error.is_some());

    server.restart().await;
    let seen = Seen::default();
    let _responder = seen.answer(&server, "users.set").await;
    assert!(nats.connected(within(PATIENCE)).await);
    nats.request(message("users.set", "1"), within(PATIENCE)).await.expect("reply");
    assert_eq!(seen.all(), HashSet::from([1]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_while_connections_broke_never_ran() {
    let server = NatsServer::start().await;
    let cut = Cut::to(server.port()).await;
    let nats = connected(options(cut.url())).await;
    let seen = Seen::default();
    let _responder = seen.answer(&server, "users.set").await;
    let breaks = async {
        for _ in 0..20 {
            tokio::time::sleep(Duration::from_millis(30)).await;
            cut.cut();
            assert!(nats.connected(within(PATIENCE)).await);
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
        // The last break lasts, so that what is left in the dead client would have time to come out.
        cut.refuse();
        until("the loss is noticed", || !nats.is_connected()).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let outcomes = fire(&nats, breaks).await;
    let before = seen.all();
    cut.resume();
    assert!(nats.connected(within(PATIENCE)).await);
    nats.request(message("users.set", "999999999"), within(PATIENCE)).await.expect("reply");

    let later: Vec<_> = seen.all().difference(&before).copied().collect();
    assert_eq!(later, [999_999_999], "ran after its caller was told that it failed");
    let refused = |outcome: &Result<(), Failure>| outcome.as_ref().is_err_and(Failure::provably_not_sent);
    let ran: Vec<_> = outcomes.iter().filter(|(n, o)| refused(o) && before.contains(n)).collect();
    assert!(ran.is_empty(), "ran although refused: {ran:?}");
    // The test has met what it is about.
    let count = |wanted: &Result<(), Failure>| outcomes.values().filter(|o| *o == wanted).count();
    assert!(count(&Ok(())) > 100, "{} replies", count(&Ok(())));
    assert!(count(&Err(Failure::ConnectionLost)) > 0);
    assert!(count(&Err(Failure::NotConnected)) > 0);
    assert_eq!(nats.waiting(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_connection_had_not_taken_is_never_sent() {
    let server = NatsServer::start().await;
    let cut = Cut::to(server.port()).await;
    let nats = connected(options(cut.url())).await;
    let seen = Seen::default();
    let _responder = seen.answer(&server, "users.set").await;
    cut.stall();
    // Enough to fill every buffer of the system, then the client's, then its command channel.
    let asked = (1..=300).map(|number: u64| {
        let payload = format!("{number}{}", " ".repeat(500_000));
        nats.request(message("users.set", payload), within(Duration::from_millis(500)))
    });
    let failures: Vec<_> = join_all(asked).await.into_iter().map(Result::unwrap_err).collect();
    let count = |wanted: Failure| failures.iter().filter(|failure| **failure == wanted).count();
    assert!(count(Failure::NoSlot) > 0, "the channel was full");
    assert!(count(Failure::Timeout) > 100, "and there was something in it");
    cut.refuse();
    until("the loss is noticed", || !nats.is_connected()).await;
    let before = seen.all();
    cut.resume();
    assert!(nats.connected(within(PATIENCE)).await);
    // Long enough for a client that comes back by itself to do so.
    for number in 1000..1020 {
        nats.request(message("users.set", number.to_string()), within(PATIENCE)).await.expect("reply");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let late: Vec<_> = seen.all().difference(&before).filter(|number| **number <= 300).copied().collect();
    assert!(late.is_empty(), "sent after the connection was gone: {late:?}");
}

/// The numbers that a responder was asked for.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<HashSet<u64>>>);

impl Seen {
    async fn answer(&self, server: &NatsServer, subject: &str) -> AbortOnDropHandle<()> {
        let seen = self.clone();
        on_each(&server.client().await, subject, move |client, message| {
            let number = std::str::from_utf8(&message.payload).ok().and_then(|text| text.trim().parse().ok());
            seen.0.lock().expect("no panic").insert(number.unwrap_or(0));
            async move { client.publish(message.reply.expect("reply"), "ok".into()).await.expect("reply") }
        })
        .await
    }

    fn all(&self) -> HashSet<u64> {
        self.0.lock().expect("no panic").clone()
    }
}

/// Asks with growing numbers, many at a time, until `stop`, and tells how each ended.
pub(super) async fn fire(nats: &Nats, stop: impl Future<Output = ()>) -> HashMap<u64, Result<(), Failure>> {
    let outcomes = Arc::new(Mutex::new(HashMap::new()));
    let next = Arc::new(std::sync::atomic::AtomicU64::new(1));
    let askers: Vec<_> = (0..32)
        .map(|_| {
            let (nats, outcomes, next) = (nats.clone(), Arc::clone(&outcomes), Arc::clone(&next));
            AbortOnDropHandle::new(tokio::spawn(async move {
                loop {
                    let number = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let asked = nats
                        .request(message("users.set", number.to_string()), within(Duration::from_secs(2)));
                    let outcome = asked.await.map(drop);
                    let refused = outcome == Err(Failure::NotConnected);
                    outcomes.lock().expect("no panic").insert(number, outcome);
                    if refused {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                }
            }))
        })
        .collect();
    stop.await;
    drop(askers);
    let outcomes = outcomes.lock().expect("no panic");
    outcomes.clone()
}
