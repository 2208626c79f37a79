//! The connection to NATS: requests with their own reply correlation, publishing with acknowledgement, the stream API.
//!
//! Owns every byte that goes to a NATS server. It promises that a request which failed with
//! [`Failure::NotConnected`] or [`Failure::NoSlot`] is never sent later, and that whoever waits is told at once when
//! the connection goes. What a failure means to an HTTP client, and when to try again, is decided elsewhere.

mod api;
pub mod bucket;
mod connect;
pub mod headers;
mod link;
mod message;
mod options;
mod publish;
mod servers;
mod session;
mod status;
mod stored;
mod vitals;
mod waiting;

use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::Subject;
use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use self::link::{Link, Shared};
use self::servers::Servers;
use self::session::Session;
use self::waiting::Place;

pub use self::api::{ApiError, ApiFailure};
pub use self::message::{Failure, Outgoing, Reply, ServiceError};
pub use self::options::{Auth, Options, OptionsError, Secret, Tls, api_prefix_of_domain};
pub use self::publish::{PubAck, PublishFailure, publication, publish_once};
pub use self::status::{Server, Status};
pub use self::stored::{Select, StoredMessage, stored, stream_info, streams_capturing};

/// A handle on the connections to NATS. They are closed when the last handle is gone.
#[derive(Clone)]
pub struct Nats {
    shared: Arc<Shared>,
    _stop: Arc<DropGuard>,
}

impl Nats {
    /// Starts to connect and returns at once. To be called inside a tokio runtime.
    ///
    /// # Errors
    /// Options that can never work. A server that cannot be reached is none: it is tried for ever.
    pub fn start(options: Options) -> Result<Self, OptionsError> {
        options.check()?;
        let servers = Servers::parse(&options.servers)?;
        let stop = CancellationToken::new();
        let shared = Arc::new(Shared {
            links: (0..options.connections).map(|_| Link::default()).collect(),
            options,
            servers,
            waiting: Arc::new(AtomicUsize::new(0)),
            changes: watch::Sender::new(0),
            reconnects: AtomicU64::new(0),
            last_error: Mutex::new(None),
            stop: stop.clone(),
            tasks: TaskTracker::new(),
        });
        for index in 0..shared.links.len() {
            shared.tasks.spawn(link::supervise(Arc::clone(&shared), index));
        }
        Ok(Self { shared, _stop: Arc::new(stop.drop_guard()) })
    }

    /// Sends a message and waits for its one reply, until `deadline`, which covers everything.
    ///
    /// # Errors
    /// See [`Failure`]. When the future is dropped nobody waits any more; the message may have been sent.
    pub async fn request(&self, message: Outgoing, deadline: Instant) -> Result<Reply, Failure> {
        let (session, place) = self.enter(&message.subject).ok_or(Failure::NotConnected)?;
        session.request(place, message, deadline).await
    }

    /// Whether a request could be sent right now.
    pub fn is_connected(&self) -> bool {
        self.session().is_some()
    }

    /// Waits until a request could be sent; false if that has not come by `until`, or never will because of
    /// [`Self::shutdown`].
    pub async fn connected(&self, until: Instant) -> bool {
        let mut changes = self.changes();
        loop {
            changes.mark_unchanged();
            if self.is_connected() {
                return true;
            }
            let changed = tokio::select! {
                changed = timeout_at(until, changes.changed()) => matches!(changed, Ok(Ok(()))),
                () = self.shared.stop.cancelled() => false,
            };
            if !changed {
                return self.is_connected();
            }
        }
    }

    /// A counter that grows with every connect and every loss.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }

    /// The state of things, for people and for readiness.
    pub fn status(&self) -> Status {
        let sessions: Vec<_> = self.shared.links.iter().filter_map(Link::session).collect();
        let server = sessions.first().map(|session| session.server());
        Status {
            connections: self.shared.links.len(),
            connected: sessions.len(),
            server: server.map(|info| Server { name: info.server_name, version: info.version }),
            max_payload: sessions.iter().map(|session| session.max_payload()).min(),
            waiting: self.waiting(),
            reconnects: self.shared.reconnects.load(Ordering::Relaxed),
            last_error: self.shared.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    /// Bytes of the largest message, headers included, that every connected server takes. None: not connected.
    pub fn max_payload(&self) -> Option<usize> {
        self.shared.links.iter().filter_map(Link::session).map(|session| session.max_payload()).min()
    }

    /// Requests that wait for their reply.
    pub fn waiting(&self) -> usize {
        self.shared.waiting.load(Ordering::Relaxed)
    }

    /// Where the JetStream API listens.
    pub fn api_prefix(&self) -> &str {
        &self.shared.options.api_prefix
    }

    /// Waits for what is in flight, closes the connections and ends every task, all of it by `until`.
    /// Nothing can be sent afterwards, with any handle.
    pub async fn shutdown(&self, until: Instant) {
        while self.waiting() > 0 && Instant::now() < until {
            sleep(Duration::from_millis(5)).await;
        }
        self.shared.stop.cancel();
        self.close_links(until).await;
        self.shared.tasks.close();
        let _late = timeout_at(until, self.shared.tasks.wait()).await;
        // A supervisor may have brought in a session while it was told to stop.
        self.close_links(until).await;
    }

    async fn close_links(&self, until: Instant) {
        let sessions: Vec<_> = self.shared.links.iter().filter_map(Link::take).collect();
        join_all(sessions.iter().map(|session| session.close(until))).await;
    }

    /// The session with the fewest waiting requests.
    fn session(&self) -> Option<Arc<Session>> {
        match self.shared.links.as_slice() {
            [only] => only.session(),
            links => links.iter().filter_map(Link::session).min_by_key(|session| session.waiting()),
        }
    }

    fn enter(&self, subject: &Subject) -> Option<(Arc<Session>, Place)> {
        // Twice, since a session may be replaced between the look and the entry.
        for _ in 0..2 {
            let session = self.session()?;
            if let Some(place) = session.enter(subject.clone()) {
                return Some((session, place));
            }
        }
        None
    }
}

impl fmt::Debug for Nats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nats").field("options", &self.shared.options).finish_non_exhaustive()
    }
}
