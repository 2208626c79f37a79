//! Clients that take their time: how long each part may last, and what they hear.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::YAML;
use crate::support::gateway::Gateway;
use crate::support::http::Client;
use crate::support::http2::{self, CONTINUATION, END_HEADERS, END_STREAM, HEADERS, Http2, INITIAL_WINDOW};
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;

const HEAD: &[u8] = b"GET /x HTTP/1.1\r\nHost: test\r\n\r\n";

async fn gateway(nats: &NatsServer, timeouts: &str) -> Gateway {
    Gateway::start(&nats.url(), &format!("server: {{ timeouts: {{ {timeouts} }} }}\n{YAML}")).await
}

fn within(what: &str, began: Instant, from: u64, to: u64) {
    let took = began.elapsed().as_millis() as u64;
    assert!((from..to).contains(&took), "{what}: {took} ms");
}

#[tokio::test]
async fn a_head_that_trickles_is_not_waited_for() {
    let nats = NatsServer::start().await;
    let service = Service::saying(&nats.url(), "x", "fine").await;
    let gateway = gateway(&nats, "header: 400ms, idle: 10s").await;
    // Of a first request from the connection on, of a later one from its first byte.
    for rest in [0, 900] {
        let mut client = Client::connect(&gateway.url).await;
        if rest > 0 {
            assert_eq!(client.send("GET", "/x", &[], b"").await.status, 200);
            sleep(Duration::from_millis(rest)).await;
        }
        let began = Instant::now();
        for byte in b"GET /x HTTP/1.1\r\nHost: test\r\nX-Slow: ".iter().chain([b'a'; 60].iter()) {
            if !client.write(&[*byte]).await || began.elapsed() > Duration::from_secs(2) {
                break;
            }
            sleep(Duration::from_millis(10)).await;
        }
        let said = client.rest().await;
        within("the head", began, 380, 1900);
        assert!(said.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{said:?}");
        assert!(said.contains("natsgate-outcome: not_executed\r\n"), "{said:?}");
    }
    assert_eq!(service.seen().len(), 1);
}

#[tokio::test]
async fn half_a_head_that_came_with_the_request_before_is_bounded_too() {
    let nats = NatsServer::start().await;
    let _service = Service::saying(&nats.url(), "x", "fine").await;
    let gateway = gateway(&nats, "header: 300ms, idle: 600ms").await;
    let mut client = Client::connect(&gateway.url).await;
    client.write(&[HEAD, &HEAD[..20]].concat()).await;
    let began = Instant::now();
    assert_eq!(client.answer("GET", began).await.text(), "fine");
    client.ends().await;
    within("the second head", began, 250, 2000);
}

#[tokio::test]
async fn a_connection_rests_for_as_long_as_idle_says_and_no_longer() {
    let nats = NatsServer::start().await;
    let _service = Service::saying(&nats.url(), "x", "fine").await;
    let gateway = gateway(&nats, "header: 200ms, idle: 800ms").await;
    let mut client = Client::connect(&gateway.url).await;
    let mut other = Http2::connect(&gateway.url).await;
    for stream in [1, 3, 5] {
        assert_eq!(client.send("GET", "/x", &[], b"").await.status, 200);
        other.get(stream, "/x").await;
        assert!(other.first(http2::DATA).await.is_some());
        sleep(Duration::from_millis(500)).await;
    }
    let began = Instant::now();
    assert_eq!(client.rest().await, "", "nothing is said to a client that asks for nothing");
    within("HTTP/1.1", began, 200, 2000);
    // Pings are no requests.
    let ping = http2::frame(http2::PING, 0, 0, &[0; 8]);
    while began.elapsed() < Duration::from_secs(5) && other.write(&ping).await {
        sleep(Duration::from_millis(50)).await;
    }
    within("HTTP/2", began, 200, 2000);
}

#[tokio::test]
async fn a_request_in_progress_is_no_rest() {
    let nats = NatsServer::start().await;
    let service = Service::silent(&nats.url(), "x").await;
    let gateway = gateway(&nats, "header: 100ms, body: 100ms, idle: 100ms").await;
    let mut client = Client::connect(&gateway.url).await;
    let mut other = Http2::connect(&gateway.url).await;
    client.write(HEAD).await;
    other.get(1, "/x").await;
    sleep(Duration::from_millis(700)).await;
    for message in service.seen() {
        service.answer(&message, "late").await;
    }
    assert_eq!(client.answer("GET", Instant::now()).await.text(), "late");
    assert_eq!(other.first(http2::DATA).await.expect("an answer").payload, b"late");
}

#[tokio::test]
async fn a_body_that_trickles_is_answered_408() {
    let nats = NatsServer::start().await;
    let service = Service::echo(&nats.url(), "echo").await;
    let gateway = gateway(&nats, "header: 10s, body: 400ms").await;
    for head in ["Content-Length: 1000", "Transfer-Encoding: chunked"] {
        let mut client = Client::connect(&gateway.url).await;
        let began = Instant::now();
        client.write(format!("POST /echo HTTP/1.1\r\nHost: test\r\n{head}\r\n\r\n").as_bytes()).await;
        let piece: &[u8] = if head.starts_with('T') { b"1\r\nx\r\n" } else { b"x" };
        while began.elapsed() < Duration::from_millis(350) {
            client.write(piece).await;
            sleep(Duration::from_millis(20)).await;
        }
        let answer = client.answer("POST", began).await;
        assert_eq!((answer.status, answer.problem()), (408, ("request_timeout", "not_executed")));
        within(head, began, 380, 2000);
        client.ends().await;
    }
    assert!(service.seen().is_empty());
    assert_eq!(gateway.inner.in_flight(), 0);
}

#[tokio::test]
async fn a_header_block_of_http_2_that_trickles_ends_the_connection() {
    let nats = NatsServer::start().await;
    let service = Service::silent(&nats.url(), "x").await;
    let gateway = gateway(&nats, "header: 400ms").await;
    let block = http2::block(&http2::request("GET", "/x"));
    let begun = http2::frame(HEADERS, END_STREAM, 3, &block[..10]);
    let more = http2::frame(CONTINUATION, 0, 3, &block[10..11]);
    // Half a frame, and a block that goes on in small frames; while another request is in progress.
    let cases = [(&begun[..15], &b""[..]), (&begun[..], &more[..]), (&begun[..5], &b""[..])];
    for (count, (beginning, more)) in (1..).zip(cases) {
        let mut client = Http2::connect(&gateway.url).await;
        client.get(1, "/x").await;
        let end = Instant::now() + Duration::from_secs(10);
        while service.seen().len() < count {
            assert!(Instant::now() < end, "the first request did not arrive");
            sleep(Duration::from_millis(5)).await;
        }
        let began = Instant::now();
        client.write(beginning).await;
        for _ in 0..3 {
            sleep(Duration::from_millis(60)).await;
            client.write(more).await;
        }
        client.goodbye().await;
        within("the header block", began, 300, 2000);
    }
    let whole = http2::frame(HEADERS, END_STREAM | END_HEADERS, 3, &block);
    let mut client = Http2::connect(&gateway.url).await;
    client.get(1, "/x").await;
    client.write(&whole[..20]).await;
    sleep(Duration::from_millis(150)).await;
    client.write(&whole[20..]).await;
    sleep(Duration::from_millis(600)).await;
    assert!(client.write(&http2::get(5, "/nowhere")).await);
    assert_eq!(
        client.first(HEADERS).await.expect("an answer").stream,
        5,
        "a head that is done has no time any more"
    );
}

/// Megabytes, so that no buffer of the system takes it all.
async fn large(nats: &NatsServer) -> Service {
    let body: &'static str = Box::leak("x".repeat(6_000_000).into_boxed_str());
    Service::saying(&nats.url(), "x", body).await
}

#[tokio::test]
async fn an_answer_that_nobody_takes_is_not_kept() {
    let nats = NatsServer::with("max_payload: 8MB").await;
    let _service = large(&nats).await;
    let gateway = gateway(&nats, "body: 500ms").await;
    let mut client = Client::connect_with_window(&gateway.url, 4096).await;
    let began = Instant::now();
    client.write(HEAD).await;
    // Its own reading would be a sign of life: only the gateway's end of the connection is looked at.
    sockets(&gateway, 0).await;
    within("HTTP/1.1", began, 400, 12_000);
}

/// Waits until the gateway holds so many connections of its public listener.
async fn sockets(gateway: &Gateway, count: usize) {
    let port: u16 = gateway.url.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let local = format!(":{port:04X}");
    let open = || {
        let table = std::fs::read_to_string("/proc/net/tcp").expect("the system's connections");
        let lines = table.lines().filter_map(|line| {
            let mut fields = line.split_whitespace().skip(1);
            Some((fields.next()?.ends_with(&local), fields.next()?.to_owned(), fields.next()? == "01"))
        });
        lines.filter(|(is_ours, _, is_established)| *is_ours && *is_established).count()
    };
    let end = Instant::now() + Duration::from_secs(15);
    while open() != count {
        assert!(Instant::now() < end, "{} connections are open", open());
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn an_answer_of_http_2_that_no_window_is_opened_for_is_not_kept() {
    let nats = NatsServer::start().await;
    let _service = Service::saying(&nats.url(), "x", "fine").await;
    let silent = Service::silent(&nats.url(), "echo").await;
    let gateway = gateway(&nats, "body: 500ms").await;
    let mut client = Http2::connect_with(&gateway.url, &[(INITIAL_WINDOW, 0)]).await;
    // Another request that is in progress does not buy it time.
    let post = http2::block(&http2::request("POST", "/echo"));
    client.write(&http2::frame(HEADERS, END_HEADERS | END_STREAM, 1, &post)).await;
    let began = Instant::now();
    client.get(3, "/x").await;
    let answer = client.first(HEADERS).await.expect("an answer");
    assert_eq!((answer.stream, answer.status()), (3, 200));
    client.goodbye().await;
    within("HTTP/2", began, 450, 3000);
    assert_eq!(silent.seen().len(), 1);
    let end = Instant::now() + Duration::from_secs(5);
    while gateway.inner.in_flight() > 0 || gateway.waiting() > 0 {
        assert!(Instant::now() < end, "the other request is still waited for");
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_client_that_reads_slowly_gets_its_answer() {
    let nats = NatsServer::with("max_payload: 8MB").await;
    let _service = large(&nats).await;
    let gateway = gateway(&nats, "body: 300ms").await;
    let mut client = Client::connect_with_window(&gateway.url, 4096).await;
    client.write(HEAD).await;
    // 6 MB at a few MB a second, in small pieces.
    let answer = client.answer("GET", Instant::now()).await;
    assert_eq!((answer.status, answer.body.len()), (200, 6_000_000));
}

#[tokio::test]
async fn half_a_head_does_not_hold_the_end() {
    let nats = NatsServer::start().await;
    let _service = Service::saying(&nats.url(), "x", "fine").await;
    let gateway = gateway(&nats, "header: 60s, idle: 60s").await;
    let mut clients = Vec::new();
    for beginning in [&b""[..], b"P", b"GET /x HT"] {
        let mut client = Client::connect(&gateway.url).await;
        client.write(beginning).await;
        let mut later = Client::connect(&gateway.url).await;
        assert_eq!(later.send("GET", "/x", &[], b"").await.status, 200);
        later.write(beginning).await;
        clients.extend([client, later]);
    }
    // One that has agreed to nothing, one that is idle, and one with half a head; none of them says goodbye.
    let mut others = Vec::new();
    for more in [&b""[..], &http2::get(3, "/x")[..15]] {
        let mut other = Http2::connect(&gateway.url).await;
        other.get(1, "/x").await;
        assert!(other.first(http2::DATA).await.is_some());
        other.write(more).await;
        others.push(other);
    }
    sleep(Duration::from_millis(100)).await;
    let began = Instant::now();
    gateway.stop().await;
    within("the end", began, 0, 4000);
    for mut client in clients {
        client.ends().await;
    }
    for mut other in others {
        assert_eq!(other.goodbye().await, Some(0), "GOAWAY, without an error");
    }
}
