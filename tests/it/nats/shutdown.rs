//! The end of a connection: what is in flight finishes, and nothing stays behind.

use std::time::Duration;

use natsgate::nats::{Failure, Nats, Options};

use super::{PATIENCE, ask, connected, on_each, options, until, within};
use crate::support::nats_server::NatsServer;

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
