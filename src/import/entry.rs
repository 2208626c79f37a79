//! How one operation is written: a comment of one line, and its binding. Nothing that stands in a document can break out
//! of either.

use std::fmt::Write as _;

use crate::contract::Operation;
use crate::diagnostic::is_unseen;

/// The longest text of a document in a comment, in characters.
const LONGEST: usize = 100;
/// What sets method and path apart from the words.
const DASH: &str = " - ";

/// The line above an operation: what is known of it, without its line break.
pub(super) fn comment(key: &str, operation: &Operation) -> String {
    let route = format!("{} {}", operation.method, operation.path);
    let words = operation.summary.as_deref().map(plain).unwrap_or_default();
    match (key == route, words.is_empty()) {
        (true, true) => String::new(),
        (true, false) => format!("# {words}"),
        (false, true) => format!("# {}", plain(&route)),
        (false, false) => format!("# {}{DASH}{words}", plain(&route)),
    }
}

/// The method and path that an import has noted in a line.
pub(super) fn noted(line: &str) -> Option<String> {
    let noted = line.trim_start().strip_prefix("# ")?;
    let (method, rest) = noted.split_once(' ')?;
    let path = rest.split(DASH).next()?.trim_end();
    let is_method = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
    (is_method && path.starts_with('/') && !path.contains(' ')).then(|| format!("{method} {path}"))
}

/// Its line: the name, and where it goes.
pub(super) fn line(key: &str, upstream: &str) -> String {
    format!("{}: {{ forward: {{ upstream: {} }} }}", scalar(key), scalar(upstream))
}

/// What operations stand under: their first tag, else the first word of their path.
pub(super) fn group(operation: &Operation, base_path: &str) -> String {
    let tag = operation.tag.as_deref().map(plain).filter(|tag| !tag.is_empty());
    tag.unwrap_or_else(|| {
        let path = operation.path.strip_prefix(base_path).unwrap_or(&operation.path);
        let first = path.split('/').find(|part| !part.is_empty() && !part.contains('{'));
        first.map_or_else(|| "/".to_owned(), plain)
    })
}

/// Words on one line: without control characters, line breaks of any alphabet, and what turns the direction of writing.
pub(super) fn plain(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if is_unseen(c) { ' ' } else { c }).collect();
    let words = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(LONGEST) {
        None => words,
        Some((end, _)) => format!("{}…", words.get(..end).unwrap_or_default().trim_end()),
    }
}

/// A text as YAML: plain where nothing in it means anything to YAML, else in quotation marks.
pub(super) fn scalar(text: &str) -> String {
    const WORDS: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '_');
    let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-' | '.');
    let is_word = WORDS.contains(&text.to_ascii_lowercase().as_str());
    let is_plain = begins && text.chars().all(inside) && !is_word;
    let is_route = text.split_once(' ').is_some_and(|(method, path)| {
        let inside = |c: char| inside(c) || matches!(c, '{' | '}' | '~');
        method.bytes().all(|byte| byte.is_ascii_uppercase())
            && path.starts_with('/')
            && path.chars().all(inside)
    });
    if is_plain || is_route { text.to_owned() } else { quoted(text) }
}

/// A text in quotation marks, with everything unusual escaped.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            ' '..='~' => out.push(c),
            c if c.is_alphanumeric() => out.push(c),
            c => {
                let _ = write!(out, "\\U{:08x}", u32::from(c));
            }
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::diagnostic::Diagnostics;
    use crate::yaml;

    fn key_of(text: &str) -> Option<String> {
        let mut diagnostics = Diagnostics::default();
        let file = diagnostics.add_source(Path::new("a.yaml"), text);
        let root = yaml::parse(file, &mut diagnostics)?;
        match root.entries() {
            [(key, _)] => Some(key.name.clone()),
            _ => None,
        }
    }

    #[test]
    fn any_name_is_read_as_it_was_written() {
        for key in [
            "getUser",
            "repos/list-for-user",
            "no",
            "Null",
            "12",
            "1.5",
            "a: b",
            "a #b",
            "- a",
            "? a",
            "GET /a/{b}",
            "GET /a/{b}:verb",
            "GET /a{b}.json",
            "PATCH /~{x}",
            "\"",
            "\\",
            "'a'",
            "é",
            "a\u{2028}b",
            "{a}",
            "[a]",
            "*a",
            "&a",
            "!a",
            "|",
            ">",
            "%a",
            "@a",
            "`a`",
            "a,b",
            "~",
            "a\tb",
            "$a",
            "${a}",
            "<<",
            "=",
            ".",
            "..",
            "---",
            "0x1",
            "0o7",
            "_",
            "/a",
            "a/",
            "a b",
            "\u{1f600}",
            "a:",
            "true",
            "y",
            "GET /a #b",
        ] {
            assert_eq!(key_of(&format!("{}: 1\n", scalar(key))).as_deref(), Some(key), "{}", scalar(key));
        }
    }

    #[test]
    fn nothing_breaks_out_of_a_comment() {
        for text in [
            "a\nb: 1",
            "a\r\nb",
            "a\u{85}b",
            "a\u{2028}b: 1",
            "a\u{2029}b",
            "a\0b",
            "\u{feff}a",
            "a\u{202e}b",
            "a\u{1b}[2J",
        ] {
            let comment = format!("# {}\nkey: 1\n", plain(text));
            assert_eq!(comment.lines().count(), 2, "{text:?}");
            assert_eq!(key_of(&comment).as_deref(), Some("key"), "{text:?}");
        }
        assert_eq!(plain(" a \n\n b\t"), "a b");
        assert_eq!(plain(&"x".repeat(200)).chars().count(), LONGEST + 1);
    }

    #[test]
    fn what_was_noted_is_found_again() {
        for (line, route) in [
            ("  # GET /users/{id} - Get a user - or not", Some("GET /users/{id}")),
            ("# POST /a:verb", Some("POST /a:verb")),
            ("  # the first one", None),
            ("  # GET it", None),
            ("  # GET /a and more", None),
            ("GET /a", None),
            ("", None),
        ] {
            assert_eq!(noted(line).as_deref(), route, "{line}");
        }
    }
}
