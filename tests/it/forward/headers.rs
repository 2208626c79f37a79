//! Heads: what passes, in its order, and what is of one connection alone.

use super::gateway;
use crate::support::http::Client;
use crate::support::upstream::Upstream;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[tokio::test]
async fn a_request_passes_as_it_came() {
    let upstream = Upstream::answering(OK).await;
    let gateway = gateway(&upstream.fallback("")).await;
    let headers = [
        ("Authorization", "Basic YTpi"),
        ("Cookie", "a=b; c=d"),
        ("Accept-Encoding", "gzip, br"),
        ("X-Many", "1"),
        ("X-Other", "x"),
        ("X-Many", "2"),
        ("X-Request-Id", "mine"),
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        ("If-None-Match", "\"a\""),
        ("Range", "bytes=0-1"),
    ];
    let answer = gateway.send("PATCH", "/a/b%2Fc//d?x=1&y=%20&x=2", &headers, b"body").await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "ok"));
    let seen = upstream.only();
    assert_eq!(seen.first_line(), "PATCH /a/b%2Fc//d?x=1&y=%20&x=2 HTTP/1.1");
    assert_eq!(seen.body, b"body");
    assert_eq!(seen.all("host"), ["test"]);
    assert_eq!(seen.all("content-length"), ["4"]);
    assert_eq!(seen.all("x-many"), ["1", "2"]);
    for (name, value) in headers.iter().filter(|(name, _)| *name != "X-Many") {
        assert_eq!(seen.all(name), [*value], "{name}");
    }
    assert_eq!(seen.all("x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(seen.all("x-forwarded-host"), ["test"]);
    assert_eq!(seen.all("x-forwarded-proto"), ["http"]);
    assert_eq!(seen.all("transfer-encoding"), [""; 0]);
    assert_eq!(seen.all("connection"), [""; 0]);
}

#[tokio::test]
async fn what_is_of_one_connection_or_ours_stays() {
    let upstream = Upstream::answering(
        "HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Secret\r\nKeep-Alive: timeout=5\r\nX-Secret: 1\r\n\
         Natsgate-Code: timeout\r\nNatsgate-Request-Id: theirs\r\nX-Plain: 1\r\nX-Plain: 2\r\n\
         Date: Thu, 01 Jan 1970 00:00:00 GMT\r\nServer: old/1.0\r\nLocation: http://old/x\r\n\
         Set-Cookie: a=1\r\nSet-Cookie: b=2; Path=/\r\nContent-Length: 2\r\n\r\nok",
    )
    .await;
    let gateway = gateway(&upstream.fallback("")).await;
    let headers = [
        ("Connection", "keep-alive, x-hop"),
        ("X-Hop", "1"),
        ("Keep-Alive", "300"),
        ("Proxy-Authorization", "Basic YTpi"),
        ("Proxy-Connection", "keep-alive"),
        ("TE", "gzip"),
        ("Natsgate-Shadow", "true"),
        ("X-Forwarded-For", "6.6.6.6"),
        ("X-Forwarded-Prefix", "/x"),
        ("Forwarded", "for=6.6.6.6"),
        ("X-Real-IP", "6.6.6.6"),
    ];
    let answer = gateway.send("GET", "/", &headers, b"").await;
    let seen = upstream.only();
    for name in headers.iter().map(|(name, _)| *name).filter(|name| *name != "X-Forwarded-For") {
        assert_eq!(seen.all(name), [""; 0], "{name}");
    }
    assert_eq!(seen.all("x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(seen.all("x-request-id"), [answer.header("natsgate-request-id").unwrap()]);
    assert_eq!(seen.all("traceparent"), [""; 0]);
    let all = |name: &str| {
        let values = answer.headers.iter().filter(|(header, _)| header == name);
        values.map(|(_, value)| value.as_str()).collect::<Vec<_>>()
    };
    for name in ["connection", "keep-alive", "x-secret", "natsgate-code"] {
        assert_eq!(all(name), [""; 0], "{name}");
    }
    assert_eq!(all("x-plain"), ["1", "2"]);
    assert_eq!(all("set-cookie"), ["a=1", "b=2; Path=/"]);
    assert_eq!(all("date"), ["Thu, 01 Jan 1970 00:00:00 GMT"]);
    assert_eq!((all("server"), all("location")), (vec!["old/1.0"], vec!["http://old/x"]));
    assert_eq!(all("natsgate-request-id").len(), 1);
    assert_ne!(all("natsgate-request-id"), ["theirs"]);
}

#[tokio::test]
async fn a_trusted_proxys_word_goes_on() {
    let upstream = Upstream::answering(OK).await;
    let yaml = upstream.fallback(", forwarded: both, host: upstream");
    let gateway = gateway(&format!("{yaml}server:\n  trusted_proxies: [127.0.0.1]\n")).await;
    let headers = [
        ("X-Forwarded-For", "203.0.113.9"),
        ("Forwarded", "for=203.0.113.9;proto=https"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "shop.example"),
    ];
    gateway.send("GET", "/", &headers, b"").await;
    let seen = upstream.only();
    assert_eq!(seen.all("x-forwarded-for"), ["203.0.113.9, 127.0.0.1"]);
    assert_eq!(seen.all("x-forwarded-proto"), ["https"]);
    assert_eq!(seen.all("x-forwarded-host"), ["shop.example"]);
    assert_eq!(seen.all("forwarded"), ["for=203.0.113.9;proto=https, for=127.0.0.1;host=test;proto=http"]);
    assert_eq!(seen.all("host"), [upstream.url.trim_start_matches("http://")]);
}

#[tokio::test]
async fn hosts_and_paths_are_as_configured() {
    let upstream = Upstream::answering(OK).await;
    let yaml = format!(
        "upstreams:\n  legacy: {{ url: \"{}/base/\", host: legacy.internal, forwarded: off }}\n\
         fallback: {{ upstream: legacy }}\noperations:\n  GET /users/{{id}}:\n    forward: {{ upstream: legacy, path: \"/v2/${{path.id}}/x\" }}\n",
        upstream.url
    );
    let gateway = gateway(&yaml).await;
    gateway.get("/a?b=c").await;
    gateway.get("/users/a%2Fb?c=d").await;
    let refused = gateway.get("/users/%2e%2e").await;
    assert_eq!((refused.status, refused.problem().0), (400, "invalid_parameter"));
    let seen = upstream.seen();
    let lines: Vec<_> = seen.iter().map(|seen| seen.first_line()).collect();
    assert_eq!(lines, ["GET /base/a?b=c HTTP/1.1", "GET /base/v2/a%2Fb/x?c=d HTTP/1.1"]);
    assert_eq!(seen[0].all("host"), ["legacy.internal"]);
    assert_eq!(seen[0].all("x-forwarded-for"), [""; 0]);
}

#[tokio::test]
async fn absolute_targets_and_old_clients_are_understood() {
    let upstream = Upstream::answering(OK).await;
    let gateway = gateway(&upstream.fallback("")).await;
    let mut client = Client::connect(&gateway.url).await;
    client.write(b"GET http://other.example/a?b HTTP/1.1\r\nHost: test\r\n\r\n").await;
    assert_eq!(client.answer("GET", std::time::Instant::now()).await.status, 200);
    let mut client = Client::connect(&gateway.url).await;
    client.write(b"GET /old HTTP/1.0\r\n\r\n").await;
    let rest = client.rest().await;
    assert!(rest.starts_with("HTTP/1.0 200 OK\r\n") && rest.ends_with("\r\n\r\nok"), "{rest}");
    let seen = upstream.seen();
    assert_eq!((seen[0].first_line(), seen[0].all("host")), ("GET /a?b HTTP/1.1", vec!["other.example"]));
    assert_eq!(seen[1].first_line(), "GET /old HTTP/1.1");
    assert_eq!(seen[1].all("host"), [upstream.url.trim_start_matches("http://")]);
}

/// Many services make one name of `X_Forwarded_For` and `X-Forwarded-For`.
#[tokio::test]
async fn a_claim_with_underscores_is_a_claim() {
    let upstream = Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let gateway = gateway(&upstream.fallback("")).await;
    let sent = [
        ("X_Forwarded_For", "6.6.6.6"),
        ("X-Forwarded_Proto", "https"),
        ("X_Real_IP", "6.6.6.6"),
        ("Natsgate_Shadow", "true"),
        ("Transfer_Encoding", "chunked"),
        ("Content_Length", "9"),
        ("X_Other", "goes on"),
    ];
    assert_eq!(gateway.send("GET", "/", &sent, b"").await.status, 200);
    let seen = upstream.only();
    for (name, _) in &sent[..6] {
        assert!(seen.all(name).is_empty(), "{name}");
    }
    assert_eq!(seen.all("x_other"), ["goes on"]);
}
