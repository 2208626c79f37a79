//! What this process counts of an operation: cells that nobody waits for.

use std::array;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use super::super::FellBack;
use crate::problem::TABLE;

/// Reasons why the legacy service takes over: the codes, and two more.
const REASONS: usize = TABLE.len() + 2;

/// What this process has counted of an operation, whatever was written of it meanwhile.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) results: [AtomicU64; RESULTS.len()],
    pub(super) fallbacks: Reasons,
    pub(super) dropped: AtomicU64,
}

/// Results of comparisons, as labels have them.
pub const RESULTS: [&str; 5] = ["match", "mismatch", "candidate_error", "candidate_timeout", "skipped"];

/// Counts of one operation, for metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Totals {
    /// Pairs by result.
    pub comparisons: [(&'static str, u64); RESULTS.len()],
    /// Requests that the legacy service took over, by the reason; those that there were.
    pub fallbacks: Vec<(&'static str, u64)>,
    /// Copies that were not made.
    pub dropped: u64,
}

#[derive(Debug)]
pub(super) struct Reasons([AtomicU64; REASONS]);

impl Default for Reasons {
    fn default() -> Reasons {
        Reasons(array::from_fn(|_| AtomicU64::new(0)))
    }
}

impl Reasons {
    pub(super) fn add(&self, why: FellBack) {
        let at = match why {
            FellBack::Code(code) => code as usize,
            FellBack::Breaker => TABLE.len(),
            FellBack::Body => TABLE.len() + 1,
        };
        if let Some(count) = self.0.get(at) {
            count.fetch_add(1, Relaxed);
        }
    }

    /// Those that there were, each as `read` reads it.
    pub(super) fn each(&self, read: impl Fn(&AtomicU64) -> u64) -> Vec<(&'static str, u64)> {
        let more = [FellBack::Breaker.name(), FellBack::Body.name()];
        let names = TABLE.iter().map(|row| row.name).chain(more);
        names.zip(self.0.iter().map(read)).filter(|(_, count)| *count > 0).collect()
    }
}

impl Counts {
    /// As metrics have it.
    pub(super) fn totals(&self) -> Totals {
        let read = |count: &AtomicU64| count.load(Relaxed);
        Totals {
            comparisons: array::from_fn(|at| (RESULTS[at], read(&self.results[at]))),
            fallbacks: self.fallbacks.each(read),
            dropped: read(&self.dropped),
        }
    }
}
