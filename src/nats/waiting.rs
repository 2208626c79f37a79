//! The requests of one session that wait for their reply: who they are, and how each of them ends.
//! Knows no connection: the session feeds it replies, refusals and its own end.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_nats::Subject;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::message::{Failure, Reply};

/// The number of the session's own round trip, which no gauge counts.
const PROBE: u64 = 0;

type Outcome = Result<Reply, Failure>;

/// Places by their numbers.
type Table = HashMap<u64, Waiter, BuildHasherDefault<ByNumber>>;

/// Numbers are given one after another and by us alone: spread over the table, they need no defence.
#[derive(Default)]
struct ByNumber(u64);

impl Hasher for ByNumber {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(self.0.rotate_left(8) ^ u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        // Fibonacci hashing: the table looks at the highest and the lowest bits.
        self.0 = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32);
    }
}

/// All that wait in one session. Once it has ended nothing enters any more.
pub(super) struct Waiting {
    /// None: the session has ended.
    table: Mutex<Option<Table>>,
    next: AtomicU64,
    /// Over all sessions of a [`super::Nats`].
    total: Arc<AtomicUsize>,
}

struct Waiter {
    /// What was asked for: the server names a refused message by its subject alone.
    subject: Subject,
    outcome: oneshot::Sender<Outcome>,
}

impl Waiting {
    pub(super) fn new(total: Arc<AtomicUsize>) -> Self {
        Self { table: Mutex::new(Some(Table::default())), next: AtomicU64::new(PROBE + 1), total }
    }

    /// Takes a place. None: the session has ended. Numbers are never given twice.
    pub(super) fn enter(self: &Arc<Self>, subject: Subject) -> Option<Place> {
        let place = self.insert(self.next.fetch_add(1, Ordering::Relaxed), subject)?;
        Some(place)
    }

    /// Takes the place of the session's own round trip.
    pub(super) fn enter_probe(self: &Arc<Self>, subject: Subject) -> Option<Place> {
        self.insert(PROBE, subject)
    }

    fn insert(self: &Arc<Self>, number: u64, subject: Subject) -> Option<Place> {
        let (sender, outcome) = oneshot::channel();
        self.lock().as_mut()?.insert(number, Waiter { subject, outcome: sender });
        self.count(number, 1);
        Some(Place { number, outcome, waiting: Arc::clone(self), settled: false })
    }

    /// Hands an outcome to whoever has this number; a late one finds nobody.
    pub(super) fn settle(&self, number: u64, outcome: Outcome) {
        if let Some(waiter) = self.remove(number) {
            let _gone = waiter.outcome.send(outcome);
        }
    }

    /// Fails everyone who waits for an answer from this subject.
    pub(super) fn deny(&self, subject: &str) {
        let denied: Vec<u64> = match self.lock().as_ref() {
            Some(table) => {
                table.iter().filter(|(_, w)| w.subject.as_str() == subject).map(|(n, _)| *n).collect()
            }
            None => Vec::new(),
        };
        for number in denied {
            self.settle(number, Err(Failure::Denied { subject: subject.to_owned() }));
        }
    }

    /// Ends the session: from here on nobody enters, and everyone inside has lost the connection.
    pub(super) fn end(&self) {
        let table = self.lock().take();
        for (number, waiter) in table.into_iter().flatten() {
            self.discount(number);
            let _gone = waiter.outcome.send(Err(Failure::ConnectionLost));
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.lock().is_none()
    }

    /// How many wait, the session's own round trip not counted.
    pub(super) fn len(&self) -> usize {
        self.lock().as_ref().map_or(0, |table| table.len() - usize::from(table.contains_key(&PROBE)))
    }

    fn remove(&self, number: u64) -> Option<Waiter> {
        let waiter = self.lock().as_mut()?.remove(&number)?;
        self.discount(number);
        Some(waiter)
    }

    fn count(&self, number: u64, places: usize) {
        if number != PROBE {
            self.total.fetch_add(places, Ordering::Relaxed);
        }
    }

    fn discount(&self, number: u64) {
        if number != PROBE {
            self.total.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Table>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One place in the table, given up when it is dropped.
pub(super) struct Place {
    number: u64,
    outcome: oneshot::Receiver<Outcome>,
    waiting: Arc<Waiting>,
    settled: bool,
}

impl Place {
    /// The last token of the subject that this place's reply comes to.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Resolves when the outcome is known. Not to be polled again after that.
    pub(super) async fn outcome(&mut self) -> Outcome {
        let outcome = (&mut self.outcome).await;
        self.settled = true;
        outcome.unwrap_or(Err(Failure::ConnectionLost))
    }

    /// The outcome, or [`Failure::Timeout`] at the deadline.
    pub(super) async fn outcome_by(mut self, deadline: Instant) -> Outcome {
        timeout_at(deadline, self.outcome()).await.unwrap_or(Err(Failure::Timeout))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.settled {
            self.waiting.remove(self.number);
        }
    }
}
