//! Which headers of a client reach a service: those that the operator names, and never one that the server or the
//! gateway acts on.

use async_nats::HeaderMap;

use crate::support::gateway::{Gateway, refused};
use crate::support::http::Client;
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;

const OURS: [&str; 5] =
    ["Content-Type", "Natsgate-Deadline", "Natsgate-Request-Id", "Natsgate-Timeout-Ms", "traceparent"];

fn names(headers: &HeaderMap) -> Vec<String> {
    let mut names: Vec<_> = headers.iter().map(|(name, _)| name.to_string()).collect();
    names.sort();
    names
}

fn values(headers: &HeaderMap, name: &'static str) -> Vec<String> {
    headers.get_all(name).map(ToString::to_string).collect()
}

#[tokio::test]
async fn no_header_travels_unless_it_is_named() {
    let nats = NatsServer::start().await;
    let service = Service::echo(&nats.url(), "echo").await;
    let gateway = Gateway::start(&nats.url(), super::ECHO).await;
    let headers = [
        ("Nats-Rollup", "all"),
        ("nats-msg-id", "x"),
        ("NATS-Expected-Stream", "x"),
        ("Nats-Schedule", "x"),
        ("nAtS-sErViCe-ErRoR-cOdE", "400"),
        ("natsgate-deadline", "never"),
        ("NATSGATE-REQUEST-ID", "mine"),
        ("Natsgate-Timeout-Ms", "1"),
        ("Natsgate-Fingerprint", "x"),
        ("Authorization", "Bearer x"),
        ("Cookie", "a=b"),
        ("Content-Type", "text/plain"),
        ("Connection", "keep-alive"),
        ("X-Custom", "x"),
    ];
    gateway.send("POST", "/echo", &headers, b"x").await;
    let seen = service.seen();
    let seen = seen[0].headers.as_ref().expect("headers");
    assert_eq!(names(seen), OURS);
    assert_eq!(values(seen, "Natsgate-Request-Id")[0].len(), 36);
    assert_ne!(values(seen, "Natsgate-Timeout-Ms"), ["1"]);
    assert_ne!(values(seen, "Natsgate-Deadline"), ["never"]);
}

#[tokio::test]
async fn named_headers_travel_with_all_their_values_in_order() {
    let nats = NatsServer::start().await;
    let service = Service::echo(&nats.url(), "echo").await;
    let yaml = "defaults: { forward_headers: [Accept-Language] }
operations:
  POST /echo: { request: { subject: echo, forward_headers: [X-Tag, X-Note] } }
  POST /default: { request: { subject: echo } }
";
    let gateway = Gateway::start(&nats.url(), yaml).await;
    let headers = [
        ("x-tag", "b"),
        ("Accept-Language", "de"),
        ("X-Tag", "a"),
        ("X-Other", "x"),
        ("X-TAG", "b, c"),
        ("X-Note", "for this connection"),
        ("Connection", "keep-alive, x-note"),
    ];
    gateway.send("POST", "/echo", &headers, b"x").await;
    gateway.send("POST", "/default", &headers, b"x").await;
    let seen = service.seen();
    let (own, default) =
        (seen[0].headers.as_ref().expect("headers"), seen[1].headers.as_ref().expect("headers"));
    assert_eq!(values(own, "X-Tag"), ["b", "a", "b, c"]);
    for name in ["Accept-Language", "X-Other", "X-Note"] {
        assert_eq!(values(own, name), [""; 0], "{name}");
    }
    assert_eq!(values(default, "Accept-Language"), ["de"]);
}

#[tokio::test]
async fn a_value_that_nats_cannot_carry_is_left_out() {
    let nats = NatsServer::start().await;
    let service = Service::echo(&nats.url(), "echo").await;
    let yaml =
        "operations:\n  POST /echo: { request: { subject: echo, forward_headers: [X-Note, X-Tag] } }\n";
    let gateway = Gateway::start(&nats.url(), yaml).await;
    let mut client = Client::connect(&gateway.url).await;
    let head = b"POST /echo HTTP/1.1\r\nHost: t\r\nX-Note: caf\xc3\xa9\r\nX-Tag: \xff\r\nX-Tag: ok\r\nContent-Length: 0\r\n\r\n";
    client.write(head).await;
    assert_eq!(client.answer("POST", std::time::Instant::now()).await.status, 200);
    let seen = service.seen();
    let seen = seen[0].headers.as_ref().expect("headers");
    assert_eq!((values(seen, "X-Note"), values(seen, "X-Tag")), (vec![], vec!["ok".to_owned()]));
}

#[tokio::test]
async fn a_header_of_the_gateways_own_stands_once_whatever_its_case() {
    let nats = NatsServer::start().await;
    let service = Service::echo(&nats.url(), "echo").await;
    let yaml = "operations:
  POST /echo:
    request:
      subject: echo
      forward_headers: [content-type, Traceparent, TraceState, X-Tag, x-tag]
      headers: { x-TAG: operator }
";
    let gateway = Gateway::start(&nats.url(), yaml).await;
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let headers =
        [("Content-Type", "text/plain"), ("Traceparent", parent), ("Tracestate", "a=b"), ("X-Tag", "client")];
    gateway.send("POST", "/echo", &headers, b"x").await;
    let seen = service.seen();
    let seen = seen[0].headers.as_ref().expect("headers");
    let mut lower: Vec<_> = names(seen).iter().map(|name| name.to_ascii_lowercase()).collect();
    lower.dedup();
    assert_eq!(lower.len(), names(seen).len(), "{:?}", names(seen));
    assert_eq!(values(seen, "traceparent").len(), 1);
    assert_ne!(values(seen, "traceparent"), [parent], "the span is the gateway's");
    assert_eq!(values(seen, "tracestate"), ["a=b"]);
    assert_eq!(values(seen, "x-TAG"), ["operator"]);
}

#[test]
fn a_reserved_name_cannot_be_configured() {
    for name in [
        "Nats-Rollup",
        "nats-msg-id",
        "NATSGATE-Deadline",
        "Connection",
        "transfer-encoding",
        "Content-Length",
        "TE",
        "Upgrade",
        "Keep-Alive",
        "'*'",
        "'X-*'",
        "'a b'",
        "''",
        "\"a\\r\\nb\"",
    ] {
        for yaml in [
            format!("operations:\n  GET /x: {{ request: {{ subject: x, forward_headers: [{name}] }} }}\n"),
            format!(
                "defaults: {{ forward_headers: [{name}] }}\noperations:\n  GET /x: {{ request: {{ subject: x }} }}\n"
            ),
            format!("operations:\n  GET /x: {{ request: {{ subject: x }}, reply_headers: [{name}] }}\n"),
        ] {
            let report = refused(&yaml).unwrap_or_else(|| panic!("accepted: {yaml}"));
            assert!(report.contains("header"), "{report}");
        }
    }
    let yaml = "operations:\n  GET /x: { request: { subject: x, headers: { nAts-Rollup: all } } }\n";
    assert!(refused(yaml).is_some_and(|report| report.contains("nAts-Rollup")));
}
