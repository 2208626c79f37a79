//! W3C Trace Context: accepted where it is valid, else begun.

use std::fmt;

use http::HeaderName;
use http::header::HeaderMap;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// Longest `tracestate` that is carried on, in bytes (the standard's minimum).
const MAX_STATE: usize = 512;

/// The trace of a request, and the gateway's own span in it.
#[derive(Debug, Clone)]
pub struct TraceContext {
    trace: u128,
    span: u64,
    flags: u8,
    /// The caller's `tracestate`, only with a valid `traceparent`.
    pub state: Option<String>,
}

impl TraceContext {
    /// Goes on with the caller's trace, or begins one.
    pub fn of(headers: &HeaderMap) -> TraceContext {
        let span = fastrand::u64(1..);
        let parent = headers.get(TRACEPARENT).and_then(|value| parse(value.as_bytes()));
        match parent {
            Some((trace, flags)) => TraceContext { trace, span, flags, state: state(headers) },
            None => TraceContext { trace: fastrand::u128(1..), span, flags: 0, state: None },
        }
    }

    /// The trace id, for logs.
    pub fn id(&self) -> impl fmt::Display {
        Hex(self.trace)
    }
}

/// As the `traceparent` header that we send.
impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace, self.span, self.flags)
    }
}

struct Hex(u128);

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Trace id and flags of a version 00 `traceparent`; later versions are read by their first four parts.
fn parse(value: &[u8]) -> Option<(u128, u8)> {
    let text = std::str::from_utf8(value).ok()?;
    let parts: Vec<&str> = text.trim().split('-').collect();
    let [version, trace, span, flags, rest @ ..] = parts.as_slice() else { return None };
    let lengths = (version.len(), trace.len(), span.len(), flags.len()) == (2, 32, 16, 2);
    let legal = parts
        .iter()
        .take(4)
        .all(|part| part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)));
    if !lengths || !legal || *version == "ff" || (*version == "00" && !rest.is_empty()) {
        return None;
    }
    let trace = u128::from_str_radix(trace, 16).ok().filter(|trace| *trace != 0)?;
    u64::from_str_radix(span, 16).ok().filter(|span| *span != 0)?;
    Some((trace, u8::from_str_radix(flags, 16).ok()? & 1))
}

fn state(headers: &HeaderMap) -> Option<String> {
    let members: Vec<&str> =
        headers.get_all(TRACESTATE).iter().filter_map(|value| value.to_str().ok()).collect();
    let state = members.join(",");
    (!state.is_empty() && state.len() <= MAX_STATE).then_some(state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_valid_parent_is_followed() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        for (parent, followed) in [
            (format!("00-{id}-00f067aa0ba902b7-01"), true),
            (format!("01-{id}-00f067aa0ba902b7-01-more"), true),
            (format!("00-{id}-00f067aa0ba902b7-01-more"), false),
            (format!("ff-{id}-00f067aa0ba902b7-01"), false),
            (format!("00-{}-00f067aa0ba902b7-01", id.to_uppercase()), false),
            (format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)), false),
            (format!("00-{id}-0000000000000000-01"), false),
            (format!("00-{id}-+0f067aa0ba902b7-01"), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("traceparent", parent.parse().unwrap());
            headers.insert("tracestate", "a=b".parse().unwrap());
            let trace = TraceContext::of(&headers);
            assert_eq!(trace.id().to_string() == id, followed, "{parent}");
            assert_eq!(trace.state.is_some(), followed, "{parent}");
            assert_eq!(trace.to_string().ends_with("-01"), followed);
        }
    }
}
