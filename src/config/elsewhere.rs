//! `{ env: NAME }` and `{ file: path }` in the place of a scalar of `server`, `nats`, `upstreams`, `security` and `telemetry`: resolved on the
//! tree, before it is read. Secrets that are needed later stay sources ([`super::secret`]).

use std::path::{Path, PathBuf};

use schemars::Schema;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::secret::{Secret, SecretError};
use crate::diagnostic::{Diagnostic, Diagnostics, Place};
use crate::yaml::{Key, Node, Value};

/// The two keys.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Elsewhere {
    pub(super) env: Option<String>,
    pub(super) file: Option<PathBuf>,
}

/// Keys that are read again at every reconnect, or by whoever needs the secret.
const SOURCES: [&str; 6] = ["credentials", "nkey", "password", "token", "secret", "admin_token"];

/// A map of names of the operator's own: its values are secrets that are read by whoever needs them.
const OF_SOURCES: &str = "headers";

/// Keys whose value is a path: `{ file: x }` is another way to write `x`.
const PATHS: [&str; 6] = ["ca", "certificate", "key", "client_ca", "keys", "users"];

/// Puts the values of variables and files in their places. What cannot be read is reported and cut.
pub(super) fn resolve(root: &mut Node, diagnostics: &mut Diagnostics) {
    let Value::Map(sections) = &mut root.value else { return };
    for (key, section) in sections.iter_mut() {
        if matches!(key.name.as_str(), "server" | "nats" | "security" | "telemetry" | "upstreams") {
            children(section, diagnostics);
        }
    }
}

fn children(node: &mut Node, diagnostics: &mut Diagnostics) {
    match &mut node.value {
        Value::Map(entries) => entries.retain_mut(|(key, child)| keep(Some(key), child, diagnostics)),
        Value::List(items) => items.retain_mut(|child| keep(None, child, diagnostics)),
        _ => {}
    }
}

/// Resolves one child; false if it must go.
fn keep(key: Option<&Key>, child: &mut Node, diagnostics: &mut Diagnostics) -> bool {
    let name = key.map_or("", |key| key.name.as_str());
    if name == OF_SOURCES {
        return true;
    }
    if !is_elsewhere(child) {
        children(child, diagnostics);
        return true;
    }
    if SOURCES.contains(&name) {
        return true;
    }
    let value = source(child, diagnostics).and_then(|(secret, place)| match secret {
        Secret::File(path) if PATHS.contains(&name) => {
            Ok(Value::Text { text: path.to_string_lossy().into_owned(), secret: false, quoted: false })
        }
        secret => match secret.read() {
            Ok(text) => Ok(Value::Text { text, secret: true, quoted: false }),
            Err(error) => Err(unreadable(place, &error)),
        },
    });
    match value {
        Ok(value) => child.value = value,
        Err(diagnostic) => {
            diagnostics.push(diagnostic);
            return false;
        }
    }
    true
}

fn is_elsewhere(node: &Node) -> bool {
    let entries = node.entries();
    !entries.is_empty() && entries.iter().all(|(key, _)| matches!(key.name.as_str(), "env" | "file"))
}

/// The source that a map names, and where.
fn source(node: &Node, diagnostics: &Diagnostics) -> Result<(Secret, Place), Diagnostic> {
    let [(key, node)] = node.entries() else {
        return Err(Diagnostic::error(node.place, "`env` and `file` stand side by side")
            .help("keep the one from which the value comes"));
    };
    let Some(text) = node.as_str() else {
        return Err(Diagnostic::error(node.place, format!("expected text, found {}", node.kind()))
            .help("write { env: NAME } or { file: path }"));
    };
    match key.name.as_str() {
        "env" => Ok((Secret::Env(text.to_owned()), node.place)),
        _ => Ok((Secret::File(beside(diagnostics, node.place, Path::new(text))), node.place)),
    }
}

/// Why a source cannot be read, as a diagnostic. Names the source where that cannot be the secret itself.
pub(super) fn unreadable(place: Place, error: &SecretError) -> Diagnostic {
    let (message, help) = match error {
        SecretError::Env(_) => (error.to_string(), "set it before the start, or write { file: path }"),
        SecretError::BadName => {
            (error.to_string(), "write the name of the variable, not its value: { env: NATS_PASSWORD }")
        }
        SecretError::PathIn { .. } => {
            (error.to_string(), "put the content of the file, or its path, into the variable")
        }
        SecretError::File { reason, .. } => (
            format!("this file cannot be read: {reason}"),
            "correct the path (it is relative to this file) or the file's permissions",
        ),
        SecretError::Empty(_) => (error.to_string(), "put the value into it"),
    };
    Diagnostic::error(place, message).help(help)
}

/// A path as it is written at a place: relative to the file of that place.
pub(super) fn beside(diagnostics: &Diagnostics, place: Place, path: &Path) -> PathBuf {
    let file = diagnostics.sources.get(place.file as usize).map(|source| source.path.as_path());
    file.and_then(Path::parent).map_or_else(|| path.to_owned(), |folder| folder.join(path))
}

/// Lets every scalar of a section's schema stand as `{ env: NAME }` or `{ file: path }` too.
pub(super) fn in_schema(section: &mut Schema) {
    let Some(Json::Object(properties)) = section.get_mut("properties") else { return };
    for property in properties.values_mut() {
        allow(property);
    }
}

fn allow(property: &mut Json) {
    if let Some(items) = property.get_mut("items") {
        allow(items);
    }
    let is_scalar = match property.get("type") {
        Some(Json::String(kind)) => is_scalar(kind),
        Some(Json::Array(kinds)) => kinds.iter().filter_map(Json::as_str).any(is_scalar),
        // An enum: one constant for each of its words.
        _ => property.get("oneOf").is_some(),
    };
    let Json::Object(written) = property else { return };
    if !is_scalar {
        return;
    }
    let annotations = ["description", "default", "examples"];
    let mut outer: serde_json::Map<String, Json> =
        annotations.iter().filter_map(|name| written.shift_remove_entry(*name)).collect();
    let written = std::mem::take(written);
    outer.insert("anyOf".into(), json!([written, { "$ref": "#/$defs/Elsewhere" }]));
    *property = Json::Object(outer);
}

fn is_scalar(kind: &str) -> bool {
    matches!(kind, "string" | "integer" | "number" | "boolean")
}
