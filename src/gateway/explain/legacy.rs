//! What the legacy service would get of a request, and which side it would be for.

use bytes::Bytes;
use http::HeaderMap;
use http_body_util::Full;
use serde_json::{Value, json};

use super::super::find::Matched;
use super::super::operation::{Inspects, Stage};
use super::super::{Progress, permitted, permitted_anyway};
use super::{decides, payload_of};
use crate::authenticate::Caller;
use crate::forward::Forward;
use crate::head::Head;
use crate::migrate::{Reason, Side};
use crate::problem::Problem;
use crate::translate::Seen;
use crate::validate;

/// Which side it would be for, where there are two.
pub(super) fn turn(head: &Head, matched: &Matched<'_>, caller: &Caller) -> Option<Reason> {
    let migration = matched.operation.migration.as_ref()?;
    let opened = matched.operation.input.open(head, &matched.path);
    let path = validate::as_text(&matched.path);
    let seen = Seen { head, path: &path, payload: opened.payload(), caller: Some(caller) };
    Some(migration.reason(head, &seen.scope(None, None)))
}

pub(super) fn side(reason: &Reason) -> Value {
    json!({ "side": reason.side.map_or("either", Side::name), "why": reason.why, "copy": reason.copy })
}

/// The request there. What is looked at before is for the operation to say.
pub(super) async fn forwarded(
    forward: &Forward,
    (head, body): (&Head, Bytes),
    matched: &Matched<'_>,
    progress: &mut Progress,
) -> Result<Value, Problem> {
    let operation = matched.operation;
    let caller = &*progress.caller.get_or_insert_default();
    let decides = decides(operation, caller);
    if operation.inspects != Inspects::Nothing {
        let mut opened = operation.input.open(head, &matched.path);
        if decides {
            opened = permitted(operation, head, caller, opened, &mut progress.payload)?;
        }
        if decides && operation.inspects == Inspects::Parameters {
            permitted_anyway(operation, head, caller, &opened)?;
        }
        if operation.inspects == Inspects::Everything {
            let deadline = head.deadline(operation.timeout, false);
            let received = opened.receive(head, Full::new(body.clone()), None, deadline).await;
            let payload = opened.close(received, &mut progress.payload)?;
            if decides {
                let seen = Seen { head, path: &[], payload: Some(payload), caller: Some(caller) };
                operation.authorize(Stage::Body, seen)?;
            }
        }
    }
    let path = validate::as_text(&matched.path);
    let seen = Seen { head, path: &path, payload: None, caller: Some(caller) };
    let (url, parts) = forward.outgoing(seen, body.clone())?;
    Ok(json!({
        "upstream": forward.upstream.name(),
        "method": parts.method.as_str(),
        "url": url,
        "headers": headers(&parts.headers),
        "payload": payload_of(&body),
        "bytes": body.len(),
    }))
}

fn headers(headers: &HeaderMap) -> Value {
    let text = |name| {
        let values = headers.get_all(name).iter();
        values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect::<Vec<_>>().join(", ")
    };
    let mut all: Vec<(String, Value)> =
        headers.keys().map(|name| (name.to_string(), text(name).into())).collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    Value::Object(all.into_iter().collect())
}
