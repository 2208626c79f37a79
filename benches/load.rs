//! The load of the benchmark, a process of its own: keep-alive HTTP/1.1 connections, each with one request at a time,
//! for a fixed time. Every answer must be 200 with the bytes that were sent; anything else fails the run.
//!
//! It reads no more HTTP than the two measured programs send: a status line, headers, a body with a Content-Length.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

const BODY: &[u8] = br#"{"userID":"ada","roleIDs":["editor"],"note":"as long as a small request is"}"#;
const LARGEST_ANSWER: usize = 64 * 1024;

#[derive(Parser)]
struct Arguments {
    address: SocketAddr,
    #[arg(default_value = "/echo")]
    path: String,
    #[arg(long, default_value_t = 32)]
    connections: usize,
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// A file with tokens, one a line: each request bears the next one, from the first again after the last.
    #[arg(long)]
    tokens: Option<PathBuf>,
    /// End after so many requests, if that is earlier: with `--tokens`, to use none twice.
    #[arg(long, default_value_t = usize::MAX, hide_default_value = true)]
    requests: usize,
}

// One thread: the cores belong to the programs that are compared.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let Arguments { address, path, connections, seconds, tokens, requests } = Arguments::parse();
    let tokens = tokens.map(std::fs::read_to_string).transpose()?.unwrap_or_default();
    let plan = Arc::new(Plan {
        head: format!("POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n"),
        tail: [format!("content-length: {}\r\n\r\n", BODY.len()).as_bytes(), BODY].concat(),
        tokens: tokens.lines().map(str::to_owned).collect(),
        requests,
        next: AtomicUsize::new(0),
    });

    let start = Instant::now();
    let end = start + Duration::from_secs_f64(seconds);
    let mut running = JoinSet::new();
    for _ in 0..connections {
        running.spawn(connection(address, Arc::clone(&plan), end));
    }
    let mut times = Vec::new();
    while let Some(result) = running.join_next().await {
        times.append(&mut result??);
    }
    let elapsed = start.elapsed().as_secs_f64();
    times.sort_unstable();
    let rate = times.len() as f64 / elapsed;
    println!(
        "{rate:.0} requests/s, p50 {:.2?}, p99 {:.2?}",
        percentile(&times, 0.50),
        percentile(&times, 0.99)
    );
    Ok(())
}

/// What is sent.
struct Plan {
    head: String,
    tail: Vec<u8>,
    tokens: Vec<String>,
    requests: usize,
    next: AtomicUsize,
}

impl Plan {
    /// Writes the next request; false after the last one.
    fn write(&self, request: &mut Vec<u8>) -> bool {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        request.clear();
        request.extend_from_slice(self.head.as_bytes());
        if !self.tokens.is_empty() {
            request.extend_from_slice(b"authorization: Bearer ");
            request.extend_from_slice(self.tokens[number % self.tokens.len()].as_bytes());
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(&self.tail);
        number < self.requests
    }
}

/// The time of each request of one connection.
async fn connection(address: SocketAddr, plan: Arc<Plan>, end: Instant) -> Result<Vec<Duration>> {
    let mut stream =
        TcpStream::connect(address).await.with_context(|| format!("cannot connect to {address}"))?;
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(4096);
    let mut request = Vec::with_capacity(4096);
    let mut times = Vec::new();
    while Instant::now() < end && plan.write(&mut request) {
        let start = Instant::now();
        stream.write_all(&request).await?;
        buffer.clear();
        answer(&mut stream, &mut buffer).await?;
        times.push(start.elapsed());
    }
    Ok(times)
}

/// Reads one answer and checks it.
async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<()> {
    let body = loop {
        ensure!(stream.read_buf(buffer).await? > 0, "the connection was closed within an answer");
        ensure!(buffer.len() < LARGEST_ANSWER, "an answer is larger than {LARGEST_ANSWER} bytes");
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let head = std::str::from_utf8(&buffer[..body])?;
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .with_context(|| format!("an answer without a length: {head}"))?
        .1
        .trim()
        .parse::<usize>()?;
    ensure!(head.starts_with("HTTP/1.1 200 "), "an answer that is none: {}", String::from_utf8_lossy(buffer));
    while buffer.len() < body + length {
        ensure!(stream.read_buf(buffer).await? > 0, "the connection was closed within an answer");
    }
    ensure!(&buffer[body..] == BODY, "an answer that is not what was sent");
    Ok(())
}

fn percentile(sorted: &[Duration], share: f64) -> Duration {
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * share).round() as usize).copied().unwrap_or_default()
}
