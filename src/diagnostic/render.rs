//! How diagnostics look: a report for a terminal, and the same as JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Diagnostic, Diagnostics, Place, Severity, is_unseen};

/// Characters of a long line (minified JSON) that are shown around the place.
const WINDOW: usize = 100;

/// Renders every diagnostic, and a closing line with the counts.
pub(super) fn report(diagnostics: &Diagnostics) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics.sorted() {
        one(&mut out, diagnostics, diagnostic);
        out.push('\n');
    }
    let (errors, warnings) = (diagnostics.count(Severity::Error), diagnostics.count(Severity::Warning));
    if errors + warnings > 0 {
        let _ = writeln!(out, "{}, {}", counted(errors, "error"), counted(warnings, "warning"));
    }
    // What is quoted of a file must not command the terminal.
    out.replace(|c: char| is_unseen(c) && c != '\n', "\u{fffd}")
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn severity(diagnostic: &Diagnostic) -> &'static str {
    match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn one(out: &mut String, diagnostics: &Diagnostics, diagnostic: &Diagnostic) {
    let rule = diagnostic.rule.map(|name| format!("[{name}]")).unwrap_or_default();
    let _ = writeln!(out, "{}{rule}: {}", severity(diagnostic), diagnostic.message);
    if let Some(place) = diagnostic.place {
        snippet(out, diagnostics, place, "-->");
    }
    for (place, role) in &diagnostic.also {
        let _ = writeln!(out, "  note: {role}");
        snippet(out, diagnostics, *place, "-->");
    }
    if let Some(reason) = &diagnostic.reason {
        let _ = writeln!(out, "  why:  {reason}");
    }
    if let Some(help) = &diagnostic.help {
        let _ = writeln!(out, "  next: {help}");
    }
}

fn snippet(out: &mut String, diagnostics: &Diagnostics, place: Place, arrow: &str) {
    let _ = writeln!(out, "  {arrow} {}", diagnostics.locate(place));
    let Some((line, column)) = excerpt(diagnostics, place) else { return };
    let number = place.line.to_string();
    let marks = (place.length as usize).clamp(1, line.chars().count().saturating_sub(column).max(1));
    let _ = writeln!(out, "   {number} | {line}");
    let _ = writeln!(out, "   {} | {}{}", " ".repeat(number.len()), " ".repeat(column), "^".repeat(marks));
}

/// The source line of a place, cut to a window around it, and the column (from 0) inside what is shown.
fn excerpt(diagnostics: &Diagnostics, place: Place) -> Option<(String, usize)> {
    let source = diagnostics.sources.get(place.file as usize)?;
    let line = source.text.lines().nth((place.line as usize).checked_sub(1)?)?;
    let column = (place.column as usize).saturating_sub(1);
    let line = without_secrets(diagnostics, place, line);
    let printable = |c: char| if is_unseen(c) { ' ' } else { c };
    if line.chars().nth(WINDOW * 2).is_none() {
        return Some((line.trim_end().chars().map(printable).collect(), column));
    }
    let start = column.saturating_sub(WINDOW / 2);
    Some((line.chars().skip(start).take(WINDOW).map(printable).collect(), column - start))
}

/// The line with an asterisk for every character of a hidden place, also of one that began on a line before.
fn without_secrets(diagnostics: &Diagnostics, place: Place, line: &str) -> String {
    let mut characters: Vec<char> = line.chars().collect();
    for hidden in diagnostics.hidden.iter().filter(|h| h.file == place.file && h.line <= place.line) {
        let Some((start, length)) = on_line(diagnostics, hidden, place.line) else { continue };
        characters.iter_mut().skip(start).take(length).for_each(|c| *c = '*');
    }
    characters.into_iter().collect()
}

/// Where a hidden place that begins on this line or before stands on it: start and length in characters.
fn on_line(diagnostics: &Diagnostics, hidden: &Place, line: u32) -> Option<(usize, usize)> {
    let source = diagnostics.sources.get(hidden.file as usize)?;
    let start = (hidden.column as usize).checked_sub(1)?;
    let lines = source.text.split_inclusive('\n').skip((hidden.line as usize).checked_sub(1)?);
    let text: String = lines.flat_map(str::chars).skip(start).take(hidden.length as usize).collect();
    // A block scalar ends where the next key begins: what is between them is no secret.
    let length = text.trim_end().split('\n').nth((line - hidden.line) as usize)?.chars().count();
    Some((if line == hidden.line { start } else { 0 }, length))
}

/// The same as JSON: one object a diagnostic.
pub(super) fn json(diagnostics: &Diagnostics) -> Value {
    let place = |place: &Place| {
        let path = diagnostics.sources.get(place.file as usize).map(|s| s.path.display().to_string());
        json!({ "file": path, "line": place.line, "column": place.column })
    };
    let rows = diagnostics.sorted().into_iter().map(|d| {
        json!({
            "severity": severity(d),
            "rule": d.rule,
            "message": d.message,
            "place": d.place.as_ref().map(place),
            "reason": d.reason,
            "help": d.help,
            "also": d.also.iter().map(|(p, role)| json!({ "place": place(p), "role": role })).collect::<Vec<_>>(),
        })
    });
    Value::Array(rows.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_quoted_commands_the_terminal() {
        let mut diagnostics = Diagnostics::default();
        let file = diagnostics.add_source("a.yaml".as_ref(), "a: 1\n");
        let place = Place { file, line: 1, column: 1, length: 1 };
        diagnostics.push(Diagnostic::error(place, "`\u{1b}[2J\u{9b}1A\r` is no name").help("x\u{7}"));
        let report = report(&diagnostics);
        assert!(report.contains("is no name") && report.lines().count() > 4, "{report}");
        assert!(!report.contains(|c: char| c.is_control() && c != '\n'), "{report:?}");
    }
}
