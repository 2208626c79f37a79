//! Who answers in which stage.

use std::time::Duration;

use jsonwebtoken::Algorithm;
use serde_json::json;

use super::{of, yaml};
use crate::support::gateway::Gateway;
use crate::support::issuer::{ISSUER, Key, claims};
use crate::support::legacy::{self, Legacy};
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;

const BY_LEGACY: &str = r#"{"from":"legacy"}"#;
const BY_NATS: &str = r#"{"from":"nats"}"#;

#[tokio::test]
async fn each_stage_has_the_side_that_it_says() {
    let nats = NatsServer::start().await;
    let legacy = Legacy::saying(BY_LEGACY).await;
    let _service = Service::saying(&nats.url(), "x.*", BY_NATS).await;
    for (stage, from) in [
        ("stage: legacy", "legacy"),
        ("stage: shadow", "legacy"),
        ("stage: canary", "legacy"),
        ("stage: canary, percent: 100%", "nats"),
        ("stage: mirror", "nats"),
        ("stage: nats", "nats"),
    ] {
        let gateway = Gateway::start(&nats.url(), &yaml(&legacy, "GET", stage)).await;
        let answer = gateway.get("/x/1").await;
        assert_eq!((answer.status, &answer.json()["from"]), (200, &from.into()), "{stage}");
        assert_eq!(answer.header("natsgate-served-by"), None, "nobody asked");
        let told = gateway.send("GET", "/x/1", &[("Natsgate-Served-By", "?")], b"").await;
        assert_eq!(told.header("natsgate-served-by"), Some(from), "{stage}");
    }
}

#[tokio::test]
async fn a_canary_takes_its_share_and_the_same_key_stays_on_its_side_as_it_grows() {
    let nats = NatsServer::start().await;
    let legacy = Legacy::saying(BY_LEGACY).await;
    let _service = Service::saying(&nats.url(), "x.*", BY_NATS).await;
    let mut on_nats = Vec::new();
    for percent in ["20%", "50%"] {
        let canary = format!("stage: canary, percent: {percent}, key: '${{path.id}}'");
        let gateways = [
            Gateway::start(&nats.url(), &yaml(&legacy, "GET", &canary)).await,
            Gateway::start(&nats.url(), &yaml(&legacy, "GET", &canary)).await,
        ];
        let mut served = Vec::new();
        for id in 0..200 {
            let path = format!("/x/{id}");
            let first = gateways[0].get(&path).await.text();
            assert_eq!(first, gateways[1].get(&path).await.text(), "every instance has the same sides");
            served.extend((first == BY_NATS).then_some(id));
        }
        on_nats.push(served);
    }
    let (fifth, half) = (&on_nats[0], &on_nats[1]);
    assert!(
        (20..=60).contains(&fifth.len()) && (75..=125).contains(&half.len()),
        "{} {}",
        fifth.len(),
        half.len()
    );
    assert!(fifth.iter().all(|id| half.contains(id)), "nobody goes back as the share grows");
}

#[tokio::test]
async fn a_caller_whose_claims_allow_it_chooses_the_side() {
    let nats = NatsServer::start().await;
    let legacy = Legacy::saying(BY_LEGACY).await;
    let _service = Service::saying(&nats.url(), "x.*", BY_NATS).await;
    let key = Key::new("k1", Algorithm::ES256);
    let more = "security: [{ people: [] }]";
    let migration = r#"stage: legacy, force: '${"tester" in claims.?roles.orValue([])}'"#;
    let yaml = format!(
        "security:\n  people:\n    jwt:\n      - {{ issuer: '{ISSUER}', audience: [api], algorithms: [ES256], keys: keys }}\n{}",
        of(&legacy.url, "GET", more, migration)
    );
    let keys = json!({ "keys": [&key.jwk] }).to_string();
    let gateway = Gateway::start_with(&nats.url(), &yaml, &[("keys", &keys)]).await;
    for (roles, side, from) in [
        (&["tester"][..], "nats", "nats"),
        (&["tester"], "legacy", "legacy"),
        (&["tester"], "elsewhere", "legacy"),
        (&["user"], "nats", "legacy"),
        (&[], "nats", "legacy"),
    ] {
        let token = format!("Bearer {}", key.sign(&claims(json!({ "roles": roles }))));
        let headers = [("Authorization", token.as_str()), ("Natsgate-Side", side)];
        let answer = gateway.send("GET", "/x/1", &headers, b"").await;
        assert_eq!(&answer.json()["from"], from, "{roles:?} {side}");
    }
    assert!(legacy.seen().iter().all(|seen| !seen.head.headers.contains_key("natsgate-side")));
}

#[tokio::test]
async fn moving_on_and_back_is_one_field_and_a_reload() {
    let nats = NatsServer::start().await;
    let legacy = Legacy::start(|_| (Duration::ZERO, legacy::json(200, BY_LEGACY))).await;
    let _service = Service::saying(&nats.url(), "x.*", BY_NATS).await;
    let gateway = Gateway::start(&nats.url(), &yaml(&legacy, "GET", "stage: legacy")).await;
    for (stage, from) in
        [("nats", BY_NATS), ("legacy", BY_LEGACY), ("mirror", BY_NATS), ("legacy", BY_LEGACY)]
    {
        let text = yaml(&legacy, "GET", &format!("stage: {stage}"));
        crate::reload::reload(&gateway, &text).await;
        assert_eq!(gateway.get("/x/1").await.text(), from, "{stage}");
    }
}
