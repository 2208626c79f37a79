//! Who may call: tokens, keys and passwords as real clients and hostile ones send them.

mod algorithms;
mod alternatives;
mod api_keys;
mod attacks;
mod authorize;
mod commands;
mod contracts;
mod identity;
mod key_files;
mod key_sets;
mod passwords;
mod upstream;

use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

use crate::support::gateway::Gateway;
use crate::support::http::Answer;
use crate::support::issuer::{ISSUER, Issuer, Key, claims};
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;

/// An operation for callers with a token, which answers who they are.
const ME: &str = r#"operations:
  GET /me:
    security: [{ people: [] }]
    request: { subject: me, payload: { name: "${caller.name}", org: "${claims.?org}" } }
"#;

/// A gateway with one issuer and its key, and a service that echoes.
struct Api {
    nats: NatsServer,
    service: Service,
    issuer: Issuer,
    key: Key,
    gateway: Gateway,
}

impl Api {
    async fn start() -> Api {
        Api::with(Algorithm::ES256, "", ME).await
    }

    /// With more keys of the issuer's entry, and other operations.
    async fn with(algorithm: Algorithm, more: &str, operations: &str) -> Api {
        let nats = NatsServer::start().await;
        let service = Service::echo(&nats.url(), "me").await;
        let key = Key::new("k1", algorithm);
        let issuer = Issuer::start(&[&key]).await;
        let yaml = format!("{}{operations}", people(&issuer, &format!("{algorithm:?}"), more));
        let gateway = Gateway::start(&nats.url(), &yaml).await;
        gateway.until("keys", |ready| count(ready) == json!(1)).await;
        Api { nats, service, issuer, key, gateway }
    }

    /// Asks who one is, by a token.
    async fn me(&self, token: &str) -> Answer {
        me(&self.gateway, token).await
    }
}

async fn me(gateway: &Gateway, token: &str) -> Answer {
    gateway.send("GET", "/me", &[("Authorization", &format!("Bearer {token}"))], b"").await
}

/// The verifier `people` with one issuer.
fn people(issuer: &Issuer, algorithms: &str, more: &str) -> String {
    format!(
        "security:\n  people:\n    jwt:\n      - {{ issuer: '{ISSUER}', audience: [api, other], algorithms: [{algorithms}], \
         jwks: '{}', leeway: 10s{more} }}\n",
        issuer.url
    )
}

/// How many keys the only issuer of `people` has.
fn count(ready: &Value) -> Value {
    ready["verifiers"]["people"]["issuers"][0]["keys"]["count"].clone()
}

/// Status, code, and what is asked for.
fn refusal(answer: &Answer) -> (u16, &str, &str) {
    (answer.status, answer.problem().0, answer.header("www-authenticate").unwrap_or(""))
}

/// The challenge of a token that was not good enough.
fn invalid_token(reason: &str) -> String {
    format!("Bearer realm=\"people\", error=\"invalid_token\", error_description=\"{reason}\"")
}

#[tokio::test]
async fn a_caller_with_a_token_is_known_to_the_service() {
    let api = Api::start().await;
    let answer = api.me(&api.key.sign(&claims(json!({ "org": "acme" })))).await;
    assert_eq!((answer.status, answer.json()), (200, json!({ "name": "ada", "org": "acme" })));
    let again = api.me(&api.key.sign(&claims(json!({ "sub": "bob" })))).await;
    assert_eq!((again.status, again.json()), (200, json!({ "name": "bob" })));
    assert_eq!(api.issuer.fetches(), 1);

    let nobody = api.gateway.get("/me").await;
    assert_eq!(refusal(&nobody), (401, "unauthenticated", "Bearer realm=\"people\""));
    assert_eq!(nobody.json()["detail"], "this operation needs credentials");
}

#[tokio::test]
async fn a_token_that_was_verified_is_not_believed_for_longer_than_it_holds() {
    let api = Api::with(Algorithm::ES256, "", ME).await;
    // Ten seconds of leeway less nine and a bit.
    let token = api.key.sign(&claims(json!({ "exp": crate::support::issuer::now() - 9 })));
    let first = api.me(&token).await;
    let until = tokio::time::Instant::now() + std::time::Duration::from_secs(5);
    assert!(first.status == 200 || first.status == 401, "{}", first.text());
    loop {
        let answer = api.me(&token).await;
        if answer.status == 401 {
            assert_eq!(refusal(&answer).2, invalid_token("the token has expired"));
            return;
        }
        assert!(tokio::time::Instant::now() < until, "still believed");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
