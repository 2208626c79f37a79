//! What came of the requests of one operation: how many there were of each kind, and how long they took.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::Method;

use super::counts::{Counts, OTHER};
use super::latency::{Histogram, Latency};
use crate::problem::Code;

/// Kinds of answers that one operation can have, each with its own count; what a service makes up beyond that is
/// counted together.
const ANSWERS: usize = 64;
/// The same of what leads to no operation: it comes with every method.
const ANSWERS_UNMATCHED: usize = 192;
/// What came of the requests of one operation.
#[derive(Debug)]
pub struct Traffic {
    name: Arc<str>,
    answers: Counts<Answer>,
    latency: Histogram,
    nats: Histogram,
    upstream: Histogram,
    /// Where there are two sides: answers of the legacy service, and of NATS.
    served: [AtomicU64; 2],
}

/// One kind of answers, and how many there were.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requests {
    /// One that HTTP has, else `other`.
    pub method: &'static str,
    /// The status; 499 if the client did not wait. 0: of several kinds, which have no count of their own.
    pub status: u16,
    /// The problem's code; empty for none.
    pub code: &'static str,
    /// How many.
    pub count: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Answer {
    method: &'static str,
    status: u16,
    code: Option<Code>,
}

impl Traffic {
    /// Those of an operation.
    pub(super) fn of(name: Arc<str>) -> Traffic {
        Traffic::with(name, ANSWERS)
    }

    /// Those of what leads to no operation.
    pub(super) fn of_none() -> Traffic {
        Traffic::with("".into(), ANSWERS_UNMATCHED)
    }

    fn with(name: Arc<str>, answers: usize) -> Traffic {
        Traffic {
            name,
            answers: Counts::new(answers),
            latency: Histogram::default(),
            nats: Histogram::default(),
            upstream: Histogram::default(),
            served: Default::default(),
        }
    }

    /// The operation's name; empty for what was for none.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Counts a request, and how long its client waited.
    pub fn answered(&self, method: &Method, status: u16, code: Option<Code>, took: Duration) {
        self.answers.add(Answer { method: known(method), status, code });
        self.latency.observe(took);
    }

    /// Counts what NATS had of a request.
    pub fn sent(&self, took: Duration) {
        self.nats.observe(took);
    }

    /// Counts what an upstream had of a request, up to the head of its answer.
    pub fn forwarded(&self, took: Duration) {
        self.upstream.observe(took);
    }

    /// Counts which of two sides a request was for in the end.
    pub fn served(&self, by_nats: bool) {
        self.served[usize::from(by_nats)].fetch_add(1, Ordering::Relaxed);
    }

    /// Every kind of answer, with how many there were.
    pub fn requests(&self) -> Vec<Requests> {
        let requests = |(answer, count): (Option<Answer>, u64)| match answer {
            Some(Answer { method, status, code }) => {
                Requests { method, status, code: code.map_or("", Code::name), count }
            }
            None => Requests { method: OTHER, status: 0, code: OTHER, count },
        };
        self.answers.read().into_iter().map(requests).collect()
    }

    /// From the complete head to the answer.
    pub fn latency(&self) -> Latency {
        self.latency.read()
    }

    /// From the message to its reply or acknowledgement, every try of it included.
    pub fn nats(&self) -> Latency {
        self.nats.read()
    }

    /// From the request to an upstream to the head of its answer, every try of it included.
    pub fn upstream(&self) -> Latency {
        self.upstream.read()
    }

    /// Of an operation with two sides: what the legacy service had, and what NATS had.
    pub fn sides(&self) -> [u64; 2] {
        self.served.each_ref().map(|count| count.load(Ordering::Relaxed))
    }
}

/// A method as a label: those of HTTP, and one for whatever else callers think of.
pub fn known(method: &Method) -> &'static str {
    const KNOWN: [&str; 9] = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "CONNECT", "TRACE"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or(OTHER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_caller_makes_up_is_a_label() {
        let traffic = Traffic::of_none();
        let method = Method::from_bytes(b"BREW\x7e").unwrap();
        traffic.answered(&method, 405, Some(Code::MethodNotAllowed), Duration::ZERO);
        for status in 0..=999 {
            traffic.answered(&Method::GET, status, None, Duration::ZERO);
        }
        let requests = traffic.requests();
        assert_eq!(requests[0].method, "other");
        assert_eq!(requests.len(), ANSWERS_UNMATCHED + 1);
        assert_eq!(requests.iter().map(|requests| requests.count).sum::<u64>(), 1001);
    }
}
