//! Requests held against the contract: what is refused, what is only logged, and what nobody looks at.

use serde_json::{Value, json};

use crate::support::command::natsgate;
use crate::support::gateway::Gateway;
use crate::support::http::Answer;
use crate::support::nats_server::NatsServer;
use crate::support::process::Process;
use crate::support::service::Service;

const CONTRACT: &str = "openapi: 3.1.0
info: { title: t, version: '1' }
paths:
  /users/{id}:
    put:
      operationId: put
      parameters:
        - { name: id, in: path, required: true, schema: { type: integer } }
        - { name: dry, in: query, schema: { type: boolean } }
      requestBody:
        required: true
        content:
          application/json: { schema: { $ref: '#/components/schemas/User' } }
          application/merge-patch+json: {}
          text/plain: { schema: { type: string, maxLength: 1 } }
          application/*: { schema: false }
      responses: { default: { description: any } }
components:
  schemas:
    User:
      type: object
      required: [id, name]
      properties: { id: { type: integer, readOnly: true }, name: { type: string, maxLength: 5 }, age: { type: integer, minimum: 0 } }
      additionalProperties: false
";

fn yaml(validate: &str) -> String {
    format!(
        "contracts: [{{ file: api.yaml }}]\noperations:\n  put: {{ request: {{ subject: x, timeout: 10s }}{validate} }}\n"
    )
}

async fn gateway(nats: &NatsServer, validate: &str) -> Gateway {
    let gateway = Gateway::start_unconnected(&nats.url(), &yaml(validate), &[("api.yaml", CONTRACT)]).await;
    gateway.connected().await;
    gateway
}

async fn put(gateway: &Gateway, path: &str, content_type: &str, body: &str) -> Answer {
    gateway.send("PUT", path, &[("Content-Type", content_type)], body.as_bytes()).await
}

fn errors(answer: &Answer) -> Value {
    answer.json()["errors"].clone()
}

const JSON: &str = "application/json";

#[tokio::test]
async fn a_body_must_be_what_the_contract_says() {
    let nats = NatsServer::start().await;
    let service = Service::echo(&nats.url(), "x").await;
    let gateway = gateway(&nats, "").await;
    for (content_type, body, status) in [
        (JSON, r#"{"name":"ada","age":36}"#, 200),
        ("Application/JSON; charset=utf-8", r#" {"name":"ada" , "id":1} "#, 200),
        ("application/merge-patch+json", "anything, since nothing is said", 200),
        ("text/plain", "more than one character, and no JSON", 200),
        (JSON, r#"{"name":"hunter2"}"#, 422),
        (JSON, "[]", 422),
        (JSON, "null", 422),
        (JSON, "", 400),
        (JSON, r#"{"name":"ada""#, 400),
        (JSON, r#"{"name":"ada","name":"bob"}"#, 400),
        ("application/hal+json", "{}", 422),
        ("application/octet-stream", "\u{1}", 200),
        ("image/png", "x", 415),
    ] {
        let answer = put(&gateway, "/users/1", content_type, body).await;
        assert_eq!(answer.status, status, "{content_type} {body}: {}", answer.text());
        let code = match status {
            422 => "invalid_body",
            415 => "unsupported_media_type",
            400 => "malformed_body",
            _ => {
                assert_eq!(answer.text(), body, "untouched");
                continue;
            }
        };
        assert_eq!(answer.problem(), (code, "not_executed"), "{content_type} {body}");
    }
    assert_eq!(service.seen().len(), 5);
    // Without a Content-Type it is taken at the contract's word.
    let answer = gateway.send("PUT", "/users/1", &[], b"{}").await;
    assert_eq!(
        (answer.status, errors(&answer)),
        (422, json!([{ "pointer": "/name", "detail": "is required" }]))
    );
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_in_one_answer() {
    let nats = NatsServer::start().await;
    let service = Service::echo(&nats.url(), "x").await;
    let gateway = gateway(&nats, "").await;
    let body = r#"{"name":"hunter2","age":-1,"nick":1}"#;
    let of_body = [
        json!({ "pointer": "/name", "detail": "must have at most 5 characters" }),
        json!({ "pointer": "/age", "detail": "must be at least 0" }),
        json!({ "pointer": "/nick", "detail": "is not a known property" }),
    ];
    let sorted = |errors: Value| {
        let mut errors = errors.as_array().expect("errors").clone();
        errors.sort_by_key(Value::to_string);
        errors
    };
    let answer = put(&gateway, "/users/1", JSON, body).await;
    assert_eq!((answer.status, answer.problem()), (422, ("invalid_body", "not_executed")));
    assert_eq!(sorted(errors(&answer)), sorted(json!(of_body)));
    assert_eq!(answer.json()["detail"], "the body violates the contract in 3 places");

    // Parameters and body: one answer, and 400, since nobody knows what was asked for.
    let answer = put(&gateway, "/users/x?dry=2", JSON, body).await;
    assert_eq!((answer.status, answer.problem()), (400, ("invalid_parameter", "not_executed")));
    let (parameters, found): (Vec<Value>, Vec<Value>) =
        sorted(errors(&answer)).into_iter().partition(|error| error["parameter"].is_string());
    assert_eq!((parameters.len(), found), (2, sorted(json!(of_body))));
    assert!(!answer.text().contains("hunter2"), "{}", answer.text());

    // A body that cannot be read is one more; one that may not come is told alone.
    let answer = put(&gateway, "/users/x", JSON, r#"{"a":1,"a":2}"#).await;
    let told: Vec<bool> =
        errors(&answer).as_array().expect("errors").iter().map(|one| one["pointer"].is_string()).collect();
    assert_eq!((answer.problem().0, told), ("invalid_parameter", vec![false, true]));
    let answer = put(&gateway, "/users/x", "image/png", "x").await;
    assert_eq!(answer.problem().0, "unsupported_media_type");
    let answer = put(&gateway, "/users/x", JSON, &"x".repeat(2_000_000)).await;
    assert_eq!(answer.problem().0, "body_too_large");
    assert!(service.seen().is_empty());
}

#[tokio::test]
async fn what_is_only_logged_passes() {
    let nats = NatsServer::start().await;
    let service = Service::echo(&nats.url(), "x").await;
    let dir = tempfile::tempdir().expect("temporary directory");
    let file = dir.path().join("api.yaml");
    std::fs::write(&file, CONTRACT).expect("contract");
    let yaml = yaml(", validate: log").replace("api.yaml", file.to_str().expect("a path"));
    let process = Process::serve(&nats.url(), &yaml).await;
    process.connected().await;
    let mut client = crate::support::http::Client::connect(&process.url).await;
    let body = br#"{"name":"hunter2","a\nb":1}"#;
    let answer = client.send("PUT", "/users/1", &[("Content-Type", JSON)], body).await;
    assert_eq!((answer.status, answer.body.as_slice()), (200, body.as_slice()));
    let malformed = client.send("PUT", "/users/1", &[("Content-Type", JSON)], b"{").await;
    assert_eq!((malformed.status, malformed.text().as_str()), (200, "{"));
    process.access_lines("/users/1", 2).await;
    let lines = process.log();
    let told: Vec<&Value> =
        lines.iter().filter(|line| line["message"] == "the body violates the contract").collect();
    let [line] = told.as_slice() else { panic!("{lines:?}") };
    assert_eq!(line["request_id"], answer.header("natsgate-request-id").expect("request id"));
    let violations = line["violations"].as_str().expect("violations");
    for part in ["/name must have at most 5 characters", "/a\u{fffd}b is not a known property"] {
        assert!(violations.contains(part), "{violations}");
    }
    let id = malformed.header("natsgate-request-id").expect("request id");
    let told = lines.iter().find(|line| line["request_id"] == id && line["level"] == "WARN");
    assert_eq!(told.expect("a line")["code"], "malformed_body");
    assert!(!process.log().iter().any(|line| line.to_string().contains("hunter2")));
    assert_eq!(service.seen().len(), 2);
}

#[tokio::test]
async fn where_nobody_looks_nothing_is_read() {
    let nats = NatsServer::start().await;
    let service = Service::echo(&nats.url(), "x").await;
    let gateway = gateway(&nats, ", validate: off").await;
    for body in ["{\"name\":1}", "{", "{\"a\":1,\"a\":2}", "\u{1}"] {
        let answer = put(&gateway, "/users/1", JSON, body).await;
        assert_eq!((answer.status, answer.text().as_str()), (200, body));
    }
    assert_eq!(service.seen().len(), 4);
}

/// A folder with a configuration and its contract.
fn folder(yaml: &str, contract: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("temporary directory");
    std::fs::write(dir.path().join("natsgate.yaml"), yaml).expect("configuration");
    std::fs::write(dir.path().join("api.yaml"), contract).expect("contract");
    dir
}

#[test]
fn a_schema_that_is_none_is_told_when_the_configuration_is_checked() {
    let broken = CONTRACT.replace("maxLength: 5", "maxLength: five");
    for (validate, code) in [("", 64), (", validate: log", 64), (", validate: off", 0)] {
        let dir = folder(&yaml(validate), &broken);
        let run = natsgate(dir.path().to_str().expect("a path"), &["check", "--config", "natsgate.yaml"]);
        assert_eq!(run.code, code, "{validate}: {}", run.seen());
        if code != 0 {
            let seen = run.seen();
            assert!(seen.contains("this is no valid schema: `maxLength` must be"), "{seen}");
            assert!(seen.contains("api.yaml:23:93"), "{seen}");
        }
    }
    // An operation that is not bound harms nobody.
    let unbound = format!(
        "{}  GET /y: {{ request: {{ subject: y }} }}\n",
        "contracts: [{ file: api.yaml }]\noperations:\n"
    );
    let dir = folder(&unbound, &broken);
    let run = natsgate(dir.path().to_str().expect("a path"), &["check", "--config", "natsgate.yaml"]);
    assert_eq!(run.code, 0, "{}", run.seen());
}

#[test]
fn a_check_without_a_contract_is_told() {
    let yaml = "operations:
  GET /a: { request: { subject: a }, validate: enforce, validate_replies: log }
  GET /b: { request: { subject: b }, validate: off }
";
    let dir = folder(yaml, "");
    let run = natsgate(dir.path().to_str().expect("a path"), &["check", "--config", "natsgate.yaml"]);
    assert_eq!(run.code, 0, "{}", run.seen());
    for text in
        ["`validate` has nothing to check", "natsgate.yaml:2:48", "`validate_replies` has nothing to check"]
    {
        assert!(run.seen().contains(text), "{}", run.seen());
    }
    assert_eq!(run.seen().matches("nothing to check").count(), 2, "{}", run.seen());
}

#[test]
fn explaining_a_request_says_what_the_gateway_would() {
    let dir = folder(&yaml(""), CONTRACT);
    let folder = dir.path().to_str().expect("a path");
    let args = ["explain", "PUT", "/users/1", "-H", "Content-Type: application/json", "-d"];
    let run =
        natsgate(folder, &[&args[..], &[r#"{"name":"hunter2"}"#, "--config", "natsgate.yaml"]].concat());
    assert!(run.code != 0 && run.seen().contains("invalid_body"), "{}", run.seen());
    assert!(
        run.seen().contains("/name") && run.seen().contains("must have at most 5 characters"),
        "{}",
        run.seen()
    );
    let run = natsgate(folder, &[&args[..], &[r#"{"name":"ada"}"#, "--config", "natsgate.yaml"]].concat());
    assert_eq!(run.code, 0, "{}", run.seen());
}
