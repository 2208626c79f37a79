//! Several members of one queue group: one of them leaves under load, and no request fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio_util::task::AbortOnDropHandle;

use crate::support::gateway::Gateway;
use crate::support::http::Client;
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;

#[tokio::test(flavor = "multi_thread")]
async fn no_request_fails_when_a_member_leaves() {
    let nats = NatsServer::start().await;
    let (mut first, second) =
        (Service::echo(&nats.url(), "echo").await, Service::echo(&nats.url(), "echo").await);
    let gateway = Gateway::start(&nats.url(), super::ECHO).await;
    let (done, failed) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let askers: Vec<_> = (0..16)
        .map(|_| {
            let (url, done, failed) = (gateway.url.clone(), Arc::clone(&done), Arc::clone(&failed));
            AbortOnDropHandle::new(tokio::spawn(async move {
                let mut client = Client::connect(&url).await;
                loop {
                    let answer = client.send("POST", "/echo", &[], b"x").await;
                    let count = if answer.status == 200 { &done } else { &failed };
                    count.fetch_add(1, Ordering::Relaxed);
                }
            }))
        })
        .collect();
    super::until("both answer", || first.seen().len() > 100 && second.seen().len() > 100).await;
    first.leave().await;
    let (left, before) = (first.seen().len(), done.load(Ordering::Relaxed));
    super::until("the other goes on", || done.load(Ordering::Relaxed) > before + 500).await;
    drop(askers);
    assert_eq!((failed.load(Ordering::Relaxed), first.seen().len()), (0, left));
}
