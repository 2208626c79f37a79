//! The stage that keeps the gateway upright: how many requests may be in flight, in all and per operation.
//!
//! A request over a limit is refused at once; nothing queues here.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::problem::{Code, Problem};

/// A number of requests that may be in flight together.
#[derive(Debug, Clone)]
pub struct InFlight {
    permits: Arc<Semaphore>,
    limit: usize,
}

/// The right to be in flight; given back when dropped.
#[derive(Debug)]
pub struct Permit {
    _all: OwnedSemaphorePermit,
    _operation: OwnedSemaphorePermit,
}

impl InFlight {
    /// A limit of so many requests.
    pub fn new(limit: usize) -> InFlight {
        let limit = limit.min(Semaphore::MAX_PERMITS);
        InFlight { permits: Arc::new(Semaphore::new(limit)), limit }
    }

    /// How many are in flight now.
    pub fn count(&self) -> usize {
        self.limit.saturating_sub(self.permits.available_permits())
    }
}

/// Admits one request to the limit of all operations and to the operation's own.
///
/// # Errors
/// `overloaded` if either is reached.
pub fn admit(all: &InFlight, operation: &InFlight) -> Result<Permit, Problem> {
    let overloaded = |what: &'static str| Problem::new(Code::Overloaded, what);
    let all = Arc::clone(&all.permits)
        .try_acquire_owned()
        .map_err(|_| overloaded("the gateway has as many requests in flight as it may"))?;
    let operation = Arc::clone(&operation.permits)
        .try_acquire_owned()
        .map_err(|_| overloaded("this operation has as many requests in flight as it may"))?;
    Ok(Permit { _all: all, _operation: operation })
}
