//! What makes a message the same as another: its id, and a fingerprint to tell a repetition from a mistake.

use http::HeaderName;
use http::header::HeaderMap;
use sha2::{Digest, Sha256};

use crate::head::Head;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const LONGEST_KEY: usize = 255;

/// The identity of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Sent as `Nats-Msg-Id`.
    pub id: String,
    /// Present if another request can have the same id.
    pub fingerprint: Option<String>,
}

impl Identity {
    /// Whether the identical request would get the same id, so that repeating it stores nothing twice.
    pub fn is_repeatable(&self) -> bool {
        self.fingerprint.is_some()
    }
}

/// Why there is no usable `Idempotency-Key`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyError {
    /// Several headers.
    Several,
    /// Not 1 to 255 visible ASCII characters.
    Malformed,
}

impl KeyError {
    /// For the caller.
    pub fn detail(self) -> &'static str {
        match self {
            KeyError::Several => "send one Idempotency-Key",
            KeyError::Malformed => "an Idempotency-Key has 1 to 255 visible ASCII characters",
        }
    }
}

/// The caller's key, bare or as a quoted string.
///
/// # Errors
/// If there are several, or it is not 1 to 255 visible ASCII characters.
pub fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, KeyError> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(KeyError::Several);
    }
    let text = value.to_str().map_err(|_| KeyError::Malformed)?.trim();
    let key = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let legal = (1..=LONGEST_KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    legal.then_some(Some(key)).ok_or(KeyError::Malformed)
}

/// A key of a caller for an operation, as one part of a message id: nobody can read or guess another's.
pub fn key_part(operation: &str, key_space: &str, key: &str) -> String {
    hash(&[operation.as_bytes(), key_space.as_bytes(), key.as_bytes()])
}

/// What a request looked like: its method, path, query and body.
pub fn fingerprint(head: &Head, body: &[u8]) -> String {
    let query = head.parts.uri.query().unwrap_or_default();
    hash(&[head.method().as_str().as_bytes(), head.path().as_bytes(), query.as_bytes(), body])
}

/// 128 bits of SHA-256 over parts, each with its length, so that no two lists look alike.
fn hash(parts: &[&[u8]]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    digest.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_bare_or_quoted_visible_ascii() {
        let read = |values: &[&[u8]]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append("idempotency-key", http::HeaderValue::from_bytes(value).unwrap());
            }
            idempotency_key(&headers).map(|key| key.map(str::to_owned))
        };
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[b"abc"]), Ok(Some("abc".into())));
        assert_eq!(read(&[b"\"abc\""]), Ok(Some("abc".into())));
        assert_eq!(read(&[b"a", b"a"]), Err(KeyError::Several));
        for malformed in [&b""[..], b"\"\"", b"a b", b"\xe9", &[b'a'; 256]] {
            assert_eq!(read(&[malformed]), Err(KeyError::Malformed));
        }
        assert!(read(&[&[b'a'; 255]]).is_ok());
    }

    #[test]
    fn parts_never_run_into_each_other() {
        assert_ne!(key_part("a", "bc", "d"), key_part("ab", "c", "d"));
        assert_ne!(key_part("a", "", "k"), key_part("b", "", "k"));
        assert_eq!(key_part("a", "b", "c").len(), 32);
    }
}
