//! `/live` and `/ready`: what they say while NATS is not there yet, gone, or silent.

use std::time::{Duration, Instant};

use crate::support::cut::Cut;
use crate::support::gateway::Gateway;
use crate::support::http::Client;
use crate::support::nats_server::NatsServer;
use crate::support::process::Process;
use crate::support::service::Service;

const GET: &str = "operations:\n  GET /x: { request: { subject: x } }\n";

#[tokio::test]
async fn without_nats_the_process_is_ready_and_says_what_is_missing() {
    let mut nats = NatsServer::prepared("");
    let gateway = Gateway::start_unconnected(&nats.url(), GET, &[]).await;
    let live = Client::connect(&gateway.admin).await.send("GET", "/live", &[], b"").await;
    assert_eq!((live.status, live.text().as_str()), (200, r#"{"live":true}"#));
    super::until("a try has failed", || gateway.inner.nats().status().last_error.is_some()).await;
    let ready = gateway.ready().await;
    assert_eq!((ready.status, &ready.json()["ready"]), (200, &true.into()));
    let told = &ready.json()["nats"];
    assert_eq!(
        (&told["connected"], &told["server"], told["last_error"].is_string()),
        (&false.into(), &serde_json::Value::Null, true)
    );
    let answer = gateway.get("/x").await;
    assert_eq!((answer.status, answer.problem()), (503, ("nats_unavailable", "not_executed")));

    nats.restart().await;
    let _service = Service::saying(&nats.url(), "x", "{}").await;
    gateway.connected().await;
    assert_eq!(gateway.get("/x").await.status, 200);
    gateway.checked().await;
    let ready = gateway.ready().await.json();
    assert_eq!((&ready["nats"]["connected"], &ready["nats"]["waiting_replies"]), (&true.into(), &0.into()));
    assert_eq!(ready["nats"]["server"]["name"], nats.name());
    assert_eq!(ready["operations"]["GET /x"]["state"], "ready");
}

#[tokio::test]
async fn readiness_follows_nats_where_it_is_required() {
    let mut nats = NatsServer::start().await;
    let yaml = format!("server: {{ ready_requires: [nats] }}\n{GET}");
    let gateway = Gateway::start(&nats.url(), &yaml).await;
    assert_eq!(gateway.ready().await.status, 200);
    nats.kill();
    super::until("the loss is noticed", || !gateway.inner.nats().is_connected()).await;
    let ready = gateway.ready().await;
    assert_eq!(
        (ready.status, &ready.json()["ready"], &ready.json()["draining"]),
        (503, &false.into(), &false.into())
    );
    nats.restart().await;
    gateway.connected().await;
    assert_eq!(gateway.ready().await.status, 200);
}

#[tokio::test]
async fn a_connection_that_went_silent_is_noticed_and_who_waits_is_answered() {
    let nats = NatsServer::start().await;
    let cut = Cut::to(nats.port()).await;
    let _service = Service::silent(&nats.url(), "x").await;
    let yaml =
        "nats:\n  ping_interval: 500ms\noperations:\n  GET /x: { request: { subject: x, timeout: 30s } }\n";
    let gateway = Gateway::start(&cut.url(), yaml).await;
    let (answer, stalled) = tokio::join!(async { (gateway.get("/x").await, Instant::now()) }, async {
        super::until("the request waits", || gateway.waiting() == 1).await;
        cut.stall();
        Instant::now()
    });
    let (answer, answered) = answer;
    assert_eq!((answer.status, answer.problem()), (504, ("connection_lost", "unknown")));
    let took = answered - stalled;
    assert!(took > Duration::from_millis(450) && took < Duration::from_millis(2000), "{took:?}");
    assert_eq!(gateway.ready().await.json()["nats"]["connected"], false);
    assert_eq!(gateway.get("/x").await.problem(), ("nats_unavailable", "not_executed"));
    cut.cut();
    cut.resume();
    gateway.connected().await;
    assert_eq!(gateway.ready().await.json()["nats"]["connected"], true);
}

#[tokio::test]
async fn a_connection_that_is_replaced_is_no_error() {
    let mut nats = NatsServer::start().await;
    let process = Process::serve(&nats.url(), "operations:\n  GET /x: { request: { subject: x } }\n").await;
    process.connected().await;
    nats.restart().await;
    process
        .until("replaced", |ready| ready["nats"]["reconnects"] == 1 && ready["nats"]["connected"] == true)
        .await;
    let log = process.log();
    assert!(log.iter().any(|line| line["message"] == "connection to nats lost"), "{log:?}");
    assert!(!log.iter().any(|line| line["level"] == "ERROR"), "{log:?}");
}
