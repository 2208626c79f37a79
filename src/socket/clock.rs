//! What a connection waits for, and until when.
//!
//! Four parties share it: the transport tells which bytes come and go, the service which requests begin and end, the
//! connection's task asks when it has waited long enough, and the listener orders it to end. In the usual case, a
//! request whose head comes in one piece, one time is taken, at its end.

use std::any::Any;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Waker;
use std::time::Duration;

use tokio::time::Instant;

use super::Timeouts;
use super::streams::Streams;
use super::tunnel::{Duplex, HandedOver};

/// Not running. Times are microseconds since the start.
const NONE: u64 = u64::MAX;
/// Runs from now on: whoever reads this takes the time.
const BEGAN: u64 = u64::MAX - 1;
/// What a connection that was ordered to end may still take, if it is in no request.
const LAST: Duration = Duration::from_secs(1);
/// Bytes of an answer that buy a second more: slower than any line that people still use.
const PACE: u64 = 4096;

const STAY: u8 = 0;
const CLOSE: u8 = 1;
const MAKE_ROOM: u8 = 2;

/// The clock of one connection.
#[derive(Debug)]
pub struct Clock {
    start: Instant,
    timeouts: Timeouts,
    /// Requests in progress.
    turns: AtomicU32,
    /// When the first request must have begun; `NONE` once it has.
    first: AtomicU64,
    /// When the head that has begun must be complete.
    head: AtomicU64,
    /// When the last request ended, or an answer last went on.
    active: AtomicU64,
    /// Since when bytes wait to be taken, and how many were since then.
    stalled: AtomicU64,
    taken: AtomicU64,
    /// Something is due sooner than was known.
    sooner: AtomicBool,
    http2: AtomicBool,
    /// A body was not read to its end, so that nobody but the library knows what comes next.
    is_mid_body: AtomicBool,
    order: AtomicU8,
    /// By when an ordered end must have come.
    last: AtomicU64,
    expired: AtomicBool,
    /// Of HTTP/2: the requests that are not answered to the end.
    streams: Mutex<Streams>,
    /// What the connection is for, once its protocol has been switched.
    tunnel: Mutex<Option<Box<HandedOver>>>,
    /// The connection's task, the same for all its life.
    task: OnceLock<Waker>,
}

/// A request in progress; ended by dropping it. Clones are further parts of it.
#[derive(Debug)]
pub struct Turn(Arc<Clock>);

impl Turn {
    /// The request's body was not read to its end.
    pub fn body_is_left(&self) {
        self.0.is_mid_body.store(true, Relaxed);
    }

    /// The connection's protocol is switched with the answer: from then on this is at its other end.
    pub fn hand_over(&self, other: Box<dyn Duplex>) {
        self.0.tunnel().get_or_insert_default().other = Some(other);
    }

    /// Keeps something for as long as the tunnel stands.
    pub fn keep(&self, kept: impl Any + Send + Sync) {
        self.0.tunnel().get_or_insert_default().kept.push(Box::new(kept));
    }
}

impl Clone for Turn {
    fn clone(&self) -> Turn {
        self.0.turns.fetch_add(1, Relaxed);
        Turn(Arc::clone(&self.0))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.0.turns.fetch_sub(1, Relaxed) == 1 {
            self.0.active.store(self.0.now(), Relaxed);
        }
    }
}

impl Clock {
    /// The clock of a connection that has just been made.
    pub fn start(timeouts: Timeouts) -> Arc<Clock> {
        let clock = Clock {
            start: Instant::now(),
            timeouts,
            turns: AtomicU32::new(0),
            first: AtomicU64::new(micros(timeouts.header)),
            head: AtomicU64::new(NONE),
            active: AtomicU64::new(0),
            stalled: AtomicU64::new(NONE),
            taken: AtomicU64::new(0),
            sooner: AtomicBool::new(false),
            http2: AtomicBool::new(false),
            is_mid_body: AtomicBool::new(false),
            order: AtomicU8::new(STAY),
            last: AtomicU64::new(NONE),
            expired: AtomicBool::new(false),
            streams: Mutex::new(Streams::default()),
            tunnel: Mutex::default(),
            task: OnceLock::new(),
        };
        Arc::new(clock)
    }

    /// TLS has been agreed on: the time for the first head begins again.
    pub fn restart(&self) {
        self.first.store(self.now() + micros(self.timeouts.header), Relaxed);
    }

    /// A request begins: its head is complete.
    pub fn turn(self: &Arc<Self>) -> Turn {
        self.turns.fetch_add(1, Relaxed);
        self.first.store(NONE, Relaxed);
        // HTTP/2 may have the next head under way already; its transport reads the frames.
        if !self.http2.load(Relaxed) {
            self.head.store(NONE, Relaxed);
        }
        Turn(Arc::clone(self))
    }

    fn now(&self) -> u64 {
        micros(self.start.elapsed())
    }

    fn at(&self, micros: u64) -> Instant {
        self.start + Duration::from_micros(micros)
    }
}

/// What the transport tells.
impl Clock {
    /// Bytes came on HTTP/1.1, or before it is known what is spoken: outside of requests they begin a head.
    pub(super) fn heard(&self) {
        if self.turns.load(Relaxed) == 0 && self.head.load(Relaxed) == NONE {
            self.head.store(BEGAN, Relaxed);
        }
    }

    /// This is HTTP/2.
    pub(super) fn speaks_http2(&self) {
        self.http2.store(true, Relaxed);
        self.head.store(NONE, Relaxed);
    }

    /// Whether the head of an HTTP/2 request is under way; `begun`: one that was not known yet.
    pub(super) fn head(&self, under_way: bool, begun: bool) {
        if !under_way {
            self.head.store(NONE, Relaxed);
        } else if begun || self.head.load(Relaxed) == NONE {
            self.head.store(BEGAN, Relaxed);
        }
    }

    /// The requests of HTTP/2.
    pub(super) fn streams(&self) -> MutexGuard<'_, Streams> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An answer of HTTP/2 went on, though not to its end. Says when.
    pub(super) fn went_on(&self) -> u64 {
        let now = self.now();
        self.active.store(now, Relaxed);
        self.sooner.store(true, Relaxed);
        now
    }

    /// The other end takes no more bytes for now.
    pub(super) fn stall(&self) {
        if self.stalled.load(Relaxed) == NONE {
            self.taken.store(0, Relaxed);
            self.stalled.store(self.now(), Relaxed);
            self.sooner.store(true, Relaxed);
        }
    }

    /// It has taken so many.
    pub(super) fn took(&self, bytes: usize) {
        self.taken.fetch_add(bytes as u64, Relaxed);
    }

    /// It has taken everything.
    pub(super) fn flow(&self) {
        self.stalled.store(NONE, Relaxed);
        self.active.store(self.now(), Relaxed);
    }

    /// Whether its time is up.
    pub(super) fn is_expired(&self) -> bool {
        self.expired.load(Relaxed)
    }

    /// Whether a head has begun and is not complete.
    pub(super) fn is_in_head(&self) -> bool {
        self.head.load(Relaxed) != NONE
    }
}

/// What the connection's task asks.
impl Clock {
    fn tunnel(&self) -> MutexGuard<'_, Option<Box<HandedOver>>> {
        self.tunnel.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the connection is for from now on, if its protocol has been switched. It counts as a request.
    pub fn switched(self: &Arc<Self>) -> Option<(Box<HandedOver>, Turn)> {
        let handed = self.tunnel().take().filter(|handed| handed.other.is_some())?;
        Some((handed, self.turn()))
    }

    /// Lets orders reach the task that this is called from.
    pub fn attach(&self, task: &Waker) {
        if self.task.get().is_none() {
            let _ = self.task.set(task.clone());
        }
    }

    /// Whether something may be due sooner than when this was last asked.
    pub fn is_sooner(&self) -> bool {
        self.head.load(Relaxed) == BEGAN || (self.sooner.load(Relaxed) && self.sooner.swap(false, Relaxed))
    }

    /// When the time of this connection is up, as things are. Without a time it waits for us.
    pub fn due(&self) -> Option<Instant> {
        let now = self.now();
        if self.head.load(Relaxed) == BEGAN {
            self.head.store(now + micros(self.timeouts.header), Relaxed);
        }
        let body = micros(self.timeouts.body);
        let stalled = self.stalled.load(Relaxed);
        let mut due = match stalled {
            NONE => NONE,
            since => since + body + self.taken.load(Relaxed).saturating_mul(1_000_000) / PACE,
        };
        due = due.min(self.first.load(Relaxed)).min(self.head.load(Relaxed));
        if self.http2.load(Relaxed) {
            due = due.min(self.streams().oldest().map_or(NONE, |oldest| oldest + body));
        }
        if self.turns.load(Relaxed) == 0 {
            let idle = self.active.load(Relaxed) + micros(self.timeouts.idle);
            // What has begun has a time of its own.
            let waits_for_next = self.first.load(Relaxed) == NONE && stalled == NONE && !self.is_in_head();
            due = due.min(if waits_for_next { idle } else { NONE }).min(self.last.load(Relaxed));
        }
        (due != NONE).then(|| self.at(due))
    }

    /// When the connection will have been between two requests for so long, if nothing comes; the past if it has been.
    /// `None` while it is not, or cannot be known to be.
    pub fn resting(&self, time: Duration) -> Option<Instant> {
        let busy = self.is_in_request() || self.is_in_head() || self.first.load(Relaxed) != NONE;
        let known = !self.is_mid_body.load(Relaxed) && !self.http2.load(Relaxed);
        (known && !busy).then(|| self.at(self.active.load(Relaxed)) + time)
    }

    /// When to look again although nothing is due.
    pub fn later(&self) -> Instant {
        Instant::now() + self.timeouts.idle
    }

    /// What the listener has ordered since this was last asked, if it holds for this connection.
    pub fn order(&self) -> Option<Order> {
        if self.order.load(Relaxed) == STAY {
            return None;
        }
        let order = self.order.swap(STAY, Relaxed);
        let is_waiting = !self.is_in_request();
        if order == MAKE_ROOM && !is_waiting {
            return None;
        }
        if self.last.load(Relaxed) == NONE {
            self.last.store(self.now() + micros(LAST), Relaxed);
            self.sooner.store(true, Relaxed);
        }
        let has_asked = self.first.load(Relaxed) == NONE && !self.is_in_head();
        Some(if order == MAKE_ROOM && !has_asked { Order::Go } else { Order::Finish })
    }

    /// The time is up: reading fails from now on.
    pub fn expire(&self) {
        self.expired.store(true, Relaxed);
    }
}

/// What a connection shall do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Answer what was asked, and end.
    Finish,
    /// End.
    Go,
}

/// What the listener does.
impl Clock {
    /// Since when the connection is in no request; `None` if it is in one, or going already.
    pub fn waiting_since(&self) -> Option<Instant> {
        let waits = self.last.load(Relaxed) == NONE && !self.is_in_request();
        waits.then(|| self.at(self.active.load(Relaxed)))
    }

    fn is_in_request(&self) -> bool {
        self.turns.load(Relaxed) > 0
            || self.stalled.load(Relaxed) != NONE
            || (self.http2.load(Relaxed) && !self.streams().is_empty())
    }

    /// Orders it to end once it is in no request.
    pub fn close(&self) {
        self.command(CLOSE);
    }

    /// Orders it to make room for others, if it is in no request when it hears of it.
    pub fn make_room(&self) {
        self.command(MAKE_ROOM);
    }

    fn command(&self, order: u8) {
        self.order.store(order, Relaxed);
        if let Some(task) = self.task.get() {
            task.wake_by_ref();
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(BEGAN - 1).min(1 << 62)
}
