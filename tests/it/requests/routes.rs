//! Which operation answers, and what a client learns where there is none.

use crate::support::gateway::Gateway;
use crate::support::http::Client;
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;

const YAML: &str = "contracts: [{ file: api.yaml, base_path: /api }]
operations:
  getUser: { request: { subject: users.get } }
  PUT /api/users/{id}: { request: { subject: users.put } }
";
const CONTRACT: &str = "openapi: 3.0.3
info: { title: t, version: '1' }
paths:
  /users/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
    get: { operationId: getUser, responses: { '200': { description: d } } }
    delete: { operationId: deleteUser, responses: { '200': { description: d } } }
";

async fn gateway(nats: &NatsServer) -> Gateway {
    let gateway = Gateway::start_unconnected(&nats.url(), YAML, &[("api.yaml", CONTRACT)]).await;
    gateway.connected().await;
    gateway
}

#[tokio::test]
async fn head_is_answered_as_get_without_the_body() {
    let nats = NatsServer::start().await;
    let service = Service::with_headers(&nats.url(), "users.get", &[("ETag", "1")], r#"{"id":7}"#).await;
    let gateway = gateway(&nats).await;
    let mut client = Client::connect(&gateway.url).await;
    let (head, get) = (
        client.send("HEAD", "/api/users/7", &[], b"").await,
        client.send("GET", "/api/users/7", &[], b"").await,
    );
    assert_eq!((head.status, get.status, get.text().as_str()), (200, 200, r#"{"id":7}"#));
    for name in ["content-type", "content-length", "etag"] {
        assert_eq!(head.header(name), get.header(name), "{name}");
    }
    assert_eq!(service.seen().len(), 2);
}

#[tokio::test]
async fn options_lists_what_a_path_takes() {
    let nats = NatsServer::start().await;
    let gateway = gateway(&nats).await;
    let answer = gateway.send("OPTIONS", "/api/users/7", &[], b"").await;
    assert_eq!((answer.status, answer.header("allow")), (204, Some("DELETE, GET, HEAD, OPTIONS, PUT")));
    assert_eq!(answer.text(), "");
    assert_eq!(gateway.send("OPTIONS", "/nowhere", &[], b"").await.status, 404);
    assert_eq!(gateway.send("OPTIONS", "*", &[], b"").await.status, 204, "the server as a whole is there");
}

#[tokio::test]
async fn what_is_not_there_is_told_apart() {
    let nats = NatsServer::start().await;
    let gateway = gateway(&nats).await;
    for (method, path, status, code) in [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/users/7", 404, "not_found"),
        ("GET", "/api/users/7/", 404, "not_found"),
        ("GET", "//api/users/7", 404, "not_found"),
        ("GET", "/api/../api/users/7", 404, "not_found"),
        ("POST", "/api/users/7", 405, "method_not_allowed"),
        ("BREW", "/api/users/7", 405, "method_not_allowed"),
        ("DELETE", "/api/users/7", 501, "not_bound"),
    ] {
        let answer = gateway.send(method, path, &[], b"").await;
        assert_eq!((answer.status, answer.problem()), (status, (code, "not_executed")), "{method} {path}");
        let allow = (status == 405).then_some("DELETE, GET, HEAD, OPTIONS, PUT");
        assert_eq!(answer.header("allow"), allow);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    }
}

#[tokio::test]
async fn a_connection_serves_one_request_after_another() {
    let nats = NatsServer::start().await;
    let _service = Service::echo(&nats.url(), "echo").await;
    let gateway = Gateway::start(&nats.url(), super::ECHO).await;
    let mut client = Client::connect(&gateway.url).await;
    for number in 0..20 {
        let body = number.to_string();
        assert_eq!(client.send("POST", "/echo", &[], body.as_bytes()).await.text(), body);
        assert_eq!(client.send("GET", "/nowhere", &[], b"").await.status, 404);
    }
}

#[tokio::test]
async fn a_connection_may_rest_between_two_requests() {
    let nats = NatsServer::start().await;
    let gateway = Gateway::start(&nats.url(), super::ECHO).await;
    let mut client = Client::connect(&gateway.url).await;
    assert_eq!(client.send("GET", "/nowhere", &[], b"").await.status, 404);
    tokio::time::sleep(std::time::Duration::from_secs(12)).await;
    assert_eq!(client.send("GET", "/nowhere", &[], b"").await.status, 404);
}

#[tokio::test]
async fn http_2_is_spoken_on_the_same_port() {
    let nats = NatsServer::start().await;
    let _service = Service::echo(&nats.url(), "echo").await;
    let gateway = Gateway::start(&nats.url(), super::ECHO).await;
    let client = reqwest::Client::builder().http2_prior_knowledge().build().expect("client");
    let asked =
        (0..50).map(|number| client.post(format!("{}/echo", gateway.url)).body(number.to_string()).send());
    let answers = futures_util::future::join_all(asked).await;
    for (number, answer) in answers.into_iter().enumerate() {
        let answer = answer.expect("an answer");
        assert_eq!(answer.version(), http::Version::HTTP_2);
        assert_eq!(answer.text().await.expect("a body"), number.to_string());
    }
}
