//! When NATS is left alone for a while, because one request after another failed there.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::time::Duration;

use tokio::time::Instant;

use crate::problem::Code;

/// Counts failures in a row; clones share them.
#[derive(Debug, Clone)]
pub struct Breaker {
    state: Arc<State>,
    failures: u32,
    open_for: Duration,
}

#[derive(Debug)]
struct State {
    start: Instant,
    failures: AtomicU32,
    /// Milliseconds after the start; 0: closed.
    open_until: AtomicU64,
}

impl Breaker {
    /// One that opens after so many failures in a row, for so long.
    pub fn new(failures: u32, open_for: Duration) -> Breaker {
        let state =
            State { start: Instant::now(), failures: AtomicU32::new(0), open_until: AtomicU64::new(0) };
        Breaker { state: Arc::new(state), failures, open_for }
    }

    /// The same with other settings: what has been counted stays.
    #[must_use]
    pub fn after(self, former: &Breaker) -> Breaker {
        Breaker { state: Arc::clone(&former.state), ..self }
    }

    /// Whether a request may try. Once the time is over, one may, and the others wait for what comes of it.
    pub fn lets_through(&self) -> bool {
        let until = self.state.open_until.load(Relaxed);
        if until == 0 {
            return true;
        }
        let now = self.now();
        now >= until
            && self.state.open_until.compare_exchange(until, self.later(now), Relaxed, Relaxed).is_ok()
    }

    /// Notes what came of a request: a problem, or an answer. What is not NATS's fault says nothing. Says whether this
    /// one opened it.
    pub fn note(&self, code: Option<Code>) -> bool {
        match code {
            None | Some(Code::ServiceError | Code::BadReply) => {
                self.succeeded();
                false
            }
            Some(code) if code.falls_back() || matches!(code, Code::Timeout | Code::ConnectionLost) => {
                self.failed()
            }
            Some(_) => false,
        }
    }

    /// A request got through.
    pub fn succeeded(&self) {
        // Written only where it changes something: this is said for every request.
        if self.state.failures.load(Relaxed) != 0 {
            self.state.failures.store(0, Relaxed);
        }
        if self.state.open_until.load(Relaxed) != 0 {
            self.state.open_until.store(0, Relaxed);
        }
    }

    /// A request failed. Says whether this one opened it.
    pub fn failed(&self) -> bool {
        let failures = self.state.failures.fetch_add(1, Relaxed).saturating_add(1);
        failures >= self.failures && self.state.open_until.swap(self.later(self.now()), Relaxed) == 0
    }

    /// Whether NATS is left alone now.
    pub fn is_open(&self) -> bool {
        self.state.open_until.load(Relaxed) > self.now()
    }

    fn later(&self, now: u64) -> u64 {
        now + self.open_for.as_millis() as u64
    }

    fn now(&self) -> u64 {
        // Never 0, which says that it is closed.
        self.state.start.elapsed().as_millis() as u64 + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaker() -> Breaker {
        Breaker::new(3, Duration::from_secs(10))
    }

    #[tokio::test(start_paused = true)]
    async fn failures_in_a_row_open_it_and_one_request_at_a_time_looks_again() {
        let breaker = breaker();
        for _ in 0..2 {
            breaker.note(Some(Code::NoResponders));
            assert!(breaker.lets_through());
        }
        breaker.note(Some(Code::Timeout));
        assert!(breaker.is_open() && !breaker.lets_through());
        tokio::time::advance(Duration::from_secs(11)).await;
        assert!(breaker.lets_through(), "one looks");
        assert!(!breaker.lets_through(), "the others wait for what comes of it");
        breaker.note(Some(Code::NoResponders));
        assert!(breaker.is_open());
        tokio::time::advance(Duration::from_secs(11)).await;
        assert!(breaker.lets_through());
        breaker.note(None);
        assert!(!breaker.is_open() && breaker.lets_through() && breaker.lets_through());
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_never_tells_what_came_of_it_keeps_nobody_out_forever() {
        let breaker = breaker();
        assert_eq!((0..3).filter(|_| breaker.note(Some(Code::NatsUnavailable))).count(), 1, "it opens once");
        for _ in 0..3 {
            tokio::time::advance(Duration::from_secs(11)).await;
            assert!(breaker.lets_through());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_the_fault_of_nats_opens_nothing() {
        let breaker = breaker();
        for code in [Code::InvalidBody, Code::Forbidden, Code::Overloaded, Code::BodyTooLarge] {
            let _ = (0..9).filter(|_| breaker.note(Some(code))).count();
        }
        let _ = (0..2).filter(|_| breaker.note(Some(Code::Timeout))).count();
        breaker.note(Some(Code::ServiceError));
        let _ = (0..2).filter(|_| breaker.note(Some(Code::Timeout))).count();
        assert!(!breaker.is_open(), "an answer in between ends the row");
    }

    #[tokio::test(start_paused = true)]
    async fn another_table_counts_on() {
        let former = breaker();
        let _ = (0..2).filter(|_| former.note(Some(Code::Timeout))).count();
        let breaker = Breaker::new(3, Duration::from_secs(1)).after(&former);
        breaker.note(Some(Code::Timeout));
        assert!(breaker.is_open() && former.is_open());
    }
}
