//! The stage that keeps the gateway upright: how many requests may be in flight, in all and per operation, and at what
//! rate they may come.
//!
//! A request over a limit is refused at once; nothing queues here. Places in flight are taken before anything is read or
//! asked, and after the operation has been found: a path that leads nowhere takes none, since its answer costs no more
//! than a refusal would.

mod keys;
mod limiter;
mod rate;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::problem::{Code, Problem};

pub use limiter::{Limiter, Standing};
pub use rate::{Per, RateLimit};

/// A number of requests that may be in flight together.
#[derive(Debug)]
pub struct InFlight {
    count: Arc<AtomicUsize>,
    limit: usize,
}

/// The right to be in flight; given back when dropped.
#[derive(Debug)]
pub struct Permit<'a> {
    _all: Place<'a>,
    _operation: Place<'a>,
}

/// The same, for what outlives the request's own future: a body that is still on its way.
#[derive(Debug)]
pub struct Kept {
    all: Arc<AtomicUsize>,
    operation: Arc<AtomicUsize>,
}

#[derive(Debug)]
struct Place<'a>(&'a Arc<AtomicUsize>);

impl Permit<'_> {
    /// Keeps it for as long as is needed.
    pub fn keep(self) -> Kept {
        let kept = Kept { all: Arc::clone(self._all.0), operation: Arc::clone(self._operation.0) };
        // The count goes over to what is kept.
        kept.all.fetch_add(1, Ordering::Relaxed);
        kept.operation.fetch_add(1, Ordering::Relaxed);
        kept
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.all.fetch_sub(1, Ordering::Relaxed);
        self.operation.fetch_sub(1, Ordering::Relaxed);
    }
}

impl InFlight {
    /// A limit of so many requests.
    pub fn new(limit: usize) -> InFlight {
        InFlight { count: Arc::default(), limit }
    }

    /// Another limit of the same requests: those that are in flight count for both.
    pub fn with_limit(&self, limit: usize) -> InFlight {
        InFlight { count: Arc::clone(&self.count), limit }
    }

    /// How many are in flight now.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// How many may be.
    pub fn limit(&self) -> usize {
        self.limit
    }

    fn enter(&self) -> Option<Place<'_>> {
        let place = Place(&self.count);
        // Taken first and looked at then: two that come together never both take the last place.
        let before = self.count.fetch_add(1, Ordering::Relaxed);
        (before < self.limit).then_some(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Admits one request to the limit of all operations and to the operation's own.
///
/// # Errors
/// `overloaded` if either is reached.
pub fn admit<'a>(all: &'a InFlight, operation: &'a InFlight) -> Result<Permit<'a>, Problem> {
    let overloaded = |what: &'static str| Problem::new(Code::Overloaded, what);
    let all =
        all.enter().ok_or_else(|| overloaded("the gateway has as many requests in flight as it may"))?;
    let operation = operation
        .enter()
        .ok_or_else(|| overloaded("this operation has as many requests in flight as it may"))?;
    Ok(Permit { _all: all, _operation: operation })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_was_refused_or_left_is_free_again() {
        let (all, operation) = (InFlight::new(3), InFlight::new(1));
        let first = admit(&all, &operation).unwrap();
        assert_eq!(admit(&all, &operation).unwrap_err().code, Code::Overloaded);
        assert_eq!((all.count(), operation.count()), (1, 1));
        drop(first);
        assert_eq!((all.count(), operation.count()), (0, 0));
        assert!(admit(&all, &operation).is_ok());
    }
}
