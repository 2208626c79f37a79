//! The service behind both programs of the benchmark: a member of a queue group that sends back what it gets.
//!
//! It speaks the few lines of the protocol that this needs, so that the cores belong to the programs that are compared
//! and not to the service behind them.

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

#[derive(Parser)]
struct Arguments {
    #[arg(long)]
    nats: String,
}

const HELLO: &[u8] =
    b"CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true}\r\nSUB bench.echo bench 1\r\nPING\r\n";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let mut stream =
        TcpStream::connect(arguments.nats.trim_start_matches("nats://")).await.context("cannot connect")?;
    stream.set_nodelay(true)?;
    stream.write_all(HELLO).await?;
    let (mut input, mut output) = (Vec::with_capacity(1 << 16), Vec::with_capacity(1 << 16));
    loop {
        if stream.read_buf(&mut input).await? == 0 {
            bail!("the server has closed the connection");
        }
        let mut done = 0;
        while let Some(length) = answer(&input[done..], &mut output)? {
            done += length;
        }
        input.drain(..done);
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
