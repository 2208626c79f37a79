//! Text that is written as a number, or as true or false. Configurations may do so; Kubernetes refuses it.

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::yaml::{Node, Value};

/// The fields of all kinds that hold text, or lists of it. Those with few values are not here: they take nothing else.
const TEXT: [&str; 47] = [
    "account",
    "ackWait",
    "backoff",
    "bucket",
    "ca",
    "cert",
    "clientCert",
    "clientKey",
    "cluster",
    "creds",
    "deliverGroup",
    "deliverSubject",
    "description",
    "dest",
    "destination",
    "duplicateWindow",
    "durableName",
    "externalApiPrefix",
    "externalDeliverPrefix",
    "file",
    "filterSubject",
    "filterSubjects",
    "heartbeatInterval",
    "inactiveThreshold",
    "jsDomain",
    "key",
    "maxAge",
    "maxRequestExpires",
    "name",
    "nkey",
    "optStartTime",
    "password",
    "pauseUntil",
    "pinnedTtl",
    "priorityGroups",
    "rootCas",
    "sampleFreq",
    "seed",
    "servers",
    "source",
    "streamName",
    "subjectDeleteMarkerTtl",
    "subjects",
    "tags",
    "token",
    "ttl",
    "user",
];

/// Notes every number, and every true and false, that stands for text below a specification.
pub(super) fn check(spec: &Node, diagnostics: &mut Diagnostics) {
    for (key, node) in spec.entries() {
        if key.name == "metadata" {
            node.entries().iter().for_each(|(_, value)| expect_text(value, diagnostics));
        } else if TEXT.contains(&key.name.as_str()) {
            expect_text(node, diagnostics);
            node.items().iter().for_each(|item| expect_text(item, diagnostics));
        }
        check(node, diagnostics);
        node.items().iter().for_each(|item| check(item, diagnostics));
    }
}

fn expect_text(node: &Node, diagnostics: &mut Diagnostics) {
    if matches!(node.value, Value::Number(_) | Value::Bool(_)) {
        let message = format!("expected text, found {}", node.kind());
        let help = "write it in quotation marks: Kubernetes does not turn it into text";
        diagnostics.push(Diagnostic::error(node.place, message).help(help));
    }
}
