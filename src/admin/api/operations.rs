//! The operations: what each is bound to, and how it does.

use serde_json::{Value, json};

use super::super::state;
use super::figures;
use crate::dispatch::Binding;
use crate::gateway::Gateway;
use crate::gateway::compile::Compiled;
use crate::gateway::operation::Operation;

/// Every operation as it does now.
pub(super) fn running(gateway: &Gateway, table: &Compiled) -> Value {
    let rows = table.operations.iter().map(|operation| {
        let mut row = bound(operation);
        row["state"] = state(operation);
        row["in_flight"] = json!(operation.in_flight.count());
        row["in_flight_limit"] = json!(operation.in_flight.limit());
        row["figures"] = figures::of(gateway, &operation.name);
        row
    });
    rows.collect()
}

/// Every operation as it is configured.
pub(super) fn configured(table: &Compiled) -> Value {
    let rows = table.operations.iter().map(|operation| {
        let mut row = bound(operation);
        row["timeout_ms"] = json!(operation.timeout.as_millis() as u64);
        row["limits"] = limits(operation);
        row["access"] = operation.access.describe();
        row["authorize"] = json!(operation.authorize.is_some());
        row["problem_cases"] = json!(operation.problems.len());
        row
    });
    rows.collect()
}

fn bound(operation: &Operation) -> Value {
    let (kind, stream, retry_for) = match operation.binding() {
        Some(Binding::Request(request)) => ("request", None, Some(request.retry_for)),
        Some(Binding::Publish(publish)) => {
            ("publish", Some(publish.stream.as_str()), Some(publish.retry_for))
        }
        None => ("forward", None, None),
    };
    json!({
        "name": &*operation.name,
        "method": operation.method.as_str(),
        "path": operation.path,
        "binding": {
            "kind": kind,
            // With `*` where a value of the request stands.
            "subject": operation.subject(),
            "stream": stream,
            "retry_for_ms": retry_for.map(|retry_for| retry_for.as_millis() as u64),
            "upstream": operation.legacy.as_ref().map(|legacy| legacy.upstream.name()),
        },
        "migration": operation.migration.as_ref().map(|migration| json!({
            "stage": migration.stage.name(),
            "percent": migration.percent(),
            "fallback": migration.fallback,
        })),
    })
}

fn limits(operation: &Operation) -> Value {
    let rate = operation.rate.as_ref().map(|rate| {
        let limiter = rate.limiter();
        json!({ "requests": limiter.burst(), "seconds": limiter.window() })
    });
    json!({
        "in_flight": operation.in_flight.limit(),
        "max_body": operation.input.body.max,
        "rate": rate,
    })
}
