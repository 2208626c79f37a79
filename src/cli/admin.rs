//! A running gateway's admin listener, as commands ask it.

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use reqwest::{Client, RequestBuilder, StatusCode, Url};
use serde_json::Value;

/// The largest answer that is looked at; that of `/ready` grows with the operations.
const LONGEST: usize = 4 << 20;
/// The variable that has the token where no file has it.
const TOKEN: &str = "NATSGATE_ADMIN_TOKEN";

/// Which gateway.
#[derive(Debug, Args)]
pub(super) struct AdminArgs {
    /// The admin listener of the gateway: an address or a URL.
    #[arg(
        long,
        env = "NATSGATE_ADMIN_LISTEN",
        default_value = "127.0.0.1:9090",
        value_name = "URL",
        value_parser = admin
    )]
    pub(super) admin: Url,
}

/// By what right.
#[derive(Debug, Args)]
pub(super) struct TokenArgs {
    /// The file with the token of `server.admin_token`. Default: the variable `NATSGATE_ADMIN_TOKEN`, if there is one.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

impl TokenArgs {
    /// Puts the token on a request, if there is one.
    ///
    /// # Errors
    /// If its file cannot be read.
    pub(super) fn with(&self, request: RequestBuilder) -> anyhow::Result<RequestBuilder> {
        let token = match &self.token_file {
            None => std::env::var(TOKEN).ok(),
            Some(path) => {
                let text = std::fs::read_to_string(path);
                Some(text.with_context(|| format!("cannot read {}", path.display()))?)
            }
        };
        Ok(match token {
            Some(token) => request.bearer_auth(token.trim_end()),
            None => request,
        })
    }
}

/// A client of an admin listener; the whole answer may take so long.
pub(super) fn client(timeout: Duration) -> reqwest::Result<Client> {
    Client::builder().http1_only().no_proxy().timeout(timeout).build()
}

/// Sends a request. What is no JSON is answered as null.
///
/// # Errors
/// If no answer comes, or one without an end.
pub(super) async fn answer(url: &Url, request: RequestBuilder) -> anyhow::Result<(StatusCode, Value)> {
    let unreached = |error: reqwest::Error| {
        let cause = innermost(&error);
        anyhow::anyhow!("no answer from {url}: {cause}; name the admin listener with --admin")
    };
    let mut response = request.send().await.map_err(unreached)?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreached)? {
        anyhow::ensure!(body.len() + chunk.len() <= LONGEST, "the answer of {url} has no end");
        body.extend_from_slice(&chunk);
    }
    Ok((response.status(), serde_json::from_slice(&body).unwrap_or_default()))
}

/// The crate's own text says only that sending failed.
fn innermost(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it does not answer in time".to_owned();
    }
    let mut cause: &dyn Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

/// `127.0.0.1:9090` as well as `http://127.0.0.1:9090`, so that the value of `--admin-listen` will do. An address to
/// listen on everywhere is asked on the loopback interface.
fn admin(text: &str) -> Result<Url, String> {
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
