//! Replies held against the contract, after they have been mapped.

use async_nats::HeaderMap;
use bytes::Bytes;
use serde_json::Value;

use crate::support::gateway::Gateway;
use crate::support::http::Client;
use crate::support::nats_server::NatsServer;
use crate::support::process::Process;
use crate::support::service::Service;

const CONTRACT: &str = "openapi: 3.0.3
info: { title: t, version: '1' }
paths:
  /x:
    get:
      operationId: get
      responses:
        '200':
          description: a user
          content:
            application/json: { schema: { $ref: '#/components/schemas/User' } }
            text/plain: { schema: { type: string } }
        '204': { description: nothing }
        '404': { description: nobody }
        5XX:
          description: trouble
          content: { application/problem+json: { schema: { type: object, required: [title] } } }
  /any:
    get:
      operationId: any
      responses:
        default: { description: a number, content: { application/*: { schema: { type: integer } } } }
components:
  schemas:
    User:
      type: object
      required: [name, password]
      properties: { name: { type: string }, password: { type: string, writeOnly: true } }
";

/// Answers with what the request says: a status, a content type, and a body, each on a line.
async fn service(nats: &str) -> Service {
    Service::start(nats, "x", |message| {
        let asked =
            message.headers.as_ref().and_then(|headers| headers.get("Asked")).map(|value| value.as_str());
        let mut parts = asked.unwrap_or_default().splitn(3, ' ');
        let mut headers = HeaderMap::new();
        headers.insert("Natsgate-Status", parts.next().unwrap_or_default());
        if let Some(content_type) = parts.next().filter(|text| *text != "-") {
            headers.insert("Content-Type", content_type);
        }
        Some((headers, Bytes::from(parts.next().unwrap_or_default().to_owned())))
    })
    .await
}

fn yaml(validate: &str) -> String {
    format!(
        "contracts: [{{ file: api.yaml }}]
operations:
  get: {{ request: {{ subject: x, timeout: 10s, forward_headers: [Asked] }}{validate} }}
  any:
    request: {{ subject: x, timeout: 10s, forward_headers: [Asked] }}
    reply: [{{ when: '${{status == 201}}', body: '${{reply.count}}' }}, {{ when: '${{status == 202}}', body: text }}, {{}}]
    validate_replies: enforce
"
    )
}

#[tokio::test]
async fn a_reply_must_be_what_the_contract_promises() {
    let nats = NatsServer::start().await;
    let _service = service(&nats.url()).await;
    let gateway = Gateway::start_unconnected(
        &nats.url(),
        &yaml(", validate_replies: enforce"),
        &[("api.yaml", CONTRACT)],
    )
    .await;
    gateway.connected().await;
    for (path, asked, status) in [
        ("/x", r#"200 application/json {"name":"ada"}"#, 200),
        ("/x", r#"200 application/json {"name":"ada","password":"x"}"#, 200),
        ("/x", r#"200 Application/JSON;charset=utf-8 {"name":"ada"}"#, 200),
        ("/x", "200 text/plain anything", 200),
        ("/x", r#"200 application/json {"name":1}"#, 502),
        ("/x", r#"200 application/json {"name":"ada""#, 502),
        ("/x", r#"200 application/json {"name":"ada","name":"bob"}"#, 502),
        ("/x", "200 application/json", 502),
        ("/x", "200 text/html <p>", 502),
        // What the reply does not say, its bytes do.
        ("/x", r#"200 - {"name":"ada"}"#, 200),
        ("/x", "200 - no JSON", 502),
        ("/x", "204", 204),
        ("/x", "404 text/html <p>nothing is said</p>", 404),
        ("/x", r#"503 application/problem+json {"title":"trouble"}"#, 503),
        ("/x", r#"503 application/problem+json {"name":"trouble"}"#, 502),
        ("/x", r#"403 application/json {"name":"ada"}"#, 502),
        ("/any", "200 application/json 1", 200),
        ("/any", "200 application/json 1.5", 502),
        ("/any", "444 application/hal+json 1", 444),
        ("/any", "200 application/octet-stream no JSON at all", 200),
        // Looked at is what the client would get.
        ("/any", r#"201 application/json {"count":3}"#, 201),
        ("/any", r#"201 application/json {"count":"3"}"#, 502),
        ("/any", "202 application/json 3", 502),
    ] {
        let answer = gateway.send("GET", path, &[("Asked", asked)], b"").await;
        assert_eq!(answer.status, status, "{path} {asked}: {}", answer.text());
        if status == 502 {
            assert_eq!(answer.problem(), ("bad_reply", "executed"), "{asked}");
            assert!(
                answer.json().get("errors").is_none(),
                "what a service does wrong is not its client's business"
            );
        }
    }
}

#[tokio::test]
async fn what_is_only_logged_reaches_the_client() {
    let nats = NatsServer::start().await;
    let _service = service(&nats.url()).await;
    let dir = tempfile::tempdir().expect("temporary directory");
    let file = dir.path().join("api.yaml");
    std::fs::write(&file, CONTRACT).expect("contract");
    let yaml = yaml(", validate_replies: log").replace("api.yaml", file.to_str().expect("a path"));
    let process = Process::serve(&nats.url(), &yaml).await;
    process.connected().await;
    let mut client = Client::connect(&process.url).await;
    let asked = r#"200 application/json {"name":["hunter2"]}"#;
    let answer = client.send("GET", "/x", &[("Asked", asked)], b"").await;
    assert_eq!((answer.status, answer.text().as_str()), (200, r#"{"name":["hunter2"]}"#));
    let undeclared = client.send("GET", "/x", &[("Asked", "403 text/plain no")], b"").await;
    assert_eq!(undeclared.status, 403);
    // The cause of what is enforced is in the access line.
    let enforced = client.send("GET", "/any", &[("Asked", "200 application/json \"hunter2\"")], b"").await;
    assert_eq!(enforced.status, 502);
    let cause = process.access_lines("/any", 1).await[0]["cause"].as_str().map(str::to_owned);
    assert_eq!(cause.as_deref(), Some("200: the body must be an integer"));
    let lines = process.log();
    let told: Vec<&Value> =
        lines.iter().filter(|line| line["message"] == "the reply violates the contract").collect();
    let [first, second] = told.as_slice() else { panic!("{lines:?}") };
    assert_eq!(first["request_id"], answer.header("natsgate-request-id").expect("request id"));
    assert_eq!((&first["violations"], &first["status"]), (&"/name must be a string".into(), &200.into()));
    assert_eq!(second["violations"], "the contract does not declare this status");
    assert!(!lines.iter().any(|line| line.to_string().contains("hunter2")));
}

#[tokio::test]
async fn by_default_nobody_looks_at_replies() {
    let nats = NatsServer::start().await;
    let _service = service(&nats.url()).await;
    let gateway = Gateway::start_unconnected(&nats.url(), &yaml(""), &[("api.yaml", CONTRACT)]).await;
    gateway.connected().await;
    let answer = gateway.send("GET", "/x", &[("Asked", "403 application/json {")], b"").await;
    assert_eq!((answer.status, answer.text().as_str()), (403, "{"));
}
