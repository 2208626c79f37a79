//! The last problems, for whoever looks for the one that a caller tells of. The log has all of them.
//!
//! A flood of one kind neither costs much nor pushes out the others: of each code only some are taken a second, the rest
//! is counted; and where there is no room, the oldest of the most frequent code goes.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::Note;
use crate::head::{Head, RequestId, TraceId};
use crate::problem::{Code, Outcome, TABLE};

/// How many are kept.
pub const KEPT: usize = 256;
/// How many of one code are taken in a second.
pub const EACH_SECOND: u32 = 8;
/// The longest texts, in bytes.
const LONGEST_METHOD: usize = 32;
const LONGEST_CAUSE: usize = 512;
const LONGEST_NAME: usize = 128;

/// One problem. What is in it may be a caller's text: to be escaped wherever it is shown.
#[derive(Debug, Clone)]
pub struct Noted {
    /// When its request came.
    pub time: SystemTime,
    /// The request's id, as its caller has been told.
    pub request_id: RequestId,
    /// The trace that it belongs to.
    pub trace_id: TraceId,
    /// The operation, if it came so far.
    pub operation: Option<Arc<str>>,
    /// The method.
    pub method: Box<str>,
    /// The status that was answered: a `problem` case may have changed it.
    pub status: u16,
    /// Which problem.
    pub code: Code,
    /// Whether the request was executed.
    pub outcome: Outcome,
    /// What only the log knows.
    pub cause: Option<Box<str>>,
    /// From the complete head to the answer.
    pub took: Duration,
    /// Who called, if that is known.
    pub caller: Option<Box<str>>,
}

/// The last problems.
#[derive(Debug)]
pub struct Recent {
    kept: Mutex<VecDeque<Arc<Noted>>>,
    /// One for each row of the table.
    codes: Box<[Rate]>,
    start: Instant,
}

/// How many of one code have come.
#[derive(Debug, Default)]
struct Rate {
    /// A second, and in its lower half how many were taken in it.
    window: AtomicU64,
    total: AtomicU64,
    passed_over: AtomicU64,
}

/// How many of one code have come since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// Which.
    pub code: Code,
    /// All of them.
    pub total: u64,
    /// Those that came so fast that they were counted and not kept.
    pub passed_over: u64,
}

impl Default for Recent {
    fn default() -> Recent {
        let codes = TABLE.iter().map(|_| Rate::default()).collect();
        Recent { kept: Mutex::new(VecDeque::with_capacity(KEPT)), codes, start: Instant::now() }
    }
}

impl Recent {
    /// Notes the problem of a request, if it had one.
    pub fn note(&self, head: &Head, note: &Note, status: u16) {
        let Some(problem) = &note.problem else { return };
        let second = head.received.saturating_duration_since(self.start).as_secs();
        let Some(rate) = self.codes.get(problem.code as usize) else { return };
        if !rate.takes(second) {
            return;
        }
        let caller = note.caller.as_ref().and_then(|caller| caller.identity());
        self.keep(Noted {
            time: head.time,
            request_id: head.id.clone(),
            trace_id: head.trace.id(),
            operation: note.operation.as_ref().map(|operation| Arc::clone(&operation.name)),
            method: cut(head.method().as_str(), LONGEST_METHOD),
            status,
            code: problem.code,
            outcome: problem.outcome(),
            cause: problem.cause.as_ref().map(|cause| cut(cause, LONGEST_CAUSE)),
            took: Instant::now().saturating_duration_since(head.received),
            caller: caller.map(|caller| cut(&caller.name, LONGEST_NAME)),
        });
    }

    fn keep(&self, noted: Noted) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            make_room(&mut kept);
        }
        kept.push_back(Arc::new(noted));
    }

    /// Those that are kept, the newest first.
    pub fn newest_first(&self) -> Vec<Arc<Noted>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().rev().cloned().collect()
    }

    /// How many of each code have come; those of which none has are left out.
    pub fn counts(&self) -> Vec<Count> {
        let counts = TABLE.iter().zip(&self.codes).map(|(row, rate)| Count {
            code: row.code,
            total: rate.total.load(Ordering::Relaxed),
            passed_over: rate.passed_over.load(Ordering::Relaxed),
        });
        counts.filter(|count| count.total > 0).collect()
    }
}

impl Rate {
    /// Whether one more is taken in this second. Requests end in another order than they begin, so that one of an earlier
    /// second counts in the last one. Two that come together may both find the second new, which lets one more pass.
    fn takes(&self, second: u64) -> bool {
        self.total.fetch_add(1, Ordering::Relaxed);
        let window = self.window.load(Ordering::Relaxed);
        let (known, taken) = (window >> 32, window & u64::from(u32::MAX));
        let second = second & u64::from(u32::MAX);
        if known < second {
            self.window.store(second << 32 | 1, Ordering::Relaxed);
            return true;
        }
        if taken < u64::from(EACH_SECOND) {
            self.window.fetch_add(1, Ordering::Relaxed);
            return true;
        }
        self.passed_over.fetch_add(1, Ordering::Relaxed);
        false
    }
}

/// Removes the oldest of the code that has the most.
fn make_room(kept: &mut VecDeque<Arc<Noted>>) {
    let mut counts = vec![0_usize; TABLE.len()];
    for noted in kept.iter() {
        if let Some(count) = counts.get_mut(noted.code as usize) {
            *count += 1;
        }
    }
    let most = counts.iter().enumerate().max_by_key(|(_, count)| **count).map(|(code, _)| code);
    let oldest = kept.iter().position(|noted| Some(noted.code as usize) == most);
    kept.remove(oldest.unwrap_or(0));
}

/// The start of a text, without half a character at its end.
fn cut(text: &str, longest: usize) -> Box<str> {
    let cuts = (0..=longest.min(text.len())).rev();
    cuts.into_iter().find_map(|at| text.get(..at)).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::head::TrustedProxies;
    use crate::problem::Problem;

    fn head(recent: &Recent, second: u64) -> Head {
        let parts = http::Request::builder().body(()).unwrap().into_parts().0;
        let mut head = Head::new(parts, IpAddr::from([127, 0, 0, 1]), &TrustedProxies::default());
        head.time = UNIX_EPOCH + Duration::from_secs(second);
        head.received = recent.start + Duration::from_secs(second);
        head
    }

    fn happen(recent: &Recent, second: u64, code: Code) {
        let problem = Problem::new(code, "").because("é".repeat(1000));
        let note = Note { problem: Some(problem), ..Note::default() };
        recent.note(&head(recent, second), &note, 502);
    }

    #[test]
    fn a_flood_is_counted_and_pushes_nothing_out() {
        let recent = Recent::default();
        happen(&recent, 1, Code::BadReply);
        for second in 0..100 {
            (0..20).for_each(|_| happen(&recent, second, Code::Overloaded));
        }
        let kept = recent.newest_first();
        assert_eq!(kept.len(), KEPT);
        assert_eq!(kept.iter().filter(|noted| noted.code == Code::BadReply).count(), 1);
        assert_eq!(kept[0].time, UNIX_EPOCH + Duration::from_secs(99));
        assert!(
            kept.iter().all(|noted| noted.cause.as_ref().is_some_and(|cause| cause.len() <= LONGEST_CAUSE))
        );
        let overloaded = Count { code: Code::Overloaded, total: 2000, passed_over: 2000 - 100 * 8 };
        let bad_reply = Count { code: Code::BadReply, total: 1, passed_over: 0 };
        assert_eq!(recent.counts(), [overloaded, bad_reply]);
    }

    #[test]
    fn a_flood_of_slow_and_quick_ones_is_thinned_out_too() {
        let recent = Recent::default();
        (0..100).for_each(|number| happen(&recent, 9 - number % 2 * 5, Code::InvalidBody));
        assert!(recent.newest_first().len() <= EACH_SECOND as usize + 1);
    }

    #[test]
    fn a_success_is_not_noted() {
        let recent = Recent::default();
        recent.note(&head(&recent, 1), &Note::default(), 200);
        assert!(recent.newest_first().is_empty() && recent.counts().is_empty());
    }
}
