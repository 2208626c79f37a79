//! The legacy service answers what NATS provably did not take, and nothing is ever executed twice.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::RwLock;

use super::{of, yaml};
use crate::requests::until;
use crate::support::gateway::Gateway;
use crate::support::http::Client;
use crate::support::legacy::{Legacy, json};
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;

#[tokio::test]
async fn what_nats_did_not_take_the_legacy_service_answers_as_it_came() {
    let nats = NatsServer::start().await;
    let legacy = Legacy::start(|seen| (Duration::ZERO, json(201, seen.body.clone()))).await;
    let gateway = Gateway::start(&nats.url(), &yaml(&legacy, "POST", "stage: nats, fallback: true")).await;
    let headers = [("Natsgate-Served-By", "?"), ("Content-Type", "text/x"), ("Cookie", "a=b"), ("X-Y", "z")];
    let answer = gateway.send("POST", "/x/7?q=1", &headers, b"{}  ").await;
    assert_eq!((answer.status, answer.text().as_str()), (201, "{}  "));
    assert_eq!(answer.header("natsgate-served-by"), Some("legacy"));
    let seen = legacy.seen();
    let head = &seen[0].head;
    assert_eq!((head.method.as_str(), head.uri.to_string().as_str()), ("POST", "/x/7?q=1"));
    for (name, value) in
        [("content-type", "text/x"), ("cookie", "a=b"), ("x-y", "z"), ("content-length", "4")]
    {
        assert_eq!(head.headers.get(name).expect(name), value);
    }
    assert!(
        !head.headers.contains_key("natsgate-served-by") && !head.headers.contains_key("natsgate-shadow")
    );
    let without = Gateway::start(&nats.url(), &yaml(&legacy, "POST", "stage: nats")).await;
    assert_eq!(without.post("/x/7", "{}").await.problem(), ("no_responders", "not_executed"));
    assert_eq!(legacy.seen().len(), 1);
}

#[tokio::test]
async fn without_a_connection_to_nats_the_legacy_service_answers() {
    let mut nats = NatsServer::start().await;
    let legacy = Legacy::saying("1").await;
    let gateway =
        Gateway::start(&nats.url(), &yaml(&legacy, "POST", "stage: canary, percent: 100%, fallback: true"))
            .await;
    nats.kill();
    until("the loss is seen", || !gateway.inner.nats().is_connected()).await;
    assert_eq!(gateway.post("/x/1", "{}").await.status, 200);
}

#[tokio::test]
async fn what_may_have_been_executed_is_never_sent_to_the_other_side() {
    let nats = NatsServer::start().await;
    let legacy = Legacy::saying("1").await;
    let service = Service::silent(&nats.url(), "x.*").await;
    let gateway = Gateway::start(&nats.url(), &yaml(&legacy, "POST", "stage: nats, fallback: true")).await;
    let killed = async {
        until("the request is delivered", || service.seen().len() == 1).await;
        drop(service);
    };
    let (answer, ()) = tokio::join!(gateway.post("/x/1", "{}"), killed);
    assert_eq!((answer.status, answer.problem()), (504, ("timeout", "unknown")));
    assert!(legacy.seen().is_empty(), "it may have been executed");
}

/// As above, with plenty of time left for the other side.
#[tokio::test]
async fn nor_when_the_connection_to_nats_is_lost_on_the_way() {
    let mut nats = NatsServer::start().await;
    let legacy = Legacy::saying("1").await;
    let service = Service::silent(&nats.url(), "x.*").await;
    let text = yaml(&legacy, "POST", "stage: nats, fallback: true").replace("timeout: 2s", "timeout: 30s");
    let gateway = Gateway::start(&nats.url(), &text).await;
    let killed = async {
        until("the request is delivered", || service.seen().len() == 1).await;
        nats.kill();
    };
    let (answer, ()) = tokio::join!(gateway.post("/x/1", "{}"), killed);
    assert_eq!((answer.status, answer.problem()), (504, ("connection_lost", "unknown")));
    assert!(legacy.seen().is_empty(), "it may have been executed");
}

#[tokio::test]
async fn what_only_reads_is_asked_of_the_other_side_while_there_is_time() {
    let nats = NatsServer::start().await;
    let legacy = Legacy::saying("\"legacy\"").await;
    let service = Service::silent(&nats.url(), "x.*").await;
    for (method, more) in [("GET", ""), ("POST", "safe: true")] {
        let text = of(&legacy.url, method, more, "stage: nats, fallback: true");
        let gateway = Gateway::start(&nats.url(), &text).await;
        let answer = gateway.send(method, "/x/1", &[], b"").await;
        assert_eq!((answer.status, answer.text().as_str()), (200, "\"legacy\""), "{method}");
        assert!(answer.took < Duration::from_secs(2), "within the deadline: {:?}", answer.took);
    }
    assert_eq!((service.seen().len(), legacy.seen().len()), (2, 2));
}

#[tokio::test]
async fn an_outcome_is_not_better_than_that_of_the_first_try() {
    let nats = NatsServer::start().await;
    let mut legacy = Legacy::saying("1").await;
    let service = Service::silent(&nats.url(), "x.*").await;
    let gateway = Gateway::start(&nats.url(), &yaml(&legacy, "GET", "stage: nats, fallback: true")).await;
    legacy.stop();
    let answer = gateway.get("/x/1").await;
    assert_eq!(answer.problem(), ("upstream_unreachable", "unknown"), "NATS had it");
    drop(service);
    nobody_listens(&nats).await;
    let answer = gateway.get("/x/1").await;
    assert_eq!(answer.problem(), ("upstream_unreachable", "not_executed"));
}

#[tokio::test]
async fn a_body_that_nats_does_not_take_is_for_the_legacy_service() {
    let nats = NatsServer::start().await;
    let legacy = Legacy::start(|seen| (Duration::ZERO, json(200, seen.body.len().to_string()))).await;
    let service = Service::saying(&nats.url(), "x.*", "0").await;
    for migration in ["stage: nats, fallback: true", "stage: shadow, shadow: { writes: dry_run, subject: y }"]
    {
        // One that is written holds on both sides; the default is what NATS is given at most.
        let text = format!("defaults: {{ max_body: 10 }}\n{}", yaml(&legacy, "POST", migration));
        let gateway = Gateway::start(&nats.url(), &text).await;
        let long = "x".repeat(100_000);
        assert_eq!(gateway.post("/x/1", &long).await.text(), "100000", "{migration}");
        let mut client = Client::connect(&gateway.url).await;
        let head = "POST /x/1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
        let began = std::time::Instant::now();
        client.write(format!("{head}8\r\n12345678\r\n8\r\n12345678\r\n0\r\n\r\n").as_bytes()).await;
        assert_eq!(client.answer("POST", began).await.text(), "16", "{migration}");
    }
    assert!(service.seen().is_empty());
}

/// Requests of a writing operation in a canary, while its responder dies and comes back. Each is executed once: it is
/// counted where it was. A responder dies between two requests: what is lost with one that does not is never sent to
/// the other side, as another test shows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_responder_that_is_killed_in_a_canary_fails_no_request() {
    let nats = NatsServer::start().await;
    let legacy = Legacy::saying("1").await;
    let migration = "stage: canary, percent: 50%, fallback: true, breaker: { failures: 5, open_for: 200ms }";
    let text = yaml(&legacy, "POST", migration).replace("timeout: 2s", "timeout: 20s");
    let gateway = Gateway::start(&nats.url(), &text).await;
    let (open, asked, turn) = (AtomicBool::new(true), AtomicUsize::new(0), RwLock::new(()));
    let client = || async {
        let mut client = Client::connect(&gateway.url).await;
        while open.load(Ordering::Relaxed) {
            let _turn = turn.read().await;
            let id = asked.fetch_add(1, Ordering::Relaxed);
            let answer = client.send("POST", &format!("/x/{id}"), &[], b"{}").await;
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
    };
    let killing = async {
        let mut executed = Vec::new();
        for _ in 0..4 {
            let service = Service::saying(&nats.url(), "x.*", "1").await;
            until("NATS has some", || service.seen().len() > 100).await;
            let nobody_asks = turn.write().await;
            executed.extend(service.seen());
            drop(service);
            nobody_listens(&nats).await;
            let before = legacy.seen().len();
            drop(nobody_asks);
            until("all are for the legacy service", || legacy.seen().len() > before + 100).await;
        }
        open.store(false, Ordering::Relaxed);
        executed
    };
    let (_, executed) = tokio::join!(join_all((0..8).map(|_| client())), killing);
    let mut ids: Vec<String> = executed.iter().map(|message| message.subject.replace("x.", "/x/")).collect();
    ids.extend(legacy.seen().iter().map(|seen| seen.head.uri.path().to_owned()));
    let asked = asked.into_inner();
    assert_eq!(ids.len(), asked, "each was executed once");
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), asked);
}

/// Waits until the server has noticed that the responder is gone.
async fn nobody_listens(nats: &NatsServer) {
    let client = nats.client().await;
    while client.request("x.probe", "".into()).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

/// Who is slow with a body, or has no patience, keeps nobody else from NATS.
#[tokio::test]
async fn a_client_without_patience_opens_no_breaker() {
    let nats = NatsServer::start().await;
    let legacy = Legacy::saying("1").await;
    let silent = Service::silent(&nats.url(), "x.*").await;
    let text = yaml(&legacy, "GET", "stage: nats, fallback: true, breaker: { failures: 1, open_for: 1m }");
    let gateway = Gateway::start(&nats.url(), &text.replace("timeout: 2s", "timeout: 4s")).await;
    for id in 0..3 {
        let answer = gateway.send("GET", &format!("/x/{id}"), &[("Prefer", "wait=1")], b"").await;
        assert_eq!((answer.status, answer.text().as_str()), (200, "1"));
        assert_eq!(silent.seen().len(), id + 1, "NATS was left alone");
    }
    // One who waits as long as the operation says does tell something.
    assert_eq!(gateway.get("/x/3").await.text(), "1");
    assert_eq!((gateway.get("/x/4").await.text().as_str(), silent.seen().len()), ("1", 4));
}

/// Where the leader's store fails, its replicas may have the message: the legacy service does not get it too.
#[tokio::test]
async fn what_a_stream_may_have_stored_does_not_go_to_the_other_side() {
    let nats = NatsServer::start().await;
    let legacy = Legacy::saying("1").await;
    let stream = Service::start(&nats.url(), "s.*", |message| {
        let description = match message.subject.as_str() {
            "s.disk" => "no space left on device",
            _ => "x",
        };
        let number = if description == "x" { 10_023 } else { 10_077 };
        let error = format!("{{\"code\":503,\"err_code\":{number},\"description\":\"{description}\"}}");
        Some((
            async_nats::HeaderMap::new(),
            format!("{{\"error\":{error},\"stream\":\"S\",\"seq\":0}}").into(),
        ))
    })
    .await;
    let text = format!(
        "upstreams: {{ old: {{ url: '{}' }} }}\noperations:\n  POST /x/{{id}}:\n    publish: {{ subject: 's.${{path.id}}', stream: S, retry_for: 50ms }}\n    forward: {{ upstream: old }}\n    migration: {{ stage: nats, fallback: true }}\n",
        legacy.url
    );
    let gateway = Gateway::start(&nats.url(), &text).await;
    let answer = gateway.post("/x/disk", "{}").await;
    assert_eq!((answer.status, answer.problem()), (503, ("stream_unavailable", "unknown")));
    assert!(legacy.seen().is_empty() && !stream.seen().is_empty());
    assert_eq!(gateway.post("/x/full", "{}").await.text(), "1", "that one is provably nowhere");
}
