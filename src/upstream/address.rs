//! One address of an upstream: its connections, and whether it is left alone for a while.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU32, AtomicU64};

use http::header::UPGRADE;
use http::{Request, Response};
use tokio::time::Instant;

use super::connect::Connector;
use super::counts::Counts;
use super::endpoint::Endpoint;
use super::http1::{Connection, told};
use super::pool::{Place, Pool};
use super::upload::Upload;
use super::{Answer, Attempt, Failure, Options, Protocol, http2};

/// One address.
#[derive(Debug)]
pub(super) struct Address {
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) peer: SocketAddr,
    pub(super) options: Arc<Options>,
    pub(super) pool: Arc<Pool>,
    connector: Arc<Connector>,
    http2: http2::Shared,
    began: Instant,
    /// Failures in a row.
    failures: AtomicU32,
    /// Until when it is left alone, in milliseconds.
    alone_until: AtomicU64,
}

/// How an address is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressState {
    /// Address and port.
    pub address: SocketAddr,
    /// It has failed, and is left alone if there is another one.
    pub left_alone: bool,
}

impl Address {
    pub(super) fn new(
        endpoint: Arc<Endpoint>,
        peer: SocketAddr,
        options: &Arc<Options>,
        connector: &Arc<Connector>,
        counts: &Arc<Counts>,
    ) -> Address {
        Address {
            endpoint,
            peer,
            options: Arc::clone(options),
            pool: Arc::new(Pool::new(options.max_connections, options.idle_timeout, counts)),
            connector: Arc::clone(connector),
            http2: http2::Shared::default(),
            began: Instant::now(),
            failures: AtomicU32::new(0),
            alone_until: AtomicU64::new(0),
        }
    }

    /// How it is.
    pub(super) fn state(&self) -> AddressState {
        AddressState { address: self.peer, left_alone: self.is_left_alone() }
    }

    /// Whether it is left alone, if there is another one.
    pub(super) fn is_left_alone(&self) -> bool {
        self.failures.load(Relaxed) >= self.options.failures && self.alone_until.load(Relaxed) > self.now()
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// It has answered.
    pub(super) fn succeeded(&self) {
        if self.failures.load(Relaxed) != 0 {
            self.failures.store(0, Relaxed);
        }
    }

    /// It has not, if it was to blame.
    pub(super) fn failed(&self, failure: &Failure) {
        if !matches!(failure, Failure::Unreachable(_) | Failure::Reset(_) | Failure::Timeout) {
            return;
        }
        let failures = self.failures.fetch_add(1, Relaxed).saturating_add(1);
        if failures >= self.options.failures {
            let alone = u64::try_from(self.options.retry_after.as_millis()).unwrap_or(u64::MAX);
            self.alone_until.store(self.now().saturating_add(alone), Relaxed);
        }
    }

    /// Carries one request. One that a connection which rested has given back unsent goes on another one.
    pub(super) async fn send(
        self: &Arc<Self>,
        request: Request<Upload>,
        due: Instant,
    ) -> Result<Response<Answer>, Attempt> {
        let only_http1 = self.options.protocol == Protocol::Http1 || request.headers().contains_key(UPGRADE);
        if self.options.protocol == Protocol::Http2 {
            return Box::pin(self.send_shared(request, due)).await;
        }
        let mut request = request;
        loop {
            if !only_http1 && let Some(sender) = self.http2.sender() {
                return Box::pin(http2::exchange(sender, request, self)).await;
            }
            let place = match self.pool.take() {
                Some(place) => Some(place),
                None => Box::pin(self.pool.wait(due)).await,
            };
            let connection = match place {
                None => return Err(unsent(request, Failure::Busy)),
                Some(Place::Connection(connection)) => {
                    match connection.exchange(request, self).await {
                        Err(Attempt::Unsent(back, _)) => request = *back,
                        ended => return ended,
                    }
                    continue;
                }
                Some(Place::Slot(slot)) => match Box::pin(self.connect(only_http1, slot, due)).await {
                    Ok(connected) => connected,
                    Err(failure) => return Err(unsent(request, failure)),
                },
            };
            return match connection {
                Connected::Http1(connection) => connection.exchange(request, self).await,
                Connected::Http2(sender) => Box::pin(http2::exchange(sender, request, self)).await,
            };
        }
    }

    /// Carries one request by HTTP/2.
    async fn send_shared(
        self: &Arc<Self>,
        request: Request<Upload>,
        due: Instant,
    ) -> Result<Response<Answer>, Attempt> {
        let mut request = request;
        // A connection that ends just then gives it back, at most as often as there is time.
        loop {
            let sender = match self.http2.sender() {
                Some(sender) => sender,
                None => match self.share(due).await {
                    Ok(sender) => sender,
                    Err(failure) => return Err(unsent(request, failure)),
                },
            };
            match http2::exchange(sender, request, self).await {
                Err(Attempt::Unsent(back, _)) if Instant::now() < due => request = *back,
                ended => return ended,
            }
        }
    }

    async fn share(&self, due: Instant) -> Result<http2::Sender, Failure> {
        let late = || Failure::Unreachable("not connected in time".to_owned());
        let connecting = self.http2.connecting.lock();
        let _connecting = tokio::time::timeout_at(due, connecting).await.map_err(|_| late())?;
        if let Some(sender) = self.http2.sender() {
            return Ok(sender);
        }
        let slot = match self.pool.wait(due).await {
            Some(Place::Slot(slot)) => slot,
            _ => return Err(Failure::Busy),
        };
        let transport = self.connector.connect(self, false, due).await?;
        if self.endpoint.is_secure() && !transport.speaks_http2() {
            return Err(Failure::Unreachable("it does not speak HTTP/2".to_owned()));
        }
        let begun = self.http2.begin(transport, slot);
        tokio::time::timeout_at(due, begun).await.map_err(|_| late())?
    }

    async fn connect(
        &self,
        only_http1: bool,
        slot: super::pool::Slot,
        due: Instant,
    ) -> Result<Connected, Failure> {
        let transport = self.connector.connect(self, only_http1, due).await?;
        if transport.speaks_http2() {
            return Ok(Connected::Http2(match self.http2.sender() {
                Some(sender) => sender,
                None => self.http2.begin(transport, slot).await?,
            }));
        }
        let begun = Connection::begin(transport, slot).await;
        begun.map(Connected::Http1).map_err(|error| Failure::Unreachable(told(&error)))
    }
}

/// A new connection.
enum Connected {
    Http1(Box<Connection>),
    Http2(http2::Sender),
}

fn unsent(request: Request<Upload>, failure: Failure) -> Attempt {
    Attempt::Unsent(Box::new(request), failure)
}
