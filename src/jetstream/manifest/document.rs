//! One document of a manifest file: which kind it is, and its specification as a type.

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::Manifests;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::yaml::{Node, Value, read};

const GROUP: &str = "jetstream.nats.io";
const VERSION: &str = "v1beta2";

/// Adds what a document declares. Resources that are not JetStream's are left alone: files often hold others too.
pub(super) fn read_into(manifests: &mut Manifests, root: Node, diagnostics: &mut Diagnostics) {
    let text = |key: &str| root.get(key).and_then(Node::as_str);
    if text("kind") == Some("List") {
        for item in root.get("items").map_or(&[][..], Node::items) {
            read_into(manifests, item.clone(), diagnostics);
        }
        return;
    }
    match text("apiVersion").and_then(|version| version.split_once('/')) {
        Some((GROUP, VERSION)) => {}
        Some((GROUP, version)) => {
            manifests.incomplete = true;
            diagnostics.push(other_version(&root, version));
            return;
        }
        _ => return,
    }
    match text("kind") {
        Some("Stream") => match read_spec(root, diagnostics) {
            Some(stream) => manifests.streams.push(stream),
            None => manifests.incomplete = true,
        },
        Some("Consumer") => manifests.consumers.extend(read_spec(root, diagnostics)),
        _ => diagnostics.push(other_kind(&root)),
    }
}

/// A resource as Kubernetes has it. Everything but the specification is Kubernetes' own.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Resource<T> {
    #[serde(rename = "apiVersion")]
    _api_version: IgnoredAny,
    #[serde(rename = "kind")]
    _kind: IgnoredAny,
    #[serde(rename = "metadata")]
    _metadata: Option<IgnoredAny>,
    #[serde(rename = "status")]
    _status: Option<IgnoredAny>,
    spec: T,
}

fn read_spec<T: DeserializeOwned>(mut root: Node, diagnostics: &mut Diagnostics) -> Option<T> {
    if let Value::Map(entries) = &mut root.value {
        entries.iter_mut().filter(|(key, _)| key.name == "spec").for_each(|(_, spec)| drop_empty(spec));
    }
    let resource: Option<Resource<T>> = read(root, |_| false, diagnostics);
    resource.map(|resource| resource.spec)
}

/// Keys whose empty text means that nothing was written: `maxAge: ""` is unlimited.
const UNSET_WHEN_EMPTY: [&str; 14] = [
    "ackWait",
    "compression",
    "duplicateWindow",
    "filterSubject",
    "heartbeatInterval",
    "inactiveThreshold",
    "maxAge",
    "maxRequestExpires",
    "optStartTime",
    "pauseUntil",
    "persistMode",
    "pinnedTtl",
    "priorityPolicy",
    "subjectDeleteMarkerTtl",
];

fn drop_empty(spec: &mut Node) {
    if let Value::Map(entries) = &mut spec.value {
        entries.retain(|(key, node)| {
            node.as_str() != Some("") || !UNSET_WHEN_EMPTY.contains(&key.name.as_str())
        });
    }
}

fn other_version(root: &Node, version: &str) -> Diagnostic {
    let place = root.get("apiVersion").map_or(root.place, |node| node.place);
    let diagnostic = Diagnostic::error(place, format!("the version `{version}` of {GROUP} is not read"));
    match version {
        "v1beta1" => diagnostic
            .reason("NACK does not serve it any more")
            .help(format!("write `{GROUP}/{VERSION}`; its fields are a superset")),
        _ => diagnostic.help(format!("write `{GROUP}/{VERSION}`")),
    }
}

fn other_kind(root: &Node) -> Diagnostic {
    let Some(kind) = root.get("kind") else {
        return Diagnostic::error(root.place, "the key `kind` is missing")
            .help("add `kind: Stream` or `kind: Consumer`");
    };
    let name = kind.as_str().unwrap_or(kind.kind());
    if matches!(name, "Account" | "KeyValue" | "ObjectStore") {
        return Diagnostic::warning(kind.place, format!("`{name}` is not available yet"))
            .reason("streams and consumers are read; this document is left out")
            .help("create it with NACK or the nats command");
    }
    Diagnostic::error(kind.place, format!("unknown kind `{name}`")).help("one of: Stream, Consumer")
}
