//! What travels beside a request and beside a reply, where neither side may decide it alone.

use async_nats::HeaderMap;

use crate::support::gateway::{Gateway, refused};
use crate::support::http::Answer;
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;

const YAML: &str = "operations:
  GET /x:
    request:
      subject: x
      forward_headers: [X-Forwarded-For, x-real-ip, Forwarded, X-Forwarded-Proto, X-Tag]
";
const HEADERS: [(&str, &str); 5] = [
    ("X-Forwarded-For", "6.6.6.6"),
    ("X-Real-IP", "6.6.6.6"),
    ("Forwarded", "for=6.6.6.6"),
    ("X-Forwarded-Proto", "https"),
    ("X-Tag", "a"),
];

fn named(headers: &HeaderMap) -> usize {
    headers
        .iter()
        .filter(|(name, _)| HEADERS.iter().any(|(own, _)| name.to_string().eq_ignore_ascii_case(own)))
        .count()
}

#[tokio::test]
async fn forwarding_headers_go_on_from_a_trusted_proxy_only() {
    let nats = NatsServer::start().await;
    let service = Service::echo(&nats.url(), "x").await;
    for (server, expected) in [("", 1), (super::BEHIND_PROXY, 5)] {
        let gateway = Gateway::start(&nats.url(), &format!("{server}{YAML}")).await;
        assert_eq!(gateway.send("GET", "/x", &HEADERS, b"").await.status, 200);
        let seen = service.seen();
        let headers = seen.last().and_then(|message| message.headers.as_ref()).expect("headers");
        assert_eq!(named(headers), expected, "{headers:?}");
        assert_eq!(headers.get("X-Tag").map(|value| value.as_str()), Some("a"));
    }
}

const ANSWER: &str = "operations:
  GET /x:
    request: { subject: x }
    reply_headers: [Vary, Set-Cookie, X-A, X-B]
    reply:
      - when: ${'x-b' in reply_header}
      - headers: { Vary: Accept-Language, Set-Cookie: own=1, X-A: operator }
";

fn of<'a>(answer: &'a Answer, name: &str) -> Vec<&'a str> {
    answer.headers.iter().filter(|(header, _)| header == name).map(|(_, value)| value.as_str()).collect()
}

#[tokio::test]
async fn a_case_adds_to_what_an_answer_varies_by_and_to_its_cookies() {
    let nats = NatsServer::start().await;
    let headers = [("Vary", "Accept"), ("Set-Cookie", "a=b"), ("Set-Cookie", "c=d"), ("X-A", "service")];
    let _service = Service::with_headers(&nats.url(), "x", &headers, "{}").await;
    let gateway = Gateway::start(&nats.url(), ANSWER).await;
    let answer = gateway.get("/x").await;
    assert_eq!(of(&answer, "vary"), ["Accept", "Accept-Language"]);
    assert_eq!(of(&answer, "set-cookie"), ["a=b", "c=d", "own=1"]);
    assert_eq!(of(&answer, "x-a"), ["operator"], "any other header is the case's");
}

#[tokio::test]
async fn what_a_reply_says_is_for_one_connection_stays_there() {
    let nats = NatsServer::start().await;
    let headers = [("Connection", "close, x-a"), ("X-A", "1"), ("X-B", "2"), ("Keep-Alive", "timeout=5")];
    let _service = Service::with_headers(&nats.url(), "x", &headers, "{}").await;
    let gateway = Gateway::start(&nats.url(), ANSWER).await;
    let answer = gateway.get("/x").await;
    assert_eq!((answer.header("x-a"), answer.header("x-b")), (None, Some("2")));
    assert_eq!((answer.header("connection"), answer.header("keep-alive")), (None, None));
}

#[test]
fn what_is_for_one_connection_can_be_configured_nowhere() {
    for name in [
        "Connection",
        "Keep-Alive",
        "Proxy-Authenticate",
        "Proxy-Authorization",
        "Proxy-Authentication-Info",
        "Proxy-Connection",
        "TE",
        "Trailer",
        "Transfer-Encoding",
        "Upgrade",
        "HTTP2-Settings",
        "Content-Length",
        "content-LENGTH",
    ] {
        for (binding, rest) in [
            (format!("forward_headers: [{name}]"), String::new()),
            (String::new(), format!("reply_headers: [{name}]")),
            (String::new(), format!("reply: [{{ headers: {{ {name}: x }} }}]")),
            (String::new(), format!("problem: [{{ headers: {{ {name}: x }} }}]")),
        ] {
            let yaml = format!("operations:\n  GET /x: {{ request: {{ subject: x, {binding} }}, {rest} }}\n");
            let report = refused(&yaml).unwrap_or_else(|| panic!("accepted: {yaml}"));
            assert!(report.contains("it belongs to one connection"), "{report}");
        }
    }
}
