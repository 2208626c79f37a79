//! Failures that need no broken connection: nobody listens, nobody answers, too many ask.

use std::time::Duration;

use crate::support::gateway::Gateway;
use crate::support::http::Client;
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;

#[tokio::test]
async fn nobody_listening_is_told_at_once() {
    let nats = NatsServer::start().await;
    let gateway = Gateway::start(&nats.url(), super::ECHO).await;
    let mut client = Client::connect(&gateway.url).await;
    let mut fastest = Duration::MAX;
    for _ in 0..5 {
        let answer = client.send("POST", "/echo", &[], b"").await;
        assert_eq!((answer.status, answer.problem()), (503, ("no_responders", "not_executed")));
        assert_eq!(answer.header("retry-after"), Some("2"));
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        let problem = answer.json();
        assert_eq!((&problem["code"], &problem["status"]), (&"no_responders".into(), &503.into()));
        assert_eq!(problem["request_id"], answer.header("natsgate-request-id").expect("request id"));
        assert_eq!(problem["retryable"], true);
        fastest = fastest.min(answer.took);
    }
    assert!(fastest < Duration::from_millis(50), "{fastest:?}");
}

#[tokio::test]
async fn a_tap_that_reads_everything_hides_that_nobody_answers() {
    let nats = NatsServer::start().await;
    let _tap = nats.client().await.subscribe(">").await.expect("tap");
    let yaml = "operations:\n  GET /x: { request: { subject: x, timeout: 200ms } }\n";
    let gateway = Gateway::start(&nats.url(), yaml).await;
    let answer = gateway.get("/x").await;
    assert_eq!((answer.status, answer.problem()), (504, ("timeout", "unknown")));
}

#[tokio::test]
async fn a_service_that_comes_in_time_answers_a_request_that_is_held() {
    let nats = NatsServer::start().await;
    let yaml = "operations:\n  GET /x: { request: { subject: x, timeout: 10s, retry_for: 9s } }\n";
    let gateway = Gateway::start(&nats.url(), yaml).await;
    let (answer, _service) = tokio::join!(gateway.get("/x"), async {
        super::until("the request is held", || gateway.inner.in_flight() == 1).await;
        Service::saying(&nats.url(), "x", "late").await
    });
    assert_eq!((answer.status, answer.text().as_str()), (200, "late"));
}

#[tokio::test]
async fn over_the_limit_of_an_operation_is_refused_at_once() {
    let nats = NatsServer::start().await;
    let service = Service::silent(&nats.url(), "x").await;
    let yaml = "operations:\n  GET /x: { request: { subject: x, timeout: 1s }, limits: { in_flight: 2 } }\n  GET /y: { request: { subject: y } }\n";
    let gateway = Gateway::start(&nats.url(), yaml).await;
    let (first, second, ()) = tokio::join!(gateway.get("/x"), gateway.get("/x"), async {
        super::until("both wait", || service.seen().len() == 2).await;
        let refused = gateway.get("/x").await;
        assert_eq!((refused.status, refused.problem()), (503, ("overloaded", "not_executed")));
        assert_eq!(refused.header("retry-after"), Some("1"));
        assert!(refused.took < Duration::from_millis(500), "{:?}", refused.took);
        assert_eq!(gateway.get("/y").await.problem().0, "no_responders", "another operation is not touched");
    });
    assert_eq!((first.status, second.status, service.seen().len()), (504, 504, 2));
    assert_eq!(gateway.get("/x").await.problem().0, "timeout", "the places are given back");
}

#[tokio::test]
async fn over_the_limit_of_all_operations_is_refused_too() {
    let nats = NatsServer::start().await;
    let _service = Service::silent(&nats.url(), "x").await;
    let yaml = "server: { in_flight: 1 }\noperations:\n  GET /x: { request: { subject: x, timeout: 1s } }\n  GET /y: { request: { subject: y } }\n";
    let gateway = Gateway::start(&nats.url(), yaml).await;
    tokio::join!(gateway.get("/x"), async {
        super::until("one is in flight", || gateway.inner.in_flight() == 1).await;
        assert_eq!(gateway.get("/y").await.problem(), ("overloaded", "not_executed"));
    });
    assert_eq!(gateway.get("/y").await.problem().0, "no_responders");
}
