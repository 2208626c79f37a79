//! The load of the overload proof, a process of its own: requests by a fixed schedule, whether or not the earlier ones
//! have been answered. Every time counts from the moment that the schedule says, so that a server which falls behind
//! cannot hide it by slowing its client down.
//!
//! Prints one line of `name=value`: how many were admitted (200 with the bytes that were sent), how many were shed
//! (503 `overloaded` with a Retry-After), their times in milliseconds, how late requests were really sent, and how many
//! were offered and admitted a second. Any other answer fails the run.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use clap::Parser;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::{Instant, sleep_until, timeout};

const BODY: &[u8] = br#"{"userID":"ada","roleIDs":["editor"],"note":"as long as a small request is"}"#;
const LARGEST_ANSWER: usize = 64 * 1024;
/// How long the last answers may take.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Parser)]
struct Arguments {
    address: SocketAddr,
    path: String,
    /// Requests a second.
    #[arg(long)]
    rate: f64,
    #[arg(long)]
    seconds: f64,
    /// Connections, each with one request at a time; more than can be in flight together.
    #[arg(long, default_value_t = 512)]
    connections: usize,
}

/// Requests whose time has come and that no connection has taken yet.
#[derive(Default)]
struct Due {
    requests: RefCell<VecDeque<Instant>>,
    closed: RefCell<bool>,
    arrived: Notify,
}

#[derive(Default)]
struct Times {
    admitted: Vec<Duration>,
    shed: Vec<Duration>,
    /// From when the schedule says to when the request was written: the timer, and the wait for a free connection.
    late: Vec<Duration>,
    last_sent: Option<Instant>,
}

impl Times {
    fn add(&mut self, mut of_one: Times) {
        self.admitted.append(&mut of_one.admitted);
        self.shed.append(&mut of_one.shed);
        self.late.append(&mut of_one.late);
        self.last_sent = self.last_sent.max(of_one.last_sent);
    }
}

// One thread: the other cores belong to the gateway.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    LocalSet::new().run_until(run(Arguments::parse())).await
}

async fn run(Arguments { address, path, rate, seconds, connections }: Arguments) -> Result<()> {
    let mut head =
        format!("POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n").into_bytes();
    head.extend_from_slice(format!("content-length: {}\r\n\r\n", BODY.len()).as_bytes());
    let request: Rc<[u8]> = [head.as_slice(), BODY].concat().into();
    let due = Rc::new(Due::default());
    let mut running = JoinSet::new();
    for _ in 0..connections {
        let stream =
            TcpStream::connect(address).await.with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        running.spawn_local(connection(stream, Rc::clone(&request), Rc::clone(&due)));
    }
    let count = (rate * seconds) as usize;
    let start = Instant::now() + Duration::from_millis(50);
    schedule(&due, start, rate, count).await;
    let mut times = Times::default();
    while let Some(ended) = timeout(PATIENCE, running.join_next()).await.context("answers are missing")? {
        times.add(ended??);
    }
    ensure!(times.admitted.len() + times.shed.len() == count, "answers are missing");
    let sending = times.last_sent.context("nothing was sent")?.duration_since(start).as_secs_f64();
    println!(
        "offered={:.0} admitted_rate={:.0} {} {} {}",
        count as f64 / sending,
        times.admitted.len() as f64 / sending,
        summary("admitted", &mut times.admitted),
        summary("shed", &mut times.shed),
        summary("late", &mut times.late)
    );
    Ok(())
}

/// Lets every request come at its time.
async fn schedule(due: &Due, start: Instant, rate: f64, count: usize) {
    for number in 0..count {
        let at = start + Duration::from_secs_f64(number as f64 / rate);
        if at > Instant::now() {
            // As exact as the timer is: what it oversleeps counts into the times, never out of them.
            sleep_until(at).await;
        }
        due.requests.borrow_mut().push_back(at);
        due.arrived.notify_one();
    }
    *due.closed.borrow_mut() = true;
    due.arrived.notify_waiters();
}

/// Sends what is due, one at a time, until nothing comes any more.
async fn connection(mut stream: TcpStream, request: Rc<[u8]>, due: Rc<Due>) -> Result<Times> {
    let mut buffer = Vec::with_capacity(4096);
    let mut times = Times::default();
    loop {
        let arrived = due.arrived.notified();
        let next = due.requests.borrow_mut().pop_front();
        let Some(at) = next else {
            if *due.closed.borrow() {
                return Ok(times);
            }
            arrived.await;
            continue;
        };
        let sent = Instant::now();
        times.late.push(sent.duration_since(at));
        times.last_sent = Some(sent);
        stream.write_all(&request).await?;
        buffer.clear();
        let admitted = answer(&mut stream, &mut buffer).await?;
        if admitted { &mut times.admitted } else { &mut times.shed }.push(at.elapsed());
    }
}

/// Reads one answer and checks it; says whether the request was admitted.
async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<bool> {
    let body = loop {
        ensure!(stream.read_buf(buffer).await? > 0, "the connection was closed within an answer");
        ensure!(buffer.len() < LARGEST_ANSWER, "an answer is larger than {LARGEST_ANSWER} bytes");
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let head = std::str::from_utf8(&buffer[..body])?.to_ascii_lowercase();
    let header = |name: &str| {
        let of =
            |line: &'_ str| line.strip_prefix(name)?.strip_prefix(':').map(|value| value.trim().to_owned());
        head.lines().find_map(of)
    };
    let length: usize = header("content-length").context("an answer without a length")?.parse()?;
    while buffer.len() < body + length {
        ensure!(stream.read_buf(buffer).await? > 0, "the connection was closed within an answer");
    }
    let overloaded =
        header("natsgate-code").as_deref() == Some("overloaded") && header("retry-after").is_some();
    match head.split(' ').nth(1) {
        Some("200") if &buffer[body..] == BODY => Ok(true),
        Some("503") if overloaded => Ok(false),
        _ => bail!("an answer that is neither: {}", String::from_utf8_lossy(buffer)),
    }
}

/// How many there were, and their times in milliseconds.
fn summary(name: &str, times: &mut [Duration]) -> String {
    times.sort_unstable();
    let at = |share: f64| {
        let last = times.len().saturating_sub(1);
        let time = times.get((last as f64 * share).round() as usize).copied().unwrap_or_default();
        format!("{:.2}", time.as_secs_f64() * 1e3)
    };
    format!("{name}={} {name}_p50={} {name}_p99={} {name}_max={}", times.len(), at(0.50), at(0.99), at(1.0))
}
