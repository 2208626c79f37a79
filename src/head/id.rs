//! Request ids: UUID version 7 (RFC 9562), so that they sort by time, or what a trusted proxy has called a request.

use std::fmt;
use std::time::SystemTime;

use http::HeaderName;
use http::header::HeaderMap;

/// What proxies call a request.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id that is taken over.
const LONGEST: usize = 128;

/// The id of one request.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestId {
    own: [u8; 36],
    /// Most requests bring none, and those cost nothing.
    given: Option<Box<str>>,
}

impl RequestId {
    /// A fresh id. 74 of its bits are random: unique, and not a secret.
    pub fn new(time: SystemTime) -> RequestId {
        let millis = time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis());
        let random = fastrand::u128(..);
        let bits = (millis << 80) | (random & !(0xffff_ffff_ffff << 80));
        let bits = (bits & !(0xf << 76)) | (0x7 << 76);
        let bits = (bits & !(0x3 << 62)) | (0x2 << 62);
        let mut text = [b'-'; 36];
        let mut shift = 128;
        for (position, byte) in text.iter_mut().enumerate() {
            if !matches!(position, 8 | 13 | 18 | 23) {
                shift -= 4;
                *byte = b"0123456789abcdef"[(bits >> shift & 0xf) as usize];
            }
        }
        RequestId { own: text, given: None }
    }

    /// The same under the name that a trusted proxy gave the request, if that is one name and can stand everywhere.
    #[must_use]
    pub(super) fn or_given(mut self, headers: &HeaderMap) -> RequestId {
        let mut values = headers.get_all(REQUEST_ID).iter();
        if let (Some(value), None) = (values.next(), values.next()) {
            self.given = value.to_str().ok().filter(|text| is_legal(text)).map(Box::from);
        }
        self
    }

    /// The id that is shown: in answers, on messages, in the log.
    pub fn as_str(&self) -> &str {
        self.given.as_deref().unwrap_or_else(|| self.own())
    }

    /// The 36 characters of the gateway's making: nobody else chooses them, so no two requests have the same.
    pub fn own(&self) -> &str {
        // Only hexadecimal digits and hyphens are ever written into it.
        std::str::from_utf8(&self.own).unwrap_or_default()
    }
}

/// Whether it can stand in a header, a URN and a log line as it is.
fn is_legal(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/+=@".contains(&byte);
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(legal)
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_version_7_uuid_that_holds_the_time() {
        let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_millis(0x0123_4567_89ab);
        let (a, b) = (RequestId::new(time), RequestId::new(time));
        assert_ne!(a, b);
        let text = a.as_str();
        assert!(text.starts_with("01234567-89ab-7"), "{text}");
        assert!(matches!(text.as_bytes()[19], b'8' | b'9' | b'a' | b'b'), "{text}");
        assert_eq!(text.len(), 36);
    }

    #[test]
    fn a_given_id_is_shown_only_if_it_can_stand_everywhere() {
        let of = |values: &[&[u8]]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(REQUEST_ID, http::HeaderValue::from_bytes(value).unwrap());
            }
            RequestId::new(SystemTime::now()).or_given(&headers)
        };
        for given in [&b"a"[..], b"4bf92f3577b34da6", b"01J9-Zz._~:/+=@", &[b'a'; 128]] {
            let id = of(&[given]);
            assert_eq!(id.as_str().as_bytes(), given);
            assert_eq!((id.own().len(), id.own() != id.as_str()), (36, true));
        }
        let refused: [&[&[u8]]; 10] = [
            &[],
            &[b""],
            &[b"a b"],
            &[b"a\"b"],
            &[b"a\\b"],
            &[b"a\tb"],
            &[b"<a>"],
            &[b"caf\xc3\xa9"],
            &[&[b'a'; 129]],
            &[b"a", b"a"],
        ];
        for values in refused {
            let id = of(values);
            assert_eq!(id.as_str(), id.own(), "{values:?}");
        }
    }
}
