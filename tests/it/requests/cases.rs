//! `reply` cases: the first that holds makes the answer.

use serde_json::json;

use crate::support::gateway::Gateway;
use crate::support::http::Answer;
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;

const ROLES: &str = "operations:
  POST /roles:
    request: { subject: roles, payload: { user: '${body.user}' } }
    reply:
      - when: ${reply.?success.orValue(false) != true}
        status: 422
        headers: { X-Reason: 'because ${reply.?message}' }
        body: { error: '${reply.?message}', user: '${body.user}', was: '${status}' }
      - when: ${reply.?gone.orValue(false)}
        status: 204
      - status: 201
";

async fn replied(
    nats: &NatsServer,
    gateway: &Gateway,
    headers: &[(&'static str, &'static str)],
    reply: &'static str,
) -> Answer {
    let _service = Service::with_headers(&nats.url(), "roles", headers, reply).await;
    gateway.post("/roles", r#"{"user":"ada"}"#).await
}

#[tokio::test]
async fn the_first_case_that_holds_wins() {
    let nats = NatsServer::start().await;
    let gateway = Gateway::start(&nats.url(), ROLES).await;
    let refused = replied(&nats, &gateway, &[], r#"{"success":false,"message":"no role","gone":true}"#).await;
    assert_eq!((refused.status, refused.header("content-type")), (422, Some("application/json")));
    assert_eq!(refused.json(), json!({ "error": "no role", "user": "ada", "was": 200 }));
    assert_eq!(refused.header("x-reason"), Some("because no role"));
    let silent = replied(&nats, &gateway, &[("ETag", "1")], "{}").await;
    assert_eq!(silent.json(), json!({ "user": "ada", "was": 200 }), "what is absent leaves its key out");
    assert_eq!((silent.header("x-reason"), silent.header("etag")), (None, Some("1")));
    let gone = replied(&nats, &gateway, &[], r#"{"success":true,"gone":true}"#).await;
    assert_eq!((gone.status, gone.text().as_str(), gone.header("content-type")), (204, "", None));
    let done =
        replied(&nats, &gateway, &[("Natsgate-Status", "202")], r#"{"success": true, "n": 1.10}"#).await;
    assert_eq!((done.status, done.text().as_str()), (201, r#"{"success": true, "n": 1.10}"#));
}

#[tokio::test]
async fn a_reply_that_is_not_the_json_that_a_case_needs_is_a_bad_reply() {
    let nats = NatsServer::start().await;
    let gateway = Gateway::start(&nats.url(), ROLES).await;
    for reply in ["gone", "", "{", r#"{"success":true,"success":false}"#, "\u{feff}{}"] {
        let answer = replied(&nats, &gateway, &[], reply).await;
        assert_eq!(
            (answer.status, answer.problem()),
            (502, ("bad_reply", "executed")),
            "{reply:?}: {}",
            answer.text()
        );
    }
}

#[tokio::test]
async fn an_error_of_a_service_is_not_turned_into_a_success_by_a_case_that_does_not_look_at_it() {
    let nats = NatsServer::start().await;
    let gateway = Gateway::start(&nats.url(), ROLES).await;
    let error = [("Nats-Service-Error-Code", "404"), ("Nats-Service-Error", "no such user")];
    for reply in [r#"{"success":true}"#, r#"{"success":false}"#, "no JSON", "[]"] {
        let answer = replied(&nats, &gateway, &error, reply).await;
        assert_eq!((answer.status, answer.text().as_str()), (404, reply));
    }
    let bare = replied(&nats, &gateway, &error, "").await;
    assert_eq!((bare.status, bare.problem().0), (404, "service_error"));
}

#[tokio::test]
async fn a_case_that_looks_at_the_error_applies_to_it() {
    let nats = NatsServer::start().await;
    let yaml = "operations:
  POST /roles:
    request: { subject: roles }
    reply:
      - when: ${status == 404}
        status: 200
        body: { found: false }
      - when: '${reply_header[?\"nats-service-error-code\"] == optional.of(\"409\")}'
        status: 200
        body: { conflict: true }
      - when: ${status >= 400}
        body: { failed: '${status}', reason: '${reply_header.?nats-service-error}' }
";
    let gateway = Gateway::start(&nats.url(), yaml).await;
    for (code, status, body) in [
        ("404", 200, json!({ "found": false })),
        ("409", 200, json!({ "conflict": true })),
        ("418", 418, json!({ "failed": 418, "reason": "why" })),
        ("999", 502, json!({ "failed": 502, "reason": "why" })),
    ] {
        let answer =
            replied(&nats, &gateway, &[("Nats-Service-Error-Code", code), ("Nats-Service-Error", "why")], "")
                .await;
        assert_eq!((answer.status, answer.json()), (status, body), "{code}: {}", answer.text());
    }
    assert_eq!(replied(&nats, &gateway, &[], "fine").await.text(), "fine");
}

#[tokio::test]
async fn a_case_may_answer_with_text_of_another_type() {
    let nats = NatsServer::start().await;
    let yaml = "operations:
  POST /roles:
    request: { subject: roles }
    reply: [{ headers: { Content-Type: text/plain, Location: '/u/${reply.id}' }, body: 'user ${reply.id}' }]
";
    let gateway = Gateway::start(&nats.url(), yaml).await;
    let answer = replied(&nats, &gateway, &[], r#"{"id":7}"#).await;
    assert_eq!((answer.text().as_str(), answer.header("content-type")), ("user 7", Some("text/plain")));
    assert_eq!(answer.header("location"), Some("/u/7"));
    // A value that would be two headers is none.
    let answer = replied(&nats, &gateway, &[], r#"{"id":"7\r\nSet-Cookie: a=b"}"#).await;
    assert_eq!((answer.header("set-cookie"), answer.header("location")), (None, None));
}
