//! Requests and their replies, and that nothing stays behind when there is none.

use std::time::Duration;

use async_nats::HeaderMap;
use futures_util::future::join_all;
use natsgate::nats::{Failure, Options, ServiceError};
use tokio::time::Instant;

use super::{ask, connected, echo, message, on_each, options, silent, until, within};
use crate::support::nats_server::NatsServer;

#[tokio::test]
async fn a_reply_comes_back_with_its_headers() {
    let server = NatsServer::start().await;
    let nats = connected(options(server.url())).await;
    let _echo = echo(&server.client().await, "users.get").await;
    let mut request = message("users.get", "42");
    request.headers.insert("Content-Type", "text/plain");
    let reply = nats.request(request, within(super::PATIENCE)).await.expect("reply");
    assert_eq!(reply.payload, "42");
    assert_eq!(reply.header("content-type"), Some("text/plain"));
    assert_eq!((reply.status, reply.service_error()), (None, None));
    assert_eq!(nats.waiting(), 0);
}

#[tokio::test]
async fn a_service_error_is_told_apart() {
    let server = NatsServer::start().await;
    let nats = connected(options(server.url())).await;
    let _service = on_each(&server.client().await, "users.get", |client, message| async move {
        let mut headers = HeaderMap::new();
        headers.insert("Nats-Service-Error-Code", "404");
        headers.insert("Nats-Service-Error", "no such user");
        client.publish_with_headers(message.reply.expect("reply"), headers, "".into()).await.expect("reply");
    })
    .await;
    let reply = ask(&nats, "users.get", super::PATIENCE).await.expect("reply");
    let expected = ServiceError { code: Some(404), description: "no such user".to_owned() };
    assert_eq!(reply.service_error(), Some(expected));
}

#[tokio::test]
async fn nobody_listening_is_told_at_once() {
    let server = NatsServer::start().await;
    let nats = connected(options(server.url())).await;
    let mut fastest = Duration::MAX;
    for _ in 0..5 {
        let start = Instant::now();
        assert_eq!(ask(&nats, "nobody.here", super::PATIENCE).await.unwrap_err(), Failure::NoResponders);
        fastest = fastest.min(start.elapsed());
    }
    assert!(fastest < Duration::from_millis(50), "{fastest:?}");
}

#[tokio::test]
async fn silence_ends_at_the_deadline() {
    let server = NatsServer::start().await;
    let nats = connected(options(server.url())).await;
    let _silent = silent(&server.client().await, "slow").await;
    let start = Instant::now();
    let failure = ask(&nats, "slow", Duration::from_millis(200)).await.unwrap_err();
    assert_eq!(failure, Failure::Timeout);
    assert!(!failure.not_executed());
    assert!(start.elapsed() >= Duration::from_millis(200), "{:?}", start.elapsed());
    assert!(start.elapsed() < Duration::from_millis(700), "{:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn unanswered_requests_leave_nothing_behind() {
    let server = NatsServer::start().await;
    let nats = connected(options(server.url())).await;
    let _silent = silent(&server.client().await, "slow").await;
    let wave = || async {
        let asked = (0..2_000).map(|_| ask(&nats, "slow", Duration::from_millis(300)));
        let failures: Vec<_> = join_all(asked).await;
        assert!(failures.iter().all(|f| matches!(f, Err(Failure::Timeout | Failure::NoSlot))));
        failures.iter().filter(|f| matches!(f, Err(Failure::Timeout))).count()
    };
    let mut sent = 0;
    for _ in 0..10 {
        sent += wave().await;
    }
    assert!(sent > 15_000, "{sent} of 20,000 requests were sent");
    assert_eq!(nats.waiting(), 0);
}

#[tokio::test]
async fn a_dropped_request_leaves_nothing_behind() {
    let server = NatsServer::start().await;
    let nats = connected(options(server.url())).await;
    let _silent = silent(&server.client().await, "slow").await;
    let asked: Vec<_> = (0..100)
        .map(|_| {
            let nats = nats.clone();
            tokio::spawn(async move { ask(&nats, "slow", super::PATIENCE).await })
        })
        .collect();
    until("100 requests wait", || nats.waiting() == 100).await;
    assert_eq!(nats.status().waiting, 100);
    for request in &asked {
        request.abort();
    }
    join_all(asked).await;
    assert_eq!(nats.waiting(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_connections_share_the_requests() {
    let server = NatsServer::start().await;
    let nats = connected(Options { connections: 3, ..options(server.url()) }).await;
    until("all connections stand", || nats.status().is_connected()).await;
    let _echo = echo(&server.client().await, "users.get").await;
    let replies = join_all((0..500).map(|_| ask(&nats, "users.get", super::PATIENCE))).await;
    assert!(replies.iter().all(Result::is_ok));
    assert_eq!((nats.status().connected, nats.waiting()), (3, 0));
}
