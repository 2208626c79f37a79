//! `server:` as written. What listens and drains by it is not here.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::elsewhere;
use super::scalar::{self, ByteSize, Network, TimeSpan};
use super::secret::Secret;
use crate::tls::Files;
use crate::yaml::Located;

/// The process: addresses, draining, limits of all operations together.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(transform = elsewhere::in_schema)]
pub struct Server {
    /// Address of the public listener. Flag `--listen`, variable `NATSGATE_LISTEN`. Default: `0.0.0.0:8080`.
    #[serde(deserialize_with = "scalar::address")]
    #[schemars(with = "String", regex(pattern = "^.+:[0-9]+$"), example = &"0.0.0.0:8080")]
    pub listen: Located<SocketAddr>,
    /// Address of the admin listener (`/live`, `/ready`, `/metrics`, `/api`, the console). Flag `--admin-listen`, variable `NATSGATE_ADMIN_LISTEN`.
    /// Default: `127.0.0.1:9090`.
    #[serde(deserialize_with = "scalar::address")]
    #[schemars(with = "String", regex(pattern = "^.+:[0-9]+$"), example = &"127.0.0.1:9090")]
    pub admin: Located<SocketAddr>,
    /// What `/api` and the console's data ask for, as `Authorization: Bearer`: 24 visible ASCII characters or more. A file
    /// is read again when it changes. Probes and metrics need no token. Default: none, and then only clients on the
    /// gateway's own host are answered.
    pub admin_token: Option<Located<Secret>>,
    /// Where the public listener has the published document: a page at this path (`/docs`), and below it `openapi.json` and
    /// `openapi.yaml`. An operation of the same path wins. Default: only the admin listener has it, at `/docs`.
    #[schemars(regex(pattern = "^(/[A-Za-z0-9._~-]+)+$"))]
    pub docs: Option<Located<String>>,
    /// After SIGTERM `/ready` turns false, and for this long everything goes on as before, so that load
    /// balancers can look away. Default: `0s`.
    pub drain_delay: TimeSpan,
    /// After `drain_delay` no new connection is accepted, and what is in flight has this long to finish.
    /// Default: `20s`.
    pub drain: TimeSpan,
    /// Requests in flight, of all operations together; one more is answered 503 `overloaded` at once.
    /// Default: 4096.
    #[schemars(range(min = 1))]
    pub in_flight: Located<u32>,
    /// TLS of the public listener. Without this key it speaks plain HTTP.
    pub tls: Option<Located<ServerTls>>,
    /// How long a client may take.
    pub timeouts: Timeouts,
    /// Connections of the public listener. Where there are so many, those that have waited longest for a request are
    /// closed for new ones; while all are in a request, no other is accepted. Never more than the system's limit of open
    /// files leaves, which is told in the log. Default: 20000.
    #[schemars(range(min = 1))]
    pub max_connections: Located<u32>,
    /// Largest head of a request: all its header fields together; more is answered 431, and so are more than 100 fields.
    /// From `1KiB` to `1MiB`. Default: `64KiB`.
    pub max_headers: Located<ByteSize>,
    /// Longest path and query of a request, in bytes; more is answered 414. From 64 to 65534. Default: `8KiB`.
    pub max_uri: Located<ByteSize>,
    /// Proxies in front of the gateway, as addresses or networks (`10.0.0.0/8`): their `Forwarded`,
    /// `X-Forwarded-For` and `X-Request-Id` are believed, nobody else's. Where a request has the first two and they
    /// disagree, its client is `0.0.0.0`: let the proxy remove the one that it does not write. Default: none.
    pub trusted_proxies: Vec<Located<Network>>,
    /// Whether changed files of the configuration, its contracts and manifests are loaded by themselves, within about 2
    /// seconds after they stand still. SIGHUP does so in any case. Default: true.
    pub watch_files: bool,
    /// What must work for `/ready` to be true. `[nats]` follows the connection to NATS. By default nothing:
    /// if every instance left the load balancer when NATS is down, nobody would give the honest 503.
    pub ready_requires: Vec<ReadyRequirement>,
}

impl Default for Server {
    fn default() -> Server {
        Server {
            listen: Located::default_of(SocketAddr::from(([0, 0, 0, 0], 8080))),
            admin: Located::default_of(SocketAddr::from(([127, 0, 0, 1], 9090))),
            admin_token: None,
            docs: None,
            drain_delay: TimeSpan(Duration::ZERO),
            drain: TimeSpan(Duration::from_secs(20)),
            in_flight: Located::default_of(4096),
            tls: None,
            timeouts: Timeouts::default(),
            max_connections: Located::default_of(20_000),
            max_headers: Located::default_of(ByteSize(64 << 10)),
            max_uri: Located::default_of(ByteSize(8 << 10)),
            trusted_proxies: Vec::new(),
            watch_files: true,
            ready_requires: Vec::new(),
        }
    }
}

/// TLS towards clients: 1.2 and 1.3, HTTP/2 and HTTP/1.1. Renewed files are in use for new connections within about 3
/// seconds; files that cannot be used leave the former ones in use, which is logged.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = elsewhere::in_schema)]
pub struct ServerTls {
    /// Certificate (PEM, with its chain).
    pub certificate: Located<PathBuf>,
    /// Private key (PEM) of `certificate`.
    pub key: Located<PathBuf>,
    /// Certificate authorities (PEM) of the clients: with this key, only clients with a certificate of theirs connect.
    /// Default: no certificate is asked for.
    #[serde(default)]
    pub client_ca: Option<Located<PathBuf>>,
}

impl ServerTls {
    /// Its files.
    pub fn files(&self) -> Files {
        Files {
            certificate: self.certificate.value.clone(),
            key: self.key.value.clone(),
            client_ca: self.client_ca.as_ref().map(|path| path.value.clone()),
        }
    }
}

/// How long a client may take.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(transform = elsewhere::in_schema)]
pub struct Timeouts {
    /// For the whole head of a request, from its first byte, and of the first from the connection on; also for TLS to
    /// be agreed on. Default: `10s`.
    pub header: Located<TimeSpan>,
    /// For the whole body, inside the operation's own deadline; and for a client to take its answer, with a second more
    /// for each 4 KiB that it takes. Default: `30s`.
    pub body: Located<TimeSpan>,
    /// Between two requests of a connection; longer than what load balancers keep theirs for. Default: `75s`.
    pub idle: Located<TimeSpan>,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        let seconds = |seconds| Located::default_of(TimeSpan(Duration::from_secs(seconds)));
        Timeouts { header: seconds(10), body: seconds(30), idle: seconds(75) }
    }
}

/// Something that readiness can depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum ReadyRequirement {
    /// The connection to NATS.
    Nats,
}
