//! Who may not do something may not have it done by the legacy service either, whatever else is wrong with the request.

use crate::requests::until;
use crate::support::gateway::Gateway;
use crate::support::legacy::Legacy;
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;

const CONTRACT: &str = r#"openapi: 3.1.0
info: { title: x, version: "1" }
paths:
  /x/{id}:
    get:
      operationId: x
      parameters:
        - { name: id, in: path, required: true, schema: { type: string } }
        - { name: limit, in: query, schema: { type: integer } }
        - { name: X-Wrong, in: header, schema: { type: integer } }
      responses: { "200": { description: ok } }
"#;

fn yaml(legacy: &Legacy, condition: &str, more: &str) -> String {
    format!(
        "contracts: [{{ file: api.yaml }}]\nupstreams: {{ old: {{ url: '{}' }} }}\noperations:\n  x:\n    \
         forward: {{ upstream: old }}\n    request: {{ subject: 'x.${{path.id}}' }}\n    authorize: '{condition}'\n{more}",
        legacy.url
    )
}

async fn start(nats: &NatsServer, yaml: &str) -> Gateway {
    Gateway::start_with(&nats.url(), yaml, &[("api.yaml", CONTRACT)]).await
}

#[tokio::test]
async fn a_wrong_parameter_is_no_way_around_a_condition() {
    let nats = NatsServer::start().await;
    let legacy = Legacy::saying("1").await;
    for stage in ["legacy", "shadow", "canary, percent: 0%"] {
        let migration = format!("    migration: {{ stage: {stage} }}\n");
        // One that reads no parameter is decided whatever they are, and one that reads them only if they are right.
        for (condition, refused) in [
            ("${request.method == \"POST\"}", ["forbidden", "forbidden"]),
            ("${query.?limit.orValue(0) == 1}", ["forbidden", "invalid_parameter"]),
            ("${path.id == \"8\"}", ["forbidden", "invalid_parameter"]),
        ] {
            let gateway = start(&nats, &yaml(&legacy, condition, &migration)).await;
            for (path, headers, code) in [
                ("/x/7", vec![], refused[0]),
                ("/x/7?limit=abc", vec![], refused[1]),
                ("/x/7?limit=", vec![], refused[1]),
                ("/x/7", vec![("X-Wrong", "abc")], refused[1]),
            ] {
                let answer = gateway.send("GET", path, &headers, b"").await;
                assert_eq!(answer.problem(), (code, "not_executed"), "{stage}: {condition}: {path}");
            }
        }
        // What is wrong with a parameter is still the legacy service's affair, where the caller may ask.
        let gateway = start(&nats, &yaml(&legacy, "${request.method == \"GET\"}", &migration)).await;
        let before = legacy.seen().len();
        assert_eq!(gateway.get("/x/7?limit=abc").await.text(), "1", "{stage}");
        assert_eq!((before, legacy.seen().len()), (before, before + 1), "{stage}");
    }
    assert_eq!(legacy.seen().len(), 3, "nothing that was refused arrived");
}

/// The second request to the legacy service, which shows what differs by itself, is one that it must not have either.
#[tokio::test]
async fn no_copy_is_made_of_what_is_refused() {
    let nats = NatsServer::start().await;
    let legacy = Legacy::saying("1").await;
    let service = Service::saying(&nats.url(), "x.*", "1").await;
    let migration = "    migration: { stage: shadow, shadow: { noise: legacy } }\n";
    let gateway = start(&nats, &yaml(&legacy, "${path.id == \"8\"}", migration)).await;
    for path in ["/x/7", "/x/7?limit=abc"] {
        assert!(gateway.get(path).await.status >= 400);
    }
    until("all copies are done", || gateway.inner.copies_in_flight() == 0).await;
    assert_eq!((legacy.seen().len(), service.seen().len()), (0, 0));
    assert_eq!(gateway.get("/x/8").await.status, 200);
    until("both copies arrive", || legacy.seen().len() == 2 && service.seen().len() == 1).await;
}
