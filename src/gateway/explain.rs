//! What would be sent for a request, without sending it: the same stages as for a real one, up to the message.

use bytes::Bytes;
use http_body_util::Full;
use serde_json::{Value, json};

use super::compile::Compiled;
use super::find::Destination;
use crate::authenticate;
use crate::dispatch::Binding;
use crate::exchange::Outbound;
use crate::head::Head;
use crate::nats::Outgoing;
use crate::problem::Problem;
use crate::translate::Seen;
use crate::validate;

/// Runs a request through the stages before sending.
///
/// # Errors
/// The problem that its client would get.
pub async fn explain(table: &Compiled, head: &Head, body: Full<Bytes>) -> Result<Value, Problem> {
    let matched = match table.find(head)? {
        Destination::Operation(matched) => matched,
        Destination::Options(allow) => return Ok(json!({ "answer": { "status": 204, "allow": allow } })),
    };
    let operation = matched.operation;
    let deadline = head.deadline(operation.timeout, operation.waits_as_preferred());
    let caller = authenticate::authenticate(head)?;
    let payload = validate::receive(&operation.input, head, &matched.path, body, None, deadline).await?;
    let seen = Seen { head, path: &[], payload: Some(&payload) };
    let outbound = operation.mapping.outbound(seen, caller, &payload, deadline)?;
    let timeout = operation.timeout.as_millis() as u64;
    Ok(match (&operation.binding, outbound) {
        (Binding::Publish(publish), Outbound::Publish(message, identity)) => json!({
            "operation": &*operation.name,
            "publish": message_of(&message),
            "stream": publish.stream,
            "message_id": identity.id,
            "timeout_ms": timeout,
        }),
        (_, Outbound::Request(message) | Outbound::Publish(message, _)) => json!({
            "operation": &*operation.name,
            "request": message_of(&message),
            "timeout_ms": timeout,
        }),
    })
}

fn message_of(message: &Outgoing) -> Value {
    let mut headers: Vec<(String, Value)> = message
        .headers
        .iter()
        .map(|(name, values)| {
            let texts: Vec<&str> = values.iter().map(|value| value.as_str()).collect();
            (name.to_string(), texts.join(", ").into())
        })
        .collect();
    headers.sort_by(|a, b| a.0.cmp(&b.0));
    let payload = serde_json::from_slice(&message.payload)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&message.payload).into_owned()));
    json!({
        "subject": message.subject.as_str(),
        "headers": Value::Object(headers.into_iter().collect()),
        "payload": payload,
        "bytes": message.payload.len(),
    })
}
