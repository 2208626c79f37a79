//! `nats:` as written. Connecting by it is not done here.

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::elsewhere;
use super::scalar::{ByteSize, TimeSpan};
use super::secret::{Credentials, Secret};
use crate::yaml::Located;

/// The connection to NATS. At most one of `credentials`, `nkey`, `user` with `password`, and `token`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(transform = elsewhere::in_schema)]
pub struct Nats {
    /// Servers, any of which will do: `nats://host:port` or `tls://host:port`. Flag `--nats`, variable
    /// `NATSGATE_NATS_SERVERS` (comma between several). Default: `[nats://127.0.0.1:4222]`.
    #[schemars(length(min = 1))]
    pub servers: Vec<Located<String>>,
    /// The name under which the server lists this connection. Default: `natsgate`.
    pub name: String,
    /// Path of a credentials file (`nsc`); `{ env: NAME }` holds its path or its content. Read again at every
    /// reconnect.
    pub credentials: Option<Located<Credentials>>,
    /// Seed of a user nkey (`SU…`): `{ file: path }` or `{ env: NAME }`. Read again at every reconnect.
    pub nkey: Option<Located<Secret>>,
    /// User name; needs `password`.
    pub user: Option<Located<String>>,
    /// Password of `user`: `{ file: path }` or `{ env: NAME }`. Read again at every reconnect.
    pub password: Option<Located<Secret>>,
    /// Token: `{ file: path }` or `{ env: NAME }`. Read again at every reconnect.
    pub token: Option<Located<Secret>>,
    /// TLS. Without this key the servers decide, and the system's certificate authorities are trusted.
    pub tls: Option<Located<Tls>>,
    /// Connections that operations are spread over. One is enough for most. Default: 1.
    #[schemars(range(min = 1, max = 64))]
    pub connections: Located<u16>,
    /// Prefix of the subjects that replies come back on, where permissions restrict it. Default: `_INBOX`.
    pub inbox_prefix: Located<String>,
    /// How often an idle connection is checked. Default: `10s`.
    pub ping_interval: Located<TimeSpan>,
    /// The servers' `max_control_line`, which they do not tell: subject and inbox of a request must fit.
    /// Default: 4096 (bytes).
    pub max_control_line: Located<ByteSize>,
    /// Where JetStream is, if not in the account's own domain.
    pub jetstream: Option<Located<JetStream>>,
    /// Whether streams and subjects are compared with the live server, and the consumers of the streams that operations
    /// publish to are watched: `warn` tells what is missing, `off` is for streams of another account. Default: `warn`.
    pub start_checks: StartChecks,
}

impl Default for Nats {
    fn default() -> Nats {
        Nats {
            servers: vec![Located::default_of("nats://127.0.0.1:4222".to_owned())],
            name: "natsgate".to_owned(),
            credentials: None,
            nkey: None,
            user: None,
            password: None,
            token: None,
            tls: None,
            connections: Located::default_of(1),
            inbox_prefix: Located::default_of("_INBOX".to_owned()),
            ping_interval: Located::default_of(TimeSpan(Duration::from_secs(10))),
            max_control_line: Located::default_of(ByteSize(4096)),
            jetstream: None,
            start_checks: StartChecks::Warn,
        }
    }
}

/// TLS towards NATS. With `certificate` and `key` it is mutual.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(transform = elsewhere::in_schema)]
pub struct Tls {
    /// Certificate authorities (PEM) to trust instead of the system's.
    pub ca: Option<Located<PathBuf>>,
    /// Client certificate (PEM, with its chain); needs `key`.
    pub certificate: Option<Located<PathBuf>>,
    /// Private key (PEM) of `certificate`.
    pub key: Option<Located<PathBuf>>,
    /// Start TLS before the server speaks, for servers with `handshake_first`. Default: false.
    pub first: bool,
}

/// Where JetStream is: one of the two.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(transform = elsewhere::in_schema)]
pub struct JetStream {
    /// JetStream domain, as on a leaf node.
    #[schemars(example = &"hub")]
    pub domain: Option<Located<String>>,
    /// Prefix of the JetStream API, where another account exports it.
    #[schemars(example = &"JS.hub.API")]
    pub api_prefix: Option<Located<String>>,
}

/// Whether operations are compared with the live server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum StartChecks {
    /// Tell in log and `/ready` what is missing, and look again; the process runs on.
    #[default]
    Warn,
    /// Do not look.
    Off,
}
