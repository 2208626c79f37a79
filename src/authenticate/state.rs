//! What `/ready` tells of keys and users: how many, how old, and what went wrong last. Holds no secret.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

/// When something was last read, and what went wrong since then.
#[derive(Debug, Default)]
pub(super) struct Freshness(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    read: Option<Instant>,
    error: Option<String>,
}

impl Freshness {
    /// It was read now. Says whether that ends a failure.
    pub(super) fn succeeded(&self) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.read = Some(Instant::now());
        known.error.take().is_some()
    }

    /// It could not be read. Says whether that is news.
    pub(super) fn failed(&self, error: &str) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let news = known.error.as_deref() != Some(error);
        known.error = Some(error.to_owned());
        news
    }

    /// With how many there are.
    pub(super) fn with(&self, count: usize) -> Entries {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Entries { count, age: known.read.map(|read| read.elapsed()), last_error: known.error.clone() }
    }
}

/// The keys or users of a verifier, or of one issuer of it. They are not here themselves.
#[derive(Debug, Clone)]
pub struct Entries {
    /// How many there are.
    pub count: usize,
    /// Since they were read; none if they never were.
    pub age: Option<Duration>,
    /// Why they could not be read at the last try; none if they could.
    pub last_error: Option<String>,
}

impl Entries {
    /// As `/ready` has them.
    pub(super) fn json(&self) -> Value {
        let age = self.age.map(|age| age.as_secs());
        json!({ "count": self.count, "age_seconds": age, "last_error": self.last_error })
    }
}
