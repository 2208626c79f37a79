//! The table: one row a code. Responses, documentation and labels are all made from it.

use http::StatusCode;

/// Whether the request was executed: the one thing that a caller must know before it retries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Provably nothing reached a backend or a stream.
    NotExecuted,
    /// A backend answered.
    Executed,
    /// Neither can be proven.
    Unknown,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Outcome; 3] = [Outcome::NotExecuted, Outcome::Executed, Outcome::Unknown];

    /// As it stands in headers and documents.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::NotExecuted => "not_executed",
            Outcome::Executed => "executed",
            Outcome::Unknown => "unknown",
        }
    }
}

/// What is fixed about a code.
#[derive(Debug)]
pub struct Row {
    /// The code.
    pub code: Code,
    /// As it stands in headers, documents, logs and labels.
    pub name: &'static str,
    status: u16,
    /// Short and the same for every occurrence.
    pub title: &'static str,
    /// Whether the request was executed.
    pub outcome: Outcome,
    /// Seconds for `Retry-After`; present where waiting can help and repeating is safe.
    pub retry_after: Option<u32>,
    /// When it is answered, for the reference.
    pub when: &'static str,
}

impl Row {
    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

macro_rules! table {
    ($($code:ident $name:literal $status:literal $outcome:ident $retry:expr, $title:literal: $when:literal;)*) => {
        /// Every code that the gateway answers with.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $(#[doc = $when] $code,)*
        }

        /// Every row, in the order of [`Code`].
        pub const TABLE: &[Row] = &[
            $(Row {
                code: Code::$code,
                name: $name,
                status: $status,
                title: $title,
                outcome: Outcome::$outcome,
                retry_after: $retry,
                when: $when,
            },)*
        ];
    };
}

table! {
    NotFound "not_found" 404 NotExecuted None, "No such operation":
        "no operation has this path";
    MethodNotAllowed "method_not_allowed" 405 NotExecuted None, "Method not allowed":
        "the path has operations, none of them for this method; `Allow` lists those it has";
    NotBound "not_bound" 501 NotExecuted None, "Operation not bound":
        "the contract has this operation, and the configuration does not say where it goes";
    MalformedRequest "malformed_request" 400 NotExecuted None, "Malformed request":
        "the request breaks the rules of HTTP: no Host or two, a target that is no path, another transfer coding than chunked; the connection is closed";
    InvalidParameter "invalid_parameter" 400 NotExecuted None, "Invalid parameter":
        "a parameter is missing, cannot be read as its type, violates the contract's schema, or is no legal subject token; `errors` lists everything that is wrong with the request, its body included";
    MalformedBody "malformed_body" 400 NotExecuted None, "Malformed body":
        "the body is not the JSON that the operation needs, or a member name stands twice in one object";
    InvalidBody "invalid_body" 422 NotExecuted None, "Invalid body":
        "the body is well-formed and violates the contract's schema; `errors` lists every violation";
    NotAcceptable "not_acceptable" 406 NotExecuted None, "Not acceptable":
        "the client's `Accept` admits none of the media types that the contract's successes have";
    UnsupportedMediaType "unsupported_media_type" 415 NotExecuted None, "Unsupported media type":
        "the contract does not declare the body's media type, or declares no body at all, or the body is encoded";
    RequestTimeout "request_timeout" 408 NotExecuted None, "Request timeout":
        "the body did not arrive in time; a head that did not gets the status alone";
    BodyTooLarge "body_too_large" 413 NotExecuted None, "Body too large":
        "the body is over the operation's limit, or the message (headers counted) over the server's `max_payload`";
    UriTooLong "uri_too_long" 414 NotExecuted None, "URI too long":
        "path and query are over `server.max_uri`, or the rendered subject does not fit into the server's control line";
    HeadersTooLarge "headers_too_large" 431 NotExecuted None, "Headers too large":
        "the header fields are over `server.max_headers` or more than 100, or the message's headers over JetStream's 64 KiB; a head too large to be read at all gets the status alone";
    ExpectationFailed "expectation_failed" 417 NotExecuted None, "Expectation failed":
        "the request's `Expect` asks for something else than `100-continue`";
    Unauthenticated "unauthenticated" 401 NotExecuted None, "Unauthenticated":
        "the credentials are missing, or not valid; `WWW-Authenticate` says what is asked for";
    Forbidden "forbidden" 403 NotExecuted None, "Forbidden":
        "the caller is known, and lacks a scope or a claim that the operation reads, or is refused by its `authorize`";
    KeysUnavailable "keys_unavailable" 503 NotExecuted Some(5), "Keys unavailable":
        "the issuer's key set was never loaded, so no token can be checked";
    RateLimited "rate_limited" 429 NotExecuted Some(1), "Rate limited":
        "the caller's quota is used up; `RateLimit` and `Retry-After` say when there is more";
    IdempotencyKeyRequired "idempotency_key_required" 400 NotExecuted None, "Idempotency-Key required":
        "the operation requires an `Idempotency-Key`, and there is none or it is not 1 to 255 visible ASCII characters";
    IdempotencyMismatch "idempotency_mismatch" 422 NotExecuted None, "Key or message id used for another request":
        "the message that is stored under this key or message id came from a request with another method, path, query or body";
    Overloaded "overloaded" 503 NotExecuted Some(1), "Overloaded":
        "an in-flight limit is reached, too many passwords are being checked, or there was no place in a queue before the deadline";
    Draining "draining" 503 NotExecuted Some(1), "Shutting down":
        "the gateway is shutting down and takes no new requests";
    NatsUnavailable "nats_unavailable" 503 NotExecuted Some(2), "NATS unavailable":
        "there is no connection to NATS, and nothing was handed to one";
    NoResponders "no_responders" 503 NotExecuted Some(2), "No responders":
        "nobody listens on the operation's subject";
    StreamUnavailable "stream_unavailable" 503 NotExecuted Some(5), "Stream unavailable":
        "no stream, no stream leader, JetStream off for the account, or the server is short of resources";
    Timeout "timeout" 504 Unknown None, "Timeout":
        "the message was sent, and no reply or acknowledgement came by the deadline";
    ConnectionLost "connection_lost" 504 Unknown None, "Connection lost":
        "the connection to NATS went while the gateway waited";
    ServiceError "service_error" 500 Executed None, "Service error":
        "the service answered with `Nats-Service-Error-Code` and an empty body; the status is its code if that is 400 to 599, else 502";
    BadReply "bad_reply" 502 Executed None, "Bad reply":
        "the service's reply is not the JSON that the mapping needs, its headers or status are malformed, or (`validate_replies: enforce`) it is not what the contract promises";
    CapturedByStream "captured_by_stream" 502 Unknown None, "Subject captured by a stream":
        "a stream captures the subject of this request and acknowledged it in place of a service";
    StreamFull "stream_full" 503 NotExecuted Some(5), "Stream full":
        "the stream has reached its limit and refuses new messages";
    SubjectFull "subject_full" 409 NotExecuted None, "Subject full":
        "the stream has reached its limit for this subject and refuses new messages";
    MessageTooLarge "message_too_large" 413 NotExecuted None, "Message too large":
        "the message is over the stream's own limit";
    Misconfigured "misconfigured" 500 NotExecuted None, "Misconfigured":
        "the server refuses what the configuration asks for: another stream than expected, a sealed stream, a missing permission";
    UpstreamUnreachable "upstream_unreachable" 502 NotExecuted Some(2), "Legacy service unreachable":
        "no connection to the legacy service could be made, so nothing was sent";
    UpstreamReset "upstream_reset" 502 Unknown None, "Legacy service broke off":
        "the connection to the legacy service broke after the request, or a part of it, had been sent";
    UpstreamTimeout "upstream_timeout" 504 Unknown None, "Legacy service timed out":
        "the request was sent to the legacy service, and the head of an answer did not come in time";
    Internal "internal" 500 Unknown None, "Internal error":
        "a bug of the gateway; it is logged under the request id";
}

impl Code {
    /// Its row.
    pub fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }

    /// As it stands in headers, documents, logs and labels.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// Whether the legacy service answers in the place of NATS, where an operation has both: NATS provably did not take
    /// the request, for a reason that is not the client's.
    pub fn falls_back(self) -> bool {
        matches!(self, Code::NatsUnavailable | Code::NoResponders | Code::StreamUnavailable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_where_their_codes_say() {
        for (index, row) in TABLE.iter().enumerate() {
            assert_eq!(row.code as usize, index);
            assert!(row.status() != StatusCode::INTERNAL_SERVER_ERROR || row.status == 500);
        }
    }

    #[test]
    fn only_what_was_not_executed_invites_to_retry() {
        for row in TABLE.iter().filter(|row| row.retry_after.is_some()) {
            assert_eq!(row.outcome, Outcome::NotExecuted, "{}", row.name);
        }
    }
}
