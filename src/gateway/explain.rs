//! What would be sent for a request, without sending it: the same stages as for a real one, up to the message.

mod legacy;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use serde_json::{Map, Value, json};

use super::compile::Compiled;
use super::find::{Destination, Matched};
use super::operation::{OnNats, Operation, Stage};
use super::{Progress, permitted, unsuccessful};
use crate::authenticate::Caller;
use crate::dispatch::{self, Binding};
use crate::exchange::Outbound;
use crate::expression::Occurrence;
use crate::head::Head;
use crate::json::Document;
use crate::migrate::Side;
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
            let response = problem.response(head.id.as_str()).map(Into::into);
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
    let caller = progress.caller.get_or_insert_default().clone();
    let body = body.collect().await.unwrap_or_default().to_bytes();
    let reason = legacy::turn(head, matched, &caller);
    let mut explained = Map::new();
    explained.insert("operation".to_owned(), json!(&*operation.name));
    if let Some(reason) = &reason {
        explained.insert("turn".to_owned(), legacy::side(reason));
    }
    // What is for one side is refused by that side alone.
    let is_for = |side| reason.as_ref().is_none_or(|reason| reason.side.is_none_or(|one| one == side));
    if let Some(forward) = &operation.legacy {
        let sent = legacy::forwarded(forward, (head, body.clone()), matched, progress).await;
        let members = sent.map(|sent| vec![("forward", sent)]);
        explain_or_refuse(members, is_for(Side::Legacy), "forward", &mut explained)?;
    }
    if let Some(nats) = &operation.nats {
        let sent = message(nats, head, Full::new(body), matched, progress).await;
        explain_or_refuse(sent, is_for(Side::Nats), "nats", &mut explained)?;
    }
    if let Some(access) = demanded(operation, &caller, " (holds)") {
        explained.insert("access".to_owned(), access);
    }
    Ok(Value::Object(explained))
}

/// Adds what would be sent, or why nothing would; what the client waits for is refused as a whole.
fn explain_or_refuse(
    sent: Result<Vec<(&'static str, Value)>, Problem>,
    refuses: bool,
    side: &str,
    explained: &mut Map<String, Value>,
) -> Result<(), Problem> {
    match sent {
        Ok(members) => explained.extend(members.into_iter().map(|(name, value)| (name.to_owned(), value))),
        Err(problem) if refuses => return Err(problem),
        Err(problem) => {
            let why = json!({ "code": problem.code.name(), "detail": problem.detail });
            explained.insert(format!("{side}_refused"), why);
        }
    }
    Ok(())
}

/// The message for NATS.
async fn message(
    nats: &OnNats,
    head: &Head,
    body: Full<Bytes>,
    matched: &Matched<'_>,
    progress: &mut Progress,
) -> Result<Vec<(&'static str, Value)>, Problem> {
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
    let timeout = ("timeout_ms", json!(operation.timeout.as_millis() as u64));
    Ok(match (&nats.binding, nats.mapping.outbound(seen, caller, payload, deadline)?) {
        (Binding::Publish(publish), Outbound::Publish(message, identity)) => vec![
            ("publish", message_of(&message)),
            ("stream", json!(publish.stream)),
            ("message_id", json!(identity.id)),
            timeout,
        ],
        (_, Outbound::Request(mut message) | Outbound::Publish(mut message, _)) => {
            dispatch::stamp(&mut message, deadline);
            vec![("request", message_of(&message)), timeout]
        }
    })
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
