//! NATS headers from untrusted text, without the panics of the client crate's own conversions.
//! Decides what is legal and what is reserved; which headers travel is decided by others.

use std::str::FromStr;

use async_nats::{HeaderMap, HeaderName, HeaderValue};

/// Bytes of the largest header block that a stream stores; the server refuses more (10097).
pub const MAX_STORED: usize = 65_535;

const VERSION_LINE: &str = "NATS/1.0";

/// Collects headers; what is not legal is left out and remembered by name.
#[derive(Clone, Debug, Default)]
pub struct Headers {
    map: HeaderMap,
    dropped: Vec<String>,
}

impl Headers {
    /// Sets a header. False if name or value is not legal and the header was dropped.
    pub fn insert(&mut self, name: &str, value: &str) -> bool {
        self.put(name, value, |map, name, value| map.insert(name, value))
    }

    /// Sets a header of our own, whose name is known to be legal. A value that is not is dropped all the same.
    pub fn set(&mut self, name: HeaderName, content: String) {
        if is_value(&content) {
            // From text that is owned and has been checked, this neither copies nor panics.
            self.map.insert(name, HeaderValue::from(content));
        } else {
            self.dropped.push(name.to_string());
        }
    }

    /// Adds a value to a header. False if name or value is not legal and the value was dropped.
    pub fn append(&mut self, name: &str, value: &str) -> bool {
        self.put(name, value, |map, name, value| map.append(name, value))
    }

    /// Names of what was dropped, once for each value.
    pub fn dropped(&self) -> &[String] {
        &self.dropped
    }

    /// What was legal so far.
    pub fn map(&self) -> &HeaderMap {
        &self.map
    }

    /// Gives up the names of what was dropped: read [`Headers::dropped`] first.
    pub fn into_map(self) -> HeaderMap {
        self.map
    }

    fn put(&mut self, text: &str, content: &str, set: fn(&mut HeaderMap, HeaderName, HeaderValue)) -> bool {
        match (name(text), value(content)) {
            (Some(name), Some(value)) => {
                set(&mut self.map, name, value);
                true
            }
            _ => {
                self.dropped.push(text.to_owned());
                false
            }
        }
    }
}

/// A header name, if the text is one: visible ASCII without a colon.
pub fn name(text: &str) -> Option<HeaderName> {
    let legal = !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && b != b':');
    legal.then(|| HeaderName::from_str(text).ok()).flatten()
}

/// A header value, if the text is one: ASCII without control characters, tabs apart.
pub fn value(text: &str) -> Option<HeaderValue> {
    is_value(text).then(|| HeaderValue::from_str(text).ok()).flatten()
}

fn is_value(text: &str) -> bool {
    text.bytes().all(|b| b == b'\t' || b == b' ' || b.is_ascii_graphic())
}

/// Looks a header up whatever its case; the spelling as given is tried first. The first value of several.
pub fn get<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    if headers.is_empty() {
        return None;
    }
    if let Some(found) = name(wanted).and_then(|name| headers.get(name)) {
        return Some(found.as_str());
    }
    let same = |name: &HeaderName| <HeaderName as AsRef<str>>::as_ref(name).eq_ignore_ascii_case(wanted);
    headers
        .iter()
        .find(|(name, _)| same(name))
        .and_then(|(_, values)| values.first())
        .map(HeaderValue::as_str)
}

/// A number as a header has it: digits and nothing else, without the sign that a parser would take.
pub fn number(text: &str) -> Option<u16> {
    let digits = text.trim();
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

/// Bytes that the headers take on the wire; none for an empty map, which is not sent.
pub fn wire_len(headers: &HeaderMap) -> usize {
    if headers.is_empty() {
        return 0;
    }
    let line = |name: &HeaderName, value: &HeaderValue| {
        <HeaderName as AsRef<str>>::as_ref(name).len() + ": \r\n".len() + value.as_str().len()
    };
    let lines: usize =
        headers.iter().flat_map(|(name, values)| values.iter().map(move |value| line(name, value))).sum();
    VERSION_LINE.len() + "\r\n\r\n".len() + lines
}

/// Reads a header block as a stream keeps it. Lines that are not headers are skipped: they were written by others.
pub(super) fn parse(block: &[u8]) -> HeaderMap {
    let text = String::from_utf8_lossy(block);
    let mut headers = HeaderMap::new();
    for line in text.split("\r\n").skip(1) {
        let Some((left, right)) = line.split_once(':') else { continue };
        if let (Some(name), Some(value)) = (name(left), value(right.trim())) {
            headers.append(name, value);
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn illegal_text_is_dropped_and_named() {
        let mut headers = Headers::default();
        for value in ["a\rb", "a\nb", "caf\u{e9}", "nul\0", "bell\u{7}", "del\u{7f}"] {
            assert!(!headers.insert("X-Note", value), "{value:?}");
        }
        for name in ["", "a b", "a:b", "na\u{ef}ve", "a\r\nb"] {
            assert!(!headers.append(name, "x"), "{name:?}");
        }
        assert_eq!(headers.dropped().len(), 11);
        assert!(headers.map().is_empty());
    }

    #[test]
    fn legal_text_is_kept_as_it_is() {
        let mut headers = Headers::default();
        assert!(headers.insert("traceparent", "00-ab\tcd ~!"));
        assert!(headers.append("traceparent", ""));
        let map = headers.into_map();
        assert_eq!(get(&map, "TraceParent"), Some("00-ab\tcd ~!"));
        assert_eq!(map.get_all(name("traceparent").unwrap()).count(), 2);
    }

    #[test]
    fn a_block_is_read_and_measured() {
        let block = b"NATS/1.0\r\nNats-Msg-Id: a: b\r\nX:1\r\nX: 2\r\nbroken\r\n\r\n";
        let headers = parse(block);
        assert_eq!(get(&headers, "nats-msg-id"), Some("a: b"));
        assert_eq!(headers.get_all(name("X").unwrap()).count(), 2);
        assert_eq!(wire_len(&headers), b"NATS/1.0\r\nNats-Msg-Id: a: b\r\nX: 1\r\nX: 2\r\n\r\n".len());
        assert_eq!(wire_len(&HeaderMap::new()), 0);
    }
}
