//! What is said of a request that was not answered is never better than the truth.

use std::time::Duration;

use tokio::net::TcpListener;

use super::gateway;
use crate::requests::until;
use crate::support::http::Client;
use crate::support::upstream::Upstream;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[tokio::test]
async fn nobody_there_is_not_executed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let gateway = gateway(&format!(
        "upstreams: {{ legacy: {{ url: \"{url}\" }} }}\nfallback: {{ upstream: legacy }}\n"
    ))
    .await;
    let answer = gateway.post("/", "{}").await;
    assert_eq!((answer.status, answer.problem()), (502, ("upstream_unreachable", "not_executed")));
}

#[tokio::test]
async fn a_post_on_a_stale_connection_is_unknown_and_not_sent_again() {
    // The second request of a connection is read, and the connection reset: executed or not, nobody knows.
    let upstream = Upstream::start(|mut peer| async move {
        peer.request().await;
        peer.write(OK.as_bytes()).await;
        peer.request().await;
        peer.reset();
    })
    .await;
    let gateway = gateway(&upstream.fallback("")).await;
    let mut client = Client::connect(&gateway.url).await;
    assert_eq!(client.send("POST", "/1", &[], b"a").await.status, 200);
    let answer = client.send("POST", "/2", &[], b"b").await;
    assert_eq!((answer.status, answer.problem()), (502, ("upstream_reset", "unknown")));
    let paths: Vec<_> = upstream.seen().iter().map(|seen| seen.first_line().to_owned()).collect();
    assert_eq!(paths, ["POST /1 HTTP/1.1", "POST /2 HTTP/1.1"]);
    assert_eq!(upstream.connections(), 1);
    // Nor is a GET: something of it has left.
    assert_eq!(client.send("GET", "/3", &[], b"").await.status, 200);
    let answer = client.send("GET", "/4", &[], b"").await;
    assert_eq!((answer.status, answer.problem()), (502, ("upstream_reset", "unknown")));
}

#[tokio::test]
async fn a_connection_that_is_known_to_be_closed_is_not_used() {
    let upstream = Upstream::start(|mut peer| async move {
        peer.request().await;
        peer.write(OK.as_bytes()).await;
    })
    .await;
    let gateway = gateway(&upstream.fallback("")).await;
    let mut client = Client::connect(&gateway.url).await;
    for path in ["/1", "/2", "/3"] {
        assert_eq!(client.send("POST", path, &[], b"a").await.status, 200);
        // The end of the connection is on its way to the gateway.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!((upstream.seen().len(), upstream.connections()), (3, 3));
}

#[tokio::test]
async fn an_answer_in_time_or_none() {
    let upstream = Upstream::start(|mut peer| async move {
        peer.request().await;
        peer.ended().await;
    })
    .await;
    let gateway = gateway(&upstream.fallback(", first_byte_timeout: 100ms")).await;
    let answer = gateway.post("/", "{}").await;
    assert_eq!((answer.status, answer.problem()), (504, ("upstream_timeout", "unknown")));
    assert!(answer.took >= Duration::from_millis(100), "{:?}", answer.took);
    until("nothing is in flight", || gateway.inner.in_flight() == 0).await;
}

#[tokio::test]
async fn silence_in_a_body_ends_it() {
    let upstream = Upstream::start(|mut peer| async move {
        let head = peer.head().await.unwrap();
        if head.starts_with("GET") {
            peer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc").await;
        }
        peer.ended().await;
    })
    .await;
    let gateway = gateway(&upstream.fallback(", idle_timeout: 100ms")).await;
    let mut client = Client::connect(&gateway.url).await;
    client.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(client.rest().await.ends_with("\r\n\r\nabc"));
    // The client's silence is the client's.
    let mut client = Client::connect(&gateway.url).await;
    client.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc").await;
    let answer = client.answer("POST", std::time::Instant::now()).await;
    assert_eq!((answer.status, answer.problem()), (408, ("request_timeout", "unknown")));
}

#[tokio::test]
async fn what_is_no_http_is_unknown() {
    let upstream = Upstream::answering("SSH-2.0-OpenSSH_9.2\r\n\r\n").await;
    let gateway = gateway(&upstream.fallback("")).await;
    let answer = gateway.post("/", "{}").await;
    assert_eq!((answer.status, answer.problem()), (502, ("upstream_reset", "unknown")));
}

#[tokio::test]
async fn addresses_take_turns_and_one_that_fails_is_left_alone() {
    let (one, other) = (Upstream::answering(OK).await, Upstream::answering(OK).await);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let yaml = format!(
        "upstreams:\n  legacy: {{ urls: [\"{}\", \"{nobody}\", \"{}\"], failures: 2 }}\nfallback: {{ upstream: legacy }}\n",
        one.url, other.url
    );
    let gateway = gateway(&yaml).await;
    let mut client = Client::connect(&gateway.url).await;
    for _ in 0..30 {
        assert_eq!(client.send("POST", "/", &[], b"a").await.status, 200);
    }
    assert!(one.seen().len() >= 10 && other.seen().len() >= 10);
    assert_eq!(one.seen().len() + other.seen().len(), 30);
    let table = gateway.inner.table();
    let states = table.upstreams.all().next().unwrap().addresses();
    let alone: Vec<bool> = states.iter().map(|state| state.left_alone).collect();
    assert_eq!(alone, [false, true, false]);
}

#[tokio::test]
async fn connections_are_bounded_and_waited_for() {
    let upstream = Upstream::start(|mut peer| async move {
        while peer.request().await.is_some() {
            tokio::time::sleep(Duration::from_millis(20)).await;
            peer.write(OK.as_bytes()).await;
        }
    })
    .await;
    let gateway = gateway(&upstream.fallback(", max_connections: 2, connect_timeout: 150ms")).await;
    let requests = (0..6).map(|_| gateway.get("/"));
    let answers = futures_util::future::join_all(requests).await;
    assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
    assert_eq!(upstream.connections(), 2);
    let requests = (0..60).map(|_| gateway.get("/"));
    let answers = futures_util::future::join_all(requests).await;
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status != 200).collect();
    assert!(!refused.is_empty());
    assert!(refused.iter().all(|one| one.problem() == ("overloaded", "not_executed")), "{refused:?}");
}

#[tokio::test]
async fn connections_that_nobody_uses_are_closed() {
    let upstream = Upstream::start(|mut peer| async move {
        peer.request().await;
        peer.write(OK.as_bytes()).await;
        peer.ended().await;
        peer.remember("ended", b"");
    })
    .await;
    let gateway = gateway(&upstream.fallback(", idle_timeout: 100ms")).await;
    assert_eq!(gateway.get("/").await.status, 200);
    until("it is closed", || upstream.seen().len() == 2).await;
}

/// An upstream that says more than can be read in one turn is waited for no longer than one that says nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_interim_answers_is_no_answer() {
    let upstream = Upstream::start(|mut peer| async move {
        let flood = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n".repeat(1000);
        if peer.request().await.is_some() {
            while peer.write(&flood).await {}
        }
    })
    .await;
    let gateway = gateway(&upstream.fallback(", first_byte_timeout: 500ms")).await;
    let answer = gateway.send("POST", "/", &[], b"x").await;
    assert_eq!((answer.status, answer.problem()), (504, ("upstream_timeout", "unknown")));
    assert!(answer.took < Duration::from_secs(25), "{:?}", answer.took);
}
