//! Protocols that are switched: both ends speak to each other, and nobody gets a tunnel who was not given one.

use std::time::{Duration, Instant};

use super::gateway;
use crate::requests::until;
use crate::support::http::Client;
use crate::support::upstream::{Peer, Upstream};

const ASKS: &[u8] =
    b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
      Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const SWITCHES: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
      Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\nhello";

async fn echo(mut peer: Peer) {
    let head = peer.head().await.unwrap();
    peer.remember(&head, b"");
    peer.write(SWITCHES).await;
    while let Some(bytes) = peer.exactly(1).await {
        if bytes == b"q" {
            return;
        }
        peer.write(&bytes).await;
    }
    peer.remember("ended", b"");
}

async fn open(url: &str) -> Client {
    let mut client = Client::connect(url).await;
    // What comes right behind the head is for the other end.
    client.write(&[ASKS, b"abc"].concat()).await;
    let head = client.until("\r\n\r\n").await.to_lowercase();
    assert!(head.starts_with("http/1.1 101 switching protocols\r\n"), "{head}");
    assert!(head.contains("connection: upgrade\r\n") && head.contains("upgrade: websocket\r\n"), "{head}");
    assert!(head.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="), "{head}");
    assert_eq!(client.until("abc").await, "helloabc");
    client
}

#[tokio::test]
async fn a_tunnel_goes_both_ways_and_is_in_flight() {
    let upstream = Upstream::start(echo).await;
    let yaml = upstream.fallback(", idle_timeout: 100ms")
        + "server: { timeouts: { header: 100ms, body: 100ms, idle: 100ms } }\n";
    let gateway = gateway(&yaml).await;
    let mut client = open(&gateway.url).await;
    let seen = upstream.only();
    assert_eq!((seen.all("connection"), seen.all("upgrade")), (vec!["upgrade"], vec!["websocket"]));
    assert_eq!(seen.all("sec-websocket-key"), ["dGhlIHNhbXBsZSBub25jZQ=="]);
    assert_eq!(gateway.inner.in_flight(), 1);
    // No timeout ends it.
    tokio::time::sleep(Duration::from_millis(400)).await;
    client.write(b"still").await;
    assert_eq!(client.until("still").await, "still");
    drop(client);
    until("the upstream sees the end", || upstream.seen().len() == 2).await;
    until("nothing is in flight", || gateway.inner.in_flight() == 0).await;
    let mut client = open(&gateway.url).await;
    client.write(b"q").await;
    assert!(client.is_closed().await);
    until("nothing is in flight", || gateway.inner.in_flight() == 0).await;
}

#[tokio::test]
async fn a_drain_ends_it_in_time() {
    let upstream = Upstream::start(echo).await;
    let gateway = gateway(&(upstream.fallback("") + "server: { drain: 200ms }\n")).await;
    let mut client = open(&gateway.url).await;
    gateway.begin_stop();
    client.write(b"x").await;
    assert_eq!(client.until("x").await, "x");
    let began = Instant::now();
    gateway.stop().await;
    assert!(began.elapsed() < Duration::from_secs(3));
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn an_upstream_that_does_not_switch_answers_as_usual() {
    let upstream = Upstream::answering("HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nno").await;
    let gateway = gateway(&upstream.fallback("")).await;
    let mut client = Client::connect(&gateway.url).await;
    for _ in 0..2 {
        client.write(ASKS).await;
        let answer = client.answer("GET", Instant::now()).await;
        assert_eq!((answer.status, answer.text().as_str()), (426, "no"));
    }
}

#[tokio::test]
async fn nobody_gets_a_tunnel_by_a_trick() {
    let upstream = Upstream::start(|mut peer| async move {
        let head = peer.head().await.unwrap();
        peer.remember(&head, b"");
        peer.write(SWITCHES).await;
        peer.ended().await;
    })
    .await;
    let gateway = gateway(&upstream.fallback("")).await;
    // Not asked for; asked for without a word in Connection; HTTP/2, which would take requests past us.
    for asks in [
        "",
        "Upgrade: websocket\r\n",
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n",
    ] {
        let mut client = Client::connect(&gateway.url).await;
        client.write(format!("GET / HTTP/1.1\r\nHost: a\r\n{asks}\r\n").as_bytes()).await;
        let answer = client.answer("GET", Instant::now()).await;
        assert_eq!((answer.status, answer.problem()), (502, ("upstream_reset", "unknown")), "{asks}");
    }
    for seen in upstream.seen() {
        assert_eq!((seen.all("upgrade"), seen.all("http2-settings")), (vec![], vec![]), "{seen:?}");
    }
    until("nothing is in flight", || gateway.inner.in_flight() == 0).await;
}
