//! What outlives a reload: counts, and what is known of callers.

use natsgate::gateway::reload::Outcome;
use serde_json::json;

use super::reload;
use crate::support::gateway::Gateway;
use crate::support::issuer::{Behaviour, ISSUER, Issuer, Key, claims};
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;

#[tokio::test]
async fn a_quota_that_is_used_up_stays_so() {
    let nats = NatsServer::start().await;
    let _service = Service::saying(&nats.url(), ">", "{}").await;
    let yaml = |timeout: &str, rate: &str| {
        format!(
            "operations:\n  GET /a:\n    request: {{ subject: a, timeout: {timeout} }}\n    limits: {{ rate: {rate}, per: ip }}\n"
        )
    };
    let gateway = Gateway::start(&nats.url(), &yaml("2s", "2/h")).await;
    assert_eq!((gateway.get("/a").await.status, gateway.get("/a").await.status), (200, 200));
    assert_eq!(reload(&gateway, &yaml("3s", "2/h")).await.outcome, Outcome::Applied);
    assert_eq!(gateway.get("/a").await.status, 429);
    assert_eq!(reload(&gateway, &yaml("3s", "3/h")).await.outcome, Outcome::Applied);
    assert_eq!(gateway.get("/a").await.status, 200, "another rate begins anew");
}

#[tokio::test]
async fn requests_in_flight_count_against_the_new_limit() {
    let nats = NatsServer::start().await;
    let service = Service::silent(&nats.url(), "a").await;
    let yaml = |limit: u8| {
        format!(
            "operations:\n  GET /a:\n    request: {{ subject: a, timeout: 10s }}\n    limits: {{ in_flight: {limit} }}\n"
        )
    };
    let gateway = Gateway::start(&nats.url(), &yaml(5)).await;
    let (first, ()) = tokio::join!(gateway.get("/a"), async {
        crate::requests::until("it is in flight", || service.seen().len() == 1).await;
        assert_eq!(reload(&gateway, &yaml(1)).await.outcome, Outcome::Applied);
        let refused = gateway.get("/a").await;
        assert_eq!((refused.status, refused.problem().0), (503, "overloaded"));
        service.answer(&service.seen()[0], "{}").await;
    });
    assert_eq!(first.status, 200);
    assert_eq!(gateway.inner.in_flight(), 0);
}

#[tokio::test]
async fn keys_stay_known_and_are_not_fetched_again() {
    let nats = NatsServer::start().await;
    let _service = Service::saying(&nats.url(), ">", "{}").await;
    let key = Key::new("k1", jsonwebtoken::Algorithm::ES256);
    let issuer = Issuer::start(&[&key]).await;
    let yaml = |leeway: &str, timeout: &str| {
        format!(
            "security:\n  people:\n    jwt: [{{ issuer: {:?}, audience: [api], algorithms: [ES256], jwks: {:?}, leeway: {leeway} }}]\noperations:\n  GET /a: {{ request: {{ subject: a, timeout: {timeout} }}, security: [{{ people: [] }}] }}\n",
            ISSUER, issuer.url
        )
    };
    let gateway = Gateway::start(&nats.url(), &yaml("30s", "2s")).await;
    let token = format!("Bearer {}", key.sign(&claims(json!({ "aud": "api" }))));
    let ask = async || gateway.send("GET", "/a", &[("Authorization", &token)], b"").await;
    issuer.fetched(1).await;
    assert_eq!(ask().await.status, 200);
    issuer.behave(Behaviour::Status(500, String::new()));
    assert_eq!(reload(&gateway, &yaml("30s", "3s")).await.outcome, Outcome::Applied);
    assert_eq!(ask().await.status, 200);
    assert_eq!(issuer.fetches(), 1, "nothing about the keys has changed");
    // The verifier is another one, and its keys are at the same address.
    assert_eq!(reload(&gateway, &yaml("40s", "3s")).await.outcome, Outcome::Applied);
    assert_eq!(ask().await.status, 200);
}

#[tokio::test]
async fn what_the_start_checks_have_found_is_known_on() {
    use natsgate::gateway::operation::State;

    let nats = NatsServer::start().await;
    let yaml = |timeout: &str, stream: &str| {
        format!(
            "operations:\n  POST /a: {{ publish: {{ subject: a, stream: {stream}, timeout: {timeout} }} }}\n"
        )
    };
    let gateway = Gateway::start(&nats.url(), &yaml("2s", "A")).await;
    let state = || gateway.inner.table().operations[0].finding.get();
    assert!(matches!(&*state(), State::Broken(_)));
    // Nobody else runs between the reload and the look at what it has put in place.
    assert_eq!(reload(&gateway, &yaml("3s", "A")).await.outcome, Outcome::Applied);
    assert!(matches!(&*state(), State::Broken(_)), "the same is asked of the server");
    assert_eq!(reload(&gateway, &yaml("3s", "B")).await.outcome, Outcome::Applied);
    assert!(matches!(&*state(), State::Unchecked), "another stream is another question");
    gateway.checked().await;
    assert!(matches!(&*state(), State::Broken(_)));
}
