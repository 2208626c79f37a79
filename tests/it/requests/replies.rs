//! Which headers of a reply reach the client, and what its body is said to be.

use crate::support::gateway::Gateway;
use crate::support::http::Answer;
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;

const GET: &str = "operations:\n  GET /x: { request: { subject: x } }\n";

fn of<'a>(answer: &'a Answer, name: &str) -> Vec<&'a str> {
    answer.headers.iter().filter(|(header, _)| header == name).map(|(_, value)| value.as_str()).collect()
}

#[tokio::test]
async fn only_the_usual_headers_reach_the_client() {
    let nats = NatsServer::start().await;
    let headers = [
        ("Content-Length", "999"),
        ("content-length", "1"),
        ("Transfer-Encoding", "chunked"),
        ("Connection", "close"),
        ("Keep-Alive", "x"),
        ("Upgrade", "x"),
        ("Set-Cookie", "a=b"),
        ("Nats-Msg-Id", "x"),
        ("Natsgate-Code", "x"),
        ("Natsgate-Request-Id", "x"),
        ("X-Internal", "x"),
        ("traceparent", "x"),
        ("Content-Type", "text/csv"),
        ("Content-Language", "de"),
        ("eTaG", "\"1\""),
        ("Last-Modified", "yesterday"),
        ("Location", "/x/1"),
        ("Cache-Control", "no-store"),
        ("Link", "<a>"),
        ("Link", "<b>"),
        ("Retry-After", "7"),
    ];
    let _service = Service::with_headers(&nats.url(), "x", &headers, "a,b").await;
    let gateway = Gateway::start(&nats.url(), GET).await;
    let answer = gateway.get("/x").await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "a,b"));
    let mut names: Vec<&str> = answer.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    let expected = [
        "cache-control",
        "content-language",
        "content-length",
        "content-type",
        "date",
        "etag",
        "last-modified",
        "link",
        "link",
        "location",
        "natsgate-request-id",
        "retry-after",
    ];
    assert_eq!(names, expected);
    assert_eq!((of(&answer, "content-length"), of(&answer, "link")), (vec!["3"], vec!["<a>", "<b>"]));
    assert_eq!(answer.header("natsgate-request-id").map(str::len), Some(36));
}

#[tokio::test]
async fn an_operation_may_name_others() {
    let nats = NatsServer::start().await;
    let headers = [
        ("X-Total", "3"),
        ("Set-Cookie", "a=b"),
        ("Set-Cookie", "c=d"),
        ("ETag", "x"),
        ("Content-Type", "text/csv"),
    ];
    let _service = Service::with_headers(&nats.url(), "x", &headers, "a").await;
    let yaml = "operations:\n  GET /x: { request: { subject: x }, reply_headers: [x-total, Set-Cookie] }\n";
    let gateway = Gateway::start(&nats.url(), yaml).await;
    let answer = gateway.get("/x").await;
    assert_eq!((answer.header("x-total"), answer.header("etag")), (Some("3"), None));
    assert_eq!(of(&answer, "set-cookie"), ["a=b", "c=d"]);
    assert_eq!(answer.header("content-type"), Some("text/csv"), "a body is never without its type");
}

#[tokio::test]
async fn the_content_type_is_the_replys_or_the_contracts_or_what_the_bytes_are() {
    let nats = NatsServer::start().await;
    let yaml = "contracts: [{ file: api.yaml }]\noperations:\n  csv: { request: { subject: x } }\n  GET /free: { request: { subject: x } }\n";
    let contract = "openapi: 3.0.3
info: { title: t, version: '1' }
paths:
  /csv: { get: { operationId: csv, responses: { '200': { description: d, content: { text/csv: {} } } } } }
";
    let gateway = Gateway::start_unconnected(&nats.url(), yaml, &[("api.yaml", contract)]).await;
    gateway.connected().await;
    type Headers = &'static [(&'static str, &'static str)];
    let cases: [(&str, Headers, &str, Option<&str>); 8] = [
        ("/csv", &[("content-type", "text/html")], "{}", Some("text/html")),
        ("/csv", &[], "{}", Some("text/csv")),
        ("/csv", &[("Nats-Service-Error-Code", "404")], "{}", Some("application/json")),
        ("/csv", &[], "", None),
        ("/free", &[], "{}", Some("application/json")),
        ("/free", &[], "12", Some("application/json")),
        ("/free", &[], "a,b", Some("application/octet-stream")),
        ("/free", &[("Content-Type", "text/html")], "", None),
    ];
    for (path, headers, payload, expected) in cases {
        let _service = Service::with_headers(&nats.url(), "x", headers, payload).await;
        let answer = gateway.get(path).await;
        assert_eq!(
            (answer.header("content-type"), answer.text().as_str()),
            (expected, payload),
            "{path} {payload}"
        );
    }
}

#[tokio::test]
async fn a_single_header_stands_once_however_often_a_service_says_it() {
    let nats = NatsServer::start().await;
    let headers =
        [("Content-Type", "text/csv"), ("content-type", "text/html"), ("Content-Type", "text/plain")];
    let _service = Service::with_headers(&nats.url(), "x", &headers, "a").await;
    let gateway = Gateway::start(&nats.url(), GET).await;
    assert_eq!(of(&gateway.get("/x").await, "content-type").len(), 1);
}

#[tokio::test]
async fn a_header_that_http_cannot_carry_fails_that_request_alone() {
    let nats = NatsServer::start().await;
    let service = Service::with_headers(&nats.url(), "x", &[("Location", "a\u{1}b")], "{}").await;
    let gateway = Gateway::start(&nats.url(), GET).await;
    let answer = gateway.get("/x").await;
    assert_eq!((answer.status, answer.problem()), (502, ("bad_reply", "executed")));
    drop(service);
    let _service = Service::with_headers(&nats.url(), "x", &[("X-Hidden", "a\u{1}b")], "{}").await;
    assert_eq!(gateway.get("/x").await.status, 200, "nobody would have seen it");
}
