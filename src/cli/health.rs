//! `natsgate health`: asks a running gateway on its admin listener, for images and units that hold no other HTTP client.

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::bail;
use clap::Args;
use reqwest::{Client, StatusCode, Url};
use serde_json::Value;

use super::{DONE, FAILED};

/// The largest answer that is looked at; that of `/ready` grows with the operations.
const LONGEST: usize = 4 << 20;

/// Whom to ask, and what.
#[derive(Debug, Args)]
pub(super) struct HealthArgs {
    /// The admin listener of the gateway: an address or a URL.
    #[arg(
        long,
        env = "NATSGATE_ADMIN_LISTEN",
        default_value = "127.0.0.1:9090",
        value_name = "URL",
        value_parser = admin
    )]
    admin: Url,
    /// Ask whether the process lives, not whether it takes traffic.
    #[arg(long)]
    live: bool,
    /// How long the answer may take.
    #[arg(long, default_value = "3s", value_parser = humantime::parse_duration, value_name = "TIME")]
    timeout: Duration,
}

pub(super) async fn run(args: HealthArgs) -> anyhow::Result<u8> {
    let path = if args.live { "/live" } else { "/ready" };
    let url = args.admin.join(path)?;
    let (status, body) = ask(&url, args.timeout).await?;
    Ok(match (status, args.live) {
        (StatusCode::OK, true) => told("live", DONE),
        (StatusCode::OK, false) => told("ready", DONE),
        (StatusCode::SERVICE_UNAVAILABLE, false) => told(&format!("not ready: {}", reason(&body)), FAILED),
        (status, _) => bail!("{url} answers {}; is it the admin listener (server.admin)?", status.as_u16()),
    })
}

async fn ask(url: &Url, timeout: Duration) -> anyhow::Result<(StatusCode, Value)> {
    let client = Client::builder().http1_only().no_proxy().timeout(timeout).build()?;
    let unreached = |error: reqwest::Error| {
        let cause = innermost(&error);
        anyhow::anyhow!("no answer from {url}: {cause}; name the admin listener with --admin")
    };
    let mut response = client.get(url.clone()).send().await.map_err(unreached)?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreached)? {
        anyhow::ensure!(body.len() + chunk.len() <= LONGEST, "the answer of {url} has no end");
        body.extend_from_slice(&chunk);
    }
    Ok((response.status(), serde_json::from_slice(&body).unwrap_or_default()))
}

/// The crate's own text says only that sending failed.
pub(super) fn innermost(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it does not answer in time".to_owned();
    }
    let mut cause: &dyn Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

fn reason(ready: &Value) -> &'static str {
    match (ready["draining"].as_bool(), ready["nats"]["connected"].as_bool()) {
        (Some(true), _) => "it is draining",
        (_, Some(false)) => "NATS is not connected",
        _ => "it does not say why",
    }
}

fn told(line: &str, code: u8) -> u8 {
    println!("{line}");
    code
}

/// `127.0.0.1:9090` as well as `http://127.0.0.1:9090`, so that the value of `--admin-listen` will do. An address to
/// listen on everywhere is asked on the loopback interface.
pub(super) fn admin(text: &str) -> Result<Url, String> {
    let url = match text.parse::<SocketAddr>() {
        Ok(address) => format!("http://{}", reachable(address)),
        Err(_) => text.to_owned(),
    };
    match Url::parse(&url) {
        Ok(url) if url.scheme() == "http" && url.has_host() => Ok(url),
        _ => Err("write an address or a URL: 127.0.0.1:9090, http://127.0.0.1:9090".to_owned()),
    }
}

fn reachable(address: SocketAddr) -> SocketAddr {
    let host = match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => std::net::Ipv4Addr::LOCALHOST.into(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => std::net::Ipv6Addr::LOCALHOST.into(),
        other => other.ip(),
    };
    SocketAddr::new(host, address.port())
}
