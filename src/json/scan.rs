//! Walks the members and items of JSON text that has been checked before, by slices of that text.
//! Every step moves forward, so that one lookup costs at most one pass. On unchecked text it ends early; it never
//! panics and never loops.

use std::borrow::Cow;

/// The members of an object as (quoted name, value text); nothing if the text is not an object.
pub(super) fn members(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = enter(text, b'{');
    std::iter::from_fn(move || {
        let key = value(&mut rest)?;
        rest = rest.trim_ascii_start().strip_prefix(':')?;
        let found = value(&mut rest)?;
        separator(&mut rest);
        Some((key, found))
    })
}

/// The items of an array as value texts; nothing if the text is not an array.
pub(super) fn items(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = enter(text, b'[');
    std::iter::from_fn(move || {
        let found = value(&mut rest)?;
        separator(&mut rest);
        Some(found)
    })
}

/// Compares a quoted name with a plain one, unescaping only where an escape stands.
pub(super) fn key_is(quoted: &str, name: &str) -> bool {
    let inner = inside(quoted);
    if inner.contains('\\') { unescape(quoted) == name } else { inner == name }
}

/// The text that a quoted string stands for.
pub(super) fn unescape(quoted: &str) -> Cow<'_, str> {
    let inner = inside(quoted);
    if inner.contains('\\') {
        Cow::Owned(serde_json::from_str(quoted).unwrap_or_default())
    } else {
        Cow::Borrowed(inner)
    }
}

fn inside(quoted: &str) -> &str {
    quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(quoted)
}

fn enter(text: &str, open: u8) -> &str {
    match text.as_bytes().first() {
        Some(&byte) if byte == open => &text[1..],
        _ => "",
    }
}

fn separator(rest: &mut &str) {
    let trimmed = rest.trim_ascii_start();
    *rest = trimmed.strip_prefix(',').unwrap_or(trimmed);
}

/// Cuts the next value off the front of `rest`.
fn value<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let text = rest.trim_ascii_start();
    let end = match text.as_bytes().first()? {
        b'"' => string_end(text.as_bytes(), 0),
        b'{' | b'[' => container_end(text.as_bytes()),
        b'}' | b']' | b',' | b':' => Some(0),
        _ => text.bytes().position(|byte| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n')),
    };
    // Every end lies behind or before an ASCII byte, hence on a character boundary.
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
