//! Which rules a schema follows, and OpenAPI 3.0's own rules written as those of JSON Schema 2020-12.

use serde_json::{Map, Value, json};

use crate::contract::applicators;

/// A draft of JSON Schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::contract) struct Draft {
    /// As its schemas name it.
    pub(super) uri: &'static str,
    /// Under which key schemas are kept that are only referred to.
    pub(super) definitions: &'static str,
    /// The key under which a schema names itself.
    pub(super) id: &'static str,
}

/// What OpenAPI 3.1 uses unless it says otherwise.
pub(super) const LATEST: Draft =
    Draft { uri: "https://json-schema.org/draft/2020-12/schema", definitions: "$defs", id: "$id" };

const OLDER: [Draft; 4] = [
    Draft { uri: "https://json-schema.org/draft/2019-09/schema", definitions: "$defs", id: "$id" },
    Draft { uri: "http://json-schema.org/draft-07/schema", definitions: "definitions", id: "$id" },
    Draft { uri: "http://json-schema.org/draft-06/schema", definitions: "definitions", id: "$id" },
    Draft { uri: "http://json-schema.org/draft-04/schema", definitions: "definitions", id: "id" },
];

/// What OpenAPI 3.1 calls its dialect: 2020-12 with keywords that only describe.
const OPENAPI: &str = "https://spec.openapis.org/oas/3.1/";

impl Draft {
    /// The draft that a `$schema` or `jsonSchemaDialect` names.
    pub(super) fn named(uri: &str) -> Option<Draft> {
        let bare = |uri: &str| {
            uri.trim_end_matches('#').trim_start_matches("https://").trim_start_matches("http://").to_owned()
        };
        if uri.starts_with(OPENAPI) {
            return Some(LATEST);
        }
        std::iter::once(LATEST).chain(OLDER).find(|draft| bare(draft.uri) == bare(uri))
    }

    /// Whether a `$ref` leads to the description of a draft, which is known without being fetched.
    pub(in crate::contract) fn is_described_by(reference: &str) -> bool {
        reference
            .split('#')
            .next()
            .is_some_and(|uri| Draft::named(uri).is_some() && !uri.starts_with(OPENAPI))
    }
}

/// Writes a schema of OpenAPI 3.0 as one of 2020-12. The schemas inside have been written already.
pub(in crate::contract) fn from_openapi_3_0(mut schema: Map<String, Value>) -> Value {
    exclusive(&mut schema, "minimum", "exclusiveMinimum");
    exclusive(&mut schema, "maximum", "exclusiveMaximum");
    // Of Swagger 2.0: what it describes is no JSON.
    if schema.get("type").and_then(Value::as_str) == Some("file") {
        schema.shift_remove("type");
    }
    match schema.shift_remove("nullable") {
        Some(Value::Bool(true)) => nullable(schema),
        _ => Value::Object(schema),
    }
}

/// `exclusiveMinimum: true` beside a `minimum` is a limit of its own.
fn exclusive(schema: &mut Map<String, Value>, limit: &str, exclusive: &str) {
    if let Some(Value::Bool(flag)) = schema.get(exclusive) {
        let is_exclusive = *flag;
        schema.shift_remove(exclusive);
        if is_exclusive && let Some(limit) = schema.shift_remove(limit) {
            schema.insert(exclusive.to_owned(), limit);
        }
    }
}

/// Whoever writes `nullable: true` wants `null` to be valid, whatever else stands there: beside a `type` and an `enum`,
/// and around an `allOf`, where the letter of the standard has it do nothing.
fn nullable(mut schema: Map<String, Value>) -> Value {
    let in_place = schema.keys().any(|key| key == "$ref" || key == "not" || applicators::is_in_place(key));
    if in_place || schema.contains_key("const") {
        return json!({ "anyOf": [{ "type": "null" }, schema] });
    }
    if let Some(kind) = schema.get_mut("type").filter(|kind| kind.is_string()) {
        *kind = json!([kind.take(), "null"]);
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
    Value::Object(schema)
}
