//! What would be sent for a request, without sending it: the same stages as for a real one, up to the message.

use bytes::Bytes;
use http_body_util::Full;
use serde_json::{Value, json};

use super::compile::Compiled;
use super::find::{Destination, Matched};
use super::unsuccessful;
use crate::authenticate;
use crate::dispatch::{self, Binding};
use crate::exchange::Outbound;
use crate::head::Head;
use crate::nats::Outgoing;
use crate::problem::Problem;
use crate::translate::{HttpResponse, Seen};
use crate::validate::{self, Payload};

/// A request that would not be sent.
#[derive(Debug)]
pub struct Refused {
    /// Why.
    pub problem: Problem,
    /// What its client would get: the problem, or what a `problem` case of the operation makes of it.
    pub response: HttpResponse,
}

/// Runs a request through the stages before sending.
///
/// # Errors
/// What its client would get instead.
pub async fn explain(table: &Compiled, head: &Head, body: Full<Bytes>) -> Result<Value, Box<Refused>> {
    let matched = match table.find(head) {
        Ok(Destination::Operation(matched)) => matched,
        Ok(Destination::Options(allow)) => {
            return Ok(json!({ "answer": { "status": 204, "allow": allow } }));
        }
        Err(problem) => {
            let response = problem.response(head.id.as_str());
            return Err(Box::new(Refused { problem, response }));
        }
    };
    let mut payload = None;
    stages(head, body, &matched, &mut payload).await.map_err(|problem| {
        let response = unsuccessful(head, &matched, payload.as_ref(), &problem);
        Box::new(Refused { problem, response })
    })
}

async fn stages(
    head: &Head,
    body: Full<Bytes>,
    matched: &Matched<'_>,
    payload: &mut Option<Payload>,
) -> Result<Value, Problem> {
    let operation = matched.operation;
    let deadline = head.deadline(operation.timeout, operation.waits_as_preferred());
    let caller = authenticate::authenticate(head)?;
    let received = validate::receive(&operation.input, head, &matched.path, body, None, deadline).await?;
    let payload = &*payload.insert(received);
    let seen = Seen { head, path: &[], payload: Some(payload) };
    let outbound = operation.mapping.outbound(seen, caller, payload, deadline)?;
    let timeout = operation.timeout.as_millis() as u64;
    Ok(match (&operation.binding, outbound) {
        (Binding::Publish(publish), Outbound::Publish(message, identity)) => json!({
            "operation": &*operation.name,
            "publish": message_of(&message),
            "stream": publish.stream,
            "message_id": identity.id,
            "timeout_ms": timeout,
        }),
        (_, Outbound::Request(mut message) | Outbound::Publish(mut message, _)) => {
            dispatch::stamp(&mut message, deadline);
            json!({
                "operation": &*operation.name,
                "request": message_of(&message),
                "timeout_ms": timeout,
            })
        }
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
    json!({
        "subject": message.subject.as_str(),
        "headers": Value::Object(headers.into_iter().collect()),
        "payload": payload_of(&message.payload),
        "bytes": message.payload.len(),
    })
}

/// As JSON where that is exactly what the bytes say; else as text, so that nothing is shown that is not sent.
fn payload_of(bytes: &[u8]) -> Value {
    let document = serde_json::from_slice::<Value>(bytes).ok();
    let same = |document: &Value| serde_json::to_vec(document).is_ok_and(|written| written == bytes);
    document.filter(same).unwrap_or_else(|| Value::String(String::from_utf8_lossy(bytes).into_owned()))
}
