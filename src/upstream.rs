//! A legacy service over HTTP: its addresses, the connections to them, and how one request is carried there and its answer
//! back. Which headers travel is decided by whoever sends ([`crate::forward`]).
//!
//! An HTTP/1.1 connection is driven by the request that it carries, inside that request's own task, and rests in a pool
//! between two requests: nothing is spawned, and nobody is woken on another thread. HTTP/2 connections are shared, and
//! have a task each.
//!
//! What is said of a failure is never better than the truth: a request has not been executed only where not one byte of
//! it has left, and only then is it tried elsewhere.

mod address;
mod alarm;
mod connect;
mod counts;
mod download;
mod endpoint;
pub mod fields;
mod http1;
mod http2;
mod names;
mod pool;
mod tls;
mod transport;
mod upload;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::uri::PathAndQuery;
use http::{HeaderValue, Request, Response};
use tokio::time::Instant;

use crate::body::Body;
use address::Address;
pub use address::AddressState;
pub use counts::{Counts, Kind};
pub use download::Download;
use names::Names;
pub use transport::Tunnel;
use upload::Upload;

/// What is known of an upstream.
#[derive(Debug, Clone)]
pub struct Options {
    /// Its name in the configuration.
    pub name: String,
    /// Where it is, each a URL of scheme, host, port and a path that is put before every request's.
    pub urls: Vec<url::Url>,
    /// How long a connection may take to be made, TLS and other tries included.
    pub connect_timeout: Duration,
    /// How long the head of an answer may take, from the end of the request on.
    pub first_byte_timeout: Duration,
    /// How long a side may be silent in a body, and an unused connection is kept.
    pub idle_timeout: Duration,
    /// What is sent as `Host`.
    pub host: Host,
    /// How it is told who the client is.
    pub forwarded: Forwarded,
    /// Which version of HTTP is spoken.
    pub protocol: Protocol,
    /// How `https` addresses are trusted.
    pub tls: Tls,
    /// Connections to one address at a time.
    pub max_connections: usize,
    /// Failures in a row after which an address is left alone.
    pub failures: u32,
    /// How long it is left alone.
    pub retry_after: Duration,
}

/// What is sent as `Host`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// What the client sent.
    Original,
    /// Host and port of the URL.
    Upstream,
    /// This.
    Name(HeaderValue),
}

/// The headers that tell who the client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forwarded {
    /// `X-Forwarded-For` and its like.
    pub x_forwarded: bool,
    /// `Forwarded` (RFC 7239).
    pub standard: bool,
}

/// Which version of HTTP is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/2 where TLS agrees on it, else HTTP/1.1.
    Auto,
    /// HTTP/1.1.
    Http1,
    /// HTTP/2, also without TLS.
    Http2,
}

/// How `https` addresses are trusted, and what they are shown.
#[derive(Debug, Clone, Default)]
pub struct Tls {
    /// Authorities (PEM) instead of the system's.
    pub ca: Option<PathBuf>,
    /// Client certificate with its chain, and its key (PEM).
    pub identity: Option<(PathBuf, PathBuf)>,
    /// The name that certificates must have, instead of the URL's host.
    pub server_name: Option<String>,
}

/// A legacy service.
#[derive(Debug)]
pub struct Upstream {
    options: Arc<Options>,
    names: Arc<Names>,
    /// Whose turn it is.
    turn: AtomicUsize,
    counts: Arc<Counts>,
}

/// The body of an answer.
#[derive(Debug)]
pub enum Answer {
    /// All of it.
    Whole(bytes::Bytes),
    /// As it comes.
    Stream(Box<Download>),
    /// The connection itself: the protocol was switched (101).
    Tunnel(Tunnel),
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No connection could be made, or it broke before anything was written: nothing was executed.
    #[error("no connection: {0}")]
    Unreachable(String),
    /// All connections are in use, and none became free in time: nothing was sent.
    #[error("every connection is in use")]
    Busy,
    /// The connection broke after something had been written.
    #[error("the connection broke: {0}")]
    Reset(String),
    /// The head of the answer did not come in time.
    #[error("no answer in time")]
    Timeout,
    /// The client's body broke off, so that the upstream never had all of it.
    #[error("the client's body broke off: {0}")]
    Client(String),
    /// The client's body did not go on, so that the upstream never had all of it.
    #[error("the client's body did not go on")]
    Stalled,
    /// The client's body is longer than it may be, so that the upstream never had all of it.
    #[error("the client's body is too long")]
    TooLarge,
}

/// How one try ended without an answer.
enum Attempt {
    /// Nothing of the request has left, and here it is.
    Unsent(Box<Request<Upload>>, Failure),
    /// It may be under way.
    Failed(Failure),
}

impl Upstream {
    /// An upstream that nobody has connected to yet. What has been counted of a former one of its name goes on. Blocking.
    ///
    /// # Errors
    /// If its TLS files cannot be used.
    pub fn new(options: Options, former: Option<&Upstream>) -> Result<Upstream, String> {
        let counts = former.map_or_else(Arc::default, |former| Arc::clone(&former.counts));
        let options = Arc::new(options);
        let names = Arc::new(Names::new(&options, &counts)?);
        Ok(Upstream { options, names, turn: AtomicUsize::new(0), counts })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.options.name
    }

    /// What is known of it.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Aims a request at the first address, as if it were sent there; says its whole URL.
    pub fn aim<B>(&self, request: &mut Request<B>) -> Option<String> {
        let url = self.options.urls.first()?;
        let endpoint = endpoint::Endpoint::new(url, &self.options.host, &self.options.tls).ok()?;
        let target = request.uri().path_and_query().cloned()?;
        endpoint.aim(request, &target);
        Some(format!("{}://{}{}", url.scheme(), endpoint.authority(), request.uri()))
    }

    /// What has been counted.
    pub fn counts(&self) -> &Arc<Counts> {
        &self.counts
    }

    /// Its addresses as far as they are known, and how they are.
    pub fn addresses(&self) -> Vec<AddressState> {
        self.names.current().iter().map(|address| address.state()).collect()
    }

    /// Carries a request there, whose target is path and query, whose headers are as they shall be sent, and whose body
    /// may have so many bytes.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn send(&self, request: Request<Body>, longest: u64) -> Result<Response<Answer>, Failure> {
        let flight = self.counts.enter();
        let answered = self.try_each(Upload::of(request, longest)).await;
        match answered {
            Ok(mut response) => {
                if let Answer::Stream(download) = response.body_mut() {
                    download.count(flight);
                }
                Ok(response)
            }
            Err(failure) => {
                self.counts.failed(&failure);
                Err(failure)
            }
        }
    }

    /// Tries one address after the other, for as long as nothing has left.
    async fn try_each(&self, request: Request<Upload>) -> Result<Response<Answer>, Failure> {
        let due = Instant::now() + self.options.connect_timeout;
        let addresses = self.names.get(due).await?;
        let mut request = request;
        let target = request.uri().path_and_query().cloned();
        let target = target.unwrap_or_else(|| PathAndQuery::from_static("/"));
        let mut last = Failure::Unreachable("the name has no address".to_owned());
        for address in self.in_turn(&addresses) {
            address.endpoint.aim(&mut request, &target);
            match address.send(request, due).await {
                Ok(response) => {
                    address.succeeded();
                    return Ok(response);
                }
                Err(Attempt::Failed(failure)) => {
                    address.failed(&failure);
                    return Err(failure);
                }
                Err(Attempt::Unsent(back, failure)) => {
                    address.failed(&failure);
                    (request, last) = (*back, failure);
                }
            }
            if Instant::now() >= due {
                break;
            }
        }
        Err(last)
    }

    /// The addresses in the order in which they are tried. Those that are left alone come last: they are better than
    /// nothing.
    fn in_turn<'a>(&self, addresses: &'a [Arc<Address>]) -> InTurn<'a> {
        if let [only] = addresses {
            return InTurn::Only(Some(only));
        }
        let first = self.turn.fetch_add(1, Ordering::Relaxed) % addresses.len().max(1);
        let (before, from) = addresses.split_at(first);
        let (alone, mut order): (Vec<_>, Vec<_>) =
            from.iter().chain(before).partition(|address| address.is_left_alone());
        order.extend(alone);
        InTurn::Several(order.into_iter())
    }
}

/// Addresses, one after the other.
enum InTurn<'a> {
    Only(Option<&'a Arc<Address>>),
    Several(std::vec::IntoIter<&'a Arc<Address>>),
}

impl<'a> Iterator for InTurn<'a> {
    type Item = &'a Arc<Address>;

    fn next(&mut self) -> Option<&'a Arc<Address>> {
        match self {
            InTurn::Only(only) => only.take(),
            InTurn::Several(several) => several.next(),
        }
    }
}
