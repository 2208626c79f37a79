//! What is sent, what comes back, and how sending can fail. No connection here.

use async_nats::{HeaderMap, Subject};
use bytes::Bytes;

use super::headers;

/// A message to send.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Literal: the server does not refuse wildcards here, and nobody would receive it.
    pub subject: Subject,
    /// Count towards the server's payload limit. An empty map puts no header block on the wire.
    pub headers: HeaderMap,
    /// Any bytes, none included.
    pub payload: Bytes,
}

/// What a responder, or a stream, answered.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status of the header block's first line, which services hardly ever set.
    pub status: Option<u16>,
    /// The text after `status`.
    pub description: Option<String>,
    /// Empty if the reply had no header block.
    pub headers: HeaderMap,
    /// Empty for a reply that carries only a status or headers.
    pub payload: Bytes,
}

impl Reply {
    /// The first value of a header, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        headers::get(&self.headers, name)
    }

    /// The error that a service answered with, by the headers of the NATS service protocol.
    pub fn service_error(&self) -> Option<ServiceError> {
        let code = self.header("Nats-Service-Error-Code");
        let description = self.header("Nats-Service-Error");
        if code.is_none() && description.is_none() {
            return None;
        }
        Some(ServiceError {
            code: code.and_then(headers::number),
            description: description.unwrap_or_default().to_owned(),
        })
    }
}

/// An error of a service, told by its headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceError {
    /// None if the header is missing or not a number.
    pub code: Option<u16>,
    /// For people; empty if the service gave none.
    pub description: String,
}

/// Why a request has no reply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No connection stands, or the one that was chosen went before it took the message.
    #[error("not connected to nats")]
    NotConnected,
    /// The connection did not keep up with what it had to send. The message never entered it.
    #[error("the connection took no message before the deadline")]
    NoSlot,
    /// The server's word that no subscription matches, so that no service was reached.
    #[error("nobody listens on the subject")]
    NoResponders,
    /// Sent, and nothing came back in time. A service may still work on it.
    #[error("no reply before the deadline")]
    Timeout,
    /// Sent, and no reply can come any more. A service may have worked on it.
    #[error("the connection went while a reply was awaited")]
    ConnectionLost,
    /// The server drops the message; it names only the subject, so every request waiting on it is told.
    #[error("no permission to publish to {subject}; grant it to the gateway's user")]
    Denied {
        /// What permission is needed for.
        subject: String,
    },
    /// Refused here, since the server would close the connection over it.
    #[error("message of {size} bytes, headers included, is above the server's limit of {limit}")]
    TooLarge {
        /// Bytes of header block and payload.
        size: usize,
        /// The server's `max_payload`, as of the last connect.
        limit: usize,
    },
    /// Refused here, since the server would close the connection over it.
    #[error("subject and reply subject make a line of {length} bytes, above the server's limit of {limit}")]
    SubjectTooLong {
        /// Bytes of the protocol line.
        length: usize,
        /// [`Options::max_control_line`](super::options::Options::max_control_line).
        limit: usize,
    },
    /// It would break the protocol line apart.
    #[error("the subject is empty or holds white space")]
    InvalidSubject,
}

impl Failure {
    /// Whether the message never entered the client, so that it cannot be sent later either.
    pub fn provably_not_sent(&self) -> bool {
        match self {
            Self::NotConnected
            | Self::NoSlot
            | Self::TooLarge { .. }
            | Self::SubjectTooLong { .. }
            | Self::InvalidSubject => true,
            Self::NoResponders | Self::Denied { .. } | Self::Timeout | Self::ConnectionLost => false,
        }
    }

    /// Whether the message provably reached nobody: it was not sent, or the server handed it to no one.
    pub fn not_executed(&self) -> bool {
        self.provably_not_sent() || matches!(self, Self::NoResponders | Self::Denied { .. })
    }
}
