//! Several schemes: one of them, all of them, none of them; and scopes.

use jsonwebtoken::Algorithm;
use natsgate::authenticate::made::hash_key;
use serde_json::{Value, json};

use super::{count, people, refusal};
use crate::support::gateway::Gateway;
use crate::support::http::Answer;
use crate::support::issuer::{Issuer, Key, claims};
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;

const OPERATIONS: &str = r#"  services: { api_key: { keys: keys.yaml } }
operations:
  GET /either:
    security: [{ people: [read] }, { services: [] }]
    request: { subject: me, payload: { name: "${caller.name}", by: "${caller.verifier}", org: "${claims.?org}" } }
  GET /both:
    security: [{ services: [], people: [] }]
    request: { subject: me, payload: { name: "${caller.name}", by: "${caller.verifier}", sub: "${claims.sub}" } }
  GET /optional:
    security: [{ people: [] }, {}]
    request: { subject: me, payload: { name: "${caller.?name}" } }
  GET /open:
    security: []
    request: { subject: me, payload: { open: true } }
  GET /write:
    security: [{ people: [read, write] }]
    request: { subject: me, payload: { scopes: "${caller.scopes}" } }
"#;

struct Setup {
    _nats: NatsServer,
    _service: Service,
    key: Key,
    gateway: Gateway,
}

impl Setup {
    async fn start() -> Setup {
        let nats = NatsServer::start().await;
        let service = Service::echo(&nats.url(), "me").await;
        let key = Key::new("k1", Algorithm::EdDSA);
        let issuer = Issuer::start(&[&key]).await;
        let yaml = format!("{}{OPERATIONS}", people(&issuer, "EdDSA", ""));
        let keys = format!("billing: {}\n", hash_key("key"));
        let gateway = Gateway::start_with(&nats.url(), &yaml, &[("keys.yaml", &keys)]).await;
        gateway.until("keys", |ready| count(ready) == json!(1)).await;
        Setup { _nats: nats, _service: service, key, gateway }
    }

    fn token(&self, others: Value) -> String {
        format!("Bearer {}", self.key.sign(&claims(others)))
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.gateway.send("GET", path, headers, b"").await
    }
}

#[tokio::test]
async fn one_of_several_is_enough_and_the_failure_that_tells_most_is_told() {
    let setup = Setup::start().await;
    let (reader, expired) =
        (setup.token(json!({ "scope": "read", "org": "acme" })), setup.token(json!({ "exp": 1 })));
    let nothing = setup.token(json!({}));
    let ada = json!({ "name": "ada", "by": "people", "org": "acme" });
    let billing = json!({ "name": "billing", "by": "services" });
    for (headers, answer) in [
        (vec![("Authorization", reader.as_str())], &ada),
        (vec![("X-API-Key", "key")], &billing),
        (vec![("Authorization", &reader), ("X-API-Key", "key")], &ada),
        (vec![("Authorization", &expired), ("X-API-Key", "key")], &billing),
        (vec![("Authorization", &reader), ("X-API-Key", "wrong")], &ada),
    ] {
        let got = setup.get("/either", &headers).await;
        assert_eq!((got.status, &got.json()), (200, answer), "{headers:?}");
    }
    for (headers, status, detail) in [
        (vec![], 401, "this operation needs credentials"),
        (vec![("Authorization", expired.as_str())], 401, "the token has expired"),
        (vec![("X-API-Key", "wrong")], 401, "the key is not known"),
        (vec![("Authorization", &expired), ("X-API-Key", "wrong")], 401, "the token has expired"),
        (vec![("Authorization", &nothing)], 403, "the scope read is not granted"),
        (vec![("Authorization", &nothing), ("X-API-Key", "wrong")], 403, "the scope read is not granted"),
    ] {
        let got = setup.get("/either", &headers).await;
        assert_eq!((got.status, &got.json()["detail"]), (status, &json!(detail)), "{headers:?}");
    }
    let asked = |answer: &Answer| -> Vec<String> {
        let all = answer.headers.iter().filter(|(name, _)| name == "www-authenticate");
        all.map(|(_, value)| value.clone()).collect()
    };
    assert_eq!(
        asked(&setup.get("/either", &[]).await),
        ["Bearer realm=\"people\"", "ApiKey realm=\"services\""]
    );
    let wrong = setup.get("/either", &[("X-API-Key", "wrong")]).await;
    assert_eq!(asked(&wrong), ["ApiKey realm=\"services\"", "Bearer realm=\"people\""]);
}

#[tokio::test]
async fn all_of_several_must_hold() {
    let setup = Setup::start().await;
    let token = setup.token(json!({}));
    let both = setup.get("/both", &[("Authorization", &token), ("X-API-Key", "key")]).await;
    assert_eq!(
        (both.status, both.json()),
        (200, json!({ "name": "billing", "by": "services", "sub": "ada" }))
    );
    for headers in [
        vec![],
        vec![("Authorization", token.as_str())],
        vec![("X-API-Key", "key")],
        vec![("Authorization", &token), ("X-API-Key", "wrong")],
        vec![("Authorization", "Bearer x"), ("X-API-Key", "key")],
    ] {
        assert_eq!(setup.get("/both", &headers).await.status, 401, "{headers:?}");
    }
}

#[tokio::test]
async fn who_need_not_be_known_may_be_nobody_but_not_somebody_else() {
    let setup = Setup::start().await;
    let nobody = setup.get("/optional", &[]).await;
    assert_eq!((nobody.status, nobody.json()), (200, json!({})));
    let ada = setup.get("/optional", &[("Authorization", &setup.token(json!({})))]).await;
    assert_eq!(ada.json(), json!({ "name": "ada" }));
    for header in [setup.token(json!({ "exp": 1 })), "Bearer".into(), "Basic YTpi".into(), "token".into()] {
        assert_eq!(setup.get("/optional", &[("Authorization", &header)]).await.status, 401, "{header}");
    }
    let open = setup.get("/open", &[("Authorization", "Bearer nonsense")]).await;
    assert_eq!((open.status, open.json()), (200, json!({ "open": true })));
}

#[tokio::test]
async fn every_scope_must_be_granted() {
    let setup = Setup::start().await;
    for (scope, status) in [
        (json!("read write"), 200),
        (json!("write other read"), 200),
        (json!(["read", "write"]), 200),
        (json!("read"), 403),
        (json!("readwrite"), 403),
        (json!(["read write"]), 403),
        (json!({ "read": 1, "write": 1 }), 403),
        (json!(null), 403),
    ] {
        let answer =
            setup.get("/write", &[("Authorization", &setup.token(json!({ "scope": scope.clone() })))]).await;
        assert_eq!(answer.status, status, "{scope}");
    }
    let refused = setup.get("/write", &[("Authorization", &setup.token(json!({ "scope": "read" })))]).await;
    let asked = "Bearer realm=\"people\", error=\"insufficient_scope\", scope=\"read write\"";
    assert_eq!(refusal(&refused), (403, "forbidden", asked));
}
