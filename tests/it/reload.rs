//! Another configuration in place of the one that runs: whole or not at all, and nobody is failed by it.

mod files;
mod living;
mod load;

use std::sync::Arc;

use natsgate::gateway::reload::{Cause, Outcome, Reload};
use serde_json::json;

use crate::support::gateway::Gateway;
use crate::support::nats_server::NatsServer;
use crate::support::process::Process;
use crate::support::service::Service;

/// Writes another configuration, with what the first one has at its beginning.
fn write(gateway: &Gateway, yaml: &str) {
    gateway.replace("natsgate.yaml", &format!("nats: {{ ping_interval: 500ms }}\n{yaml}"));
}

pub(crate) async fn reload(gateway: &Gateway, yaml: &str) -> Arc<Reload> {
    write(gateway, yaml);
    gateway.reloader.reload(Cause::Signal).await
}

/// Waits until a GET is answered with a status.
async fn answers(gateway: &Gateway, path: &str, status: u16) {
    let until = tokio::time::Instant::now() + std::time::Duration::from_secs(15);
    loop {
        let answer = gateway.get(path).await;
        if answer.status == status {
            return;
        }
        assert!(tokio::time::Instant::now() < until, "{path} never was {status}: {}", answer.text());
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn operations_come_and_go_and_are_told() {
    let nats = NatsServer::start().await;
    let _service = Service::saying(&nats.url(), ">", "{}").await;
    let gateway = Gateway::start(&nats.url(), "operations:\n  GET /a: { request: { subject: a } }\n").await;
    let reload = reload(&gateway, "operations:\n  GET /b: { request: { subject: b } }\n").await;
    assert_eq!((reload.outcome, reload.generation), (Outcome::Applied, 2));
    assert_eq!(
        (&reload.added[..], &reload.removed[..]),
        (&["GET /b".to_owned()][..], &["GET /a".to_owned()][..])
    );
    assert_eq!((gateway.get("/a").await.status, gateway.get("/b").await.status), (404, 200));
    gateway.checked().await;
    assert_eq!(gateway.ready().await.json()["operations"], json!({ "GET /b": { "state": "ready" } }));
}

#[tokio::test]
async fn what_has_an_error_changes_nothing_and_says_where() {
    let nats = NatsServer::start().await;
    let _service = Service::saying(&nats.url(), ">", "{}").await;
    let gateway = Gateway::start(&nats.url(), "operations:\n  GET /a: { request: { subject: a } }\n").await;
    for broken in [
        "operations:\n  GET /b: { request: { subject: 'b..c' } }\n",
        "operations:\n  GET /b: { request: { subject: b, unknown: 1 } }\n",
        "operations: [\n",
        "contracts: [{ file: missing.yaml }]\noperations:\n  GET /b: { request: { subject: b } }\n",
    ] {
        let reload = reload(&gateway, broken).await;
        assert_eq!((reload.outcome, reload.generation), (Outcome::Invalid, 1), "{broken}");
        assert!(reload.errors > 0 && reload.report.contains("natsgate.yaml:"), "{}", reload.report);
        assert_eq!((gateway.get("/a").await.status, gateway.get("/b").await.status), (200, 404));
    }
    let counts = gateway.reloader.counts();
    assert_eq!(counts.map(|(_, count)| count), [0, 0, 4, 0]);
}

#[tokio::test]
async fn what_needs_a_restart_is_named_and_nothing_changes() {
    let nats = NatsServer::start().await;
    let _service = Service::saying(&nats.url(), ">", "{}").await;
    let gateway = Gateway::start(&nats.url(), "operations:\n  GET /a: { request: { subject: a } }\n").await;
    let changed = "server: { drain: 21s, timeouts: { idle: 70s } }\noperations:\n  GET /b: { request: { subject: b } }\n";
    let reload = reload(&gateway, changed).await;
    assert_eq!(reload.outcome, Outcome::RestartRequired);
    assert_eq!(reload.needs_restart, ["server.drain", "server.timeouts.idle"]);
    assert_eq!((gateway.get("/a").await.status, gateway.get("/b").await.status), (200, 404));
}

#[tokio::test]
async fn a_request_ends_on_the_table_on_which_it_began() {
    let nats = NatsServer::start().await;
    let service = Service::silent(&nats.url(), "x").await;
    let yaml = |version: u8, status: u16| {
        format!(
            "operations:\n  GET /x:\n    request: {{ subject: x, timeout: 10s }}\n    reply: [{{ status: {status}, body: {{ version: {version} }} }}]\n"
        )
    };
    let gateway = Gateway::start(&nats.url(), &yaml(1, 200)).await;
    let ((), before, after) = tokio::join!(
        async {
            crate::requests::until("it is in flight", || service.seen().len() == 1).await;
            assert_eq!(reload(&gateway, &yaml(2, 201)).await.outcome, Outcome::Applied);
            crate::requests::until("so is the second", || service.seen().len() == 2).await;
            for message in service.seen() {
                service.answer(&message, "{}").await;
            }
        },
        gateway.get("/x"),
        async {
            let mut generation = gateway.inner.generation();
            generation.wait_for(|generation| *generation == 2).await.expect("another table");
            gateway.get("/x").await
        }
    );
    assert_eq!((before.status, before.json()), (200, json!({ "version": 1 })));
    assert_eq!((after.status, after.json()), (201, json!({ "version": 2 })));
}

#[tokio::test]
async fn a_hangup_reloads_and_the_log_says_what_came_of_it() {
    let nats = NatsServer::start().await;
    let _service = Service::saying(&nats.url(), ">", "{}").await;
    let yaml = "server: { watch_files: false }\noperations:\n  GET /a: { request: { subject: a } }\n";
    let mut process = Process::serve(&nats.url(), yaml).await;
    process.connected().await;
    process.write("natsgate.yaml", &yaml.replace("GET /a", "GET /b"));
    process.hang_up().await;
    process.logged("reloaded", |line| line["message"] == "the configuration was reloaded").await;
    assert_eq!(process.send("GET", "/b", &[]).await.status, 200);
    process.write("natsgate.yaml", "operations: [");
    process.hang_up().await;
    let told = process.logged("refused", |line| line["message"] == "the configuration is not valid").await;
    assert!(told["problem"].as_str().expect("a problem").starts_with("natsgate.yaml:1:"), "{told}");
    assert_eq!(process.send("GET", "/b", &[]).await.status, 200);
    process.terminate().await;
    assert_eq!(process.exit_code().await, Some(0));
}
