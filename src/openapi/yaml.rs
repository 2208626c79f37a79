//! JSON → YAML. Keys, numbers and texts that YAML could take for something else are in quotation marks.

use std::fmt::Write;

use serde_json::Value;

/// Writes a document as YAML.
pub(super) fn write(document: &Value) -> String {
    let mut out = String::new();
    block(document, 0, &mut out);
    out
}

/// A value on lines of its own.
fn block(value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (key, member) in members {
                indent(depth, out);
                scalar(key, out);
                out.push(':');
                after(member, depth, out);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                indent(depth, out);
                out.push('-');
                after(item, depth, out);
            }
        }
        value => {
            indent(depth, out);
            inline(value, out);
            out.push('\n');
        }
    }
}

/// A value behind a key or a dash.
fn after(value: &Value, depth: usize, out: &mut String) {
    let is_block = match value {
        Value::Object(members) => !members.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    };
    if is_block {
        out.push('\n');
        return block(value, depth + 1, out);
    }
    out.push(' ');
    inline(value, out);
    out.push('\n');
}

fn inline(value: &Value, out: &mut String) {
    match value {
        Value::String(text) => scalar(text, out),
        Value::Object(_) => out.push_str("{}"),
        Value::Array(_) => out.push_str("[]"),
        value => {
            let _ = write!(out, "{value}");
        }
    }
}

/// A text, plain where nobody could read it as anything else.
fn scalar(text: &str, out: &mut String) {
    let plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '$' | '{' | '}' | ' ');
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '$');
    let reserved = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let is_plain = starts
        && !text.ends_with(' ')
        && text.chars().all(plain)
        && !reserved.contains(&text.to_ascii_lowercase().as_str());
    if is_plain {
        out.push_str(text);
    } else {
        // JSON's strings are YAML's double-quoted ones.
        let _ = write!(out, "{}", Value::String(text.to_owned()));
    }
}

fn indent(depth: usize, out: &mut String) {
    for _ in 0..depth {
        out.push_str("  ");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::diagnostic::Diagnostics;
    use crate::yaml;

    #[test]
    fn what_is_written_is_read_again() {
        let document = json!({
            "openapi": "3.1.0", "200": { "a: b": [1, 2.5, [], {}, [[null]], { "x": true, "y": "no" }] },
            "text": "two\nlines # and \"more\"", "#": "- x", "": " ", "~": "null", "é": "\u{1}\u{2028}", "on": "1e3",
            "/users/{id}": "0x1f", "e": [[{ "a": { "b": "c" } }]],
        });
        let text = super::write(&document);
        let mut diagnostics = Diagnostics::default();
        let file = diagnostics.add_source(std::path::Path::new("a.yaml"), text.clone());
        let read = yaml::parse(file, &mut diagnostics).map(|node| node.to_json());
        assert_eq!(read, Some(document), "{text}\n{}", diagnostics.render());
    }
}
