//! Bodies of any length pass in little memory.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::process::Process;
use crate::support::upstream::{Peer, Upstream};

/// As much as a debug build passes in a few seconds; `make bench-proxy` passes a gigabyte.
const LENGTH: u64 = 256 << 20;
const PATIENCE: Duration = Duration::from_secs(120);
/// What a debug build needs for itself beside that is not counted.
const MOST: u64 = 32 << 20;

async fn script(mut peer: Peer) {
    while let Some(head) = peer.head().await {
        if head.starts_with("GET") {
            peer.write(format!("HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n").as_bytes()).await;
            give(&mut peer.stream).await;
        } else {
            let mut left = LENGTH - peer.taken() as u64;
            let mut bytes = vec![0; 64 << 10];
            while left > 0 {
                left -= peer.stream.read(&mut bytes).await.expect("bytes of a body") as u64;
            }
            peer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
        }
    }
}

async fn give(stream: &mut TcpStream) {
    let bytes = vec![0; 64 << 10];
    for _ in 0..LENGTH / bytes.len() as u64 {
        stream.write_all(&bytes).await.expect("bytes are taken");
    }
}

#[tokio::test]
async fn bodies_of_any_length_pass_both_ways() {
    let upstream = Upstream::start(script).await;
    let gateway = Process::serve(super::NO_NATS, &upstream.fallback("")).await;
    let address = gateway.url.trim_start_matches("http://").to_owned();
    let passing = async {
        let mut client = TcpStream::connect(&address).await.expect("connection");
        client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.expect("a request");
        let (mut read, mut bytes) = (0, vec![0; 64 << 10]);
        while read < LENGTH {
            let count = client.read(&mut bytes).await.expect("bytes of a body") as u64;
            assert!(count > 0, "the body broke off after {read}");
            read += count;
        }
        let mut client = TcpStream::connect(&address).await.expect("connection");
        let head =
            format!("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {LENGTH}\r\n\r\n");
        client.write_all(head.as_bytes()).await.expect("a request");
        give(&mut client).await;
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    };
    let before = gateway.resident();
    let began = Instant::now();
    timeout(PATIENCE, passing).await.expect("in time");
    let most = gateway.most_resident();
    assert!(
        most.saturating_sub(before) < MOST,
        "{most} bytes, {before} of them before, in {:?}",
        began.elapsed()
    );
}
