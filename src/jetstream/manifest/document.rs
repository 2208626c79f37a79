//! One document of a manifest file: which kind it is, and its specification as a type.

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::Manifests;
use super::account::Account;
use super::bucket::{KeyValue, ObjectStore};
use super::text;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::jetstream::rule::{INVALID_FIELD, UNKNOWN_FIELD};
use crate::yaml::{Located, Node, Value, read};

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
    let kind_at = root.get("kind").map_or(root.place, |node| node.place);
    let mut other = |kind| manifests.other_kinds.push(Located { value: kind, place: kind_at });
    let stream = match text("kind") {
        Some("Stream") => read_spec(root, diagnostics),
        Some("KeyValue") => {
            other("KeyValue");
            read_spec(root, diagnostics).map(KeyValue::into_stream)
        }
        Some("ObjectStore") => {
            other("ObjectStore");
            read_spec(root, diagnostics).map(ObjectStore::into_stream)
        }
        Some("Consumer") => return manifests.consumers.extend(read_spec(root, diagnostics)),
        Some("Account") => {
            other("Account");
            // Nothing of it is the server's: it says how NACK connects.
            read_spec::<Account>(root, diagnostics);
            return;
        }
        _ => return diagnostics.push(other_kind(&root)),
    };
    manifests.incomplete |= stream.is_none();
    manifests.streams.extend(stream);
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
    let (mut numbers, mut found) = (Diagnostics::default(), Diagnostics::default());
    if let Some(spec) = root.get("spec") {
        text::check(spec, &mut numbers);
    }
    let resource: Option<Resource<T>> = read(root, |_| false, &mut found);
    // What is wrong as text too is told as that.
    let told: Vec<_> = found.sorted().iter().map(|one| one.place).collect();
    let numbers = numbers.sorted().into_iter().filter(|one| !told.contains(&one.place));
    diagnostics.extend(found.sorted().into_iter().chain(numbers).cloned().map(with_rule));
    resource.map(|resource| resource.spec)
}

fn with_rule(diagnostic: Diagnostic) -> Diagnostic {
    let rule = if diagnostic.message.starts_with("unknown key") { UNKNOWN_FIELD } else { INVALID_FIELD };
    match diagnostic.reason {
        None if rule == UNKNOWN_FIELD => diagnostic.rule(rule.name).reason(rule.why),
        _ => diagnostic.rule(rule.name),
    }
}

/// Keys whose empty text means that nothing was written: `maxAge: ""` is unlimited.
const UNSET_WHEN_EMPTY: [&str; 15] = [
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
    "ttl",
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
    Diagnostic::error(kind.place, format!("unknown kind `{name}`"))
        .help("one of: Stream, Consumer, KeyValue, ObjectStore, Account")
}
