//! The account of one request, given when it is over, however it ends: its counters, its line in the log, its spans. Nobody
//! leaves without it, so that requests that were refused or abandoned are told of like all others.

use http::StatusCode;
use tokio::time::Instant;

use super::Edge;
use super::access::{self, Entry};
use super::spans;
use crate::gateway::Note;
use crate::head::Head;
use crate::migrate::Side;
use crate::telemetry::Traffic;

/// The status of a request whose client did not wait for the answer.
const ABANDONED: u16 = 499;

/// The account of one request; given when dropped.
#[derive(Debug)]
pub(super) struct Account<'a> {
    edge: &'a Edge,
    head: &'a Head,
    /// What the stages say.
    pub(super) note: Note,
    status: Option<StatusCode>,
}

impl<'a> Account<'a> {
    /// That of a request that has begun.
    pub(super) fn open(edge: &'a Edge, head: &'a Head) -> Account<'a> {
        Account { edge, head, note: Note::default(), status: None }
    }

    /// Adds how it was answered. Without it, the client went away.
    pub(super) fn answered(&mut self, status: StatusCode) {
        self.status = Some(status);
    }

    fn count(&self, status: u16, now: Instant) {
        let head = self.head;
        let code = self.note.problem.as_ref().map(|problem| problem.code);
        let took = now.saturating_duration_since(head.received);
        let counters = self.note.operation.as_ref().map(|operation| &operation.counters);
        let traffic: &Traffic = match counters.and_then(|counters| counters.traffic()) {
            Some(traffic) => traffic,
            None => self.edge.gateway.figures().unmatched(),
        };
        traffic.answered(head.method(), status, code, took);
        if let Some(sent) = &self.note.sent {
            let ended = sent.ended.map_or(now, |ended| ended.at);
            traffic.sent(ended.saturating_duration_since(sent.at));
            if let Some(published) = counters.and_then(|counters| counters.published()) {
                published.add(sent.publication());
            }
        }
        if let Some(forwarded) = &self.note.forwarded {
            let ended = forwarded.ended.map_or(now, |ended| ended.at);
            traffic.forwarded(ended.saturating_duration_since(forwarded.at));
        }
        if let Some(side) = self.note.served {
            traffic.served(side == Side::Nats);
            let operation = self.note.operation.as_ref().filter(|_| self.status.is_some());
            if let Some(migration) = operation.and_then(|operation| operation.migration.as_ref()) {
                migration.answered(side, status, code.is_none().then_some(took));
            }
        }
    }
}

impl Drop for Account<'_> {
    fn drop(&mut self) {
        let now = Instant::now();
        let status = self.status.map_or(ABANDONED, |status| status.as_u16());
        self.count(status, now);
        self.edge.gateway.recent().note(self.head, &self.note, status);
        let is_abandoned = self.status.is_none();
        let entry = Entry { head: self.head, note: &self.note, status, is_abandoned, now };
        let recorded = self.head.trace.recorded();
        if let (Some(tracer), Some(ids)) = (&self.edge.tracer, &recorded) {
            spans::record(tracer, ids, self.edge.secure, &entry);
        }
        if let Some(log) = &self.edge.log
            && (recorded.is_some() || entry.is_trouble() || self.edge.lines.takes_any())
        {
            access::write(log, &entry);
        }
    }
}
