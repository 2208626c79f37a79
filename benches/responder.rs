//! The service behind the programs of the benchmarks: a member of a queue group that sends back what it gets, at once or
//! after a fixed time.
//!
//! It speaks the few lines of the protocol that this needs, so that the cores belong to the programs that are compared
//! and not to the service behind them.

use std::collections::VecDeque;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};

#[derive(Parser)]
struct Arguments {
    #[arg(long)]
    nats: String,
    #[arg(long, default_value = "bench.echo")]
    subject: String,
    /// Milliseconds until a message is answered.
    #[arg(long, default_value_t = 0)]
    delay: u64,
}

const HELLO: &str = "CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true}\r\n";

/// Answers that wait for their time, the earliest first.
type Later = VecDeque<(Instant, Vec<u8>)>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let Arguments { nats, subject, delay } = Arguments::parse();
    let mut stream =
        TcpStream::connect(nats.trim_start_matches("nats://")).await.context("cannot connect")?;
    stream.set_nodelay(true)?;
    stream.write_all(format!("{HELLO}SUB {subject} bench 1\r\nPING\r\n").as_bytes()).await?;
    let (mut input, mut output) = (Vec::with_capacity(1 << 16), Vec::with_capacity(1 << 16));
    let (delay, mut later) = (Duration::from_millis(delay), Later::new());
    loop {
        let due = later.front().map(|(due, _)| *due);
        tokio::select! {
            read = stream.read_buf(&mut input) => {
                if read? == 0 {
                    bail!("the server has closed the connection");
                }
                let mut done = 0;
                while let Some(length) = answer(&input[done..], &mut output)? {
                    done += length;
                }
                input.drain(..done);
                if !delay.is_zero() && !output.is_empty() {
                    later.push_back((Instant::now() + delay, std::mem::take(&mut output)));
                }
            }
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
        }
        let now = Instant::now();
        while later.front().is_some_and(|(due, _)| *due <= now)
            && let Some((_, answers)) = later.pop_front()
        {
            output.extend_from_slice(&answers);
        }
        stream.write_all(&output).await?;
        output.clear();
    }
}

/// Answers the first whole protocol message; returns its length, or nothing if more bytes are needed.
fn answer(input: &[u8], output: &mut Vec<u8>) -> Result<Option<usize>> {
    let Some(end) = input.windows(2).position(|pair| pair == b"\r\n") else { return Ok(None) };
    let line = std::str::from_utf8(&input[..end])?;
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    let parts: Vec<&str> = rest.split_ascii_whitespace().collect();
    let (reply, head, total) = match (verb, parts.as_slice()) {
        ("MSG", [_, _, reply, total]) => (*reply, 0, total.parse::<usize>()?),
        ("HMSG", [_, _, reply, head, total]) => (*reply, head.parse::<usize>()?, total.parse::<usize>()?),
        ("PING", _) => {
            output.extend_from_slice(b"PONG\r\n");
            return Ok(Some(end + 2));
        }
        ("-ERR", _) => bail!("the server says {line}"),
        _ => return Ok(Some(end + 2)),
    };
    let start = end + 2;
    let Some(message) = input.get(start..start + total + 2) else { return Ok(None) };
    let payload = &message[head..total];
    output.extend_from_slice(format!("PUB {reply} {}\r\n", payload.len()).as_bytes());
    output.extend_from_slice(payload);
    output.extend_from_slice(b"\r\n");
    Ok(Some(start + total + 2))
}
