//! What would be sent for a request, without sending it: the same stages as for a real one, up to the message.

use bytes::Bytes;
use http_body_util::Full;
use serde_json::{Value, json};

use super::compile::Compiled;
use super::find::{Destination, Matched};
use super::operation::{Operation, Stage};
use super::{Progress, permitted, unsuccessful};
use crate::authenticate::Caller;
use crate::dispatch::{self, Binding};
use crate::exchange::Outbound;
use crate::expression::Occurrence;
use crate::head::Head;
use crate::json::Document;
use crate::nats::Outgoing;
use crate::problem::Problem;
use crate::translate::{HttpResponse, Seen};

/// A request that would not be sent.
#[derive(Debug)]
pub struct Refused {
    /// Why.
    pub problem: Problem,
    /// What its client would get: the problem, or what a `problem` case of the operation makes of it.
    pub response: HttpResponse,
    /// What the operation demands of who calls, if it demands anything.
    pub access: Option<Value>,
}

/// Runs a request through the stages before sending. Nobody is authenticated: the caller has these claims, or is
/// nobody, and a condition on somebody who is nobody is not decided.
///
/// # Errors
/// What its client would get instead.
pub async fn explain(
    table: &Compiled,
    head: &Head,
    body: Full<Bytes>,
    claims: Option<Document>,
) -> Result<Value, Box<Refused>> {
    let matched = match table.find(head) {
        Ok(Destination::Operation(matched)) => matched,
        Ok(Destination::Options(allow)) => {
            return Ok(json!({ "answer": { "status": 204, "allow": allow } }));
        }
        Err(problem) => {
            let response = problem.response(head.id.as_str());
            return Err(Box::new(Refused { problem, response, access: None }));
        }
    };
    let caller = claims.map(|claims| matched.operation.access.pretend(claims)).unwrap_or_default();
    let mut progress = Progress { caller: Some(caller), ..Progress::default() };
    stages(head, body, &matched, &mut progress).await.map_err(|problem| {
        let response = unsuccessful(head, &matched, &progress, &problem);
        let caller = progress.caller.unwrap_or_default();
        Box::new(Refused { problem, response, access: demanded(matched.operation, &caller, "") })
    })
}

async fn stages(
    head: &Head,
    body: Full<Bytes>,
    matched: &Matched<'_>,
    progress: &mut Progress,
) -> Result<Value, Problem> {
    let operation = matched.operation;
    let deadline = head.deadline(operation.timeout, operation.waits_as_preferred());
    let caller = &*progress.caller.get_or_insert_default();
    let decides = decides(operation, caller);
    let mut opened = operation.input.open(head, &matched.path);
    if decides {
        opened = permitted(operation, head, caller, opened, &mut progress.payload)?;
    }
    let received = opened.receive(head, body, None, deadline).await;
    let payload = opened.close(received, &mut progress.payload)?;
    let seen = Seen { head, path: &[], payload: Some(payload), caller: Some(caller) };
    if decides {
        operation.authorize(Stage::Body, seen)?;
    }
    let outbound = operation.mapping.outbound(seen, caller, payload, deadline)?;
    let timeout = operation.timeout.as_millis() as u64;
    let mut explained = match (&operation.binding, outbound) {
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
    };
    if let (Some(access), Value::Object(members)) = (demanded(operation, caller, " (holds)"), &mut explained)
    {
        members.insert("access".to_owned(), access);
    }
    Ok(explained)
}

/// Whether the operation's condition can be decided for this caller.
fn decides(operation: &Operation, caller: &Caller) -> bool {
    let about_caller =
        operation.authorize.as_ref().is_some_and(|one| one.reads("claims") || one.reads("caller"));
    caller.identity().is_some() || !about_caller
}

/// What the operation demands of who calls, if it demands anything; `outcome` is behind a condition that was decided.
fn demanded(operation: &Operation, caller: &Caller, outcome: &str) -> Option<Value> {
    let authorize = operation.authorize.as_ref();
    if operation.access.is_open() && authorize.is_none() {
        return None;
    }
    let caller_is = match caller.identity() {
        Some(identity) => format!("{} by --claims, which nobody has verified", identity.name),
        None if operation.access.caller() == Occurrence::Always => {
            "nobody, whom the gateway answers 401; give a token's claims with --claims".to_owned()
        }
        None => "nobody: no credentials are sent; give a token's claims with --claims".to_owned(),
    };
    let outcome = if decides(operation, caller) { outcome } else { " (not decided: nobody calls)" };
    Some(json!({
        "demands": operation.access.to_string(),
        "alternatives": operation.access.describe(),
        "authorize": authorize.map(|one| format!("${{{}}}{outcome}", one.source())),
        "caller": caller_is,
    }))
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
