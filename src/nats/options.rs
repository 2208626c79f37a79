//! How to reach NATS: the options of a connection, secrets included. Says nothing of where they were written.
//!
//! A secret is a source, not a text: it is read anew at every session, so that what was rotated is picked up.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// What [`super::Nats::start`] needs.
#[derive(Clone)]
pub struct Options {
    /// URLs with the scheme `nats` or `tls`; `user:password@` in one serves where `auth` is [`Auth::None`].
    pub servers: Vec<String>,
    /// The name under which the server lists the connection.
    pub name: String,
    /// Who to be on every server; read anew at every session.
    pub auth: Auth,
    /// TLS is used wherever the server demands it; this adds certificates, and demands it ourselves.
    pub tls: Option<Tls>,
    /// Connections side by side; a request takes the one with the fewest waiting requests.
    pub connections: usize,
    /// What replies are addressed to: `<inbox_prefix>.<unique>.<number>`.
    pub inbox_prefix: String,
    /// Time between two round trips on the own inbox; twice this without an answer ends a session.
    pub ping_interval: Duration,
    /// For one address of one server, handshake included.
    pub connect_timeout: Duration,
    /// Bytes of the longest protocol line that the servers take; they do not tell it.
    pub max_control_line: usize,
    /// Where the JetStream API listens; see [`api_prefix_of_domain`].
    pub api_prefix: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            servers: vec!["nats://127.0.0.1:4222".to_owned()],
            name: "natsgate".to_owned(),
            auth: Auth::None,
            tls: None,
            connections: 1,
            inbox_prefix: "_INBOX".to_owned(),
            ping_interval: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(2),
            max_control_line: 4096,
            api_prefix: "$JS.API".to_owned(),
        }
    }
}

impl Options {
    /// What can be told without a server; URLs are checked by whoever parses them.
    pub(super) fn check(&self) -> Result<(), OptionsError> {
        if self.connections == 0 || self.ping_interval.is_zero() || self.connect_timeout.is_zero() {
            return Err(OptionsError::Zero);
        }
        if self.tls.as_ref().is_some_and(|tls| tls.certificate.is_some() != tls.key.is_some()) {
            return Err(OptionsError::HalfClientCertificate);
        }
        let legal = |token: &str| {
            !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic() && b != b'*' && b != b'>')
        };
        if !self.inbox_prefix.split('.').all(legal) {
            return Err(OptionsError::BadInboxPrefix(self.inbox_prefix.clone()));
        }
        Ok(())
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let servers: Vec<_> = self.servers.iter().map(|url| without_credentials(url)).collect();
        f.debug_struct("Options")
            .field("servers", &servers)
            .field("name", &self.name)
            .field("auth", &self.auth)
            .field("tls", &self.tls)
            .field("connections", &self.connections)
            .field("inbox_prefix", &self.inbox_prefix)
            .finish_non_exhaustive()
    }
}

/// A URL as it may be shown.
pub(super) fn without_credentials(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").map_or(("", url), |(scheme, rest)| (scheme, rest));
    let place = rest.rsplit_once('@').map_or(rest, |(_credentials, place)| place);
    if scheme.is_empty() { place.to_owned() } else { format!("{scheme}://{place}") }
}

/// The API prefix of a JetStream domain.
pub fn api_prefix_of_domain(domain: &str) -> String {
    format!("$JS.{domain}.API")
}

/// Who we are to the server.
#[derive(Clone, Debug)]
pub enum Auth {
    /// No credentials, or those that stand in a server's URL.
    None,
    /// The content of a `.creds` file (JWT and seed); an environment variable may also hold the path of one.
    Credentials(Secret),
    /// The seed of an nkey.
    NKey(Secret),
    /// A user of the server's configuration.
    UserPassword {
        /// A source as well, since it often comes with the password.
        user: Secret,
        /// Sent as it is: protected on the wire by TLS alone.
        password: Secret,
    },
    /// The one token that all clients of a server share.
    Token(Secret),
}

/// Certificates, and whether the handshake precedes the server's greeting.
#[derive(Clone, Debug, Default)]
pub struct Tls {
    /// PEM file of the authorities to trust instead of the system's.
    pub ca: Option<PathBuf>,
    /// PEM file of the client's certificate chain; needs `key`.
    pub certificate: Option<PathBuf>,
    /// PEM file of the private key; needs `certificate`.
    pub key: Option<PathBuf>,
    /// The server is configured with `handshake_first`.
    pub first: bool,
}

/// Where a secret's text is found.
#[derive(Clone)]
pub enum Secret {
    /// The text itself; never shown, not even by `Debug`.
    Literal(String),
    /// Name of an environment variable.
    Env(String),
    /// Surrounding white space in the file is not part of the secret.
    File(PathBuf),
}

impl Secret {
    /// The text as of now. The error names the source, never a text.
    pub(super) async fn read(&self) -> Result<String, String> {
        match self {
            Self::Literal(text) => Ok(text.clone()),
            Self::Env(name) => {
                std::env::var(name).map_err(|_| format!("environment variable {name} is not set to a text"))
            }
            Self::File(path) => tokio::fs::read_to_string(path)
                .await
                .map(|text| text.trim().to_owned())
                .map_err(|error| format!("cannot read {}: {error}", path.display())),
        }
    }
}

impl Secret {
    /// The content of a credentials file, also where the text is the path of one.
    pub(super) async fn read_credentials(&self) -> Result<String, String> {
        let mut text = self.read().await?;
        if matches!(self, Self::Env(_)) && !text.contains("-----BEGIN ") {
            text = Self::File(text.into()).read().await?;
        }
        // The client crate finds no seed behind which the last line does not end.
        text.push('\n');
        Ok(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(_) => f.write_str("Literal(***)"),
            Self::Env(name) => write!(f, "Env({name})"),
            Self::File(path) => write!(f, "File({})", path.display()),
        }
    }
}

/// Options that can never work. Everything else is tried again for ever.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    /// The list of servers is empty.
    #[error("no server given; list at least one url such as nats://127.0.0.1:4222")]
    NoServer,
    /// The URL without its credentials.
    #[error("{url} is not a url of a nats server: {reason}; write nats://host:port or tls://host:port")]
    BadServer {
        /// Without its credentials.
        url: String,
        /// What is wrong with it, in lower case.
        reason: String,
    },
    /// Only one of [`Tls::certificate`] and [`Tls::key`] is given.
    #[error("a client certificate needs its key and a key its certificate; give both")]
    HalfClientCertificate,
    /// Replies could never arrive there.
    #[error("inbox prefix {0:?} is not a subject; use tokens joined by dots, without spaces and wildcards")]
    BadInboxPrefix(String),
    /// A number that has to be at least 1, or a time that would pass at once.
    #[error("connections, ping interval and connect timeout have to be above zero")]
    Zero,
}
