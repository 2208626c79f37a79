//! Walks the members and items of JSON text that has been checked before, by slices of that text.
//! Every step moves forward, so that one lookup costs at most one pass. On unchecked text it ends early; it never
//! panics and never loops. It works on bytes: what is skipped need not be looked at as text again.

use std::borrow::Cow;

/// The members of an object as (quoted name, value); nothing if the text is not an object.
pub(super) fn members(text: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = enter(text, b"{");
    std::iter::from_fn(move || {
        let key = value(&mut rest)?;
        rest = rest.trim_ascii_start().strip_prefix(b":")?;
        let found = value(&mut rest)?;
        separator(&mut rest);
        Some((key, found))
    })
}

/// The items of an array; nothing if the text is not an array.
pub(super) fn items(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = enter(text, b"[");
    std::iter::from_fn(move || {
        let found = value(&mut rest)?;
        separator(&mut rest);
        Some(found)
    })
}

/// Compares a quoted name with a plain one, unescaping only where an escape stands.
pub(super) fn key_is(quoted: &[u8], name: &str) -> bool {
    let inner = inside(quoted);
    if inner.contains(&b'\\') { unescape(quoted) == name } else { inner == name.as_bytes() }
}

/// The text that a quoted string stands for.
pub(super) fn unescape(quoted: &[u8]) -> Cow<'_, str> {
    let inner = inside(quoted);
    if inner.contains(&b'\\') {
        Cow::Owned(serde_json::from_slice(quoted).unwrap_or_default())
    } else {
        Cow::Borrowed(std::str::from_utf8(inner).unwrap_or_default())
    }
}

fn inside(quoted: &[u8]) -> &[u8] {
    quoted.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(quoted)
}

fn enter<'a>(text: &'a [u8], open: &[u8]) -> &'a [u8] {
    text.strip_prefix(open).unwrap_or_default()
}

fn separator(rest: &mut &[u8]) {
    let trimmed = rest.trim_ascii_start();
    *rest = trimmed.strip_prefix(b",").unwrap_or(trimmed);
}

/// Cuts the next value off the front of `rest`.
pub(super) fn value<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let text = rest.trim_ascii_start();
    let end = match text.first()? {
        b'"' => string_end(text, 0),
        b'{' | b'[' => container_end(text),
        b'}' | b']' | b',' | b':' => Some(0),
        _ => text.iter().position(|byte| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n')),
    };
    let (found, after) = text.split_at_checked(end.unwrap_or(text.len()))?;
    *rest = after;
    (!found.is_empty()).then_some(found)
}

/// Where the string that opens at `start` ends, its closing quote included.
fn string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    None
}

/// Where the object or array that opens the text ends, its closing bracket included.
fn container_end(bytes: &[u8]) -> Option<usize> {
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = string_end(bytes, at)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
    None
}
