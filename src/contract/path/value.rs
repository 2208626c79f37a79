//! What a parameter of a path took from a request: decoded once, or the reason why it cannot be used.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use percent_encoding::percent_decode_str;

/// The value of one path parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathParam<'p> {
    /// As the template names it.
    pub name: Arc<str>,
    /// As it came.
    pub raw: &'p str,
    /// Percent-decoded exactly once. May hold a slash.
    pub value: Cow<'p, str>,
}

/// Why what a client sent in a path or query cannot be taken as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BadValue {
    /// Nothing stands there.
    Empty,
    /// `%00`.
    Nul,
    /// The bytes are no UTF-8.
    NotUtf8,
    /// A `%` that no two hexadecimal digits follow.
    Malformed,
}

impl fmt::Display for BadValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BadValue::Empty => "is empty",
            BadValue::Nul => "holds a NUL character",
            BadValue::NotUtf8 => "is not valid UTF-8",
            BadValue::Malformed => "holds a `%` that is not followed by two hexadecimal digits",
        })
    }
}

impl BadValue {
    /// Percent-decodes a text once.
    ///
    /// # Errors
    /// When it holds a malformed escape or NUL, or is no UTF-8 afterwards.
    pub fn decode(raw: &str) -> Result<Cow<'_, str>, BadValue> {
        if !raw.bytes().any(|byte| matches!(byte, b'%' | 0)) {
            return Ok(Cow::Borrowed(raw));
        }
        let hex = |at: usize| raw.as_bytes().get(at).is_some_and(u8::is_ascii_hexdigit);
        if raw.match_indices('%').any(|(at, _)| !hex(at + 1) || !hex(at + 2)) {
            return Err(BadValue::Malformed);
        }
        let value = percent_decode_str(raw).decode_utf8().map_err(|_| BadValue::NotUtf8)?;
        match value.contains('\0') {
            true => Err(BadValue::Nul),
            false => Ok(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_happens_once_or_not_at_all() {
        for (raw, expected) in [
            ("plain", Ok("plain")),
            ("a%20b+c", Ok("a b+c")),
            ("%2520", Ok("%20")),
            ("%C3%a9", Ok("é")),
            ("a%2Fb", Ok("a/b")),
            ("%c3", Err(BadValue::NotUtf8)),
            ("a%00", Err(BadValue::Nul)),
            ("100%", Err(BadValue::Malformed)),
            ("%2", Err(BadValue::Malformed)),
            ("%+1", Err(BadValue::Malformed)),
        ] {
            assert_eq!(BadValue::decode(raw), expected.map(Cow::Borrowed), "{raw}");
        }
    }
}
