//! What is counted of an upstream, whatever its configuration is at the time.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use super::Failure;

/// The counts of one upstream.
#[derive(Debug, Default)]
pub struct Counts {
    in_flight: AtomicU64,
    connections: AtomicU64,
    failures: [AtomicU64; KINDS.len()],
    broken: AtomicU64,
}

/// Why a request was not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// No connection.
    Unreachable,
    /// No connection was free.
    Busy,
    /// It broke.
    Reset,
    /// No answer in time.
    Timeout,
    /// The client's body was never there as a whole.
    Client,
}

const KINDS: [(Kind, &str); 5] = [
    (Kind::Unreachable, "unreachable"),
    (Kind::Busy, "busy"),
    (Kind::Reset, "reset"),
    (Kind::Timeout, "timeout"),
    (Kind::Client, "client"),
];

impl Counts {
    /// Requests that are there, or whose answer still comes.
    pub fn in_flight(&self) -> u64 {
        self.in_flight.load(Relaxed)
    }

    /// Open connections.
    pub fn connections(&self) -> u64 {
        self.connections.load(Relaxed)
    }

    /// Requests without an answer, by kind.
    pub fn failures(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.failures.iter().zip(KINDS).map(|(count, (_, name))| (name, count.load(Relaxed)))
    }

    /// Answers that broke off.
    pub fn broken(&self) -> u64 {
        self.broken.load(Relaxed)
    }

    pub(super) fn enter(self: &Arc<Self>) -> Flight {
        self.in_flight.fetch_add(1, Relaxed);
        Flight(Arc::clone(self))
    }

    pub(super) fn failed(&self, failure: &Failure) {
        let kind = match failure {
            Failure::Unreachable(_) => Kind::Unreachable,
            Failure::Busy => Kind::Busy,
            Failure::Reset(_) => Kind::Reset,
            Failure::Timeout => Kind::Timeout,
            Failure::Client(_) | Failure::Stalled | Failure::TooLarge => Kind::Client,
        };
        if let Some(at) = KINDS.iter().position(|(one, _)| *one == kind) {
            self.failures[at].fetch_add(1, Relaxed);
        }
    }

    pub(super) fn broke(&self) {
        self.broken.fetch_add(1, Relaxed);
    }

    pub(super) fn opened(&self) {
        self.connections.fetch_add(1, Relaxed);
    }

    pub(super) fn closed(&self) {
        self.connections.fetch_sub(1, Relaxed);
    }
}

/// A request in flight, until dropped.
#[derive(Debug)]
pub(super) struct Flight(Arc<Counts>);

impl Flight {
    pub(super) fn counts(&self) -> &Counts {
        &self.0
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Relaxed);
    }
}
