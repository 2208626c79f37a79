//! What goes out and what comes back: the values that the stages hand to each other between HTTP and NATS.

pub mod identity;

pub use identity::Identity;

use async_nats::HeaderName;

use crate::nats::{self, Outgoing};

/// On every message: the HTTP request that it came from.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("Natsgate-Request-Id");
/// On requests: when the answer is due (RFC 3339, UTC, milliseconds), so that a responder can drop what nobody
/// waits for.
pub const DEADLINE: HeaderName = HeaderName::from_static("Natsgate-Deadline");
/// On requests: the milliseconds that are left, for clocks that differ.
pub const TIMEOUT_MS: HeaderName = HeaderName::from_static("Natsgate-Timeout-Ms");
/// On every message, where known: what the payload is.
pub const CONTENT_TYPE: HeaderName = HeaderName::from_static("Content-Type");
/// On every message: W3C Trace Context, in lower case as the standard has it.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// The same, with a caller's own state.
pub const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
/// On copies of requests that the legacy service answers: nobody waits for the reply.
pub const SHADOW: HeaderName = HeaderName::from_static("Natsgate-Shadow");
/// On replies: the HTTP status that the service wants, 200 to 599.
pub const STATUS: &str = "Natsgate-Status";
/// On messages whose id another request can have: what the request looked like.
pub const FINGERPRINT: HeaderName = HeaderName::from_static("Natsgate-Fingerprint");

/// What is sent.
#[derive(Debug)]
pub enum Outbound {
    /// For a service.
    Request(Outgoing),
    /// For a stream, with what makes it the same message as another.
    Publish(Outgoing, Identity),
}

/// What came back.
#[derive(Debug)]
pub enum Reply {
    /// A service answered.
    Service(nats::Reply),
    /// A stream has stored the message.
    Stored(Stored),
}

/// What a stream says of a message that it has stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The message id.
    pub id: String,
    /// The stream.
    pub stream: String,
    /// Its sequence in the stream: the original's, if this is a duplicate.
    pub sequence: u64,
    /// An earlier request had stored it.
    pub duplicate: bool,
    /// It is a duplicate, and the original can no longer be compared with this request.
    pub unverified: bool,
}
