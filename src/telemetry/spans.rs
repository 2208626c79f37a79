//! What became of spans.

use std::sync::atomic::{AtomicU64, Ordering};

/// What became of the spans of sampled requests.
#[derive(Debug, Default)]
pub struct Spans {
    sent: AtomicU64,
    failed: AtomicU64,
    dropped: AtomicU64,
}

impl Spans {
    /// So many have reached the collector.
    pub fn sent(&self, count: usize) {
        self.sent.fetch_add(count as u64, Ordering::Relaxed);
    }

    /// So many were refused by it, or did not reach it.
    pub fn failed(&self, count: usize) {
        self.failed.fetch_add(count as u64, Ordering::Relaxed);
    }

    /// There was no room for one.
    pub fn dropped(&self, count: usize) {
        self.dropped.fetch_add(count as u64, Ordering::Relaxed);
    }

    /// Each, with its name.
    pub fn read(&self) -> [(&'static str, u64); 3] {
        [("sent", &self.sent), ("failed", &self.failed), ("dropped", &self.dropped)]
            .map(|(name, count)| (name, count.load(Ordering::Relaxed)))
    }
}
