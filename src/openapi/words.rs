//! What is said of answers in words, and what they are called.

use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::problem::Code;

/// Says what the gateway means by a status, after what the contract says.
pub(super) fn describe(response: &mut Map<String, Value>, status: &str, plain: &[Code], rewritten: &[Code]) {
    let own = response.get("description").and_then(Value::as_str).unwrap_or_default().trim();
    let usual = reason(status).unwrap_or("Any other answer of the service");
    let mut lines = vec![if own.is_empty() { usual.to_owned() } else { own.to_owned() }];
    let codes = plain.iter().chain(rewritten.iter().filter(|code| !plain.contains(code)));
    let codes: Vec<String> = codes.map(|code| format!("- `{}`: {}", code.name(), code.row().when)).collect();
    if !codes.is_empty() {
        lines.push(codes.join("\n"));
    }
    response.insert("description".to_owned(), json!(lines.join("\n\n")));
}

/// `503` is `ServiceUnavailableProblem`: no name that a contract gives a schema, since generators of clients have one space
/// of names for both.
pub(super) fn component_name(status: &str) -> String {
    let name: String =
        reason(status).unwrap_or("Other").chars().filter(char::is_ascii_alphanumeric).collect();
    format!("{name}Problem")
}

fn reason(status: &str) -> Option<&'static str> {
    StatusCode::from_u16(status.parse().ok()?).ok()?.canonical_reason()
}
