//! Copies: what they carry, what they never do, and that nobody waits for them.

use std::time::Duration;

use super::{of, yaml};
use crate::requests::until;
use crate::support::gateway::Gateway;
use crate::support::legacy::{Legacy, json};
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;
use crate::support::streams::Streams;

#[tokio::test]
async fn a_shadow_gets_a_copy_that_says_what_it_is() {
    let nats = NatsServer::start().await;
    let legacy = Legacy::saying("1").await;
    let service = Service::saying(&nats.url(), "x.*", "2").await;
    let gateway = Gateway::start(&nats.url(), &yaml(&legacy, "GET", "stage: shadow")).await;
    assert_eq!(gateway.get("/x/7").await.text(), "1");
    until("the copy arrives", || service.seen().len() == 1).await;
    let copy = &service.seen()[0];
    let headers = copy.headers.as_ref().expect("headers");
    assert_eq!(copy.subject.as_str(), "x.7");
    assert_eq!(headers.get("Natsgate-Shadow").map(|value| value.as_str()), Some("true"));
    assert!(headers.get("Natsgate-Deadline").is_some() && headers.get("Natsgate-Request-Id").is_some());
    assert!(!legacy.seen()[0].head.headers.contains_key("natsgate-shadow"), "that one is the request itself");
}

#[tokio::test]
async fn a_mirror_gives_the_legacy_service_a_copy() {
    let nats = NatsServer::start().await;
    let legacy = Legacy::saying("1").await;
    let _service = Service::saying(&nats.url(), "x.*", "2").await;
    let gateway = Gateway::start(&nats.url(), &yaml(&legacy, "GET", "stage: mirror")).await;
    assert_eq!(gateway.get("/x/7?q=1").await.text(), "2");
    until("the copy arrives", || legacy.seen().len() == 1).await;
    let head = &legacy.seen()[0].head;
    assert_eq!(head.uri.to_string(), "/x/7?q=1");
    assert_eq!(head.headers.get("natsgate-shadow").expect("it says what it is"), "true");
}

#[tokio::test]
async fn a_write_is_tried_on_a_subject_of_its_own() {
    let nats = NatsServer::start().await;
    let legacy = Legacy::saying("1").await;
    let (real, dry) =
        (Service::saying(&nats.url(), "x.*", "2").await, Service::echo(&nats.url(), "dry.*").await);
    let migration = "stage: shadow, shadow: { writes: dry_run, subject: 'dry.${path.id}' }";
    let gateway = Gateway::start(&nats.url(), &yaml(&legacy, "POST", migration)).await;
    assert_eq!(gateway.post("/x/7", "{\"a\":1}").await.text(), "1");
    until("the copy arrives", || dry.seen().len() == 1).await;
    assert_eq!(&*dry.seen()[0].payload, b"{\"a\":1}");
    assert_eq!(&*legacy.seen()[0].body, b"{\"a\":1}");
    assert!(real.seen().is_empty());
}

/// What would be published is mapped and held against the stream, and nothing is stored.
#[tokio::test]
async fn a_publish_is_never_published_as_a_copy() {
    let nats = NatsServer::start().await;
    let streams = Streams::of(&nats.url()).await;
    streams.create("S", &["s.*"], serde_json::json!({})).await;
    let legacy = Legacy::saying("1").await;
    let yaml = format!(
        "upstreams: {{ old: {{ url: '{}' }} }}\noperations:\n  POST /x/{{id}}:\n    publish: {{ subject: 's.${{path.id}}', stream: S }}\n    forward: {{ upstream: old }}\n    migration: {{ stage: shadow, shadow: {{ writes: dry_run }} }}\n",
        legacy.url
    );
    let gateway = Gateway::start(&nats.url(), &yaml).await;
    for id in 0..10 {
        assert_eq!(gateway.post(&format!("/x/{id}"), "{}").await.text(), "1");
    }
    until("all copies are done", || gateway.inner.copies_in_flight() == 0).await;
    assert_eq!(streams.count("S").await, 0);
}

/// The answer is not held by a copy that nobody answers, and there are never more copies than there may be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_for_a_copy_and_their_number_is_bounded() {
    let nats = NatsServer::start().await;
    let legacy = Legacy::saying("1").await;
    let silent = Service::silent(&nats.url(), "x.*").await;
    let gateway =
        Gateway::start(&nats.url(), &yaml(&legacy, "GET", "stage: shadow, shadow: { timeout: 1m }")).await;
    let mut client = crate::support::http::Client::connect(&gateway.url).await;
    for id in 0..600 {
        let answer = client.send("GET", &format!("/x/{id}"), &[], b"").await;
        assert!(answer.status == 200 && answer.took < Duration::from_secs(1), "{:?}", answer.took);
    }
    let most = gateway.inner.copies_in_flight();
    assert!(most <= 256, "{most}");
    until("those that were made arrive", || silent.seen().len() == most).await;
    assert!(gateway.waiting() <= most);
    gateway.stop().await;
}

#[tokio::test]
async fn a_share_of_the_requests_is_copied_and_one_that_fails_harms_nobody() {
    let nats = NatsServer::start().await;
    let legacy = Legacy::start(|_| (Duration::ZERO, json(200, "1"))).await;
    let service = Service::saying(&nats.url(), "x.*", "2").await;
    let text = of(&legacy.url, "GET", "", "stage: shadow, shadow: { sample: 50% }");
    let gateway = Gateway::start(&nats.url(), &text).await;
    for id in 0..100 {
        assert_eq!(gateway.get(&format!("/x/{id}")).await.status, 200);
    }
    // No legal token of a subject: NATS would refuse it, and the legacy service does not.
    assert_eq!(gateway.get("/x/a.b").await.status, 200);
    until("all copies are done", || gateway.inner.copies_in_flight() == 0).await;
    let copies = service.seen().len();
    assert!((20..80).contains(&copies), "{copies}");
}
