//! `{ upstream: true }`: the legacy service checks. Credentials pass on untouched, whatever they are, and nothing reaches
//! NATS that nobody has checked.

use jsonwebtoken::Algorithm;
use serde_json::json;

use super::{count, people};
use crate::support::echo::Echo;
use crate::support::gateway::{Gateway, refused};
use crate::support::issuer::{Issuer, Key, claims};
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;

/// A scheme of every type, also of those that no verifier of the gateway takes.
const CONTRACT: &str = r##"openapi: 3.1.0
info: { title: users, version: "1" }
security: [{ bearer: [] }]
paths:
  /bearer: { get: { operationId: bearer, responses: { "200": { description: ok } } } }
  /flow: { get: { operationId: flow, security: [{ flow: ["write it"] }], responses: { "200": { description: ok } } } }
  /connect: { get: { operationId: connect, security: [{ connect: [] }], responses: { "200": { description: ok } } } }
  /cookie: { get: { operationId: cookie, security: [{ cookie: [], bearer: [] }], responses: { "200": { description: ok } } } }
  /digest: { get: { operationId: digest, security: [{ digest: [] }, {}], responses: { "200": { description: ok } } } }
  /mutual: { get: { operationId: mutual, security: [{ mutual: [] }], responses: { "200": { description: ok } } } }
components:
  securitySchemes:
    bearer: { type: http, scheme: bearer }
    flow: { type: oauth2, flows: { implicit: { authorizationUrl: "https://id", scopes: { "write it": w } } } }
    connect: { type: openIdConnect, openIdConnectUrl: "https://id" }
    cookie: { type: apiKey, in: cookie, name: session }
    digest: { type: http, scheme: digest }
    mutual: { type: mutualTLS }
"##;

const IDS: [&str; 6] = ["bearer", "flow", "connect", "cookie", "digest", "mutual"];

const MAPPED: &str = "contracts: [{ file: api.yaml, security: { bearer: old, flow: old, connect: old, cookie: old, digest: \
                      old, mutual: old } }]\n";

#[tokio::test]
async fn the_legacy_service_gets_every_credential_as_it_came() {
    let nats = NatsServer::start().await;
    let legacy = Echo::start().await;
    let operations: String =
        IDS.iter().map(|id| format!("  {id}: {{ forward: {{ upstream: legacy }} }}\n")).collect();
    let yaml = format!(
        "security: {{ old: {{ upstream: true }} }}\nupstreams: {{ legacy: {{ url: '{}' }} }}\n{MAPPED}\
         fallback: {{ upstream: legacy, security: [{{ old: [] }}] }}\noperations:\n{operations}",
        legacy.url
    );
    let gateway = Gateway::start_with(&nats.url(), &yaml, &[("api.yaml", CONTRACT)]).await;
    for path in IDS.iter().map(|id| format!("/{id}")).chain(["/unknown".to_owned()]) {
        let nobody = gateway.get(&path).await;
        assert_eq!(nobody.status, 200, "{path}: {}", nobody.text());
        let sent = [
            ("Authorization", "Digest username=\"ada\", response=\"zzz\""),
            ("Cookie", "session=s3cret; other=1"),
            ("X-Api-Key", "k"),
        ];
        let answer = gateway.send("GET", &path, &sent, b"").await.json();
        for (name, value) in sent {
            assert_eq!(answer["headers"][name.to_ascii_lowercase()], json!(value), "{path}");
        }
    }
    let table = gateway.inner.table();
    let cookie = table.operations.iter().find(|one| &*one.name == "cookie").expect("the operation");
    assert_eq!(
        cookie.access.describe(),
        json!([[
            { "verifier": "old", "checked_by": "upstream" },
            { "verifier": "old", "checked_by": "upstream" },
        ]])
    );
}

#[tokio::test]
async fn one_operation_moves_to_a_verifier_while_the_others_stay() {
    let nats = NatsServer::start().await;
    let _service = Service::echo(&nats.url(), "me").await;
    let legacy = Echo::start().await;
    let key = Key::new("k", Algorithm::ES256);
    let issuer = Issuer::start(&[&key]).await;
    let yaml = format!(
        "{}  old: {{ upstream: true }}\nupstreams: {{ legacy: {{ url: '{}' }} }}\n{MAPPED}operations:\n\
         \x20 bearer:\n    security: [{{ people: [] }}]\n    request: {{ subject: me, payload: \"${{caller.name}}\" }}\n\
         \x20 flow: {{ forward: {{ upstream: legacy }} }}\n",
        people(&issuer, "ES256", ""),
        legacy.url
    );
    let gateway = Gateway::start_with(&nats.url(), &yaml, &[("api.yaml", CONTRACT)]).await;
    gateway.until("keys", |ready| count(ready) == json!(1)).await;
    let token = format!("Bearer {}", key.sign(&claims(json!({}))));
    for (path, sent, status) in [
        ("/bearer", "Bearer what-the-legacy-service-takes", 401),
        ("/bearer", token.as_str(), 200),
        ("/flow", "Bearer what-the-legacy-service-takes", 200),
        ("/flow", token.as_str(), 200),
    ] {
        let answer = gateway.send("GET", path, &[("Authorization", sent)], b"").await;
        assert_eq!(answer.status, status, "{path} {sent}: {}", answer.text());
    }
}

#[tokio::test]
async fn an_alternative_that_is_checked_here_names_the_caller_and_keeps_nobody_out() {
    let nats = NatsServer::start().await;
    let legacy = Echo::start().await;
    let key = Key::new("k", Algorithm::ES256);
    let issuer = Issuer::start(&[&key]).await;
    let yaml = format!(
        "{}  old: {{ upstream: true }}\nupstreams: {{ legacy: {{ url: '{}' }} }}\noperations:\n\
         \x20 GET /either: {{ security: [{{ people: [] }}, {{ old: [] }}], forward: {{ upstream: legacy }} }}\n\
         \x20 GET /both: {{ security: [{{ people: [], old: [] }}], forward: {{ upstream: legacy }} }}\n",
        people(&issuer, "ES256", ""),
        legacy.url
    );
    let gateway = Gateway::start(&nats.url(), &yaml).await;
    gateway.until("keys", |ready| count(ready) == json!(1)).await;
    let token = format!("Bearer {}", key.sign(&claims(json!({}))));
    for (path, sent, status) in [
        ("/either", "Bearer of.somebody.else", 200),
        ("/either", token.as_str(), 200),
        ("/both", "Bearer of.somebody.else", 401),
        ("/both", token.as_str(), 200),
    ] {
        let answer = gateway.send("GET", path, &[("Authorization", sent)], b"").await;
        assert_eq!(answer.status, status, "{path} {sent}: {}", answer.text());
    }
}

#[test]
fn nothing_that_nats_may_see_is_left_to_the_legacy_service() {
    let report = |binding: &str| {
        refused(&format!(
            "security: {{ old: {{ upstream: true }} }}\nupstreams: {{ legacy: {{ url: 'http://127.0.0.1:9' }} }}\noperations:\n\
             \x20 GET /a:\n    security: [{{ old: [] }}]\n    {binding}\n"
        ))
    };
    let both = "forward: { upstream: legacy }\n    request: { subject: a }\n    ";
    for fine in ["forward: { upstream: legacy }", &format!("{both}migration: {{ stage: legacy }}")] {
        assert_eq!(report(fine), None, "{fine}");
    }
    for binding in ["request: { subject: a }", "publish: { subject: a, stream: A }"] {
        let report = report(binding).unwrap_or_else(|| panic!("{binding} is taken"));
        assert!(report.contains("on NATS nobody would check who calls `GET /a`"), "{binding}:\n{report}");
    }
    for migration in [
        "stage: shadow",
        "stage: canary, percent: 0%",
        "stage: mirror",
        "stage: nats",
        "stage: legacy, force: \"${true}\"",
    ] {
        let binding = format!("{both}migration: {{ {migration} }}");
        let report = report(&binding).unwrap_or_else(|| panic!("{binding} is taken"));
        assert!(report.contains("on NATS nobody would check who calls `GET /a`"), "{migration}:\n{report}");
    }
}
