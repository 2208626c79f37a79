//! Which header fields are of one connection alone, and which are the gateway's own: neither passes on, in whichever
//! direction.

use http::header::{CONNECTION, CONTENT_LENGTH, HeaderMap, HeaderName};

/// Before the names of the gateway's own.
const OWN: &str = "natsgate-";

/// Whether a field stays here: one of one connection alone (RFC 9110, section 7.6.1), or one of the gateway's own.
pub fn stays(name: &HeaderName) -> bool {
    // Many services do not tell `_` from `-`.
    if name.as_str().contains('_') {
        return name
            .as_str()
            .replace('_', "-")
            .parse()
            .is_ok_and(|name| stays(&name) || name == CONTENT_LENGTH);
    }
    match name.as_str() {
        "connection" | "transfer-encoding" | "upgrade" | "te" | "keep-alive" | "proxy-connection" => true,
        "proxy-authenticate" | "proxy-authorization" | "http2-settings" => true,
        other => other.starts_with(OWN),
    }
}

/// The fields that `Connection` names.
#[derive(Debug, Default)]
pub struct Named<'a>(Vec<&'a str>);

impl<'a> Named<'a> {
    /// Those of a head. What every message needs is not taken away by naming it, and what a body needs to be read.
    pub fn of(headers: &'a HeaderMap) -> Named<'a> {
        let lines = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
        let options = lines.flat_map(|line| line.split(',')).map(str::trim);
        let usual = ["", "close", "keep-alive", "upgrade", "te", "host", "content-length"];
        Named(options.filter(|option| !usual.iter().any(|name| option.eq_ignore_ascii_case(name))).collect())
    }

    /// Whether a field is among them.
    pub fn has(&self, name: &HeaderName) -> bool {
        self.0.iter().any(|option| option.eq_ignore_ascii_case(name.as_str()))
    }
}

/// Whether a field counts only before the body (RFC 9110, section 6.5.1): who asks, whom, and how the body is to be read.
/// What was looked at or set in the head must not be said again behind it.
fn is_of_head(name: &HeaderName) -> bool {
    let name = name.as_str().replace('_', "-");
    name.starts_with("x-forwarded-")
        || name.starts_with("content-")
        || matches!(&*name, "host" | "authorization" | "cookie" | "set-cookie" | "forwarded" | "x-real-ip")
        || matches!(&*name, "x-request-id" | "traceparent" | "trailer" | "expect" | "range" | "cache-control")
}

/// Takes out of trailers what does not pass.
pub(super) fn clean(trailers: &mut HeaderMap) {
    let is_out = |name: &&HeaderName| stays(name) || is_of_head(name);
    let staying: Vec<HeaderName> = trailers.keys().filter(is_out).cloned().collect();
    for name in staying {
        trailers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_of_one_connection_stays() {
        let name = |text: &str| text.parse::<HeaderName>().unwrap();
        for staying in [
            "Transfer_Encoding",
            "content_length",
            "Natsgate_Shadow",
            "Connection",
            "keep-alive",
            "TE",
            "transfer-encoding",
            "Upgrade",
            "Natsgate-Code",
        ] {
            assert!(stays(&name(staying)), "{staying}");
        }
        for passing in ["trailer", "content-length", "authorization", "cookie", "x-natsgate-a", "natsgat"] {
            assert!(!stays(&name(passing)), "{passing}");
        }
    }

    #[test]
    fn a_trailer_says_nothing_that_the_head_has_to_say() {
        let mut trailers = HeaderMap::new();
        for name in
            ["x-checksum", "grpc-status", "server-timing", "X-Forwarded-For", "Cookie", "authorization"]
        {
            trailers.insert(name.parse::<HeaderName>().unwrap(), "1".parse().unwrap());
        }
        for name in ["host", "content-length", "content_type", "x_real_ip", "natsgate-side", "connection"] {
            trailers.insert(name.parse::<HeaderName>().unwrap(), "1".parse().unwrap());
        }
        clean(&mut trailers);
        let mut left: Vec<&str> = trailers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["grpc-status", "server-timing", "x-checksum"]);
    }

    #[test]
    fn connection_names_fields_but_never_what_frames_a_message() {
        let mut headers = HeaderMap::new();
        headers.append(CONNECTION, "keep-alive, X-Secret ,,".parse().unwrap());
        headers.append(CONNECTION, "content-length,host,foo".parse().unwrap());
        let named = Named::of(&headers);
        let has = |text: &str| named.has(&text.parse().unwrap());
        assert!(has("x-secret") && has("foo"));
        assert!(!has("content-length") && !has("host") && !has("keep-alive"));
    }
}
