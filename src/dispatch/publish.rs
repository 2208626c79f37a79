//! JetStream publish: a success only after the acknowledgement, and nothing stored twice.
//!
//! Every message has an id, so a try whose fate is unknown may be repeated: the stream removes the duplicate.
//! What an earlier try left uncertain stays uncertain, whatever a later one proves of itself.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use super::failure::of_publish;
use super::pause::Pause;
use crate::exchange::{FINGERPRINT, Identity, Stored, TRACEPARENT};
use crate::head::Head;
use crate::nats::{Failure, Nats, Outgoing, PubAck, PublishFailure, Select, publish_once, stored};
use crate::problem::{Code, Outcome, Problem};

/// By what a stream knows a message again.
const MESSAGE_ID: &str = "Nats-Msg-Id";
/// How long one try waits for its acknowledgement before the same message is sent again.
const ACK_WAIT: Duration = Duration::from_secs(5);
/// How long the original of a duplicate may take to be read; the acknowledgement is there already.
const READ_BACK: Duration = Duration::from_secs(1);
/// Publishes to one stream that may await their acknowledgement together.
const WINDOW: usize = 1024;

/// A binding to a stream.
#[derive(Debug)]
pub struct Publish {
    /// The stream that must store the message.
    pub stream: String,
    /// How long, inside the deadline, a message that reached nobody is held and tried again.
    pub retry_for: Duration,
    /// Shared by all operations that publish to the stream.
    pub window: Window,
}

/// The places of messages that await the acknowledgement of one stream. Clones share.
#[derive(Debug, Clone)]
pub struct Window(Arc<Semaphore>);

impl Default for Window {
    fn default() -> Window {
        Window(Arc::new(Semaphore::new(WINDOW)))
    }
}

/// What to do after a failed try.
enum Next {
    /// Nothing was stored, or it is safe to ask again: until the deadline.
    Again,
    /// It reached nobody: for as long as messages are held.
    WhileHeld,
    /// The answer is final.
    Stop,
}

impl Publish {
    pub(super) async fn send(
        &self,
        nats: &Nats,
        message: Outgoing,
        identity: Identity,
        head: &Head,
        deadline: Instant,
    ) -> Result<Stored, Problem> {
        let Ok(Ok(_place)) = timeout_at(deadline, self.window.0.acquire()).await else {
            return Err(Problem::new(
                Code::Overloaded,
                "the stream has as many unacknowledged messages as it may",
            ));
        };
        let ack = self.store(nats, message, deadline).await.map_err(|mut problem| {
            if problem.outcome() == Outcome::Unknown && identity.is_repeatable() {
                problem.retryable = Some(true);
            }
            problem
        })?;
        settle(nats, ack, identity, head, deadline).await
    }

    async fn store(&self, nats: &Nats, message: Outgoing, deadline: Instant) -> Result<PubAck, Problem> {
        let mut pause = Pause::new();
        // Counts from the first failure: before that the message was on its way, not held.
        let mut hold_until = None;
        let mut uncertain: Option<Problem> = None;
        loop {
            let acknowledged_by = deadline.min(Instant::now() + ACK_WAIT);
            let failure = match publish_once(nats, message.clone(), acknowledged_by).await {
                Ok(ack) if ack.stream == self.stream => return Ok(ack),
                // The named stream would have refused, and may still have stored it: this is nobody's word but its own.
                Ok(ack) => PublishFailure::BadAck(format!("stream {} has acknowledged it", ack.stream)),
                Err(failure) => failure,
            };
            let problem = of_publish(&failure);
            let again = match next(&failure) {
                Next::Again => pause.wait(nats, deadline).await,
                Next::WhileHeld => {
                    let held = || deadline.min(Instant::now() + self.retry_for);
                    pause.wait(nats, *hold_until.get_or_insert_with(held)).await
                }
                Next::Stop => false,
            };
            if !failure.not_executed() {
                uncertain.get_or_insert_with(|| problem.clone());
            }
            if !again {
                return Err(truth(uncertain, problem));
            }
        }
    }
}

fn next(failure: &PublishFailure) -> Next {
    match failure {
        PublishFailure::InProcess | PublishFailure::Send(Failure::Timeout) => Next::Again,
        PublishFailure::StreamUnavailable(_)
        | PublishFailure::StoreFailed(_)
        | PublishFailure::Send(Failure::NotConnected | Failure::NoResponders | Failure::ConnectionLost) => {
            Next::WhileHeld
        }
        _ => Next::Stop,
    }
}

/// The last failure, unless an earlier try may have been stored: then that is what the caller must know.
fn truth(uncertain: Option<Problem>, last: Problem) -> Problem {
    match uncertain {
        Some(earlier) if last.outcome() == Outcome::NotExecuted => {
            let cause = format!(
                "{}; the last try: {}",
                earlier.cause.as_deref().unwrap_or_default(),
                last.cause.as_deref().unwrap_or_default()
            );
            earlier.because(cause)
        }
        _ => last,
    }
}

/// Tells an original from a duplicate, and the same request from another one under the same id.
async fn settle(
    nats: &Nats,
    ack: PubAck,
    identity: Identity,
    head: &Head,
    deadline: Instant,
) -> Result<Stored, Problem> {
    let Identity { id, fingerprint } = identity;
    let mut result =
        Stored { id, stream: ack.stream, sequence: ack.sequence, duplicate: false, unverified: false };
    // Without a fingerprint the id is this request's own: a duplicate is our own earlier try.
    let (true, Some(fingerprint)) = (ack.duplicate, fingerprint) else { return Ok(result) };
    result.duplicate = true;
    let read_by = deadline.min(Instant::now() + READ_BACK);
    let original = stored(nats, &result.stream, Select::Sequence(result.sequence), read_by).await;
    let original = original.ok().flatten();
    // The stream may have been made anew in the meantime, or another one of its name be nearer: then what has this
    // sequence is somebody else's.
    let original = original.filter(|original| original.header(MESSAGE_ID) == Some(result.id.as_str()));
    let Some(original) = original else {
        result.unverified = true;
        return Ok(result);
    };
    // Our span and nobody else's, where the request id may be a proxy's that has tried before.
    result.duplicate = original.header(TRACEPARENT.as_ref()) != Some(head.trace.parent().as_str());
    match original.header(FINGERPRINT.as_ref()) {
        Some(other) if other == fingerprint => Ok(result),
        Some(_) => Err(Problem::new(
            Code::IdempotencyMismatch,
            "a different request was stored under the same idempotency key or message id",
        )),
        None => {
            result.unverified = true;
            Ok(result)
        }
    }
}
