//! How the status of an answer is chosen.

use crate::support::gateway::Gateway;
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;

const GET: &str = "operations:\n  GET /x: { request: { subject: x } }\n";

/// The answer to a reply with these headers and bytes.
async fn answered(
    nats: &NatsServer,
    gateway: &Gateway,
    headers: &[(&'static str, &'static str)],
    payload: &'static str,
) -> crate::support::http::Answer {
    let _service = Service::with_headers(&nats.url(), "x", headers, payload).await;
    gateway.get("/x").await
}

#[tokio::test]
async fn a_services_error_becomes_its_status() {
    let nats = NatsServer::start().await;
    let gateway = Gateway::start(&nats.url(), GET).await;
    for (code, status) in [
        ("404", 404),
        ("400", 400),
        ("599", 599),
        (" 422 ", 422),
        ("200", 502),
        ("399", 502),
        ("600", 502),
        ("abc", 502),
        ("", 502),
        ("4e2", 502),
        ("-404", 502),
        ("+404", 502),
        ("99999999", 502),
    ] {
        let headers = [("Nats-Service-Error-Code", code), ("Nats-Service-Error", "no such user")];
        let with_bytes = answered(&nats, &gateway, &headers, r#"{"mine":true}"#).await;
        assert_eq!((with_bytes.status, with_bytes.text().as_str()), (status, r#"{"mine":true}"#), "{code:?}");
        assert_eq!(with_bytes.header("content-type"), Some("application/json"));
        let bare = answered(&nats, &gateway, &headers, "").await;
        assert_eq!((bare.status, bare.problem()), (status, ("service_error", "executed")), "{code:?}");
        assert_eq!(
            (&bare.json()["detail"], &bare.json()["status"]),
            (&"no such user".into(), &status.into())
        );
    }
    let only_text = answered(&nats, &gateway, &[("nats-service-error", "oh")], "x").await;
    assert_eq!((only_text.status, only_text.text().as_str()), (502, "x"));
}

#[tokio::test]
async fn a_service_may_say_its_status() {
    let nats = NatsServer::start().await;
    let gateway = Gateway::start(&nats.url(), GET).await;
    for (text, status) in [("201", 201), ("200", 200), ("302", 302), ("404", 404), ("599", 599)] {
        let answer = answered(&nats, &gateway, &[("Natsgate-Status", text)], "{}").await;
        assert_eq!((answer.status, answer.text().as_str()), (status, "{}"), "{text}");
        assert_eq!((answer.header("natsgate-status"), answer.problem().0), (None, ""));
    }
    for text in ["99", "100", "199", "600", "abc", "", "2e2", "+201"] {
        let answer = answered(&nats, &gateway, &[("natsgate-status", text)], "{}").await;
        assert_eq!((answer.status, answer.problem()), (502, ("bad_reply", "executed")), "{text:?}");
    }
    for text in ["204", "205", "304"] {
        let answer = answered(&nats, &gateway, &[("Natsgate-Status", text), ("ETag", "\"1\"")], "{}").await;
        assert_eq!((answer.status.to_string().as_str(), answer.text().as_str()), (text, ""));
        assert_eq!((answer.header("content-type"), answer.header("etag")), (None, Some("\"1\"")));
    }
}

#[tokio::test]
async fn an_error_counts_more_than_a_status() {
    let nats = NatsServer::start().await;
    let gateway = Gateway::start(&nats.url(), GET).await;
    let headers = [("Natsgate-Status", "200"), ("Nats-Service-Error-Code", "409")];
    assert_eq!(answered(&nats, &gateway, &headers, "{}").await.status, 409);
}

#[tokio::test]
async fn else_it_is_the_contracts_only_success_or_200() {
    let nats = NatsServer::start().await;
    let _service = Service::saying(&nats.url(), "x", "{}").await;
    let yaml = "contracts: [{ file: api.yaml }]\noperations:\n  one: { request: { subject: x } }\n  two: { request: { subject: x } }\n  none: { request: { subject: x } }\n";
    let contract = "openapi: 3.0.3
info: { title: t, version: '1' }
paths:
  /one: { post: { operationId: one, responses: { '201': { description: d }, '404': { description: d } } } }
  /two: { post: { operationId: two, responses: { '201': { description: d }, '202': { description: d } } } }
  /none: { post: { operationId: none, responses: { default: { description: d } } } }
";
    let gateway = Gateway::start_unconnected(&nats.url(), yaml, &[("api.yaml", contract)]).await;
    gateway.connected().await;
    for (path, status) in [("/one", 201), ("/two", 200), ("/none", 200)] {
        assert_eq!(gateway.post(path, "").await.status, status, "{path}");
    }
}
