//! The connections to one address: how many there may be, and those that rest. The one that came last goes first, so that
//! as few as possible are kept.

use std::pin::pin;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Waker};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout_at};

use super::counts::Counts;
use super::http1::Connection;

/// How often those that rest are looked at.
const SWEEP: Duration = Duration::from_secs(5);

/// The connections to one address.
#[derive(Debug)]
#[allow(clippy::vec_box)] // they are moved for every request, and large
pub(super) struct Pool {
    resting: Mutex<Vec<Box<Connection>>>,
    slots: Arc<Slots>,
    /// How long one may rest.
    longest: Duration,
    is_swept: AtomicBool,
}

/// What a request gets.
pub(super) enum Place {
    /// A connection that rested.
    Connection(Box<Connection>),
    /// The right to make one.
    Slot(Slot),
}

#[derive(Debug)]
struct Slots {
    open: AtomicUsize,
    most: usize,
    waiting: AtomicUsize,
    freed: Notify,
    counts: Arc<Counts>,
}

/// The right to have a connection open; given back when dropped.
#[derive(Debug)]
pub(super) struct Slot(Arc<Slots>);

impl Slots {
    fn take(self: &Arc<Self>) -> Option<Slot> {
        let more = |open| (open < self.most).then_some(open + 1);
        self.open.fetch_update(SeqCst, SeqCst, more).ok()?;
        self.counts.opened();
        Some(Slot(Arc::clone(self)))
    }

    fn free(&self) {
        if self.waiting.load(SeqCst) > 0 {
            self.freed.notify_one();
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, SeqCst);
        self.0.counts.closed();
        self.0.free();
    }
}

/// Somebody who waits.
struct Waiting<'a>(&'a Slots);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, SeqCst);
        // Whatever has been freed for whoever has gone is for the next one.
        self.0.free();
    }
}

impl Pool {
    pub(super) fn new(most: usize, longest: Duration, counts: &Arc<Counts>) -> Pool {
        let slots = Slots {
            open: AtomicUsize::new(0),
            most,
            waiting: AtomicUsize::new(0),
            freed: Notify::new(),
            counts: Arc::clone(counts),
        };
        Pool { resting: Mutex::default(), slots: Arc::new(slots), longest, is_swept: AtomicBool::new(false) }
    }

    #[allow(clippy::vec_box)]
    fn resting(&self) -> MutexGuard<'_, Vec<Box<Connection>>> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection, or the right to make one, if there is one at once.
    pub(super) fn take(&self) -> Option<Place> {
        let rested = self.resting().pop();
        rested.map(Place::Connection).or_else(|| self.slots.take().map(Place::Slot))
    }

    /// The same in time.
    pub(super) async fn wait(&self, due: Instant) -> Option<Place> {
        let slots = &*self.slots;
        slots.waiting.fetch_add(1, SeqCst);
        let _waiting = Waiting(slots);
        loop {
            let mut freed = pin!(slots.freed.notified());
            freed.as_mut().enable();
            if let Some(place) = self.take() {
                return Some(place);
            }
            timeout_at(due, freed).await.ok()?;
        }
    }

    /// Takes a connection that rests from now on.
    pub(super) fn put(self: &Arc<Self>, connection: Box<Connection>) {
        self.resting().push(connection);
        self.slots.free();
        if !self.is_swept.load(SeqCst) && !self.is_swept.swap(true, SeqCst) {
            tokio::spawn(sweep(Arc::downgrade(self), self.longest.min(SWEEP)));
        }
    }

    /// Closes those that have rested for too long, and those whose other end has closed. Says whether any are left.
    fn close_old(&self) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        let now = Instant::now();
        let mut closed = Vec::new();
        let mut resting = self.resting();
        let mut at = 0;
        while let Some(connection) = resting.get_mut(at) {
            let is_old = now.saturating_duration_since(connection.rests_since()) >= self.longest;
            if is_old || !connection.is_alive(&mut context) {
                closed.push(resting.remove(at));
            } else {
                at += 1;
            }
        }
        let any = !resting.is_empty();
        if !any {
            self.is_swept.store(false, SeqCst);
        }
        drop(resting);
        any
    }
}

async fn sweep(pool: Weak<Pool>, every: Duration) {
    loop {
        sleep(every).await;
        if !pool.upgrade().is_some_and(|pool| pool.close_old()) {
            return;
        }
    }
}
