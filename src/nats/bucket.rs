//! A key-value bucket: a stream with a subject for each key, of which the last message is the value.

use async_nats::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::api::{ApiError, ApiFailure};
use super::message::Outgoing;
use super::publish::{PublishFailure, publish_once};
use super::{Nats, headers};

const MESSAGE_NOT_FOUND: u64 = 10_037;
const STREAM_NOT_FOUND: u64 = 10_059;
const OWN_API: &str = "$JS.API";

/// A bucket of an account.
#[derive(Debug, Clone, Copy)]
pub struct Bucket<'a> {
    nats: &'a Nats,
    name: &'a str,
}

/// What a key has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Empty also where the key has been deleted.
    pub value: Bytes,
    /// What the next writer must have seen.
    pub revision: u64,
    /// When it was written, RFC 3339.
    pub time: String,
}

impl<'a> Bucket<'a> {
    /// The bucket of a name.
    pub fn new(nats: &'a Nats, name: &'a str) -> Bucket<'a> {
        Bucket { nats, name }
    }

    /// Makes the stream of the bucket if it is not there. One that is stays as it is. Says how many messages it has had.
    ///
    /// # Errors
    /// See [`ApiFailure`].
    pub async fn ensure(&self, replicas: u8, deadline: Instant) -> Result<u64, ApiFailure> {
        let wanted = json!({
            "name": self.stream(),
            "subjects": [format!("$KV.{}.>", self.name)],
            "max_msgs_per_subject": 1,
            "discard": "new",
            "storage": "file",
            "num_replicas": replicas,
            "allow_rollup_hdrs": true,
            "deny_delete": true,
            "allow_direct": true,
        });
        ensure(self.nats, &wanted, deadline).await
    }

    /// What a key has. None: nothing, or there is no bucket.
    ///
    /// # Errors
    /// See [`ApiFailure`].
    pub async fn get(&self, key: &str, deadline: Instant) -> Result<Option<Entry>, ApiFailure> {
        let body = json!({ "last_by_subj": self.subject(key) });
        match self.nats.api(&format!("STREAM.MSG.GET.{}", self.stream()), &body, deadline).await {
            Ok(answer) => entry(&answer["message"]).map(Some),
            Err(ApiFailure::Refused(ApiError { err_code: MESSAGE_NOT_FOUND | STREAM_NOT_FOUND, .. })) => {
                Ok(None)
            }
            Err(failure) => Err(failure),
        }
    }

    /// Sets a key that is still at a revision; 0: that has none. Says its new revision.
    ///
    /// # Errors
    /// [`PublishFailure::PreconditionFailed`] if somebody else was faster.
    pub async fn set(
        &self,
        key: &str,
        value: Bytes,
        revision: u64,
        deadline: Instant,
    ) -> Result<u64, PublishFailure> {
        let mut map = HeaderMap::new();
        if let Some(value) = headers::value(&revision.to_string()) {
            map.insert(async_nats::header::NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, value);
        }
        // A bucket of another domain is reached through that domain's API.
        let subject = match self.nats.api_prefix() {
            OWN_API => self.subject(key),
            prefix => format!("{prefix}.{}", self.subject(key)),
        };
        let message = Outgoing { subject: subject.into(), headers: map, payload: value };
        publish_once(self.nats, message, deadline).await.map(|ack| ack.sequence)
    }

    /// The keys that there are, at most as many as the server tells at once.
    ///
    /// # Errors
    /// See [`ApiFailure`].
    pub async fn keys(&self, deadline: Instant) -> Result<Vec<String>, ApiFailure> {
        let body = json!({ "subjects_filter": self.subject(">") });
        let info = self.nats.api(&format!("STREAM.INFO.{}", self.stream()), &body, deadline).await?;
        let subjects = info.pointer("/state/subjects").and_then(Value::as_object);
        let prefix = self.subject("");
        let key = |subject: &String| subject.strip_prefix(&prefix).map(str::to_owned);
        Ok(subjects.into_iter().flat_map(|subjects| subjects.keys()).filter_map(key).collect())
    }

    /// Removes a key with all that it had.
    ///
    /// # Errors
    /// See [`ApiFailure`].
    pub async fn remove(&self, key: &str, deadline: Instant) -> Result<(), ApiFailure> {
        let body = json!({ "filter": self.subject(key) });
        self.nats.api(&format!("STREAM.PURGE.{}", self.stream()), &body, deadline).await.map(drop)
    }

    fn stream(&self) -> String {
        format!("KV_{}", self.name)
    }

    fn subject(&self, key: &str) -> String {
        format!("$KV.{}.{key}", self.name)
    }
}

/// Makes a stream if there is none of its name. Says how many messages it has had.
///
/// # Errors
/// See [`ApiFailure`].
pub async fn ensure(nats: &Nats, wanted: &Value, deadline: Instant) -> Result<u64, ApiFailure> {
    let name = wanted["name"].as_str().unwrap_or_default();
    let info = match nats.api(&format!("STREAM.INFO.{name}"), &json!({}), deadline).await {
        Err(ApiFailure::Refused(ApiError { err_code: STREAM_NOT_FOUND, .. })) => {
            nats.api(&format!("STREAM.CREATE.{name}"), wanted, deadline).await?
        }
        info => info?,
    };
    Ok(info.pointer("/state/last_seq").and_then(Value::as_u64).unwrap_or_default())
}

fn entry(message: &Value) -> Result<Entry, ApiFailure> {
    let text = |name: &str| message[name].as_str().unwrap_or_default();
    let decoded =
        |name: &str| STANDARD.decode(text(name)).map_err(|error| ApiFailure::BadReply(error.to_string()));
    let deleted =
        headers::get(&headers::parse(&decoded("hdrs")?), "KV-Operation").is_some_and(|op| op != "PUT");
    Ok(Entry {
        value: if deleted { Bytes::new() } else { decoded("data")?.into() },
        revision: message["seq"].as_u64().unwrap_or_default(),
        time: text("time").to_owned(),
    })
}

/// A text as one token that is legal in subjects and in keys, and can still be read: `GET=20=2Fusers=2F=7Bid=7D`. Of a
/// long one the end is a digest.
pub fn token(text: &str) -> String {
    use sha2::{Digest as _, Sha256};
    const MOST: usize = 160;
    let mut token = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => token.push(byte.into()),
            _ => token.push_str(&format!("={byte:02X}")),
        }
    }
    if token.len() > MOST {
        token.truncate(MOST);
        token.push_str("==");
        Sha256::digest(text).iter().take(12).for_each(|byte| token.push_str(&format!("{byte:02x}")));
    }
    token
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_legal_and_is_nobody_elses() {
        assert_eq!(token("GET /users/{id}"), "GET=20=2Fusers=2F=7Bid=7D");
        assert_eq!(token("getUser_1-x"), "getUser_1-x");
        let long = |end: &str| token(&format!("GET /{}{end}", "a".repeat(300)));
        assert!(long("b").len() < 200 && long("b") != long("c"));
        for text in ["a.b", "a b", "*", ">", "ä", "=", ""] {
            assert!(!token(text).contains(['.', ' ', '*', '>']), "{text}");
        }
    }
}
