//! One try to store a message in a stream, and what the stream said about it. Trying again is decided elsewhere.

use serde::Deserialize;
use tokio::time::Instant;

use super::api::ApiError;
use super::message::{Failure, Outgoing, Reply};
use super::{Nats, headers};

/// A stream's word that a message is stored.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PubAck {
    /// The stream that took it: the one expected, since the message names it.
    pub stream: String,
    /// Its number in the stream, from 1.
    #[serde(rename = "seq")]
    pub sequence: u64,
    /// The message id was seen before; `sequence` is that of the original.
    #[serde(default)]
    pub duplicate: bool,
    /// The JetStream domain that stored it. `None`: the server is in no domain.
    #[serde(default)]
    pub domain: Option<String>,
}

impl PubAck {
    /// Reads an acknowledgement.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        serde_json::from_slice::<Self>(payload).ok().filter(|ack| ack.sequence > 0 && !ack.stream.is_empty())
    }
}

/// Who has acknowledged a message, or refused it.
#[derive(Deserialize)]
struct Answered {
    stream: String,
    #[serde(rename = "seq")]
    sequence: u64,
    error: Option<ApiError>,
}

impl PubAck {
    /// The stream that speaks in an acknowledgement or a refusal, where another reply was expected.
    pub fn parse_stream(payload: &[u8]) -> Option<String> {
        let answered: Answered = serde_json::from_slice(payload).ok()?;
        (answered.sequence > 0 || answered.error.is_some()).then_some(answered.stream)
    }
}

/// Why one try did not end with an acknowledgement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublishFailure {
    /// Never [`Failure::NoResponders`], which is [`PublishFailure::StreamUnavailable`] here.
    #[error(transparent)]
    Send(Failure),
    /// No stream takes the subject, or it has no leader or no resources. The cases look alike.
    #[error("stream unavailable: {0}")]
    StreamUnavailable(String),
    /// The same message id is being stored at this moment.
    #[error("a message of the same id is in process")]
    InProcess,
    /// A limit on messages or bytes is reached and the stream discards what is new. Room may come with time.
    #[error("stream is full: {0}")]
    StreamFull(String),
    /// The limit for one subject is reached and the stream discards what is new.
    #[error("stream holds enough messages of the subject: {0}")]
    SubjectFull(String),
    /// Above the stream's `max_msg_size`. Will not fit later either.
    #[error("message is too large for the stream: {0}")]
    MessageTooLarge(String),
    /// Bytes of the header block.
    #[error("headers of {size} bytes are above the {limit} that a stream stores")]
    HeadersTooLarge {
        /// What the message's block takes.
        size: usize,
        /// [`headers::MAX_STORED`].
        limit: usize,
    },
    /// An expected sequence or message id is not the last one.
    #[error("precondition failed: {0}")]
    PreconditionFailed(ApiError),
    /// The stream refuses for a reason that only its operator or ours can remove.
    #[error("stream refuses the message: {0}")]
    Misconfigured(ApiError),
    /// The store of the stream's leader failed, for instance for want of disk space. Its replicas may have stored it: they
    /// had agreed on it before.
    #[error("store of the stream failed: {0}")]
    StoreFailed(String),
    /// The reply is neither an acknowledgement nor a refusal that we know.
    #[error("reply is no acknowledgement: {0}")]
    BadAck(String),
}

impl PublishFailure {
    /// Whether this try provably stored nothing. Earlier tries of the same message have to be asked on their own.
    pub fn not_executed(&self) -> bool {
        match self {
            Self::Send(failure) => failure.not_executed(),
            Self::InProcess | Self::StoreFailed(_) | Self::BadAck(_) => false,
            Self::StreamUnavailable(_)
            | Self::StreamFull(_)
            | Self::SubjectFull(_)
            | Self::MessageTooLarge(_)
            | Self::HeadersTooLarge { .. }
            | Self::PreconditionFailed(_)
            | Self::Misconfigured(_) => true,
        }
    }
}

/// Marks a message for one stream and gives it the id by which the stream knows it again.
/// None if one of both is no legal header text.
pub fn publication(mut message: Outgoing, message_id: &str, stream: &str) -> Option<Outgoing> {
    message.headers.insert(async_nats::header::NATS_MESSAGE_ID, headers::value(message_id)?);
    message.headers.insert(async_nats::header::NATS_EXPECTED_STREAM, headers::value(stream)?);
    Some(message)
}

/// Publishes once and waits for the acknowledgement, until `deadline`.
///
/// # Errors
/// See [`PublishFailure`].
pub async fn publish_once(
    nats: &Nats,
    message: Outgoing,
    deadline: Instant,
) -> Result<PubAck, PublishFailure> {
    let size = headers::wire_len(&message.headers);
    if size > headers::MAX_STORED {
        return Err(PublishFailure::HeadersTooLarge { size, limit: headers::MAX_STORED });
    }
    match nats.request(message, deadline).await {
        Ok(reply) => read(&reply, size),
        Err(Failure::NoResponders) => {
            Err(PublishFailure::StreamUnavailable("no stream with a leader takes the subject".to_owned()))
        }
        Err(failure) => Err(PublishFailure::Send(failure)),
    }
}

#[derive(Deserialize)]
struct Refusal {
    error: ApiError,
}

fn read(reply: &Reply, headers_size: usize) -> Result<PubAck, PublishFailure> {
    if let Ok(Refusal { error }) = serde_json::from_slice(&reply.payload) {
        return Err(classify(error, headers_size));
    }
    PubAck::parse(&reply.payload).ok_or_else(|| {
        PublishFailure::BadAck(match reply.status {
            Some(status) => format!("status {status} {}", reply.description.as_deref().unwrap_or_default()),
            None => format!("{} bytes that are no acknowledgement", reply.payload.len()),
        })
    })
}

/// By number; the description only where one number stands for several things.
fn classify(error: ApiError, headers_size: usize) -> PublishFailure {
    match error.err_code {
        10_002 | 10_023 | 10_163 | 10_167 => PublishFailure::StreamUnavailable(error.to_string()),
        10_158 => PublishFailure::InProcess,
        10_077 => store_failed(&error),
        10_054 => PublishFailure::MessageTooLarge(error.to_string()),
        10_097 => PublishFailure::HeadersTooLarge { size: headers_size, limit: headers::MAX_STORED },
        10_070 | 10_071 | 10_164 => PublishFailure::PreconditionFailed(error),
        _ => match error.code {
            429 | 503 => PublishFailure::StreamUnavailable(error.to_string()),
            400..500 => PublishFailure::Misconfigured(error),
            _ => PublishFailure::BadAck(error.to_string()),
        },
    }
}

fn store_failed(error: &ApiError) -> PublishFailure {
    let description = error.description.to_lowercase();
    if description.contains("per subject") {
        PublishFailure::SubjectFull(error.to_string())
    } else if description.contains("maximum messages") || description.contains("maximum bytes") {
        PublishFailure::StreamFull(error.to_string())
    } else if description.contains("too large") || description.contains("message size") {
        PublishFailure::MessageTooLarge(error.to_string())
    } else {
        PublishFailure::StoreFailed(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(code: u16, err_code: u64, description: &str) -> PublishFailure {
        let error = format!(r#"{{"code":{code},"err_code":{err_code},"description":"{description}"}}"#);
        let reply = Reply {
            status: None,
            description: None,
            headers: async_nats::HeaderMap::new(),
            payload: format!(r#"{{"error":{error},"stream":"S","seq":0}}"#).into(),
        };
        read(&reply, 70_000).unwrap_err()
    }

    #[test]
    fn refusals_are_told_apart_by_number() {
        use PublishFailure as F;
        for err_code in [10_002, 10_023, 10_163, 10_167] {
            assert!(matches!(failure(400, err_code, "x"), F::StreamUnavailable(_)), "{err_code}");
        }
        for err_code in [10_070, 10_071, 10_164] {
            assert!(matches!(failure(400, err_code, "x"), F::PreconditionFailed(_)), "{err_code}");
        }
        assert_eq!(failure(409, 10_158, "x"), F::InProcess);
        assert_eq!(
            failure(400, 10_097, "x"),
            F::HeadersTooLarge { size: 70_000, limit: headers::MAX_STORED }
        );
        assert!(matches!(failure(400, 10_054, "x"), F::MessageTooLarge(_)));
        assert!(matches!(failure(400, 10_109, "x"), F::Misconfigured(_)));
        assert!(matches!(failure(503, 1, "x"), F::StreamUnavailable(_)));
        assert!(matches!(failure(500, 1, "x"), F::BadAck(_)));
    }

    #[test]
    fn a_failed_store_is_told_apart_by_its_description() {
        use PublishFailure as F;
        let store = |description| failure(503, 10_077, description);
        assert!(matches!(store("maximum messages exceeded"), F::StreamFull(_)));
        assert!(matches!(store("maximum bytes exceeded"), F::StreamFull(_)));
        assert!(matches!(store("maximum messages per subject exceeded"), F::SubjectFull(_)));
        assert!(matches!(store("message too large"), F::MessageTooLarge(_)));
        assert!(matches!(store("no space left on device"), F::StoreFailed(_)));
        assert!(store("maximum messages exceeded").not_executed());
        assert!(!store("no space left on device").not_executed(), "replicas may have stored it");
    }

    #[test]
    fn only_an_acknowledgement_is_one() {
        assert!(PubAck::parse(br#"{"stream":"S","seq":7,"domain":"hub"}"#).is_some());
        for other in ["", "{}", r#"{"stream":"S"}"#, r#"{"stream":"","seq":1}"#, r#"{"stream":"S","seq":0}"#]
        {
            assert!(PubAck::parse(other.as_bytes()).is_none(), "{other}");
        }
    }
}
