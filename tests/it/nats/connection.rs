//! Connections and servers that go away, in all the ways in which they do.

use std::time::Duration;

use natsgate::nats::{Failure, Nats, Options};
use tokio::time::Instant;

use super::late::fire;
use super::{PATIENCE, ask, connected, echo, on_each, options, silent, until, within};
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
