//! HTTP/2 clients that send what no request explains: their connections end, and nobody else notices.

use std::time::{Duration, Instant};

use super::YAML;
use crate::support::gateway::Gateway;
use crate::support::http2::{
    self, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, Http2, INITIAL_WINDOW, PING,
    PRIORITY, RST_STREAM, SETTINGS, WINDOW_UPDATE, frame,
};
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;

const CANCEL: [u8; 4] = [0, 0, 0, 8];
const PROTOCOL_ERROR: u32 = 1;
const ENHANCE_YOUR_CALM: u32 = 11;

/// What is sent in a round of a flood.
type Piece<'a> = &'a dyn Fn(u32) -> Vec<u8>;

/// Sends a piece again and again until the connection ends.
async fn flood(gateway: &Gateway, piece: impl Fn(u32) -> Vec<u8>) {
    let mut client = Http2::connect(&gateway.url).await;
    let began = Instant::now();
    let mut round = 0;
    while client.write(&piece(round)).await {
        round += 1;
        assert!(round < 20_000 && began.elapsed() < Duration::from_secs(20), "the flood is taken for ever");
    }
}

#[tokio::test]
async fn frames_that_no_request_explains_end_the_connection() {
    let nats = NatsServer::start().await;
    let _service = Service::saying(&nats.url(), "x", "fine").await;
    let gateway = Gateway::start(&nats.url(), YAML).await;
    let floods: [(&str, Piece<'_>); 6] = [
        ("pings", &|_| frame(PING, 0, 0, &[0; 8]).repeat(20)),
        ("settings", &|_| frame(SETTINGS, 0, 0, &[]).repeat(20)),
        ("priorities", &|round| frame(PRIORITY, 0, 2 * round + 1, &[0, 0, 0, 0, 1]).repeat(20)),
        ("window updates", &|_| frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]).repeat(20)),
        ("unknown frames", &|_| frame(0xfa, 0, 0, &[]).repeat(20)),
        ("resets of what is not there", &|_| frame(RST_STREAM, 0, 1, &CANCEL).repeat(20)),
    ];
    for (name, piece) in floods {
        flood(&gateway, piece).await;
        assert_eq!(gateway.get("/x").await.status, 200, "{name}");
    }
}

#[tokio::test]
async fn whoever_opens_and_resets_is_sent_away() {
    let nats = NatsServer::start().await;
    let service = Service::silent(&nats.url(), "x").await;
    let _other = Service::echo(&nats.url(), "echo").await;
    let gateway = Gateway::start(&nats.url(), YAML).await;
    // Within one packet (CVE-2023-44487): the library counts those that it has not handed on.
    let pair = |round: u32| {
        let stream = 2 * round + 1;
        [http2::get(stream, "/x"), frame(RST_STREAM, 0, stream, &CANCEL)].concat()
    };
    let mut client = Http2::connect(&gateway.url).await;
    client.write(&(0..50).flat_map(pair).collect::<Vec<u8>>()).await;
    assert_eq!(client.goodbye().await, Some(ENHANCE_YOUR_CALM));
    // One after another, each after the request before has reached the service.
    let before = service.seen().len();
    let mut client = Http2::connect(&gateway.url).await;
    let mut sent = 0;
    while sent < 500 && client.write(&http2::get(2 * sent + 1, "/x")).await {
        tokio::time::sleep(Duration::from_millis(2)).await;
        client.write(&frame(RST_STREAM, 0, 2 * sent + 1, &CANCEL)).await;
        sent += 1;
    }
    client.goodbye().await;
    assert!((50..250).contains(&sent), "{sent} requests were taken and thrown away");
    assert!(service.seen().len() - before <= 250);
    super::until("nothing is left of them", || gateway.inner.in_flight() == 0 && gateway.waiting() == 0)
        .await;
    assert_eq!(gateway.post("/echo", "fine").await.text(), "fine");
}

#[tokio::test]
async fn a_reset_gives_up_its_request_alone() {
    let nats = NatsServer::start().await;
    let service = Service::silent(&nats.url(), "x").await;
    let gateway = Gateway::start(&nats.url(), YAML).await;
    let mut client = Http2::connect(&gateway.url).await;
    for stream in [1, 3, 5] {
        client.get(stream, "/x").await;
    }
    super::until("all are in flight", || service.seen().len() == 3).await;
    assert_eq!((gateway.inner.in_flight(), gateway.waiting()), (3, 3));
    client.write(&frame(RST_STREAM, 0, 3, &CANCEL)).await;
    super::until("one is given up", || gateway.inner.in_flight() == 2 && gateway.waiting() == 2).await;
    for message in service.seen() {
        service.answer(&message, "fine").await;
    }
    let mut answered = vec![
        client.first(DATA).await.expect("an answer").stream,
        client.first(DATA).await.expect("an answer").stream,
    ];
    answered.sort_unstable();
    assert_eq!(answered, [1, 5]);
    // A connection that goes takes all of its requests along.
    client.get(7, "/x").await;
    super::until("in flight", || gateway.waiting() == 1).await;
    drop(client);
    super::until("given up", || gateway.inner.in_flight() == 0 && gateway.waiting() == 0).await;
}

#[tokio::test]
async fn a_header_block_without_end_is_not_collected() {
    let nats = NatsServer::start().await;
    let gateway = Gateway::start(&nats.url(), YAML).await;
    let block = http2::block(&http2::request("GET", "/x"));
    let field = http2::block(&[("x-more", "abcdefghijklmnopqrstuvwxyz")]);
    for (name, size) in [("small", 1), ("empty", 0), ("large", 400)] {
        let mut client = Http2::connect(&gateway.url).await;
        client.write(&frame(HEADERS, END_STREAM, 1, &block)).await;
        let piece = frame(CONTINUATION, 0, 1, &field.repeat(size));
        let mut sent = 0;
        while sent < 2_000 && client.write(&piece).await {
            sent += 1;
        }
        client.goodbye().await;
        assert!(sent < 2_000, "{name}: taken for ever");
        assert_eq!(gateway.get("/nowhere").await.status, 404);
    }
}

#[tokio::test]
async fn more_streams_than_there_may_be_are_refused_and_the_others_answered() {
    let nats = NatsServer::start().await;
    let service = Service::silent(&nats.url(), "x").await;
    let gateway = Gateway::start(&nats.url(), YAML).await;
    let mut client = Http2::connect(&gateway.url).await;
    let settings = client.first(SETTINGS).await.expect("settings");
    let most =
        settings.payload.chunks(6).find(|setting| setting[..2] == [0, 3]).expect("MAX_CONCURRENT_STREAMS");
    assert_eq!(most[2..], 128_u32.to_be_bytes());
    for number in 0..140 {
        client.get(2 * number + 1, "/x").await;
    }
    for _ in 0..12 {
        let reset = client.first(RST_STREAM).await.expect("a refusal");
        assert_eq!(reset.payload, [0, 0, 0, 7], "REFUSED_STREAM: not executed, and may be repeated");
        assert!(reset.stream > 256);
    }
    super::until("the others are in flight", || service.seen().len() == 128).await;
    for message in service.seen() {
        service.answer(&message, "fine").await;
    }
    for _ in 0..128 {
        assert_eq!(client.first(DATA).await.expect("an answer").payload, b"fine");
    }
    assert_eq!(service.seen().len(), 128);
}

#[tokio::test]
async fn a_window_that_is_opened_byte_by_byte_ends_the_connection() {
    let nats = NatsServer::start().await;
    let body: &'static str = Box::leak("x".repeat(100_000).into_boxed_str());
    let _service = Service::saying(&nats.url(), "x", body).await;
    let gateway = Gateway::start(&nats.url(), YAML).await;
    let mut client = Http2::connect_with(&gateway.url, &[(INITIAL_WINDOW, 1)]).await;
    client.get(1, "/x").await;
    let mut received = 0;
    while let Some(next) = client.next().await {
        if next.kind == DATA {
            received += next.payload.len();
            client.write(&frame(WINDOW_UPDATE, 0, 1, &[0, 0, 0, 1])).await;
        }
    }
    assert!((500..3_000).contains(&received), "{received} bytes, each in a frame of its own");
    // A window of usual size is opened as usual clients do: for every frame, on the stream and the connection.
    let mut client = Http2::connect(&gateway.url).await;
    for stream in (1..100).step_by(2) {
        client.get(stream, "/x").await;
        let mut received = 0;
        while received < body.len() {
            let next = client.first(DATA).await.expect("a window that is opened is used");
            received += next.payload.len();
            let bytes = u32::try_from(next.payload.len()).expect("a frame").to_be_bytes();
            for stream in [0, stream] {
                client.write(&frame(WINDOW_UPDATE, 0, stream, &bytes)).await;
            }
            client.write(&frame(PING, 0, 0, &[0; 8])).await;
        }
    }
}

#[tokio::test]
async fn what_breaks_the_protocol_ends_with_its_reason() {
    let nats = NatsServer::start().await;
    let gateway = Gateway::start(&nats.url(), YAML).await;
    for (name, bytes) in [
        ("a stream of the server's", http2::get(2, "/x")),
        ("a lower number than before", [http2::get(5, "/x"), http2::get(3, "/x")].concat()),
        ("a continuation of nothing", frame(CONTINUATION, END_HEADERS, 1, &[])),
        ("a head within a head", [frame(HEADERS, 0, 1, &[]), http2::get(3, "/x")].concat()),
        ("settings of a wrong length", frame(SETTINGS, 0, 0, &[0; 5])),
        ("a ping of a wrong length", frame(PING, 0, 0, &[0; 7])),
        ("data on no stream", frame(DATA, 0, 0, b"x")),
    ] {
        let mut client = Http2::connect(&gateway.url).await;
        client.write(&bytes).await;
        let goodbye = client.first(GOAWAY).await.unwrap_or_else(|| panic!("{name}: no GOAWAY"));
        let code = u32::from_be_bytes(goodbye.payload[4..8].try_into().expect("a code"));
        assert!(code == PROTOCOL_ERROR || code == 6, "{name}: {code}");
    }
}
