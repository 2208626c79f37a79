//! Finds manifest files under the configured paths, and reads them into documents.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, Diagnostics, Place};
use crate::file;
use crate::yaml::{Node, parse_all};

/// Folders below a configured one that are looked into, at most.
const DEEPEST: usize = 16;

/// The files that a path stands for: itself, or every YAML file of a folder, in the order of their names.
pub(super) fn under(path: &Path, named_at: Place, diagnostics: &mut Diagnostics) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let found = match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => collect(path, DEEPEST, &mut files),
        Ok(_) => {
            files.push(path.to_owned());
            Ok(())
        }
        Err(error) => Err(error),
    };
    if let Err(error) = found {
        diagnostics.push(unreadable(path, named_at, &error));
    }
    files
}

/// Hidden entries stay out: a mounted `ConfigMap` keeps every file twice, once behind a name with a dot.
fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let is_yaml = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        // A link to a folder could lead back here, so only folders proper are followed.
        if entry.file_type()?.is_dir() {
            if depth > 0 {
                collect(&path, depth - 1, files)?;
            }
        } else if is_yaml && path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

/// The documents of a file. A template is refused as a whole, since nobody knows what it will become.
pub(super) fn documents(path: &Path, named_at: Place, diagnostics: &mut Diagnostics) -> Vec<Node> {
    let text = match file::read_document(path) {
        Ok(text) => text,
        Err(error) => {
            diagnostics.push(unreadable(path, named_at, &error));
            return Vec::new();
        }
    };
    let template = template_action(&text);
    let file = diagnostics.add_source(path, text);
    match template {
        Some((line, column)) => {
            diagnostics.push(is_template(Place { file, line, column, length: 2 }));
            Vec::new()
        }
        None => parse_all(file, diagnostics),
    }
}

/// Line and column of the first `{{ … }}` that is Helm's. NATS has its own in subject mappings, which are calls:
/// `{{wildcard(1)}}`.
fn template_action(text: &str) -> Option<(u32, u32)> {
    let lines = text.lines().zip(1..).filter(|(line, _)| !line.trim_start().starts_with('#'));
    for (line, number) in lines {
        for (at, _) in line.match_indices("{{") {
            let action = &line[at + 2..];
            let inner = action.split_once("}}").map_or(action, |(inner, _)| inner).trim();
            let name = inner.split_once('(').map(|(name, _)| name);
            let is_call = inner.ends_with(')')
                && name.is_some_and(|n| !n.is_empty() && n.chars().all(|c| c.is_ascii_alphabetic()));
            if !is_call {
                let column = line[..at].chars().count() + 1;
                return Some((number, u32::try_from(column).unwrap_or(1)));
            }
        }
    }
    None
}

fn is_template(place: Place) -> Diagnostic {
    Diagnostic::error(place, "this is a Helm template, which has no values yet")
        .reason("only Helm knows what it stands for")
        .help("render it first (`helm template RELEASE CHART > manifests.yaml`) and name the result")
}

fn unreadable(path: &Path, named_at: Place, error: &io::Error) -> Diagnostic {
    let diagnostic = Diagnostic::error(named_at, format!("cannot read `{}`: {error}", path.display()));
    match error.kind() {
        io::ErrorKind::NotFound => {
            diagnostic.help("correct the path; it is relative to the file that names it, or to this folder if an argument does")
        }
        io::ErrorKind::InvalidData => diagnostic.help("manifests are YAML in UTF-8"),
        _ => diagnostic.help("let the user that natsgate runs as read it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn helm_is_told_from_subject_mappings() {
        for (text, expected) in [
            ("name: {{ .Values.name }}", Some((1, 7))),
            ("a: 1\n  {{- if .x }}", Some((2, 3))),
            ("dest: \"é {{ include \\\"x\\\" . }}\"", Some((1, 10))),
            ("x: {{ (index .a 0) }}", Some((1, 4))),
            ("x: {{ open", Some((1, 4))),
            ("dest: orders.{{partition(3,1)}}.{{ wildcard(1) }}", None),
            ("# was {{ .Values.name }}", None),
            ("a: {b: {c: d}}", None),
        ] {
            assert_eq!(template_action(text), expected, "{text}");
        }
    }
}
