//! What holds for the head of every request, before anything is looked up: HTTP's own rules where the library is more
//! lenient than they are, and the sizes that the configuration allows.

use http::header::{EXPECT, HOST, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Uri, Version};

use crate::config::Config;
use crate::openapi::Docs;
use crate::problem::{Code, Problem};

/// Most header fields of one request; the HTTP/1.1 library has the same limit.
const MOST_FIELDS: usize = 100;
/// Longest method. Those of every registry are shorter.
const LONGEST_METHOD: usize = 32;
/// How much longer a head may be than what is allowed, so that it is refused with a document and not by the library.
const BEYOND: usize = 16 << 10;

/// What holds for every request.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Bytes of all header fields together.
    max_headers: usize,
    /// Bytes of path and query.
    max_uri: usize,
    /// Where the published document is.
    pub(super) docs: Option<Docs>,
}

impl Rules {
    /// Those of a configuration.
    pub fn of(config: &Config) -> Rules {
        let bytes = |size: u64| usize::try_from(size).unwrap_or(usize::MAX);
        Rules {
            max_headers: bytes(config.server.max_headers.0),
            max_uri: bytes(config.server.max_uri.0),
            docs: config.server.docs.as_ref().map(|at| Docs::new(at, true)),
        }
    }

    /// From where on the library may refuse a head by itself, in bytes.
    pub fn longest_head(&self) -> usize {
        2 * (self.max_headers + self.max_uri) + BEYOND
    }

    /// Looks at a head.
    ///
    /// # Errors
    /// `malformed_request`, `uri_too_long`, `headers_too_large`, `expectation_failed`.
    pub(super) fn check(&self, parts: &Parts) -> Result<(), Problem> {
        target(&parts.method, &parts.uri)?;
        let uri = parts.uri.path_and_query().map_or(0, |target| target.as_str().len());
        if uri > self.max_uri {
            let detail = format!("path and query may have {} bytes", self.max_uri);
            return Err(Problem::new(Code::UriTooLong, detail));
        }
        self.fields(&parts.headers)?;
        host(parts)?;
        transfer_encoding(&parts.headers)?;
        expectation(parts)
    }

    fn fields(&self, headers: &HeaderMap) -> Result<(), Problem> {
        if headers.len() > MOST_FIELDS {
            let detail = format!("a request may have {MOST_FIELDS} header fields");
            return Err(Problem::new(Code::HeadersTooLarge, detail));
        }
        // Each with its colon, space and line end.
        let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
        if size > self.max_headers {
            let detail = format!("the header fields may have {} bytes together", self.max_headers);
            return Err(Problem::new(Code::HeadersTooLarge, detail));
        }
        Ok(())
    }
}

fn malformed(detail: &'static str) -> Problem {
    Problem::new(Code::MalformedRequest, detail)
}

/// RFC 9112, section 3.2: a path, or the URL of one; an asterisk for OPTIONS.
fn target(method: &Method, uri: &Uri) -> Result<(), Problem> {
    if method.as_str().len() > LONGEST_METHOD {
        return Err(malformed("no method is that long"));
    }
    if *method == Method::CONNECT {
        return Err(malformed("this is no proxy: CONNECT is not served"));
    }
    let is_web = uri.scheme_str().is_none_or(|scheme| matches!(scheme, "http" | "https"));
    let path = uri.path();
    match is_web && (path.starts_with('/') || (path == "*" && *method == Method::OPTIONS)) {
        true => Ok(()),
        false => Err(malformed("the request's target must be a path")),
    }
}

/// RFC 9112, section 3.2, and RFC 9113, section 8.3.1: one host, and a legal one. Proxies that see another one than we
/// do would let through what they keep from others.
fn host(parts: &Parts) -> Result<(), Problem> {
    let mut hosts = parts.headers.get_all(HOST).iter();
    let (first, second) = (hosts.next(), hosts.next());
    if second.is_some() {
        return Err(malformed("there is more than one Host"));
    }
    let authority = parts.uri.authority().map(|authority| authority.as_str().as_bytes());
    let host = first.map(HeaderValue::as_bytes);
    if ![authority, host].into_iter().flatten().all(is_host) {
        return Err(malformed("the host is not legal"));
    }
    match (authority, host, parts.version) {
        (None, None, Version::HTTP_09 | Version::HTTP_10) => Ok(()),
        // In HTTP/1.1 a URL as the target outranks Host, which must be there all the same.
        (_, None, Version::HTTP_11) | (None, None, _) => Err(malformed("there is no Host")),
        (Some(one), Some(other), Version::HTTP_2) if !one.eq_ignore_ascii_case(other) => {
            Err(malformed("Host differs from :authority"))
        }
        _ => Ok(()),
    }
}

/// A name or an address, and a port. Nothing with an `@` or a space in it.
fn is_host(text: &[u8]) -> bool {
    let legal = |byte: &u8| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'%' | b'!' | b'$' | b'&'..=b',' | b';' | b'=')
    };
    let in_brackets = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.' | b'v');
    let (name, port) = match text.strip_prefix(b"[") {
        Some(rest) => match rest.iter().position(|byte| *byte == b']') {
            Some(end) if rest[..end].iter().all(in_brackets) => (&b""[..], &rest[end + 1..]),
            _ => return false,
        },
        None => text.split_at(text.iter().position(|byte| *byte == b':').unwrap_or(text.len())),
    };
    let port = port.strip_prefix(b":").or(port.is_empty().then_some(port));
    name.iter().all(legal) && port.is_some_and(|port| port.iter().all(u8::is_ascii_digit))
}

/// RFC 9112, section 6.1: the library looks at the last coding only, and there is no other one that we know.
fn transfer_encoding(headers: &HeaderMap) -> Result<(), Problem> {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => Ok(()),
        (Some(one), None) if one.as_bytes().eq_ignore_ascii_case(b"chunked") => Ok(()),
        _ => Err(malformed("the only transfer coding is chunked, once")),
    }
}

/// RFC 9110, section 10.1.1.
fn expectation(parts: &Parts) -> Result<(), Problem> {
    let mut expected = parts.headers.get_all(EXPECT).iter();
    let is_known = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"100-continue");
    match parts.version <= Version::HTTP_10 || expected.all(is_known) {
        true => Ok(()),
        false => {
            Err(Problem::new(Code::ExpectationFailed, "the only expectation that is met is 100-continue"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_and_addresses_with_a_port() {
        for host in
            ["a", "a.example.com:8080", "127.0.0.1", "[::1]", "[::1]:80", "", "a:", "xn--a.b_c", "%41"]
        {
            assert!(is_host(host.as_bytes()), "{host}");
        }
        for host in [
            "a b", "u@a", "a/b", "a?b", "a#b", "a:b", "a:80:80", "[::1", "[a/b]", "[::1]x", "a\\b", "é",
            "<a>",
        ] {
            assert!(!is_host(host.as_bytes()), "{host}");
        }
    }
}
