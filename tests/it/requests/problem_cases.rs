//! `problem` cases: the error bodies of the legacy service, under headers that keep telling the truth.

use serde_json::json;

use crate::support::gateway::Gateway;
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;

const DELETE: &str = "operations:
  DELETE /infra/{userhash}/{testId}:
    request: { subject: 'infra.${path.userhash}', payload: { note: '${body.?note}' } }
    problem:
      - when: ${problem.code == 'no_responders'}
        status: 200
        headers: { X-Legacy: 'stack ${path.testId}' }
        body: { success: false, message: '${problem.detail}', id: '${problem.request_id}', user: '${path.userhash}' }
      - when: ${problem.code == 'invalid_parameter'}
        body: { user: '${path.userhash}', status: '${problem.status}', outcome: '${problem.outcome}' }
      - when: ${problem.code == 'malformed_body'}
        content_type: text/plain; charset=utf-8
        body: 'ERR ${problem.title}'
";

#[tokio::test]
async fn a_case_replaces_body_and_status_and_the_headers_keep_the_truth() {
    let nats = NatsServer::start().await;
    let gateway = Gateway::start(&nats.url(), DELETE).await;
    let answer = gateway.delete("/infra/u7/smoke").await;
    assert_eq!((answer.status, answer.problem()), (200, ("no_responders", "not_executed")));
    assert_eq!((answer.header("retry-after"), answer.header("x-legacy")), (Some("2"), Some("stack smoke")));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let id = answer.header("natsgate-request-id").expect("request id");
    let body = answer.json();
    assert_eq!((&body["success"], &body["id"], &body["user"]), (&false.into(), &id.into(), &"u7".into()));
    assert!(body["message"].as_str().is_some_and(|message| message.contains("no service")), "{body}");
}

#[tokio::test]
async fn a_case_reads_what_is_known_before_the_mapping() {
    let nats = NatsServer::start().await;
    let gateway = Gateway::start(&nats.url(), DELETE).await;
    let answer = gateway.delete("/infra/u.7/smoke").await;
    assert_eq!((answer.status, answer.problem().0), (400, "invalid_parameter"));
    assert_eq!(answer.json(), json!({ "user": "u.7", "status": 400, "outcome": "not_executed" }));
    let text = gateway.send("DELETE", "/infra/u7/smoke", &[("Content-Type", "application/json")], b"{").await;
    assert_eq!((text.status, text.text().as_str()), (400, "ERR Malformed body"));
    assert_eq!(text.header("content-type"), Some("text/plain; charset=utf-8"));
}

#[tokio::test]
async fn a_case_that_cannot_be_evaluated_does_not_hide_the_problem() {
    let nats = NatsServer::start().await;
    let yaml = "operations:
  POST /x:
    request: { subject: x }
    problem:
      - when: '${body.missing == 1}'
        status: 200
      - when: ${problem.status == 503}
        status: 200
        body: { who: '${body.user.name}' }
  GET /unmatched: { request: { subject: x }, problem: [{ when: '${problem.code == \"timeout\"}', status: 200 }] }
";
    let gateway = Gateway::start(&nats.url(), yaml).await;
    for answer in
        [gateway.post("/x", "{}").await, gateway.post("/x", "").await, gateway.get("/unmatched").await]
    {
        assert_eq!((answer.status, answer.problem().0), (503, "no_responders"));
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert_eq!(answer.json()["code"], "no_responders");
    }
}

#[tokio::test]
async fn a_bad_reply_is_a_problem_that_a_case_can_shape_too() {
    let nats = NatsServer::start().await;
    let _service = Service::saying(&nats.url(), "x", "no JSON").await;
    let yaml = "operations:
  GET /x:
    request: { subject: x }
    reply: [{ body: { n: '${reply.n}' } }]
    problem: [{ status: 500, body: { error: '${problem.code}' } }]
";
    let gateway = Gateway::start(&nats.url(), yaml).await;
    let answer = gateway.get("/x").await;
    assert_eq!((answer.status, answer.problem()), (500, ("bad_reply", "executed")));
    assert_eq!(answer.json(), json!({ "error": "bad_reply" }));
}

#[tokio::test]
async fn a_status_without_a_body_has_none() {
    let nats = NatsServer::start().await;
    let yaml = "operations:\n  GET /x: { request: { subject: x }, problem: [{ status: 204 }] }\n";
    let gateway = Gateway::start(&nats.url(), yaml).await;
    let answer = gateway.get("/x").await;
    assert_eq!((answer.status, answer.problem().0, answer.text().as_str()), (204, "no_responders", ""));
    assert_eq!((answer.header("content-type"), answer.header("content-length")), (None, None));
}

#[tokio::test]
async fn a_case_reads_what_was_right_of_a_request_whichever_stage_has_refused_it() {
    let nats = NatsServer::start().await;
    let contract = "openapi: 3.1.0
info: { title: t, version: '1' }
paths:
  /users/{id}:
    put:
      operationId: put
      parameters:
        - { name: id, in: path, required: true, schema: { type: integer } }
        - { name: page, in: query, required: true, schema: { type: integer } }
      requestBody: { content: { application/json: { schema: { type: object, properties: { age: { type: integer } } } } } }
      responses: { '200': { description: ok, content: { application/json: {} } } }
";
    let yaml = "contracts: [{ file: api.yaml }]
operations:
  put:
    authorize: ${query.page != 3}
    request: { subject: nobody }
    limits: { max_body: 20B }
    problem: [{ body: { code: '${problem.code}', id: '${path.id}', page: '${query.page}' } }]
";
    let gateway = Gateway::start_with(&nats.url(), yaml, &[("api.yaml", contract)]).await;
    let json = ("Content-Type", "application/json");
    for (page, header, body, code) in [
        (2, json, "{}", "no_responders"),
        (3, json, "{}", "forbidden"),
        (2, json, "{", "malformed_body"),
        (2, json, "{\"age\":\"x\"}", "invalid_body"),
        (2, json, "{\"age\":11111111111111111}", "body_too_large"),
        (2, ("Content-Type", "text/plain"), "{}", "unsupported_media_type"),
        (2, ("Accept", "image/png"), "", "not_acceptable"),
    ] {
        let answer = gateway.send("PUT", &format!("/users/7?page={page}"), &[header], body.as_bytes()).await;
        assert_eq!(answer.json(), json!({ "code": code, "id": 7, "page": page }), "{code}");
    }
}
