//! Bodies both ways: their framing, and what becomes of one that breaks off.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::gateway;
use crate::support::http::Client;
use crate::support::upstream::Upstream;

#[tokio::test]
async fn framing_is_kept() {
    let upstream = Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let gateway = gateway(&upstream.fallback("")).await;
    let mut client = Client::connect(&gateway.url).await;
    for (head, body) in [
        ("GET /1 HTTP/1.1\r\nHost: a\r\n", ""),
        ("DELETE /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n", "body"),
        ("POST /3 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n", ""),
        ("POST /4 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n", "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
        ("GET /5 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n"),
        ("POST /6 HTTP/1.1\r\nHost: a\r\n", ""),
    ] {
        client.write(format!("{head}\r\n{body}").as_bytes()).await;
        assert_eq!(client.answer("GET", Instant::now()).await.status, 200, "{head}");
    }
    let seen = upstream.seen();
    let framing: Vec<_> = seen
        .iter()
        .map(|seen| (seen.all("content-length"), seen.all("transfer-encoding"), seen.body.as_slice()))
        .collect();
    assert_eq!(
        framing,
        [
            (vec![], vec![], &b""[..]),
            (vec!["4"], vec![], b"body"),
            (vec!["0"], vec![], b""),
            (vec![], vec!["chunked"], b"abcde"),
            (vec![], vec!["chunked"], b"abc"),
            (vec![], vec![], b""),
        ]
    );
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn answers_without_a_body_have_none() {
    let upstream = Upstream::start(|mut peer| async move {
        while let Some(seen) = peer.request().await {
            let answer = match seen.first_line().split(' ').nth(1) {
                Some("/204") => "HTTP/1.1 204 No Content\r\n\r\n",
                Some("/304") => "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\nContent-Length: 7\r\n\r\n",
                Some("/head") => "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n",
                Some("/102") => {
                    "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na"
                }
                _ => "HTTP/1.1 418 I am a pot\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
            };
            peer.write(answer.as_bytes()).await;
        }
    })
    .await;
    let gateway = gateway(&upstream.fallback("")).await;
    let mut client = Client::connect(&gateway.url).await;
    let answer = client.send("GET", "/204", &[], b"").await;
    assert_eq!(
        (answer.status, answer.header("content-length"), answer.header("transfer-encoding")),
        (204, None, None)
    );
    let answer = client.send("GET", "/304", &[], b"").await;
    assert_eq!((answer.status, answer.header("etag")), (304, Some("\"a\"")));
    let answer = client.send("HEAD", "/head", &[], b"").await;
    assert_eq!((answer.status, answer.header("content-length")), (200, Some("1234")));
    assert_eq!(client.send("GET", "/102", &[], b"").await.text(), "a");
    client.write(b"GET /else HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    let rest = client.rest().await;
    assert!(rest.starts_with("HTTP/1.1 418 I am a pot\r\n"), "{rest}");
    assert!(rest.ends_with("2\r\nab\r\n0\r\n\r\n"), "{rest}");
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn trailers_pass_both_ways() {
    let upstream = Upstream::start(|mut peer| async move {
        let head = peer.head().await.unwrap();
        let raw = peer.raw_chunked().await.unwrap();
        peer.remember(&head, &raw);
        peer.write(
            b"HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n\
              2\r\nab\r\n0\r\nX-Sum: 5\r\nNatsgate-Code: x\r\n\r\n",
        )
        .await;
        peer.ended().await;
    })
    .await;
    let gateway = gateway(&upstream.fallback("")).await;
    let mut client = Client::connect(&gateway.url).await;
    client
        .write(
            b"POST / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE, close\r\nTrailer: X-Check\r\n\
              Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Check: 1\r\n\r\n",
        )
        .await;
    let rest = client.rest().await;
    assert!(rest.to_lowercase().ends_with("0\r\nx-sum: 5\r\n\r\n"), "{rest}");
    let seen = upstream.only();
    assert_eq!((seen.all("te"), seen.all("trailer")), (vec!["trailers"], vec!["X-Check"]));
    let raw = String::from_utf8_lossy(&seen.body).to_lowercase();
    assert!(raw.ends_with("0\r\nx-check: 1\r\n\r\n"), "{raw}");
}

#[tokio::test]
async fn bodies_stream_while_they_come() {
    let upstream = Upstream::start(|mut peer| async move {
        peer.head().await.unwrap();
        peer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await;
        // Each chunk goes back before the next one comes.
        for _ in 0..3 {
            let chunk = peer.exactly(6).await.unwrap();
            peer.write(&chunk).await;
        }
        peer.exactly(5).await.unwrap();
        peer.write(b"0\r\n\r\n").await;
        peer.ended().await;
    })
    .await;
    let gateway = gateway(&upstream.fallback("")).await;
    let mut client = Client::connect(&gateway.url).await;
    client.write(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").await;
    client.until("\r\n\r\n").await;
    for chunk in ["1\r\na\r\n", "1\r\nb\r\n", "1\r\nc\r\n"] {
        client.write(chunk.as_bytes()).await;
        assert_eq!(client.until("\r\n").await, "1\r\n");
        assert_eq!(client.until("\r\n").await, &chunk[3..]);
    }
    client.write(b"0\r\n\r\n").await;
    assert_eq!(client.until("\r\n\r\n").await, "0\r\n\r\n");
}

#[tokio::test]
async fn an_answer_may_take_its_time() {
    // Longer than a connection is left as it is that has nothing to do.
    let upstream = Upstream::start(|mut peer| async move {
        peer.request().await;
        peer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
            .await;
        sleep(Duration::from_millis(1500)).await;
        peer.write(b"1\r\nb\r\n0\r\n\r\n").await;
        peer.ended().await;
    })
    .await;
    let gateway = gateway(&upstream.fallback("")).await;
    let mut client = Client::connect(&gateway.url).await;
    client.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let head = client.until("\r\n\r\n").await.to_lowercase();
    assert!(head.contains("transfer-encoding: chunked") && !head.contains("content-length"), "{head}");
    assert_eq!(client.until("0\r\n\r\n").await, "1\r\na\r\n1\r\nb\r\n0\r\n\r\n");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_never_ended_as_if_whole() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    ] {
        let upstream = Upstream::start(move |mut peer| async move {
            peer.request().await;
            peer.write(answer.as_bytes()).await;
            // What has been sent shall be read first.
            sleep(Duration::from_millis(50)).await;
        })
        .await;
        let gateway = gateway(&upstream.fallback("")).await;
        let mut client = Client::connect(&gateway.url).await;
        client.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let rest = client.rest().await;
        assert!(rest.contains("abc") && !rest.contains("0\r\n\r\n"), "{rest}");
        let broken = gateway.inner.table().upstreams.all().map(|one| one.counts().broken()).sum::<u64>();
        assert_eq!(broken, 1);
    }
}

#[tokio::test]
async fn a_client_that_breaks_off_takes_the_upstreams_connection_with_it() {
    for framing in ["Content-Length: 10", "Transfer-Encoding: chunked"] {
        let upstream = Upstream::start(|mut peer| async move {
            let head = peer.head().await.unwrap();
            peer.ended().await;
            peer.remember(&head, b"");
        })
        .await;
        let gateway = gateway(&upstream.fallback("")).await;
        let mut client = Client::connect(&gateway.url).await;
        client.write(format!("POST / HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n3\r\nabc\r\n").as_bytes()).await;
        crate::requests::until("the head is there", || upstream.connections() == 1).await;
        drop(client);
        crate::requests::until("the upstream sees the end", || upstream.seen().len() == 1).await;
        crate::requests::until("nothing is in flight", || gateway.inner.in_flight() == 0).await;
    }
}

#[tokio::test]
async fn an_early_answer_is_passed_on() {
    let upstream = Upstream::start(|mut peer| async move {
        peer.head().await.unwrap();
        peer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno!").await;
        // With bytes unread, this resets the connection.
    })
    .await;
    let gateway = gateway(&upstream.fallback("")).await;
    for _ in 0..10 {
        let mut client = Client::connect(&gateway.url).await;
        client.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n").await;
        client.write(&vec![b'x'; 200_000]).await;
        let answer = client.answer("POST", Instant::now()).await;
        assert_eq!((answer.status, answer.text().as_str()), (413, "no!"));
    }
}

#[tokio::test]
async fn the_upstream_decides_whether_a_body_is_sent() {
    let upstream = Upstream::start(|mut peer| async move {
        while let Some(head) = peer.head().await {
            if head.contains("/refused") {
                peer.write(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n").await;
                peer.remember(&head, b"");
                continue;
            }
            if head.contains("/asked") {
                peer.write(b"HTTP/1.1 100 Continue\r\n\r\n").await;
            }
            let body = peer.exactly(4).await.unwrap();
            peer.remember(&head, &body);
            peer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
        }
    })
    .await;
    let gateway = gateway(&upstream.fallback("")).await;
    let head = |path: &str| {
        format!("POST {path} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
    };
    // `/silent` never says that it wants the body, and gets it all the same.
    for path in ["/asked", "/silent"] {
        let mut client = Client::connect(&gateway.url).await;
        client.write(head(path).as_bytes()).await;
        assert_eq!(client.until("\r\n\r\n").await, "HTTP/1.1 100 Continue\r\n\r\n");
        client.write(b"body").await;
        assert_eq!(client.answer("POST", Instant::now()).await.text(), "ok");
    }
    let mut client = Client::connect(&gateway.url).await;
    client.write(head("/refused").as_bytes()).await;
    assert_eq!(client.answer("POST", Instant::now()).await.status, 401);
    let seen = upstream.seen();
    assert_eq!(seen[0].all("expect"), ["100-continue"]);
    assert_eq!((seen[0].body.as_slice(), seen[1].body.as_slice()), (&b"body"[..], &b"body"[..]));
}

#[tokio::test]
async fn a_limit_that_is_written_holds_for_bodies_that_stream() {
    let upstream = Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let yaml = format!(
        "upstreams: {{ legacy: {{ url: \"{}\" }} }}\noperations:\n  POST /a:\n    forward: {{ upstream: legacy }}\n    limits: {{ max_body: 4B }}\n",
        upstream.url
    );
    let gateway = gateway(&yaml).await;
    assert_eq!(gateway.send("POST", "/a", &[], b"1234").await.status, 200);
    let refused = gateway.send("POST", "/a", &[], b"12345").await;
    assert_eq!((refused.status, refused.problem()), (413, ("body_too_large", "not_executed")));
    let mut client = Client::connect(&gateway.url).await;
    client
        .write(b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n\r\n")
        .await;
    let refused = client.answer("POST", Instant::now()).await;
    assert_eq!((refused.status, refused.problem()), (413, ("body_too_large", "unknown")));
    assert_eq!(upstream.seen().len(), 1);
}
