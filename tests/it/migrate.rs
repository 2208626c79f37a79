//! Operations that move from the legacy service to NATS.

mod callers;
mod copies;
mod evidence;
mod explained;
mod fallback;
mod stages;
mod told;
mod whole;

use crate::support::legacy::Legacy;

/// One operation with two sides, `METHOD /x/{id}`, and how they share its requests.
fn yaml(legacy: &Legacy, method: &str, migration: &str) -> String {
    of(&legacy.url, method, "", migration)
}

/// The same with more keys of the operation, each a line.
fn of(legacy: &str, method: &str, more: &str, migration: &str) -> String {
    let lines: String = more.lines().map(|line| format!("    {}\n", line.trim())).collect();
    format!(
        "upstreams: {{ old: {{ url: '{legacy}' }} }}\noperations:\n  {method} /x/{{id}}:\n    request: {{ subject: 'x.${{path.id}}', timeout: 2s }}\n    forward: {{ upstream: old }}\n{lines}    migration: {{ {migration} }}\n"
    )
}
