//! Adds entries to a section of a configuration by its text, so that whatever else stands there stays as it is. Whether
//! the outcome means what it should is for whoever asks to check.

use std::path::Path;

use crate::diagnostic::Diagnostics;
use crate::yaml::{self, Key, Node, Value};

/// What is to stand at the end of a section.
pub(super) struct Addition {
    /// The section.
    pub(super) name: &'static str,
    /// Its lines, without the section's indentation.
    pub(super) lines: Vec<String>,
    /// The same inside of `{ }` or `[ ]` on one line; `None`: it has to be lines.
    pub(super) flow: Option<String>,
    /// What stands above the section, if there is none yet.
    pub(super) heading: Vec<String>,
}

/// How far entries are indented where nothing says otherwise.
const INDENT: usize = 2;

/// The tree of a text.
pub(super) fn tree(text: &str) -> Result<Node, String> {
    let mut diagnostics = Diagnostics::default();
    let file = diagnostics.add_source(Path::new("configuration.yaml"), text);
    let tree = yaml::parse(file, &mut diagnostics).filter(|_| !diagnostics.has_errors());
    tree.ok_or_else(|| "it is no YAML".to_owned())
}

/// Adds to a text.
pub(super) fn add(text: &str, addition: &Addition) -> Result<String, String> {
    let root = tree(text)?;
    let ending = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let Some((key, node)) = root.entry(addition.name) else { return Ok(appended(text, addition, ending)) };
    let start = (key.place.line as usize).saturating_sub(1);
    let end = end_of(&lines, &root, key);
    let written = |at: usize, indent: usize| {
        let mut out: String = lines.iter().take(at).copied().collect();
        if !out.is_empty() && !out.ends_with('\n') {
            out.push_str(ending);
        }
        push(&mut out, &addition.lines, indent, ending);
        out.extend(lines.iter().skip(at).copied());
        out
    };
    let opens = at(&lines, node).filter(|c| matches!(c, '{' | '['));
    let is_empty = matches!(&node.value, Value::Map(entries) if entries.is_empty())
        || matches!(&node.value, Value::List(items) if items.is_empty());
    match (&node.value, opens) {
        (Value::Null, _) => match lines.get(start).is_some_and(|line| says_nothing(line)) {
            true => Ok(written(start + 1, INDENT)),
            false => Err(unfit(addition.name)),
        },
        (_, Some(_)) if is_empty => {
            let emptied = without_empty(&lines, node).ok_or_else(|| unfit(addition.name))?;
            add(&emptied, addition)
        }
        (_, Some(open)) => {
            let flow = addition.flow.as_deref().ok_or_else(|| unfit(addition.name))?;
            in_flow(&lines, start, end, open, flow).ok_or_else(|| unfit(addition.name))
        }
        (Value::Map(entries), None) => {
            let first = entries.first().ok_or_else(|| unfit(addition.name))?;
            Ok(written(end, (first.0.place.column as usize).saturating_sub(1)))
        }
        (Value::List(items), None) => {
            let first = items.first().map(|item| item.place.line as usize).unwrap_or_default();
            let line = first.checked_sub(1).and_then(|line| lines.get(line)).copied().unwrap_or_default();
            match line.trim_start().starts_with("- ") {
                true => Ok(written(end, line.len() - line.trim_start().len())),
                false => Err(unfit(addition.name)),
            }
        }
        _ => Err(unfit(addition.name)),
    }
}

fn unfit(section: &str) -> String {
    format!("`{section}:` is not written as a block: put each of its entries on a line of its own")
}

/// A section at the end of the file.
fn appended(text: &str, addition: &Addition, ending: &str) -> String {
    let mut out = text.trim_end().to_owned();
    if !out.is_empty() {
        out.push_str(ending);
        out.push_str(ending);
    }
    push(&mut out, &addition.heading, 0, ending);
    push(&mut out, &[format!("{}:", addition.name)], 0, ending);
    let skipped = addition.lines.iter().take_while(|line| line.is_empty()).count();
    push(&mut out, addition.lines.get(skipped..).unwrap_or_default(), INDENT, ending);
    out
}

fn push(out: &mut String, lines: &[String], indent: usize, ending: &str) {
    for line in lines {
        if !line.is_empty() {
            out.push_str(&" ".repeat(indent));
            out.push_str(line);
        }
        out.push_str(ending);
    }
}

/// The number of the line behind the last one of a section: comments that stand at the margin belong to what follows.
fn end_of(lines: &[&str], root: &Node, key: &Key) -> usize {
    let next =
        root.entries().iter().map(|(other, _)| other.place.line).filter(|line| *line > key.place.line).min();
    let mut end = next.map_or(lines.len(), |line| (line as usize).saturating_sub(1));
    let start = key.place.line as usize;
    let marker = |line: &&str| line.starts_with("---") || line.starts_with("...");
    if let Some(at) = lines.get(start..end).and_then(|section| section.iter().position(marker)) {
        end = start + at;
    }
    let belongs = |line: &str| !line.trim().is_empty() && !line.starts_with('#');
    while end > start && lines.get(end - 1).is_some_and(|line| !belongs(line)) {
        end -= 1;
    }
    end
}

/// The character at which a value begins.
fn at(lines: &[&str], node: &Node) -> Option<char> {
    let line = lines.get((node.place.line as usize).checked_sub(1)?)?;
    line.chars().nth((node.place.column as usize).checked_sub(1)?)
}

/// Whether nothing but a comment stands behind the key of a line.
fn says_nothing(line: &str) -> bool {
    let value = line.split_once(':').map_or("", |(_, value)| value);
    value.split('#').next().is_some_and(|value| value.trim().is_empty())
}

/// The text without a `{}` or `[]`.
fn without_empty(lines: &[&str], node: &Node) -> Option<String> {
    let number = (node.place.line as usize).checked_sub(1)?;
    let line = lines.get(number)?;
    let start = line.char_indices().nth((node.place.column as usize).checked_sub(1)?)?.0;
    let (before, rest) = line.split_at_checked(start)?;
    let rest = rest.strip_prefix(['{', '['])?.trim_start_matches(' ').strip_prefix(['}', ']'])?;
    let emptied = format!("{}{rest}", before.trim_end());
    Some(
        lines
            .iter()
            .enumerate()
            .map(|(at, line)| if at == number { emptied.as_str() } else { *line })
            .collect(),
    )
}

/// Adds inside the brackets that end a section.
fn in_flow(lines: &[&str], start: usize, end: usize, open: char, flow: &str) -> Option<String> {
    let close = if open == '{' { '}' } else { ']' };
    let before: String = lines.get(..start)?.concat();
    let section: String = lines.get(start..end)?.concat();
    let at = section.rfind(close)?;
    let (inside, rest) = section.split_at_checked(at)?;
    let space = if inside.ends_with(' ') { " " } else { "" };
    let after: String = lines.get(end..)?.concat();
    Some(format!("{before}{}, {flow}{space}{rest}{after}", inside.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(text: &str, name: &'static str) -> Result<String, String> {
        let addition = Addition {
            name,
            lines: vec!["# new".into(), "b: 2".into()],
            flow: Some("b: 2".into()),
            heading: vec!["# heading".into()],
        };
        add(text, &addition)
    }

    #[test]
    fn everything_else_stays_where_it_is() {
        for (before, after) in [
            ("", "# heading\ns:\n  # new\n  b: 2\n"),
            ("# only a comment\n", "# only a comment\n\n# heading\ns:\n  # new\n  b: 2\n"),
            ("x: 1", "x: 1\n\n# heading\ns:\n  # new\n  b: 2\n"),
            ("s:\n  a: 1\n", "s:\n  a: 1\n  # new\n  b: 2\n"),
            ("s:\n  a: 1", "s:\n  a: 1\n  # new\n  b: 2\n"),
            ("s: # why\nx: 1\n", "s: # why\n  # new\n  b: 2\nx: 1\n"),
            ("s: {} # why\nx: 1\n", "s: # why\n  # new\n  b: 2\nx: 1\n"),
            ("s: { a: 1 } # why\nx: 1\n", "s: { a: 1, b: 2 } # why\nx: 1\n"),
            ("s: {a: 1}\n", "s: {a: 1, b: 2}\n"),
            (
                "s:\n    a:\n        c: 1\n    # last\n\n# of x\nx: 1\n",
                "s:\n    a:\n        c: 1\n    # last\n    # new\n    b: 2\n\n# of x\nx: 1\n",
            ),
            ("s:\r\n  a: 1\r\nx: 1\r\n", "s:\r\n  a: 1\r\n  # new\r\n  b: 2\r\nx: 1\r\n"),
            ("s:\n  a: |\n    x\n\n    y\nx: 1\n", "s:\n  a: |\n    x\n\n    y\n  # new\n  b: 2\nx: 1\n"),
            ("s:\n  a: 1\n...\n", "s:\n  a: 1\n  # new\n  b: 2\n...\n"),
        ] {
            assert_eq!(added(before, "s").as_deref(), Ok(after), "{before:?}");
        }
        assert!(added("s: 1\n", "s").is_err());
        assert!(added("s: ~\n", "s").is_err());
        assert!(added("s: [\n", "s").is_err());
    }

    #[test]
    fn lists_get_another_item() {
        let addition = |flow: Option<&str>| Addition {
            name: "s",
            lines: vec!["- { f: 2 }".into()],
            flow: flow.map(str::to_owned),
            heading: Vec::new(),
        };
        for (before, after) in [
            ("s:\n  - { f: 1 }\nx: 1\n", "s:\n  - { f: 1 }\n  - { f: 2 }\nx: 1\n"),
            ("s:\n- f: 1\n  g: 1\nx: 1\n", "s:\n- f: 1\n  g: 1\n- { f: 2 }\nx: 1\n"),
            ("s: [{ f: 1 }]\nx: [1]\n", "s: [{ f: 1 }, { f: 2 }]\nx: [1]\n"),
            ("s: []\n", "s:\n  - { f: 2 }\n"),
        ] {
            assert_eq!(add(before, &addition(Some("{ f: 2 }"))).as_deref(), Ok(after), "{before:?}");
        }
        assert!(add("s: [1]\n", &addition(None)).is_err());
    }
}
