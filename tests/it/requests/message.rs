//! What a service gets with a message: where it came from, and what the operator wrote.

use serde_json::json;

use crate::support::gateway::Gateway;
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;

fn header(message: &async_nats::Message, name: &'static str) -> Option<String> {
    message.headers.as_ref()?.get(name).map(ToString::to_string)
}

#[tokio::test]
async fn every_answer_and_message_has_the_same_request_id() {
    let nats = NatsServer::start().await;
    let service = Service::saying(&nats.url(), "echo", "{}").await;
    let gateway = Gateway::start(&nats.url(), super::ECHO).await;
    let (first, second) = (gateway.post("/echo", "{}").await, gateway.post("/echo", "{}").await);
    for (answer, seen) in [&first, &second].into_iter().zip(service.seen()) {
        let id = answer.header("natsgate-request-id").expect("request id");
        assert_eq!(header(&seen, "Natsgate-Request-Id").as_deref(), Some(id));
    }
    assert_ne!(first.header("natsgate-request-id"), second.header("natsgate-request-id"));
    for (method, path) in [("GET", "/nowhere"), ("GET", "/echo"), ("OPTIONS", "/echo"), ("HEAD", "/nowhere")]
    {
        assert!(
            gateway.send(method, path, &[], b"").await.header("natsgate-request-id").is_some(),
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn a_trace_goes_on_under_a_span_of_the_gateway() {
    let nats = NatsServer::start().await;
    let service = Service::saying(&nats.url(), "echo", "{}").await;
    let gateway = Gateway::start(&nats.url(), super::ECHO).await;
    let (trace, span) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    let parent = format!("00-{trace}-{span}-01");
    gateway.send("POST", "/echo", &[("traceparent", &parent), ("tracestate", "a=b")], b"").await;
    gateway.send("POST", "/echo", &[("traceparent", "00-zz-zz-01"), ("tracestate", "a=b")], b"").await;
    let seen = service.seen();
    let text = header(&seen[0], "traceparent").expect("traceparent");
    assert!(
        text.starts_with(&format!("00-{trace}-")) && text.ends_with("-01") && !text.contains(span),
        "{text}"
    );
    assert_eq!(header(&seen[0], "tracestate").as_deref(), Some("a=b"));
    assert_eq!(
        header(&seen[1], "traceparent").map(|text| text.len()),
        Some(text.len()),
        "a trace of our own"
    );
    assert_eq!(header(&seen[1], "tracestate"), None);
}

#[tokio::test]
async fn a_payload_is_built_from_path_query_headers_and_body() {
    let nats = NatsServer::start().await;
    let service = Service::saying(&nats.url(), "users.roles", "{}").await;
    let yaml = "operations:
  POST /users/{userId}/roles:
    request:
      subject: users.roles
      headers: { X-User: 'u-${path.userId}', Content-Type: application/vnd.roles+json }
      payload:
        userID: ${path.userId}
        roleIDs: ['${body.roleId}']
        note: ${body.?note}
        amount: ${body.amount}
        tags: ${query.?tag}
        agent: ${header.?x-agent}
        by: 'request ${request.method} ${request.path}'
";
    let gateway = Gateway::start(&nats.url(), yaml).await;
    let body = br#"{"roleId":"editor","amount":12345678901234567890.10}"#;
    let headers = [("Content-Type", "application/json; charset=utf-8"), ("X-Agent", "test")];
    let answer = gateway.send("POST", "/users/a%20da/roles?tag=x&tag=y", &headers, body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = &service.seen()[0];
    let text = std::str::from_utf8(&seen.payload).expect("text");
    assert!(text.contains(r#""amount":12345678901234567890.10"#), "{text}");
    let mut payload: serde_json::Value = serde_json::from_str(text).expect("JSON");
    payload.as_object_mut().expect("an object").remove("amount");
    let expected = json!({ "userID": "a da", "roleIDs": ["editor"], "tags": ["x", "y"], "agent": "test",
        "by": "request POST /users/a%20da/roles" });
    assert_eq!(payload, expected);
    assert_eq!(header(seen, "X-User").as_deref(), Some("u-a da"));
    assert_eq!(
        header(seen, "Content-Type").as_deref(),
        Some("application/vnd.roles+json"),
        "the operator's word"
    );
}

#[tokio::test]
async fn what_a_mapping_needs_and_a_request_lacks_is_named() {
    let nats = NatsServer::start().await;
    let service = Service::saying(&nats.url(), "x", "{}").await;
    let yaml = "operations:
  POST /x:
    request:
      subject: x
      headers: { X-Note: '${body.?note}' }
      payload: { id: '${body.user.id}' }
";
    let gateway = Gateway::start(&nats.url(), yaml).await;
    for (body, code, pointer) in [
        (r#"{"user":{}}"#, "malformed_body", "/user/id"),
        (r#"{}"#, "malformed_body", "/user"),
        ("", "malformed_body", ""),
        ("[]", "malformed_body", "/user"),
    ] {
        let answer = gateway.post("/x", body).await;
        assert_eq!((answer.status, answer.problem()), (400, (code, "not_executed")), "{body}");
        assert_eq!(answer.json()["errors"][0]["pointer"], pointer, "{body}: {}", answer.text());
    }
    for note in ["caf\u{e9}", "a\\nNats-Rollup: all"] {
        let answer = gateway.post("/x", &format!(r#"{{"user":{{"id":1}},"note":"{note}"}}"#)).await;
        assert_eq!((answer.status, answer.problem().0), (400, "invalid_parameter"), "{}", answer.text());
    }
    assert!(service.seen().is_empty());
    assert_eq!(gateway.post("/x", r#"{"user":{"id":1}}"#).await.status, 200);
}
