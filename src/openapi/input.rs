//! What a request brings: parameters and, where no contract says so, a body.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::Bound;
use super::operation::{Entry, Known};
use crate::contract::Components;
use crate::expression::Location;
use crate::subject::LEGAL_TOKEN;
use crate::translate::outbound::IdSource;

/// What the gateway takes as an idempotency key, exactly: 1 to 255 visible ASCII characters, bare (which may begin with a
/// quotation mark, but not end with one too) or in quotation marks.
const KEY: &str = "^([!#-~][!-~]{0,254}|\"([!-~]{0,253}[!#-~])?|\"[!-~]{1,255}\")$";

/// The parameters; `names`: of the path, each with the one that it is published under.
pub(super) fn parameters(
    entry: &Entry<'_>,
    names: &[(&Arc<str>, &Arc<str>)],
    known: &Known,
    components: &Components,
) -> Vec<Value> {
    let declared =
        entry.json.get("parameters").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let in_path = |value: &Value| components.resolve(value).get("in").is_some_and(|place| place == "path");
    let mut parameters: Vec<Value> = names
        .iter()
        .map(|(name, published)| {
            let own = declared
                .iter()
                .find(|one| in_path(one) && one.get("name").is_some_and(|own| own.as_str() == Some(name)));
            of_path(entry, own, name, published)
        })
        .collect();
    parameters.extend(declared.iter().filter(|one| !in_path(one)).cloned());
    if let Some(bound) = &entry.bound {
        parameters.extend(prefer(bound));
        parameters.extend(idempotency_key(bound, known));
    }
    parameters
}

/// A parameter of the path: as the contract has it, or any text; a legal token where it becomes one.
fn of_path(entry: &Entry<'_>, declared: Option<&Value>, name: &str, published: &str) -> Value {
    let mut parameter = declared.and_then(Value::as_object).cloned().unwrap_or_default();
    parameter.insert("name".to_owned(), json!(published));
    parameter.insert("in".to_owned(), json!("path"));
    parameter.insert("required".to_owned(), json!(true));
    if !parameter.contains_key("schema") && !parameter.contains_key("content") {
        parameter.insert("schema".to_owned(), json!({ "type": "string" }));
    }
    let is_token = entry
        .bound
        .and_then(|bound| bound.operation.mapping())
        .is_some_and(|mapping| mapping.subject.path_parameters().any(|token| token == name));
    if let Some(schema) = parameter.get_mut("schema").filter(|_| is_token) {
        *schema = of_token(schema.take());
    }
    Value::Object(parameter)
}

/// A schema that admits only what is one legal token of a subject.
fn of_token(schema: Value) -> Value {
    let Value::Object(mut schema) = schema else {
        return json!({ "type": "string", "pattern": LEGAL_TOKEN });
    };
    let is_always = |kind: &Value| kind == "integer" || kind == "boolean";
    if schema.get("type").is_some_and(is_always) {
        return Value::Object(schema);
    }
    match schema.contains_key("pattern") {
        false => {
            schema.insert("pattern".to_owned(), json!(LEGAL_TOKEN));
            Value::Object(schema)
        }
        true => json!({ "allOf": [schema, { "pattern": LEGAL_TOKEN }] }),
    }
}

/// Whether the contract describes a header itself.
fn is_declared(bound: &Bound<'_>, header: &str) -> bool {
    let mut parameters = bound.declared.iter().flat_map(|declared| &declared.parameters);
    parameters.any(|one| one.location == Location::Header && one.name.eq_ignore_ascii_case(header))
}

fn prefer(bound: &Bound<'_>) -> Option<Value> {
    let waits = bound.operation.waits_as_preferred() && !is_declared(bound, "Prefer");
    waits.then(|| {
        let longest = humantime::format_duration(bound.operation.timeout).to_string();
        json!({
            "name": "Prefer",
            "in": "header",
            "required": false,
            "description": format!(
                "`wait=N`: the answer is waited for no longer than N seconds (RFC 7240), and never longer than {longest}."
            ),
            "schema": { "type": "string" },
        })
    })
}

fn idempotency_key(bound: &Bound<'_>, known: &Known) -> Option<Value> {
    let storing = bound.operation.mapping()?.storing.as_ref()?;
    let IdSource::Caller { required } = storing.id else { return None };
    if is_declared(bound, "Idempotency-Key") {
        return None;
    }
    let window = match known.window(bound) {
        Some(window) => format!("for {window}"),
        None => "for a time".to_owned(),
    };
    let description = format!(
        "A name for this request, of the caller's choice: {window}, a repetition under the same key stores nothing, and gets \
         the answer of the first with `Idempotent-Replayed: true`. Another request under the same key is refused as long as \
         the first is kept."
    );
    Some(json!({
        "name": "Idempotency-Key",
        "in": "header",
        "required": required,
        "description": description,
        "schema": { "type": "string", "pattern": KEY },
    }))
}

/// The body of an operation that no contract describes: JSON or a form where something reads it, any bytes where it
/// travels as it came.
pub(super) fn body(bound: &Bound<'_>) -> Option<Value> {
    let mut content = Map::new();
    if bound.operation.input.body.read {
        content.insert("application/json".to_owned(), json!({ "schema": {} }));
        content.insert(
            "application/x-www-form-urlencoded".to_owned(),
            json!({ "schema": { "type": "object" } }),
        );
    } else if bound.operation.mapping().is_none_or(|mapping| mapping.payload.is_none())
        && !matches!(bound.method.as_str(), "GET" | "HEAD" | "DELETE")
    {
        content.insert("*/*".to_owned(), json!({ "schema": {} }));
    } else {
        return None;
    }
    Some(json!({ "required": false, "content": content }))
}
