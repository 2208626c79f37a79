//! `upstreams:` and `fallback:` as written: the legacy services over HTTP. Connecting to them is not done here.

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::elsewhere;
use super::operation::SecurityAlternative;
use super::scalar::TimeSpan;
use crate::yaml::Located;

/// A legacy service over HTTP. Exactly one of `url` and `urls`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(transform = elsewhere::in_schema)]
pub struct Upstream {
    /// Where it is: `http://` or `https://`, host and port, and a path that is put before every request's. A name with
    /// several addresses is spread over all of them.
    #[schemars(example = &"http://common.internal:8000")]
    pub url: Option<Located<String>>,
    /// Several of them, which take turns. One that fails is left alone for a while.
    pub urls: Vec<Located<String>>,
    /// How long a connection may take to be made, TLS included. Default: `2s`.
    pub connect_timeout: Located<TimeSpan>,
    /// How long the head of an answer may take, from the end of the request on. Default: `30s`.
    pub first_byte_timeout: Located<TimeSpan>,
    /// How long either side may be silent in the middle of a body; a tunnel (WebSocket) is not ended by it. Also how
    /// long a connection that nobody uses is kept. Default: `60s`.
    pub idle_timeout: Located<TimeSpan>,
    /// What is sent as `Host`: `original` (what the client sent), `upstream` (host and port of the URL), or a name.
    /// Default: `original`.
    pub host: Located<String>,
    /// How the upstream is told who the client is. Default: `x_forwarded`.
    pub forwarded: Forwarded,
    /// Which version of HTTP is spoken. Default: `auto`.
    pub http: HttpVersion,
    /// TLS towards `https://` addresses. Default: the system's certificate authorities are trusted.
    pub tls: Option<Located<UpstreamTls>>,
    /// Connections to one address at a time; a request that finds none free waits for `connect_timeout` at most.
    /// Default: 1024.
    #[schemars(range(min = 1))]
    pub max_connections: Located<u32>,
    /// Failures in a row (no connection, broken, no answer in time) after which an address is left alone. Default: 3.
    #[schemars(range(min = 1))]
    pub failures: Located<u32>,
    /// How long it is left alone, if there is another one. Default: `10s`.
    pub retry_after: Located<TimeSpan>,
}

impl Default for Upstream {
    fn default() -> Upstream {
        let span = |seconds| Located::default_of(TimeSpan(Duration::from_secs(seconds)));
        Upstream {
            url: None,
            urls: Vec::new(),
            connect_timeout: span(2),
            first_byte_timeout: span(30),
            idle_timeout: span(60),
            host: Located::default_of("original".to_owned()),
            forwarded: Forwarded::XForwarded,
            http: HttpVersion::Auto,
            tls: None,
            max_connections: Located::default_of(1024),
            failures: Located::default_of(3),
            retry_after: span(10),
        }
    }
}

/// How an upstream is told who the client is. What clients say of themselves in these headers is passed on only if they
/// are trusted proxies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Forwarded {
    /// By `X-Forwarded-For`, `X-Forwarded-Host` and `X-Forwarded-Proto`.
    XForwarded,
    /// By `Forwarded` (RFC 7239).
    Standard,
    /// By both.
    Both,
    /// Not at all.
    Off,
}

/// Which version of HTTP is spoken with an upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum HttpVersion {
    /// HTTP/2 where TLS agrees on it, else HTTP/1.1.
    #[serde(rename = "auto")]
    Auto,
    /// HTTP/1.1.
    #[serde(rename = "1.1")]
    Http1,
    /// HTTP/2, also without TLS (prior knowledge).
    #[serde(rename = "2")]
    Http2,
}

/// TLS towards an upstream. With `certificate` and `key` it is mutual.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(transform = elsewhere::in_schema)]
pub struct UpstreamTls {
    /// Certificate authorities (PEM) to trust instead of the system's.
    pub ca: Option<Located<PathBuf>>,
    /// Client certificate (PEM, with its chain); needs `key`.
    pub certificate: Option<Located<PathBuf>>,
    /// Private key (PEM) of `certificate`.
    pub key: Option<Located<PathBuf>>,
    /// The name that the upstream's certificate must have. Default: the host of the URL.
    pub server_name: Option<Located<String>>,
}

/// Where a request goes that no operation matches.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fallback {
    /// The upstream's name.
    pub upstream: Located<String>,
    /// Who may call, as for an operation. Needed once `security` has a verifier; `[]` is open to everybody.
    #[serde(default)]
    pub security: Option<Located<Vec<SecurityAlternative>>>,
}
