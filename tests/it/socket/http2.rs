//! Requests of HTTP/2 that break its rules: none of them reaches a service.

use super::YAML;
use crate::support::gateway::Gateway;
use crate::support::http2::{
    self, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, Http2, RST_STREAM, block, frame,
};
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;

/// How a request of this head and body ends: with a status, or reset, or with the connection.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
enum End {
    Answered(u16),
    Reset,
    Goodbye,
}

async fn ask(gateway: &Gateway, fields: &[(&str, &str)], bodies: &[&str]) -> End {
    let mut client = Http2::connect(&gateway.url).await;
    let flags = if bodies.is_empty() { END_HEADERS | END_STREAM } else { END_HEADERS };
    client.write(&frame(HEADERS, flags, 1, &block(fields))).await;
    for (at, body) in bodies.iter().enumerate() {
        let flags = if at + 1 == bodies.len() { END_STREAM } else { 0 };
        client.write(&frame(DATA, flags, 1, body.as_bytes())).await;
    }
    loop {
        match client.next().await {
            Some(frame) if frame.kind == HEADERS => return End::Answered(frame.status()),
            Some(frame) if frame.kind == RST_STREAM => return End::Reset,
            Some(frame) if frame.kind == GOAWAY => return End::Goodbye,
            Some(_) => {}
            None => return End::Goodbye,
        }
    }
}

fn with<'a>(method: &'a str, path: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut fields = http2::request(method, path);
    fields.extend_from_slice(more);
    fields
}

fn without<'a>(name: &str) -> Vec<(&'a str, &'a str)> {
    http2::request("GET", "/x").into_iter().filter(|(field, _)| *field != name).collect()
}

fn replacing<'a>(name: &str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    http2::request("GET", "/x")
        .into_iter()
        .map(|(n, v)| if n == name { (n, value) } else { (n, v) })
        .collect()
}

/// What it tries, the fields of its head, and the ends that it may come to.
type Case<'a> = (&'a str, Vec<(&'a str, &'a str)>, &'a [End]);

#[tokio::test]
async fn a_head_that_breaks_the_rules_reaches_nobody() {
    let nats = NatsServer::start().await;
    let services =
        [Service::saying(&nats.url(), "x", "fine").await, Service::echo(&nats.url(), "echo").await];
    let gateway = Gateway::start(&nats.url(), YAML).await;
    let cases: &[Case<'_>] = &[
        ("connection", with("GET", "/x", &[("connection", "close")]), &[End::Reset]),
        ("transfer-encoding", with("GET", "/x", &[("transfer-encoding", "chunked")]), &[End::Reset]),
        ("keep-alive", with("GET", "/x", &[("keep-alive", "1")]), &[End::Reset]),
        ("proxy-connection", with("GET", "/x", &[("proxy-connection", "close")]), &[End::Reset]),
        ("upgrade", with("GET", "/x", &[("upgrade", "websocket")]), &[End::Reset]),
        ("te", with("GET", "/x", &[("te", "gzip")]), &[End::Reset]),
        ("upper case", with("GET", "/x", &[("X-Upper", "a")]), &[End::Reset, End::Goodbye]),
        ("a colon", with("GET", "/x", &[(":other", "a")]), &[End::Reset, End::Goodbye]),
        ("a line end", with("GET", "/x", &[("x-a", "a\r\nx-b: c")]), &[End::Reset, End::Goodbye]),
        (
            "a pseudo field behind others",
            {
                let mut fields = without(":path");
                fields.extend([("x-a", "a"), (":path", "/x")]);
                fields
            },
            &[End::Reset],
        ),
        ("two paths", with("GET", "/x", &[(":path", "/x")]), &[End::Reset]),
        ("no method", without(":method"), &[End::Reset]),
        ("no scheme", without(":scheme"), &[End::Reset]),
        ("no path", without(":path"), &[End::Reset]),
        ("an empty path", replacing(":path", ""), &[End::Reset]),
        ("a path that is none", replacing(":path", "x"), &[End::Reset, End::Answered(400)]),
        ("an asterisk", replacing(":path", "*"), &[End::Reset, End::Answered(400)]),
        ("no authority", without(":authority"), &[End::Answered(400)]),
        ("a user in the authority", replacing(":authority", "root@test"), &[End::Reset, End::Answered(400)]),
        ("a space in the authority", replacing(":authority", "te st"), &[End::Reset, End::Answered(400)]),
        ("another host", with("GET", "/x", &[("host", "other")]), &[End::Answered(400)]),
        ("two hosts", with("GET", "/x", &[("host", "test"), ("host", "test")]), &[End::Answered(400)]),
        ("an expectation", with("GET", "/x", &[("expect", "gold")]), &[End::Answered(417)]),
        ("another status than asked for", with("GET", "/x", &[(":status", "200")]), &[End::Reset]),
        ("CONNECT", vec![(":method", "CONNECT"), (":authority", "test:80")], &[End::Answered(400)]),
    ];
    for (name, fields, ends) in cases {
        let end = ask(&gateway, fields, &[]).await;
        assert!(ends.contains(&end), "{name}: {end:?}");
    }
    for (name, more, bodies, ends) in [
        ("longer than it says", &[("content-length", "2")][..], &["abc"][..], &[End::Reset][..]),
        ("shorter than it says", &[("content-length", "4")], &["abc"], &[End::Reset]),
        ("nothing of what it says", &[("content-length", "4")], &[""], &[End::Reset]),
        ("two lengths", &[("content-length", "3"), ("content-length", "4")], &["abc"], &[End::Reset]),
        ("no length", &[("content-length", "x")], &["abc"], &[End::Reset, End::Answered(400)]),
        ("a signed length", &[("content-length", "+3")], &["abc"], &[End::Reset, End::Answered(400)]),
    ] {
        let end = ask(&gateway, &with("POST", "/echo", more), bodies).await;
        // The answer to a body that broke off may come before the reset.
        assert!(ends.contains(&end) || end == End::Answered(400), "{name}: {end:?}");
    }
    for service in &services {
        assert!(service.seen().is_empty(), "{:?}", service.seen());
    }
    for (name, fields) in [
        ("usual", with("GET", "/x", &[])),
        ("the same host", with("GET", "/x", &[("host", "test")])),
        ("trailers are welcome", with("GET", "/x", &[("te", "trailers")])),
    ] {
        assert_eq!(ask(&gateway, &fields, &[]).await, End::Answered(200), "{name}");
    }
    let echoed = ask(&gateway, &with("POST", "/echo", &[("content-length", "6")]), &["abc", "", "def"]).await;
    assert_eq!(echoed, End::Answered(200));
    assert_eq!(services[1].seen()[0].payload, "abcdef");
}

#[tokio::test]
async fn trailers_go_nowhere() {
    let nats = NatsServer::start().await;
    let service = Service::echo(&nats.url(), "echo").await;
    let gateway = Gateway::start(&nats.url(), YAML).await;
    let mut client = Http2::connect(&gateway.url).await;
    client.write(&frame(HEADERS, END_HEADERS, 1, &block(&http2::request("POST", "/echo")))).await;
    client.write(&frame(DATA, 0, 1, b"abc")).await;
    client.write(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(&[("authorization", "root")]))).await;
    assert_eq!(client.first(HEADERS).await.expect("an answer").status(), 200);
    let message = &service.seen()[0];
    assert_eq!(message.payload, "abc");
    let headers = format!("{:?}", message.headers);
    assert!(!headers.contains("root"), "{headers}");
}
