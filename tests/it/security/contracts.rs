//! What contracts demand: every kind of scheme, mapped to verifiers, and never an open door by oversight.

use jsonwebtoken::Algorithm;
use serde_json::json;

use super::{count, people};
use crate::support::gateway::{Gateway, refused};
use crate::support::issuer::{Issuer, Key, claims};
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;

const CONTRACT: &str = r##"openapi: 3.0.3
info: { title: users, version: "1" }
security: [{ people: [] }]
paths:
  /default: { get: { operationId: default, responses: { "200": { description: ok } } } }
  /open: { get: { operationId: open, security: [], responses: { "200": { description: ok } } } }
  /maybe: { get: { operationId: maybe, security: [{}, { people: [] }], responses: { "200": { description: ok } } } }
  /oauth: { get: { operationId: oauth, security: [{ flow: [write] }], responses: { "200": { description: ok } } } }
  /connect: { get: { operationId: connect, security: [{ "x-connect": [] }], responses: { "200": { description: ok } } } }
components:
  securitySchemes:
    people: { type: http, scheme: BeArEr, bearerFormat: JWT }
    flow: { type: oauth2, flows: { implicit: { authorizationUrl: "https://id", scopes: { write: w } } } }
    "x-connect": { type: openIdConnect, openIdConnectUrl: "https://id" }
"##;

#[tokio::test]
async fn every_scheme_of_tokens_is_verified() {
    let nats = NatsServer::start().await;
    let _service = Service::echo(&nats.url(), "me").await;
    let key = Key::new("k", Algorithm::ES256);
    let issuer = Issuer::start(&[&key]).await;
    let operations: String = ["default", "open", "maybe", "oauth", "connect"]
        .iter()
        .map(|id| format!("  {id}: {{ request: {{ subject: me, payload: {{ ok: true }} }} }}\n"))
        .collect();
    let yaml = format!(
        "{}contracts: [{{ file: api.yaml, security: {{ flow: people, x-connect: people }} }}]\noperations:\n{operations}",
        people(&issuer, "ES256", "")
    );
    let gateway = Gateway::start_with(&nats.url(), &yaml, &[("api.yaml", CONTRACT)]).await;
    gateway.until("keys", |ready| count(ready) == json!(1)).await;
    let token = |others| format!("Bearer {}", key.sign(&claims(others)));
    let (plain, writer) = (token(json!({})), token(json!({ "scope": "write" })));
    for (path, nobody, ada, granted) in [
        ("/default", 401, 200, 200),
        ("/open", 200, 200, 200),
        ("/maybe", 200, 200, 200),
        ("/oauth", 401, 403, 200),
        ("/connect", 401, 200, 200),
    ] {
        assert_eq!(gateway.get(path).await.status, nobody, "{path}");
        for (token, status) in [(&plain, ada), (&writer, granted)] {
            let answer = gateway.send("GET", path, &[("Authorization", token)], b"").await;
            assert_eq!(answer.status, status, "{path}: {}", answer.text());
        }
    }
}

#[test]
fn an_operation_is_never_open_by_oversight() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("api.yaml");
    let report = |security: &str, schemes: &str| {
        let contract = format!(
            "openapi: 3.1.0\ninfo: {{ title: a, version: '1' }}\npaths:\n  /a:\n    get:\n      operationId: a\n{security}\
             \n      responses: {{}}\ncomponents:\n  securitySchemes: {{ {schemes} }}\n"
        );
        std::fs::write(&path, contract).expect("a contract");
        refused(&format!(
            "contracts: [{{ file: '{}' }}]\noperations:\n  a: {{ request: {{ subject: a }} }}\n",
            path.display()
        ))
    };
    assert_eq!(report("", ""), None);
    assert_eq!(report("      security: []", ""), None);
    assert_eq!(report("      security: [{}]", ""), None);
    for (security, schemes, message) in [
        ("security: { x: [] }", "", "expected a list, found a map"),
        ("security:", "", "expected a list, found nothing"),
        ("security: x", "", "expected a list, found text"),
        ("security: [x]", "", "expected a map of schemes, found text"),
        (
            "security: [{ x-key: read }]",
            "x-key: { type: http, scheme: bearer }",
            "expected a list of scopes, found text",
        ),
        ("security: [{ x-key: [] }]", "", "the contract does not define the security scheme `x-key`"),
        (
            "security: [{ x-key: [] }]",
            "x-key: { type: http, scheme: bearer }",
            "nothing verifies the security scheme `x-key`",
        ),
        (
            "security: [{}, { x: [] }]",
            "x: { type: http, scheme: bearer }",
            "nothing verifies the security scheme `x`",
        ),
        (
            "security: [{ x: [] }]",
            "x: { type: mutualTLS }",
            "security schemes of type `mutualTLS` are not available",
        ),
        (
            "security: [{ x: [] }]",
            "x: { type: http, scheme: digest }",
            "security schemes of the kind `http digest` cannot be verified",
        ),
        ("security: [{ x: [] }]", "x: { type: apiKey, in: header }", "this key has no `name`"),
        ("security: [{ x: [] }]", "x: { type: apiKey, in: body, name: k }", "this key is nowhere"),
        ("security: [{ x: [] }]", "x: { $ref: '#/components/securitySchemes/y' }", "leads nowhere"),
        ("security: [{ x: [] }]", "x: {}", "this security scheme has no `type`"),
    ] {
        let report =
            report(&format!("      {security}"), schemes).unwrap_or_else(|| panic!("{security} is open"));
        assert!(report.contains(message), "{security} {schemes}:\n{report}");
    }
}
