//! Operations judged by the streams that manifests declare.

use std::path::Path;

use natsgate::diagnostic::Place;
use natsgate::jetstream::{Sending, check_operations};

use super::{load, report};
use crate::support::golden;

#[test]
fn operations_that_cannot_work_are_named_with_both_places() {
    let operations = [
        ("deletes", "stack.delete", Some("STACKS")),
        ("copies", "stack.copy", Some("STACKS")),
        ("any", "stack.*", Some("STACKS")),
        ("audits", "audit.login", Some("SILENT")),
        ("names", "bare", Some("bare")),
        ("mirrors", "stack.delete", Some("COPY")),
        ("elsewhere", "x.y", Some("NOT_DECLARED")),
        ("misspelt", "stack.delete", Some("STACK")),
        ("asks", "auth.users", None),
        ("stolen", "stack.create", None),
        ("wide", "stack.*", None),
        ("recorded", "audit.login", None),
        ("bare", "bare", None),
        ("wanted", "events.new.eu", Some("EVENTS")),
        ("unwanted", "events.old.eu", Some("EVENTS")),
        // These demand an Idempotency-Key.
        ("once", "stack.delete", Some("STACKS")),
        ("silently", "audit.login", Some("SILENT")),
        ("remembered", "bare", Some("bare")),
    ];
    let demand_a_key = ["once", "silently", "remembered"];
    let (manifests, mut diagnostics) = load(&["operations.yaml"]);
    assert_eq!(diagnostics.render(), "");
    let lines: Vec<_> = operations.iter().map(|(name, subject, _)| format!("{name}: {subject}")).collect();
    let file = diagnostics.add_source(Path::new("operations"), lines.join("\n"));
    let sending: Vec<_> = operations
        .iter()
        .zip(1..)
        .map(|(&(operation, pattern, stream), line)| Sending {
            operation,
            pattern,
            stream,
            place: Place { file, line, column: operation.len() as u32 + 3, length: pattern.len() as u32 },
            key_required: demand_a_key.contains(&operation).then_some(Place {
                file,
                line,
                column: 1,
                length: 4,
            }),
        })
        .collect();
    check_operations(&manifests, &sending, &mut diagnostics);
    golden::assert("tests/jetstream/operations.expected", &report(&diagnostics));
}
