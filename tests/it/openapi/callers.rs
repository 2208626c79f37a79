//! Who may call: the schemes that are published, and what happens to others.

use natsgate::authenticate::made::hash_key;
use serde_json::json;

use super::kept::Document;
use crate::support::gateway::Gateway;
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;

const YAML: &str = r#"security:
  services: { api_key: { keys: keys.yaml, header: X-Key } }
operations:
  GET /mine/{id}:
    security: [{ services: [] }]
    authorize: ${caller.name == path.id}
    request: { subject: me, payload: { name: "${caller.name}" } }
  GET /open:
    security: []
    request: { subject: me, payload: {} }
"#;

#[tokio::test]
async fn callers_who_are_refused_are_in_the_document() {
    let nats = NatsServer::start().await;
    let _service = Service::echo(&nats.url(), "me").await;
    let keys = format!("billing: {}\n", hash_key("key"));
    let gateway = Gateway::start_with(&nats.url(), YAML, &[("keys.yaml", &keys)]).await;
    let document = Document::of(&gateway);
    let id = "getMineById";
    for (path, headers, status, code) in [
        ("/mine/billing", &[("X-Key", "key")][..], 200, ""),
        ("/mine/billing", &[("X-Key", "other")], 401, "unauthenticated"),
        ("/mine/billing", &[], 401, "unauthenticated"),
        ("/mine/others", &[("X-Key", "key")], 403, "forbidden"),
    ] {
        let answer = gateway.send("GET", path, headers, b"").await;
        assert_eq!((answer.status, answer.header("natsgate-code").unwrap_or_default()), (status, code));
        document.speaks_of(id, &answer);
    }
    let operation = document.operation(id);
    assert_eq!(operation["security"], json!([{ "services": [] }]));
    assert_eq!(
        document.0["components"]["securitySchemes"],
        json!({ "services": { "type": "apiKey", "in": "header", "name": "X-Key" } })
    );
    assert!(operation["responses"].get("429").is_none(), "there is no rate");
    let open = document.operation("getOpen");
    assert_eq!(open["security"], json!([]));
    assert!(open["responses"].get("401").is_none() && open["responses"].get("403").is_none());
    document.speaks_of("getOpen", &gateway.get("/open").await);
}
