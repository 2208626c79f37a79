//! Requests of HTTP/1.1 that break its rules, or go to its limits: each is answered right, and only what is legal reaches
//! a service.

use std::time::Instant;

use super::YAML;
use crate::support::gateway::Gateway;
use crate::support::http::Client;
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;

/// What a connection says to some bytes until it is closed, or, if it stays open, until a next request is answered:
/// the statuses, and whether it stays open.
async fn said(gateway: &Gateway, bytes: &[u8]) -> (Vec<u16>, bool) {
    const PROBE: &[u8] = b"BREW /probe HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";
    let mut client = Client::connect(&gateway.url).await;
    client.write(bytes).await;
    client.write(PROBE).await;
    let text = client.rest().await;
    let mut statuses: Vec<u16> =
        text.split("HTTP/1.").skip(1).filter_map(|answer| answer.get(2..5)?.parse().ok()).collect();
    let is_open = statuses.len() > 1 || (statuses == [404] && bytes.is_empty());
    if is_open {
        assert_eq!(statuses.pop(), Some(404), "the probe: {text}");
    }
    (statuses, is_open)
}

fn get(more: &str) -> Vec<u8> {
    format!("GET /x HTTP/1.1\r\nHost: test\r\n{more}\r\n").into_bytes()
}

fn post(more: &str, body: &str) -> Vec<u8> {
    format!("POST /echo HTTP/1.1\r\nHost: test\r\n{more}\r\n{body}").into_bytes()
}

/// Checks cases of which none may reach a service: bytes, status; the connection is closed after each.
async fn refused(cases: &[(&str, Vec<u8>, u16)]) {
    let nats = NatsServer::start().await;
    let services =
        [Service::saying(&nats.url(), "x", "fine").await, Service::echo(&nats.url(), "echo").await];
    let gateway = Gateway::start(&nats.url(), YAML).await;
    for (name, bytes, status) in cases {
        assert_eq!(said(&gateway, bytes).await, (vec![*status], false), "{name}");
        for service in &services {
            assert!(service.seen().is_empty(), "{name}: reached a service");
        }
    }
    assert_eq!(gateway.get("/x").await.status, 200);
}

#[tokio::test]
async fn a_length_that_is_none_is_refused() {
    refused(&[
        ("two lengths", post("Content-Length: 3\r\nContent-Length: 4\r\n", "abcd"), 400),
        ("a sign", post("Content-Length: +3\r\n", "abc"), 400),
        ("minus", post("Content-Length: -3\r\n", "abc"), 400),
        ("a space within", post("Content-Length: 1 2\r\n", "abcdefghijkl"), 400),
        ("hexadecimal", post("Content-Length: 0x3\r\n", "abc"), 400),
        ("a list", post("Content-Length: 3, 3\r\n", "abc"), 400),
        ("a list of two", post("Content-Length: 3, 4\r\n", "abcd"), 400),
        ("nothing", post("Content-Length: \r\n", ""), 400),
        ("a fraction", post("Content-Length: 3.0\r\n", "abc"), 400),
        ("over 64 bits", post("Content-Length: 18446744073709551616\r\n", "abc"), 400),
        ("64 bits", post("Content-Length: 18446744073709551615\r\n", "abc"), 431),
        ("other digits", post("Content-Length: \u{0663}\r\n", "abc"), 400),
    ])
    .await;
}

#[tokio::test]
async fn a_coding_that_is_not_chunked_is_refused() {
    let chunked = "3\r\nabc\r\n0\r\n\r\n";
    refused(&[
        ("another name", post("Transfer-Encoding: xchunked\r\n", chunked), 400),
        ("twice in one", post("Transfer-Encoding: chunked, chunked\r\n", chunked), 400),
        ("twice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", chunked), 400),
        ("identity", post("Transfer-Encoding: identity\r\n", "abc"), 400),
        ("identity, with a length", post("Transfer-Encoding: identity\r\nContent-Length: 3\r\n", "abc"), 400),
        ("identity before", post("Transfer-Encoding: identity, chunked\r\n", chunked), 400),
        ("compressed", post("Transfer-Encoding: gzip, chunked\r\n", chunked), 400),
        (
            "compressed, in two lines",
            post("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", chunked),
            400,
        ),
        ("chunked first", post("Transfer-Encoding: chunked, identity\r\n", chunked), 400),
        ("a parameter", post("Transfer-Encoding: chunked;q=1\r\n", chunked), 400),
        ("quoted", post("Transfer-Encoding: \"chunked\"\r\n", chunked), 400),
        ("nothing", post("Transfer-Encoding: \r\n", chunked), 400),
        ("a comma", post("Transfer-Encoding: ,chunked\r\n", chunked), 400),
        ("a space before the colon", post("Transfer-Encoding : chunked\r\n", chunked), 400),
        ("a tab before the colon", post("Transfer-Encoding\t: chunked\r\n", chunked), 400),
        ("a vertical tab", post("Transfer-Encoding: \x0bchunked\r\n", chunked), 400),
        ("a null", post("Transfer-Encoding: chunked\0\r\n", chunked), 400),
        (
            "HTTP/1.0",
            b"POST /echo HTTP/1.0\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_vec(),
            400,
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_broken_chunk_is_refused() {
    let chunks = |body: &str| post("Transfer-Encoding: chunked\r\n", body);
    refused(&[
        ("no size", chunks("\r\nabc\r\n0\r\n\r\n"), 400),
        ("no digits", chunks("x\r\nabc\r\n0\r\n\r\n"), 400),
        ("a sign", chunks("+3\r\nabc\r\n0\r\n\r\n"), 400),
        ("a prefix", chunks("0x3\r\nabc\r\n0\r\n\r\n"), 400),
        ("a space before", chunks(" 3\r\nabc\r\n0\r\n\r\n"), 400),
        ("over 64 bits", chunks("10000000000000000\r\nabc"), 400),
        ("no line end after the data", chunks("3\r\nabc0\r\n\r\n"), 400),
        ("longer than it says", chunks("3\r\nabcd\r\n0\r\n\r\n"), 400),
        ("a bare line feed", chunks("3\nabc\r\n0\r\n\r\n"), 400),
        ("a bare carriage return", chunks("3\rabc\r\n0\r\n\r\n"), 400),
        ("a line feed in an extension", chunks("3;a\nb\r\nabc\r\n0\r\n\r\n"), 400),
    ])
    .await;
}

#[tokio::test]
async fn a_head_that_is_none_is_refused() {
    let line = |line: &str| format!("{line}\r\nHost: test\r\n\r\n").into_bytes();
    let long = "A".repeat(100);
    refused(&[
        ("a folded line", get("X-A: a\r\n b: c\r\n"), 400),
        ("a first line that is folded", b"GET /x HTTP/1.1\r\n Host: test\r\n\r\n".to_vec(), 400),
        ("a bare carriage return", get("X-A: a\rX-B: b\r\n"), 400),
        ("carriage returns only", b"GET /x HTTP/1.1\rHost: test\r\r".to_vec(), 400),
        ("a null in a value", get("X-A: a\0b\r\n"), 400),
        ("a null in a name", get("X\0A: b\r\n"), 400),
        ("a control character", get("X-A: a\x01b\r\n"), 400),
        ("delete", get("X-A: a\x7fb\r\n"), 400),
        ("no name", get(": a\r\n"), 400),
        ("no colon", get("X-A\r\n"), 400),
        ("a space in a name", get("X A: b\r\n"), 400),
        ("a space before the colon", get("X-A : b\r\n"), 400),
        ("brackets in a name", get("X[A]: b\r\n"), 400),
        ("no host", b"GET /x HTTP/1.1\r\n\r\n".to_vec(), 400),
        ("two hosts", get("Host: test\r\n"), 400),
        ("two hosts of HTTP/1.0", b"GET /x HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n".to_vec(), 400),
        ("a host with a path", b"GET /x HTTP/1.1\r\nHost: test/y\r\n\r\n".to_vec(), 400),
        ("a host with a user", b"GET /x HTTP/1.1\r\nHost: root@test\r\n\r\n".to_vec(), 400),
        ("a host with a space", b"GET /x HTTP/1.1\r\nHost: a b\r\n\r\n".to_vec(), 400),
        ("a port that is none", b"GET /x HTTP/1.1\r\nHost: test:http\r\n\r\n".to_vec(), 400),
        ("an authority", line("GET test:80 HTTP/1.1"), 400),
        ("an asterisk", line("GET * HTTP/1.1"), 400),
        ("a path without a slash", line("GET x HTTP/1.1"), 400),
        ("another scheme", line("GET ftp://test/x HTTP/1.1"), 400),
        ("a user in the URL", line("GET http://root@test/x HTTP/1.1"), 400),
        ("CONNECT", line("CONNECT test:80 HTTP/1.1"), 400),
        ("CONNECT of a path", line("CONNECT /x HTTP/1.1"), 400),
        ("two spaces", line("GET  /x HTTP/1.1"), 400),
        ("a tab", line("GET\t/x HTTP/1.1"), 400),
        ("a space in the path", line("GET /x y HTTP/1.1"), 400),
        ("a control character in the path", line("GET /x\x01 HTTP/1.1"), 400),
        ("no version", line("GET /x"), 400),
        ("HTTP/0.9", b"GET /x\r\n\r\n".to_vec(), 400),
        ("HTTP/1.2", line("GET /x HTTP/1.2"), 400),
        ("HTTP/2.0", line("GET /x HTTP/2.0"), 400),
        ("HTTP/3.0", line("GET /x HTTP/3.0"), 400),
        ("a version in lower case", line("GET /x http/1.1"), 400),
        ("no method", line(" /x HTTP/1.1"), 400),
        ("a method that is none", line("G(T /x HTTP/1.1"), 400),
        ("a method without end", line(&format!("{long} /x HTTP/1.1")), 400),
        ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(), 400),
    ])
    .await;
}

#[tokio::test]
async fn what_is_legal_is_answered_and_the_connection_goes_on() {
    let nats = NatsServer::start().await;
    let x = Service::saying(&nats.url(), "x", "fine").await;
    let echo = Service::echo(&nats.url(), "echo").await;
    let gateway = Gateway::start(&nats.url(), YAML).await;
    let chunks = |body: &str| post("Transfer-Encoding: chunked\r\n", body);
    for (name, bytes, statuses) in [
        ("an empty line before", [b"\r\n".to_vec(), get("")].concat(), &[200][..]),
        ("a URL", b"GET http://other/x HTTP/1.1\r\nHost: test\r\n\r\n".to_vec(), &[200]),
        ("an empty host", b"GET /x HTTP/1.1\r\nHost:\r\n\r\n".to_vec(), &[200]),
        ("an address as host", b"GET /x HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n".to_vec(), &[200]),
        ("no spaces around a value", get("X-A:b\r\n"), &[200]),
        ("tabs around a value", get("X-A:\tb\t\r\n"), &[200]),
        ("an empty value", get("X-A:\r\n"), &[200]),
        (
            "bytes that are no ASCII",
            [b"GET /x HTTP/1.1\r\nHost: t\r\nX-A: \xff\xfe\r\n\r\n".to_vec()].concat(),
            &[200],
        ),
        // RFC 9112, section 2.2: a recipient may take it for a line end, and means the same then.
        ("bare line feeds", b"GET /x HTTP/1.1\nHost: test\n\n".to_vec(), &[200]),
        (
            "websocket",
            get("Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"),
            &[200],
        ),
        (
            "h2c",
            get("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"),
            &[200],
        ),
        ("the same length twice", post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc"), &[200]),
        ("leading zeros", post("Content-Length: 0003\r\n", "abc"), &[200]),
        ("chunks", chunks("3\r\nabc\r\n0\r\n\r\n"), &[200]),
        (
            "chunks in capitals",
            post("Transfer-Encoding: Chunked\r\n", "A\r\n0123456789\r\n0\r\n\r\n"),
            &[200],
        ),
        ("an extension", chunks("3;name=\"a;b\"\r\nabc\r\n0;last\r\n\r\n"), &[200]),
        ("trailers", chunks("3\r\nabc\r\n0\r\nAuthorization: root\r\n\r\n"), &[200]),
        ("zeros before a size", chunks("0000003\r\nabc\r\n0\r\n\r\n"), &[200]),
        ("no body", post("", ""), &[200]),
        ("a body of a GET", get("Content-Length: 3\r\n").into_iter().chain(*b"abc").collect(), &[200]),
        ("a method in lower case", b"get /x HTTP/1.1\r\nHost: test\r\n\r\n".to_vec(), &[405]),
        ("TRACE", b"TRACE /x HTTP/1.1\r\nHost: test\r\nCookie: secret\r\n\r\n".to_vec(), &[405]),
        ("OPTIONS of everything", b"OPTIONS * HTTP/1.1\r\nHost: test\r\n\r\n".to_vec(), &[204]),
        ("an unknown expectation", get("Expect: gold\r\n"), &[417]),
        ("one too many", get("Expect: 100-continue, gold\r\n"), &[417]),
        ("several", [get(""), post("Content-Length: 3\r\n", "abc"), get("")].concat(), &[200, 200, 200]),
    ] {
        assert_eq!(said(&gateway, &bytes).await, (statuses.to_vec(), true), "{name}");
    }
    let headers: String =
        x.seen().iter().chain(&echo.seen()).map(|message| format!("{:?}", message.headers)).collect();
    assert!(!headers.contains("root"), "a trailer is no header");
    // Of HTTP/1.0, which knows neither.
    for (name, bytes, status) in [
        ("no host", &b"GET /x HTTP/1.0\r\n\r\n"[..], 200),
        ("an expectation", b"GET /x HTTP/1.0\r\nExpect: gold\r\n\r\n", 200),
    ] {
        assert_eq!(said(&gateway, bytes).await, (vec![status], false), "{name}");
    }
}

#[tokio::test]
async fn requests_that_are_sent_at_once_are_answered_in_their_order() {
    let nats = NatsServer::start().await;
    let _echo = Service::echo(&nats.url(), "echo").await;
    let gateway = Gateway::start(&nats.url(), YAML).await;
    let mut client = Client::connect(&gateway.url).await;
    let bodies: Vec<String> = (0..200).map(|number| format!("number {number}")).collect();
    let requests = bodies.iter().flat_map(|body| post(&format!("Content-Length: {}\r\n", body.len()), body));
    client.write(&requests.collect::<Vec<u8>>()).await;
    for body in &bodies {
        assert_eq!(client.answer("POST", Instant::now()).await.text(), *body);
    }
}

#[tokio::test]
async fn a_refusal_is_a_document_where_the_head_could_be_read() {
    let nats = NatsServer::start().await;
    let gateway = Gateway::start(&nats.url(), YAML).await;
    for (bytes, status, code, is_closed) in [
        (&b"GET /x HTTP/1.1\r\n\r\n"[..], 400, "malformed_request", true),
        (
            b"GET /x HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            400,
            "malformed_request",
            true,
        ),
        (b"GET /x HTTP/1.1\r\nHost: t\r\nExpect: gold\r\n\r\n", 417, "expectation_failed", false),
    ] {
        let mut client = Client::connect(&gateway.url).await;
        client.write(bytes).await;
        let answer = client.answer("GET", Instant::now()).await;
        assert_eq!((answer.status, answer.problem()), (status, (code, "not_executed")));
        assert_eq!(answer.header("connection"), is_closed.then_some("close"));
        let problem = answer.json();
        assert_eq!(problem["request_id"].as_str(), answer.header("natsgate-request-id"));
        assert!(problem["detail"].as_str().is_some_and(|detail| !detail.contains("gold")), "{problem}");
    }
}
