//! What logs, metrics and traces say of a request beside its answer: noted by the stages as they go, so that it is also
//! there when a client goes away.

use std::sync::Arc;

use http::StatusCode;
use tokio::time::Instant;

use super::operation::Operation;
use crate::authenticate::Caller;
use crate::exchange::Reply;
use crate::migrate::{FellBack, Side};
use crate::problem::{Code, Problem};
use crate::telemetry::Publication;
use crate::translate::HttpResponse;

/// What is known of a request so far.
#[derive(Debug, Default)]
pub struct Note {
    /// The operation, once matched.
    pub operation: Option<Arc<Operation>>,
    /// Who calls, once that is known.
    pub caller: Option<Caller>,
    /// What NATS has of it.
    pub sent: Option<Sent>,
    /// What an upstream has of it.
    pub forwarded: Option<Forwarded>,
    /// Which side answered, where there are two.
    pub served: Option<Side>,
    /// Why it was not NATS, where it should have been.
    pub fell_back: Option<FellBack>,
    /// Why there was no success.
    pub problem: Option<Problem>,
}

/// The part of a request that NATS had.
#[derive(Debug)]
pub struct Sent {
    /// When it began.
    pub at: Instant,
    /// How it ended; none while it is on its way, and where its client did not wait.
    pub ended: Option<Ended>,
}

/// How the part of a request that NATS had came to its end.
#[derive(Debug, Clone, Copy)]
pub struct Ended {
    /// When.
    pub at: Instant,
    /// Why there is no reply or acknowledgement.
    pub code: Option<Code>,
    /// The stream had the message already.
    pub duplicate: bool,
}

/// The part of a request that an upstream had, up to the head of its answer.
#[derive(Debug)]
pub struct Forwarded {
    /// When it began.
    pub at: Instant,
    /// How it ended; none while it is on its way, and where its client did not wait.
    pub ended: Option<Returned>,
}

/// How the part of a request that an upstream had came to its end.
#[derive(Debug, Clone, Copy)]
pub struct Returned {
    /// When.
    pub at: Instant,
    /// The status that it answered, or why it did not.
    pub status: Result<StatusCode, Code>,
}

impl Forwarded {
    /// Notes of a request to an upstream when it begins and how it ends.
    pub(super) async fn noted(
        forwarded: &mut Option<Forwarded>,
        sending: impl Future<Output = Result<HttpResponse, Problem>>,
    ) -> Result<HttpResponse, Problem> {
        let forwarded = forwarded.insert(Forwarded { at: Instant::now(), ended: None });
        let answered = sending.await;
        let status = answered.as_ref().map(HttpResponse::status).map_err(|problem| problem.code);
        forwarded.ended = Some(Returned { at: Instant::now(), status });
        answered
    }
}

impl Sent {
    pub(super) fn begin() -> Sent {
        Sent { at: Instant::now(), ended: None }
    }

    pub(super) fn end(&mut self, reply: &Result<Reply, Problem>) {
        let duplicate = matches!(reply, Ok(Reply::Stored(stored)) if stored.duplicate);
        let code = reply.as_ref().err().map(|problem| problem.code);
        self.ended = Some(Ended { at: Instant::now(), code, duplicate });
    }

    /// What came of it, for a publish.
    pub fn publication(&self) -> Publication {
        match self.ended {
            None => Publication::Abandoned,
            Some(Ended { code: Some(code), .. }) => Publication::Failed(code),
            Some(Ended { duplicate: true, .. }) => Publication::Duplicate,
            Some(_) => Publication::Stored,
        }
    }
}
