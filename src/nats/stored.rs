//! Questions about streams: a stored message's headers, a stream's state, which streams take a subject.

use async_nats::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::api::{ApiError, ApiFailure};
use super::{Nats, headers};

const MESSAGE_NOT_FOUND: u64 = 10_037;
const STREAM_NOT_FOUND: u64 = 10_059;

/// Pages of stream names that are read at most; an account with more streams is answered incompletely.
const MOST_PAGES: usize = 100;

/// Which message of a stream.
#[derive(Clone, Copy, Debug)]
pub enum Select<'a> {
    /// The one with this number, from 1; purged and expired ones are gone for good.
    Sequence(u64),
    /// The last one of this subject.
    LastOf(&'a str),
}

/// What a stream keeps of a message, its payload left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMessage {
    /// What it was published to.
    pub subject: String,
    /// Its number in the stream.
    pub sequence: u64,
    /// As they were published. Empty if there were none.
    pub headers: HeaderMap,
    /// RFC 3339.
    pub time: String,
}

impl StoredMessage {
    /// The first value of a header, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        headers::get(&self.headers, name)
    }
}

/// Reads a message back from its stream. None: it is not there any more.
///
/// # Errors
/// See [`ApiFailure`]; a stream that does not exist is refused.
pub async fn stored(
    nats: &Nats,
    stream: &str,
    select: Select<'_>,
    deadline: Instant,
) -> Result<Option<StoredMessage>, ApiFailure> {
    let body = match select {
        Select::Sequence(sequence) => json!({ "seq": sequence }),
        Select::LastOf(subject) => json!({ "last_by_subj": subject }),
    };
    let answer = nats.api(&format!("STREAM.MSG.GET.{stream}"), &body, deadline).await;
    match absent(answer, MESSAGE_NOT_FOUND)? {
        Some(value) => message(value).map(Some),
        None => Ok(None),
    }
}

/// A stream's configuration and state as the server tells it. None: there is no such stream.
///
/// # Errors
/// See [`ApiFailure`].
pub async fn stream_info(nats: &Nats, stream: &str, deadline: Instant) -> Result<Option<Value>, ApiFailure> {
    absent(nats.api(&format!("STREAM.INFO.{stream}"), &json!({}), deadline).await, STREAM_NOT_FOUND)
}

/// Names of the streams of the account that store what is published to a subject, which may hold wildcards.
///
/// # Errors
/// See [`ApiFailure`].
pub async fn streams_capturing(
    nats: &Nats,
    subject: &str,
    deadline: Instant,
) -> Result<Vec<String>, ApiFailure> {
    let mut names = Vec::new();
    for _ in 0..MOST_PAGES {
        let body = json!({ "subject": subject, "offset": names.len() });
        let page: Page = typed(nats.api("STREAM.NAMES", &body, deadline).await?)?;
        let streams = page.streams.unwrap_or_default();
        let last = streams.is_empty();
        names.extend(streams);
        if last || names.len() >= page.total {
            break;
        }
    }
    Ok(names)
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    total: usize,
    streams: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Got {
    message: RawMessage,
}

#[derive(Deserialize)]
struct RawMessage {
    subject: String,
    seq: u64,
    /// The header block in base64.
    #[serde(default)]
    hdrs: String,
    #[serde(default)]
    time: String,
}

fn message(value: Value) -> Result<StoredMessage, ApiFailure> {
    let Got { message } = typed(value)?;
    let block = STANDARD.decode(message.hdrs).map_err(|error| ApiFailure::BadReply(error.to_string()))?;
    Ok(StoredMessage {
        subject: message.subject,
        sequence: message.seq,
        headers: headers::parse(&block),
        time: message.time,
    })
}

fn typed<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, ApiFailure> {
    serde_json::from_value(value).map_err(|error| ApiFailure::BadReply(error.to_string()))
}

fn absent(answer: Result<Value, ApiFailure>, not_found: u64) -> Result<Option<Value>, ApiFailure> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(ApiFailure::Refused(ApiError { err_code, .. })) if err_code == not_found => Ok(None),
        Err(failure) => Err(failure),
    }
}
