//! One entry of `Forwarded` (RFC 7239) or `X-Forwarded-For`: the address that it names. Which entry counts is not
//! decided here.
//!
//! An entry is what stands between two commas, also where a comma is part of a quoted string: its two halves then have
//! an odd number of quotes each, and are refused. So a header can be read from its right end, and a quote that a client
//! leaves open swallows nothing that a proxy has appended. For that no entry with a backslash is read; no address, host
//! or protocol has one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::HeaderName;

/// No entry that a proxy writes is longer, in bytes.
const LONGEST: usize = 1024;

/// What an entry says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hop {
    /// Nothing stands there.
    None,
    /// Somebody whom it does not name, or it cannot be read.
    Unknown,
    /// An address.
    Address(IpAddr),
}

/// An entry of `X-Forwarded-For`: an address, with a port where a proxy adds one.
pub(super) fn forwarded_for(entry: &[u8]) -> Hop {
    let Some(text) = readable(entry) else { return Hop::Unknown };
    if text.is_empty() {
        return Hop::None;
    }
    let bare = text.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    bare.or_else(|| node(text)).map_or(Hop::Unknown, Hop::Address)
}

/// An entry of `Forwarded`: `for=192.0.2.60;proto=http;by="[2001:db8::17]:4711"`.
pub(super) fn forwarded(entry: &[u8]) -> Hop {
    match readable(entry) {
        Some("") => Hop::None,
        Some(text) => pairs(text).flatten().and_then(node).map_or(Hop::Unknown, Hop::Address),
        None => Hop::Unknown,
    }
}

fn readable(entry: &[u8]) -> Option<&str> {
    let short = Some(entry).filter(|entry| entry.len() <= LONGEST && entry.is_ascii())?;
    std::str::from_utf8(short).ok()
}

/// The value of `for` in a list of `name=value`; `None` if anything in it is malformed or `for` stands twice.
fn pairs(text: &str) -> Option<Option<&str>> {
    let (mut rest, mut address) = (text, None);
    loop {
        rest = rest.trim_ascii_start();
        if !rest.is_empty() && !rest.starts_with(';') {
            let (name, value);
            (name, value, rest) = pair(rest)?;
            if name.eq_ignore_ascii_case("for") && address.replace(value).is_some() {
                return None;
            }
        }
        rest = rest.trim_ascii_start();
        match rest.strip_prefix(';') {
            Some(after) => rest = after,
            None => return rest.is_empty().then_some(address),
        }
    }
}

/// One `name=value`, and what stands behind it.
fn pair(text: &str) -> Option<(&str, &str, &str)> {
    let (name, rest) = text.split_once('=')?;
    // A token, as the name of a header is.
    HeaderName::from_bytes(name.as_bytes()).ok()?;
    let (value, rest) = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"')?,
        // More than a token: an address with a port belongs in quotes, and not every proxy puts it there.
        None => rest.split_at(rest.find([';', '"', ' ', '\t']).unwrap_or(rest.len())),
    };
    let legal = !value.contains(|c: char| c == '\\' || c.is_ascii_control());
    legal.then_some((name, value, rest))
}

/// An address with or without a port. An IPv6 address stands in brackets; `unknown` and `_hidden` are none.
fn node(text: &str) -> Option<IpAddr> {
    let Some(bracketed) = text.strip_prefix('[') else {
        let with_port = || Some(text.rsplit_once(':')?).filter(|(_, port)| is_port(port));
        let address: Ipv4Addr = text.parse().ok().or_else(|| with_port()?.0.parse().ok())?;
        return Some(IpAddr::V4(address));
    };
    let (address, port) = bracketed.split_once(']')?;
    let port = port.strip_prefix(':').map_or(port.is_empty(), is_port);
    address.parse::<Ipv6Addr>().ok().filter(|_| port).map(IpAddr::V6)
}

/// The number of a port, or a name that hides it.
fn is_port(text: &str) -> bool {
    let hidden = |name: &str| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
    };
    let digits = || (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.strip_prefix('_').map_or_else(digits, hidden)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_names_one_address() {
        for (entry, expected) in [
            ("for=192.0.2.43", "192.0.2.43"),
            ("For=\"192.0.2.43\"", "192.0.2.43"),
            ("for=\"192.0.2.43:47011\"", "192.0.2.43"),
            ("for=192.0.2.43:47011", "192.0.2.43"),
            ("for=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17"),
            ("FOR=\"[2001:db8:cafe::17]\"", "2001:db8:cafe::17"),
            ("for=\"[2001:db8:cafe::17]:_gazonk\"", "2001:db8:cafe::17"),
            ("for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60"),
            ("by=203.0.113.43;;for=192.0.2.60;", "192.0.2.60"),
            ("proto=https; host=\"a.example:8080\" ; for=192.0.2.60", "192.0.2.60"),
            ("host=\";for=6.6.6.6;\";for=192.0.2.60", "192.0.2.60"),
        ] {
            assert_eq!(forwarded(entry.as_bytes()), Hop::Address(expected.parse().unwrap()), "{entry}");
        }
    }

    #[test]
    fn an_element_that_hides_or_mistakes_an_address_names_none() {
        for entry in [
            "for=unknown",
            "for=\"unknown:80\"",
            "for=_hidden",
            "for=\"_SEVKISEK\"",
            "proto=http",
            "for",
            "for=",
            "for=\"\"",
            "=192.0.2.1",
            "for =192.0.2.1",
            "for= 192.0.2.1",
            "for=192.0.2.1 for=192.0.2.2",
            "for=192.0.2.1;for=192.0.2.2",
            "for=192.0.2.1;FOR=192.0.2.1",
            "for=192.0.2.1;host=\"a",
            "for=192.0.2.1;host=a\"",
            "for=192.0.2.1\"",
            "for=\"192.0.2.1\"x",
            "for=\"192.0.2.\\1\"",
            "for=192.0.2.1;host=\"a\\\"b\"",
            "for=192.0.2.1;host=\\",
            "for=2001:db8::1",
            "for=\"2001:db8::1\"",
            "for=[2001:db8::1",
            "for=\"[2001:db8::1]x\"",
            "for=\"[2001:db8::1]:\"",
            "for=\"[2001:db8::1%eth0]\"",
            "for=\"[192.0.2.1]\"",
            "for=\"192.0.2.1:123456\"",
            "for=\"192.0.2.1:_\"",
            "for=\"192.0.2.1:+1\"",
            "for=192.0.2",
            "for=0300.0.2.1",
            "for=0x7f.1",
            "for=localhost",
            "192.0.2.1",
            "f\u{f8}r=192.0.2.1",
        ] {
            assert_eq!(forwarded(entry.as_bytes()), Hop::Unknown, "{entry}");
        }
        assert_eq!(forwarded(b""), Hop::None);
        let long = format!("for=192.0.2.1;host={}", "a".repeat(LONGEST));
        assert_eq!(forwarded(long.as_bytes()), Hop::Unknown);
    }

    #[test]
    fn half_of_a_quoted_string_is_no_element() {
        // What a client can put into its own Host header, or leave open, beside what a proxy appends.
        for (header, expected) in [
            ("for=9.9.9.9;host=\"x, for=6.6.6.6\"", Hop::Unknown),
            ("for=9.9.9.9;host=\"x, for=6.6.6.6;y=\"", Hop::Unknown),
            ("for=9.9.9.9;host=\"x, for=6.6.6.6;y=\";proto=\"http\"", Hop::Unknown),
            ("for=9.9.9.9;host=\"x\\\", for=6.6.6.6, by=\\\"\"", Hop::Unknown),
            ("for=\"6.6.6.6, for=9.9.9.9", Hop::Address(IpAddr::from([9, 9, 9, 9]))),
        ] {
            let last = header.as_bytes().rsplit(|byte| *byte == b',').next().unwrap();
            assert_eq!(forwarded(last.trim_ascii()), expected, "{header}");
        }
    }

    #[test]
    fn an_entry_is_an_address_with_or_without_a_port() {
        for (entry, expected) in [
            ("192.0.2.43", "192.0.2.43"),
            ("192.0.2.43:80", "192.0.2.43"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:80", "2001:db8::1"),
        ] {
            assert_eq!(forwarded_for(entry.as_bytes()), Hop::Address(expected.parse().unwrap()), "{entry}");
        }
        for entry in
            ["unknown", "_a", "192.0.2", "\"192.0.2.1\"", "192.0.2.1:80:80", "[::1", "::1]", "for=::1"]
        {
            assert_eq!(forwarded_for(entry.as_bytes()), Hop::Unknown, "{entry}");
        }
    }
}
