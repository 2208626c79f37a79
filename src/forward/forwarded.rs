//! What the legacy service is told of the client: by `X-Forwarded-*`, by `Forwarded` (RFC 7239), by both or not at all. What
//! stands in these fields already is the word of a trusted proxy, and goes on.

use std::fmt::Write as _;
use std::net::IpAddr;

use bytes::Bytes;
use http::HeaderValue;
use http::header::{FORWARDED, HOST, HeaderMap, HeaderName};

use crate::head::Head;
use crate::upstream::Forwarded;

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Whether a field claims something of where a request comes from.
pub(super) fn is_claim(name: &HeaderName) -> bool {
    let text = name.as_str();
    if text.contains('_') {
        // Many services do not tell it from `-`.
        return text.replace('_', "-").parse().is_ok_and(|name| is_claim(&name));
    }
    *name == FORWARDED || text.starts_with("x-forwarded-") || text == "x-real-ip"
}

/// Adds what we know. `headers` has the client's `Host`.
pub(super) fn tell(head: &Head, by: Forwarded, headers: &mut HeaderMap) {
    let scheme = if head.is_secure { "https" } else { "http" };
    if by.standard {
        let element = element(head.peer, headers.get(HOST), scheme);
        append(headers, FORWARDED, element);
    }
    if !by.x_forwarded {
        return;
    }
    append(headers, FOR, address(head.peer));
    if !headers.contains_key(X_HOST)
        && let Some(host) = headers.get(HOST).cloned()
    {
        headers.insert(X_HOST, host);
    }
    if !headers.contains_key(PROTO) {
        headers.insert(PROTO, HeaderValue::from_static(scheme));
    }
}

/// Adds an element to a list, in one field: many look at the first one only.
fn append(headers: &mut HeaderMap, name: HeaderName, element: String) {
    let mut list = Vec::new();
    for value in headers.get_all(&name) {
        list.extend_from_slice(value.as_bytes());
        list.extend_from_slice(b", ");
    }
    let list = match list.is_empty() {
        true => element.into_bytes(),
        false => [list, element.into_bytes()].concat(),
    };
    if let Ok(value) = HeaderValue::from_maybe_shared(Bytes::from(list)) {
        headers.insert(name, value);
    }
}

/// An address as text. Most are of four numbers, and formatting those by the library costs more than all the rest here.
fn address(address: IpAddr) -> String {
    let IpAddr::V4(four) = address else { return address.to_string() };
    let mut text = String::with_capacity(15);
    for (at, octet) in four.octets().into_iter().enumerate() {
        text.push_str(if at == 0 { "" } else { "." });
        for (least, unit) in [(100, 100), (10, 10), (0, 1)] {
            if octet >= least {
                text.push(char::from(b'0' + octet / unit % 10));
            }
        }
    }
    text
}

fn element(peer: IpAddr, host: Option<&HeaderValue>, scheme: &str) -> String {
    let mut text = match peer {
        IpAddr::V4(address) => format!("for={address}"),
        IpAddr::V6(address) => format!("for=\"[{address}]\""),
    };
    if let Some(host) = host.and_then(|host| host.to_str().ok()).filter(|host| !host.is_empty()) {
        let is_token =
            host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
        let _ = match is_token {
            true => write!(text, ";host={host}"),
            false => write!(text, ";host=\"{}\"", host.replace('\\', "\\\\").replace('"', "\\\"")),
        };
    }
    let _ = write!(text, ";proto={scheme}");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_quoted_where_they_must_be() {
        let of = |peer: &str, host: Option<&str>| {
            let host = host.map(|host| HeaderValue::from_str(host).unwrap());
            element(peer.parse().unwrap(), host.as_ref(), "http")
        };
        assert_eq!(of("192.0.2.1", Some("a.example")), "for=192.0.2.1;host=a.example;proto=http");
        assert_eq!(of("192.0.2.1", Some("a:80")), "for=192.0.2.1;host=\"a:80\";proto=http");
        assert_eq!(of("2001:db8::1", None), "for=\"[2001:db8::1]\";proto=http");
    }

    #[test]
    fn lists_grow_in_one_field() {
        let mut headers = HeaderMap::new();
        headers.append(FOR, HeaderValue::from_static("1.1.1.1"));
        headers.append(FOR, HeaderValue::from_static("2.2.2.2"));
        append(&mut headers, FOR, address([3, 30, 0, 103].into()));
        let all: Vec<_> = headers.get_all(FOR).iter().collect();
        assert_eq!(all, ["1.1.1.1, 2.2.2.2, 3.30.0.103"]);
    }
}
