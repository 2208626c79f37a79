//! W3C Trace Context: accepted where it is valid, else begun.

use http::HeaderName;
use http::header::HeaderMap;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// Longest `tracestate` that is carried on, in bytes (the standard's minimum).
const MAX_STATE: usize = 512;
/// The flag of a trace that is recorded.
const SAMPLED: u8 = 1;

/// The trace of a request, and the gateway's own span in it.
#[derive(Debug, Clone)]
pub struct TraceContext {
    trace: u128,
    /// The caller's span.
    parent: Option<u64>,
    span: u64,
    /// The span that what we send names as its parent.
    sent: u64,
    flags: u8,
    recorded: bool,
    /// The caller's `tracestate`, only with a valid `traceparent`.
    pub state: Option<String>,
}

impl TraceContext {
    /// Goes on with the caller's trace, or begins one.
    pub fn of(headers: &HeaderMap) -> TraceContext {
        let span = fastrand::u64(1..);
        // Of two nobody knows which is the caller's.
        let mut parents = headers.get_all(TRACEPARENT).iter();
        let parent = parents.next().filter(|_| parents.next().is_none());
        let parent = parent.and_then(|value| parse(value.as_bytes()));
        match parent {
            Some((trace, parent, flags)) => TraceContext {
                trace,
                parent: Some(parent),
                span,
                sent: span,
                flags,
                recorded: false,
                state: state(headers),
            },
            None => TraceContext {
                trace: fastrand::u128(1..),
                parent: None,
                span,
                sent: span,
                flags: 0,
                recorded: false,
                state: None,
            },
        }
    }

    /// Decides whether our spans are recorded: as the caller has decided for its own, or, where the trace begins here,
    /// as `samples` says of its id. From then on what we send is below a span of its own.
    pub fn decide(&mut self, samples: impl FnOnce(u128) -> bool) {
        let sampled = if self.parent.is_some() { self.flags & SAMPLED != 0 } else { samples(self.trace) };
        if sampled {
            self.flags |= SAMPLED;
            self.recorded = true;
            self.sent = fastrand::u64(1..);
        }
    }

    /// The ids of our spans, if they are recorded.
    pub fn recorded(&self) -> Option<Recorded> {
        let TraceContext { trace, parent, span, sent, .. } = *self;
        self.recorded.then_some(Recorded { trace, parent, span, sent })
    }

    /// The trace id, for logs.
    pub fn id(&self) -> TraceId {
        let mut text = [0; 32];
        write_hex(&mut text, self.trace);
        TraceId(text)
    }

    /// As the `traceparent` header that we send.
    pub fn parent(&self) -> String {
        let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
        write_hex(&mut text[3..35], self.trace);
        write_hex(&mut text[36..52], u128::from(self.sent));
        write_hex(&mut text[53..], u128::from(self.flags));
        String::from_utf8_lossy(&text).into_owned()
    }
}

/// The ids of the spans of a request that is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recorded {
    /// The trace.
    pub trace: u128,
    /// The caller's span, if it has begun the trace.
    pub parent: Option<u64>,
    /// The span at the edge.
    pub span: u64,
    /// The span of what is sent, below it.
    pub sent: u64,
}

/// A trace id in its text form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceId([u8; 32]);

impl TraceId {
    /// The 32 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        // Only hexadecimal digits are ever written into it.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// Fills `text` with the last digits of a number.
fn write_hex(text: &mut [u8], mut number: u128) {
    for byte in text.iter_mut().rev() {
        *byte = b"0123456789abcdef"[(number & 0xf) as usize];
        number >>= 4;
    }
}

/// Trace id, span id and flags of a version 00 `traceparent`; later versions are read by their first four parts.
fn parse(value: &[u8]) -> Option<(u128, u64, u8)> {
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
    let span = u64::from_str_radix(span, 16).ok().filter(|span| *span != 0)?;
    Some((trace, span, u8::from_str_radix(flags, 16).ok()? & SAMPLED))
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
    fn the_caller_decides_and_then_we_do() {
        let of = |flags: Option<&str>| {
            let mut headers = HeaderMap::new();
            if let Some(flags) = flags {
                let parent = format!("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-{flags}");
                headers.insert("traceparent", parent.parse().unwrap());
            }
            TraceContext::of(&headers)
        };
        for (flags, ours, recorded) in
            [(Some("01"), false, true), (Some("00"), true, false), (None, true, true), (None, false, false)]
        {
            let mut trace = of(flags);
            let before = trace.parent();
            trace.decide(|_| ours);
            let ids = trace.recorded();
            assert_eq!(ids.is_some(), recorded, "{flags:?} {ours}");
            assert_eq!(trace.parent().ends_with("-01"), recorded);
            assert_eq!(trace.parent() != before, recorded, "what is sent has a span of its own, or none");
            if let Some(ids) = ids {
                assert_eq!(ids.parent, flags.map(|_| 0x00f0_67aa_0ba9_02b7));
                assert!(trace.parent().contains(&format!("{:016x}", ids.sent)) && ids.sent != ids.span);
            }
        }
    }

    #[test]
    fn of_two_parents_none_is_followed() {
        let mut headers = HeaderMap::new();
        for trace in ["4bf92f3577b34da6a3ce929d0e0e4736", "0af7651916cd43dd8448eb211c80319c"] {
            headers.append("traceparent", format!("00-{trace}-00f067aa0ba902b7-01").parse().unwrap());
        }
        let trace = TraceContext::of(&headers);
        assert!(trace.parent.is_none() && trace.parent().ends_with("-00"), "{}", trace.parent());
    }

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
            assert_eq!(trace.id().as_str() == id, followed, "{parent}");
            assert_eq!(trace.state.is_some(), followed, "{parent}");
            assert_eq!(trace.parent().ends_with("-01"), followed);
        }
    }
}
