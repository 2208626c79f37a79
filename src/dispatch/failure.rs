//! What NATS says → the row of the problem table that is true of it.

use crate::nats::{Failure, PublishFailure};
use crate::problem::{Code, Outcome, Problem};

/// A request or a publish that did not get through.
pub(super) fn of_send(failure: &Failure) -> Problem {
    let (code, detail) = match failure {
        Failure::NotConnected => (Code::NatsUnavailable, "the gateway has no connection to NATS"),
        Failure::NoSlot => {
            (Code::Overloaded, "the connection to NATS took no more messages before the deadline")
        }
        Failure::NoResponders => (Code::NoResponders, "no service listens for this operation"),
        Failure::Timeout => (Code::Timeout, "the message was sent, and no answer came by the deadline"),
        Failure::ConnectionLost => {
            (Code::ConnectionLost, "the connection to NATS went while the gateway waited")
        }
        Failure::Denied { .. } => {
            (Code::Misconfigured, "the gateway may not send to this operation's subject")
        }
        Failure::TooLarge { limit, .. } => {
            let detail = format!("the message, headers included, may have {limit} bytes");
            return Problem::new(Code::BodyTooLarge, detail).because(failure.to_string());
        }
        Failure::SubjectTooLong { .. } => (Code::UriTooLong, "the subject that the path makes is too long"),
        Failure::InvalidSubject => (Code::InvalidParameter, "the parameters make no legal subject"),
    };
    Problem::new(code, detail).because(failure.to_string())
}

/// A publish that was not acknowledged.
pub(super) fn of_publish(failure: &PublishFailure) -> Problem {
    let (code, detail) = match failure {
        PublishFailure::Send(failure) => return of_send(failure),
        PublishFailure::StreamUnavailable(_) => {
            (Code::StreamUnavailable, "the stream is missing, has no leader, or is short of resources")
        }
        PublishFailure::InProcess => {
            (Code::Timeout, "another request with the same message id was in process until the deadline")
        }
        PublishFailure::StoreFailed(_) => (Code::StreamUnavailable, "the stream failed to store the message"),
        PublishFailure::StreamFull(_) => (Code::StreamFull, "the stream is full"),
        PublishFailure::SubjectFull(_) => (Code::SubjectFull, "the stream is full for this subject"),
        PublishFailure::MessageTooLarge(_) => {
            (Code::MessageTooLarge, "the stream takes no message of this size")
        }
        PublishFailure::HeadersTooLarge { limit, .. } => {
            let detail = format!("the message's headers may have {limit} bytes");
            return Problem::new(Code::HeadersTooLarge, detail).because(failure.to_string());
        }
        PublishFailure::PreconditionFailed(_) | PublishFailure::Misconfigured(_) => {
            (Code::Misconfigured, "the stream refuses this operation's messages")
        }
        PublishFailure::BadAck(_) => (Code::BadReply, "what came back is no acknowledgement of a stream"),
    };
    let mut problem = Problem::new(code, detail).because(failure.to_string());
    if !failure.not_executed() {
        // Somebody else answered first, or another replica has it: it may be stored all the same.
        problem.outcome = Some(Outcome::Unknown);
    }
    problem
}
