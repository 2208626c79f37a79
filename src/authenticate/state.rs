//! What `/ready` tells of keys and users: how many, how old, and what went wrong last. Holds no secret.

use std::sync::{Mutex, PoisonError};

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

    /// As JSON, with how many there are.
    pub(super) fn json(&self, count: usize) -> Value {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let age = known.read.map(|read| read.elapsed().as_secs());
        json!({ "count": count, "age_seconds": age, "last_error": known.error })
    }
}
