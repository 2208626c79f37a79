//! One line a request, also for one whose client went away before the answer.

use http::StatusCode;
use tokio::time::Instant;

use crate::gateway::Note;
use crate::head::Head;

/// Longest path that is logged, in bytes.
const LONGEST_PATH: usize = 256;

/// The access line of one request; written when dropped.
#[derive(Debug)]
pub(super) struct AccessLine<'a> {
    head: &'a Head,
    /// What the stages say, also of a request that is abandoned half way.
    pub(super) note: Note,
    status: Option<StatusCode>,
}

impl<'a> AccessLine<'a> {
    /// The line of a request that has begun.
    pub(super) fn new(head: &'a Head) -> AccessLine<'a> {
        AccessLine { head, note: Note::default(), status: None }
    }

    /// Adds how it was answered. Without it, the client went away.
    pub(super) fn answered(&mut self, status: StatusCode) {
        self.status = Some(status);
    }
}

impl Drop for AccessLine<'_> {
    fn drop(&mut self) {
        let head = self.head;
        let problem = self.note.problem.as_ref();
        let path = head.path().get(..LONGEST_PATH).unwrap_or(head.path());
        tracing::info!(
            request_id = head.id.as_str(),
            trace_id = %head.trace.id(),
            operation = self.note.operation.as_deref().unwrap_or_default(),
            method = head.method().as_str(),
            path,
            status = self.status.map_or(499, |status| status.as_u16()),
            code = problem.map(|problem| problem.code.name()),
            outcome = problem.map(|problem| problem.outcome().name()),
            cause = problem.and_then(|problem| problem.cause.as_deref()),
            duration_us = u64::try_from(Instant::now().saturating_duration_since(head.received).as_micros()).unwrap_or(u64::MAX),
            ip = %head.ip,
            "{}", if self.status.is_some() { "request" } else { "request abandoned by its client" }
        );
    }
}
