//! Connections and servers that go away, in all the ways in which they do.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use natsgate::nats::{Failure, Nats, Options};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::{PATIENCE, ask, connected, echo, message, on_each, options, silent, until, within};
use crate::support::cluster::Cluster;
use crate::support::cut::Cut;
use crate::support::hostile::Hostile;
use crate::support::nats_server::NatsServer;

#[tokio::test]
async fn a_killed_server_fails_who_waits_at_once_and_its_return_is_noticed() {
    let mut server = NatsServer::start().await;
    let nats = connected(options(server.url())).await;
    let other = server.client().await;
    let _silent = silent(&other, "slow").await;
    let waits = tokio::spawn({
        let nats = nats.clone();
        async move { (ask(&nats, "slow", PATIENCE).await, Instant::now()) }
    });
    until("the request waits", || nats.waiting() == 1).await;
    let killed = Instant::now();
    server.kill();
    let (outcome, failed) = waits.await.expect("request");
    assert_eq!(outcome.unwrap_err(), Failure::ConnectionLost);
    assert!(failed - killed < Duration::from_millis(200), "{:?}", failed - killed);
    assert_eq!(ask(&nats, "slow", PATIENCE).await.unwrap_err(), Failure::NotConnected);

    server.restart().await;
    assert!(nats.connected(within(PATIENCE)).await);
    let _echo = echo(&server.client().await, "users.get").await;
    ask(&nats, "users.get", PATIENCE).await.expect("reply after the restart");
    assert_eq!(nats.status().reconnects, 1);
}

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
async fn fire(nats: &Nats, stop: impl Future<Output = ()>) -> HashMap<u64, Result<(), Failure>> {
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

#[tokio::test]
async fn a_malformed_reply_costs_one_session_and_the_next_works() {
    let blocks: [&[u8]; 4] = [
        b"NATS/1.0\r\nX-Note: a\rb\r\n\r\n",
        b"NATS/1.0\r\nX-Note: caf\xe9\r\n\r\n",
        b"NATS/1.0\r\nno colon\r\n\r\n",
        b"NATS/1.0 9999\r\n\r\n",
    ];
    let server = NatsServer::start().await;
    let nats = connected(options(server.url())).await;
    let _echo = echo(&server.client().await, "users.get").await;
    for (index, block) in blocks.into_iter().enumerate() {
        let subject = format!("hostile.{index}");
        let _hostile = Hostile::start(server.port(), &subject, block).await;
        let start = Instant::now();
        assert_eq!(ask(&nats, &subject, PATIENCE).await.unwrap_err(), Failure::ConnectionLost, "{block:?}");
        assert!(nats.connected(within(PATIENCE)).await);
        ask(&nats, "users.get", PATIENCE).await.expect("reply in the next session");
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    }
    assert_eq!(nats.status().reconnects, 4);
}

#[tokio::test]
async fn a_half_open_connection_is_noticed() {
    let interval = Duration::from_millis(300);
    let server = NatsServer::start().await;
    let cut = Cut::to(server.port()).await;
    let nats = connected(Options { ping_interval: interval, ..options(cut.url()) }).await;
    let _echo = echo(&server.client().await, "users.get").await;
    cut.stall();
    let start = Instant::now();
    assert_eq!(ask(&nats, "users.get", PATIENCE).await.unwrap_err(), Failure::ConnectionLost);
    assert!(start.elapsed() < 3 * interval + Duration::from_millis(150), "{:?}", start.elapsed());
    cut.resume();
    assert!(nats.connected(within(PATIENCE)).await);
    ask(&nats, "users.get", PATIENCE).await.expect("reply after the stall");
}

#[tokio::test]
async fn a_frozen_server_is_left_and_found_again() {
    let times = Options {
        ping_interval: Duration::from_millis(200),
        connect_timeout: Duration::from_millis(200),
        ..Options::default()
    };
    let server = NatsServer::start().await;
    let nats = connected(Options { servers: vec![server.url()], ..times }).await;
    server.pause();
    until("the loss is noticed", || !nats.is_connected()).await;
    // Its sockets still take connections, and nobody greets.
    until("an attempt fails", || nats.status().last_error.is_some_and(|error| error.contains("timed out")))
        .await;
    server.resume();
    assert!(nats.connected(within(PATIENCE)).await, "{:?}", nats.status());
    assert_eq!(ask(&nats, "nobody.here", PATIENCE).await.unwrap_err(), Failure::NoResponders);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_announces_its_end_costs_no_request() {
    let cluster = Cluster::with(2, "lame_duck_duration: 30s, lame_duck_grace_period: 1s").await;
    let nats = connected(options(cluster.nodes[0].url())).await;
    assert_eq!(nats.status().server.expect("server").name, cluster.nodes[0].name());
    let _slow = on_each(&cluster.nodes[1].client().await, "users.set", |client, message| async move {
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(100)).await;
            client.publish(message.reply.expect("reply"), "ok".into()).await.expect("reply");
        });
    })
    .await;
    until_answered(&nats, "users.set").await;

    let moved = async {
        cluster.nodes[0].lame_duck();
        let other = cluster.nodes[1].name();
        until("moved to the other server", || nats.status().server.is_some_and(|s| s.name == other)).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
    };
    let outcomes = fire(&nats, moved).await;
    let failed: Vec<_> = outcomes.iter().filter(|(_, outcome)| outcome.is_err()).collect();
    assert!(failed.is_empty(), "{failed:?}");
    assert!(outcomes.len() > 30, "{}", outcomes.len());
}

/// Interest has to travel through the cluster first.
async fn until_answered(nats: &Nats, subject: &str) {
    let end = within(PATIENCE);
    while ask(nats, subject, PATIENCE).await.is_err() {
        assert!(Instant::now() < end, "nobody answers on {subject}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_member_of_the_cluster_is_found_without_being_configured() {
    let mut cluster = Cluster::start(2).await;
    let nats = connected(options(cluster.nodes[0].url())).await;
    cluster.kill(0);
    until("moved to the other server", || {
        nats.status().server.is_some_and(|server| server.name == cluster.nodes[1].name())
    })
    .await;
    assert_eq!(ask(&nats, "nobody.here", PATIENCE).await.unwrap_err(), Failure::NoResponders);
}

/// Runs a connection to its end in a runtime of its own, where no other test's tasks are counted.
fn leaves_no_task(end: impl AsyncFnOnce(Nats)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    runtime.block_on(async {
        let server = NatsServer::start().await;
        let tasks = tokio::runtime::Handle::current().metrics();
        let before = tasks.num_alive_tasks();
        let nats = connected(Options { connections: 2, ..options(server.url()) }).await;
        until("both connections stand", || nats.status().is_connected()).await;
        assert_eq!(ask(&nats, "nobody.here", PATIENCE).await.unwrap_err(), Failure::NoResponders);
        assert!(tasks.num_alive_tasks() > before);
        end(nats).await;
        until("every task has ended", || tasks.num_alive_tasks() == before).await;
    });
}

#[test]
fn shutdown_leaves_no_task() {
    leaves_no_task(async |nats| nats.shutdown(within(PATIENCE)).await);
}

#[test]
fn dropping_the_last_handle_leaves_no_task() {
    leaves_no_task(async |nats| drop(nats));
}

#[tokio::test]
async fn shutdown_waits_for_what_is_in_flight_and_lets_nothing_out_afterwards() {
    let server = NatsServer::start().await;
    let nats = connected(options(server.url())).await;
    let _slow = on_each(&server.client().await, "slow", |client, message| async move {
        tokio::time::sleep(Duration::from_millis(200)).await;
        client.publish(message.reply.expect("reply"), "ok".into()).await.expect("reply");
    })
    .await;
    let waits = tokio::spawn({
        let nats = nats.clone();
        async move { ask(&nats, "slow", PATIENCE).await }
    });
    until("the request waits", || nats.waiting() == 1).await;
    nats.shutdown(within(PATIENCE)).await;
    waits.await.expect("request").expect("reply before the end");
    assert_eq!(ask(&nats, "slow", PATIENCE).await.unwrap_err(), Failure::NotConnected);
    assert!(!nats.connected(within(Duration::from_millis(10))).await);
}
