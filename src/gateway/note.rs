//! What logs, metrics and traces say of a request beside its answer: noted by the stages as they go, so that it is also
//! there when a client goes away.

use std::sync::Arc;

use tokio::time::Instant;

use super::operation::Operation;
use crate::authenticate::Caller;
use crate::exchange::Reply;
use crate::problem::{Code, Problem};
use crate::telemetry::Publication;

/// What is known of a request so far.
#[derive(Debug, Default)]
pub struct Note {
    /// The operation, once matched.
    pub operation: Option<Arc<Operation>>,
    /// Who calls, once that is known.
    pub caller: Option<Caller>,
    /// What NATS has of it.
    pub sent: Option<Sent>,
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
