//! Paths that somebody else may read as those of declared operations.
//!
//! A path that no operation matches goes on to the legacy service as it came, and what that makes of it is its own affair:
//! one resolves `..` before it decodes, another one after, a third takes `\` for `/`, drops empty segments, or what stands
//! behind a `;`; many do not tell `A` from `a`, and some drop dots and spaces at the end. So a path in which anything of that kind stands is read in all these ways, and none of them may be the
//! path of an operation that would be got around.

use std::borrow::Cow;

use http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};

use super::{Match, RouteTable};
use crate::contract::path::{BadValue, PathTemplate};

/// Every text has one form in which it is compared: what is not unreserved (RFC 3986) is encoded.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// How often somebody decodes.
const ROUNDS: usize = 3;

/// The declared operations, in the form in which readings are compared with them.
#[derive(Debug)]
pub struct Guard<T>(RouteTable<T>);

impl<T> Default for Guard<T> {
    fn default() -> Self {
        Guard(RouteTable::default())
    }
}

impl<T> Guard<T> {
    /// Adds an operation. Of several that look the same, the first one counts.
    pub fn insert(&mut self, method: Method, template: &str, value: T) {
        if let Ok(template) = PathTemplate::parse(&canonical(template)) {
            let _ = self.0.insert(method, &template, value);
        }
    }

    /// Whether a path can be read as that of an operation of which this holds. Usual paths cost one look at their bytes.
    pub fn any(&self, method: &Method, raw_path: &str, holds: impl Fn(&T) -> bool) -> bool {
        is_suspicious(raw_path.as_bytes())
            && readings(raw_path).iter().any(|reading| match self.0.find(method, reading) {
                Match::Found { value, .. } => holds(value),
                Match::BadPath { value, reason, .. } => reason != BadValue::Empty && holds(value),
                Match::MethodNotAllowed { .. } | Match::NotFound => false,
            })
    }

    /// Whether a path as it came is that of an operation with another method of which this holds.
    pub fn as_it_came(&self, method: &Method, raw_path: &str, holds: impl Fn(&T) -> bool) -> bool {
        let reading = reading(&split(raw_path, 1), false);
        matches!(self.0.find(method, &reading), Match::Found { value, .. } if holds(value))
    }
}

/// A template with its literal parts in the form that is compared.
fn canonical(template: &str) -> String {
    let mut text = String::with_capacity(template.len());
    for (at, segment) in template.split('/').enumerate() {
        text.push_str(if at == 0 { "" } else { "/" });
        let mut rest = segment;
        while let Some((literal, behind)) = rest.split_once('{') {
            let (name, behind) = behind.split_once('}').unwrap_or((behind, ""));
            encode(&mut text, &decode(literal.as_bytes()));
            text.extend(["{", name, "}"]);
            rest = behind;
        }
        encode(&mut text, &decode(rest.as_bytes()));
    }
    text
}

/// Whoever does not tell `A` from `a` is one of those who read a path, so nothing here does.
fn encode(text: &mut String, bytes: &[u8]) {
    text.extend(percent_encode(&bytes.to_ascii_lowercase(), ENCODED));
}

fn decode(bytes: &[u8]) -> Cow<'_, [u8]> {
    if bytes.windows(2).any(|two| two.eq_ignore_ascii_case(b"%u")) {
        return percent_decode(&sixteen_bits(bytes)).collect::<Vec<u8>>().into();
    }
    percent_decode(bytes).into()
}

/// With `%u0061`, as some servers decode it, written as `%61`.
fn sixteen_bits(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, behind)) = rest.split_first() {
        match rest {
            [b'%', b'u' | b'U', b'0', b'0', behind @ ..] => {
                out.push(b'%');
                rest = behind;
            }
            _ => {
                out.push(*first);
                rest = behind;
            }
        }
    }
    out
}

fn is_suspicious(path: &[u8]) -> bool {
    let mut before = 0;
    let mut rest = path.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        let next = rest.peek().copied().unwrap_or(b'/');
        match byte {
            b'%' | b'\\' | b';' | b'A'..=b'Z' => return true,
            b'/' if next == b'/' && path.len() > 1 => return true,
            b'.' if next == b'/' || (before == b'/' && next == b'.') => return true,
            _ => before = byte,
        }
    }
    false
}

/// Every way in which somebody may read a path, each once.
fn readings(raw_path: &str) -> Vec<String> {
    let mut readings = Vec::new();
    let mut former = Vec::new();
    for rounds in 1..=ROUNDS {
        let decoded = split(raw_path, rounds);
        if decoded == former {
            break;
        }
        for segments in by_separators(&decoded) {
            for segments in without_ends(segments) {
                for drops_empty in [true, false] {
                    let reading = reading(&segments, drops_empty);
                    if !readings.contains(&reading) {
                        readings.push(reading);
                    }
                }
            }
        }
        former = decoded;
    }
    readings
}

/// The segments of a path, each decoded so often.
fn split(raw_path: &str, rounds: usize) -> Vec<Vec<u8>> {
    let decoded = |segment: &str| {
        let mut bytes = segment.as_bytes().to_vec();
        for _ in 0..rounds {
            bytes = overlong(&decode(&bytes));
        }
        bytes
    };
    raw_path.strip_prefix('/').unwrap_or(raw_path).split('/').map(decoded).collect()
}

/// Bytes that are no UTF-8, and that lenient decoders take for `/`, `.` and `\`.
fn overlong(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, behind)) = rest.split_first() {
        let (byte, behind) = match rest {
            [0xc0, 0xaf, behind @ ..] => (b'/', behind),
            [0xe0, 0x80, 0xaf, behind @ ..] => (b'/', behind),
            [0xc0, 0xae, behind @ ..] | [0xe0, 0x80, 0xae, behind @ ..] => (b'.', behind),
            [0xc1, 0x9c, behind @ ..] => (b'\\', behind),
            _ => (*first, behind),
        };
        out.push(byte);
        rest = behind;
    }
    out
}

/// With a decoded slash, a backslash, or both taken for what separates segments.
fn by_separators(segments: &[Vec<u8>]) -> Vec<Vec<Vec<u8>>> {
    let mut ways = vec![segments.to_vec()];
    for separators in [&b"/"[..], b"\\", b"/\\"] {
        if segments.iter().flatten().any(|byte| separators.contains(byte)) {
            let parts = segments.iter().flat_map(|segment| segment.split(|byte| separators.contains(byte)));
            ways.push(parts.map(<[u8]>::to_vec).collect());
        }
    }
    ways
}

/// As they are, without what stands behind `;`, and cut off where a text, or a path, would end.
fn without_ends(segments: Vec<Vec<u8>>) -> Vec<Vec<Vec<u8>>> {
    let cut = |segment: &[u8], at: &[u8]| {
        let end = segment.iter().position(|byte| at.contains(byte));
        segment.get(..end.unwrap_or(segment.len())).unwrap_or_default().to_vec()
    };
    let mut ways = vec![segments];
    if ways[0].iter().flatten().any(|byte| *byte == b';') {
        ways.push(ways[0].iter().map(|segment| cut(segment, b";")).collect());
    }
    for way in 0..ways.len() {
        let ends = |segment: &Vec<u8>| segment.iter().any(|byte| b"\0?#".contains(byte));
        if let Some(end) = ways[way].iter().position(ends) {
            let mut shorter = ways[way][..=end].to_vec();
            shorter[end] = cut(&shorter[end], b"\0?#");
            ways.push(shorter);
        }
    }
    for way in 0..ways.len() {
        let shorter: Vec<Vec<u8>> = ways[way].iter().map(|segment| without_trail(segment).to_vec()).collect();
        if shorter != ways[way] {
            ways.push(shorter);
        }
    }
    ways
}

/// Without dots and spaces at its end, which some file systems drop, unless it is nothing else.
fn without_trail(segment: &[u8]) -> &[u8] {
    let end = segment.iter().rposition(|byte| !matches!(byte, b'.' | b' ' | b'\t' | b'\r' | b'\n'));
    end.map_or(segment, |end| &segment[..=end])
}

/// The path that segments make, without those that lead elsewhere.
fn reading(segments: &[Vec<u8>], drops_empty: bool) -> String {
    let mut kept: Vec<&[u8]> = Vec::with_capacity(segments.len());
    let mut is_open = false;
    for segment in segments.iter().filter(|segment| !drops_empty || !segment.is_empty()) {
        is_open = matches!(&segment[..], b"." | b"..");
        match &segment[..] {
            b"." => {}
            b".." => drop(kept.pop()),
            other => kept.push(other),
        }
    }
    if is_open && !drops_empty {
        kept.push(b"");
    }
    let mut text = String::new();
    for segment in kept {
        text.push('/');
        encode(&mut text, segment);
    }
    if text.is_empty() { "/".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn guard(templates: &[&str]) -> Guard<String> {
        let mut guard = Guard::default();
        templates.iter().for_each(|template| guard.insert(Method::GET, template, (*template).to_owned()));
        guard
    }

    #[test]
    fn every_way_to_write_a_path_is_seen() {
        let guard = guard(&["/admin/users/{id}", "/caf%C3%A9", "/a:b"]);
        for path in [
            "/admin//users/1",
            "//admin/users/1",
            "/admin/users/1/",
            "/admin/./users/1",
            "/x/../admin/users/1",
            "/x/%2e%2e/admin/users/1",
            "/x/.%2E/admin/users/1",
            "/x/..;/admin/users/1",
            "/x/..;a=b/admin/users/1",
            "/admin;a=b/users/1",
            "/admin%2Fusers%2f1",
            "/admin\\users\\1",
            "/admin%5Cusers/1",
            "/%61dmin/users/1",
            "/%2561dmin/users/1",
            "/%252561dmin/users/1",
            "/x%2f..%2fadmin/users/1",
            "/x%252f..%252fadmin/users/1",
            "/x//../admin/users/1",
            "/x\\..\\admin/users/1",
            "/admin/users/1%00.html",
            "/admin/users/1%3Fx",
            "/admin/users/1%23x/y",
            "/x/%c0%ae%c0%ae%c0%afadmin/users/1",
            "/./admin/users/1/.",
            "/admin/users/1/2/..",
            "/caf%c3%a9",
            "/caf%25C3%25A9",
            "/%61:b",
            "/a%3ab",
            "/a%3Ab/",
            "/Admin/users/1",
            "/ADMIN/USERS/1",
            "/admin/users./1",
            "/admin./users/1",
            "/admin/users%20/1",
            "/admin%09/users/1.",
            "/%u0061dmin/users/1",
            "/admin%u002fusers/1",
            "/admin%e0%80%afusers/1",
            "/A%3ab",
        ] {
            assert!(guard.any(&Method::GET, path, |_| true), "{path}");
            assert!(!guard.any(&Method::POST, path, |_| true), "{path}");
        }
        for path in [
            "/",
            "/admin",
            "/admin/users",
            "/files/a%20b",
            "/Files/A.txt",
            "/files/%u00e9",
            "/x/../y",
            "/admin/users/1/2",
            "/.well-known/x",
            "/a..b/...",
            "/admin/%75ser/1",
            "/x;y/z",
            "/files/100%25",
        ] {
            assert!(!guard.any(&Method::GET, path, |_| true), "{path}");
        }
    }

    /// A path, written in another way: each byte of `how` decides on one place.
    fn disguised(path: &str, how: &[u8]) -> String {
        let mut how = how.iter().copied().cycle();
        let mut next = || how.next().unwrap_or_default();
        let mut out = String::new();
        for character in path.chars() {
            match (character, next() % 12) {
                ('/', 0) => out.push_str("//"),
                ('/', 1) => out.push_str("/./"),
                ('/', 2) => out.push_str("/x/../"),
                ('/', 3) => out.push_str("/x/%2e%2E/"),
                ('/', 4) => out.push_str("/%2e/"),
                (other, 5) if other != '/' => out.push_str(&format!("%{:02x}", other as u32)),
                (other, 6) if other != '/' => out.push_str(&format!("%25{:02X}", other as u32)),
                (other, _) => out.push(other),
            }
        }
        match next() % 4 {
            0 => out + "/",
            1 => out + ";x=y",
            2 => out + "/y/..",
            _ => out,
        }
    }

    proptest! {
        #[test]
        fn nothing_gets_past(
            paths in prop::collection::vec("(/[a-z0-9._~:-]{0,3}[a-z]){1,4}", 1..8),
            which in any::<prop::sample::Index>(),
            how in prop::collection::vec(any::<u8>(), 1..40),
        ) {
            let path = &paths[which.index(paths.len())];
            let written: Vec<&str> = paths.iter().map(String::as_str).collect();
            let disguise = disguised(path, &how);
            prop_assert!(disguise == *path || guard(&written).any(&Method::GET, &disguise, |_| true), "{disguise}");
        }

        #[test]
        fn no_path_is_a_panic(path in ".*", template in "[a/{}.:%20]{0,12}") {
            let _ = guard(&[&template]).any(&Method::GET, &path, |_| true);
        }
    }
}
