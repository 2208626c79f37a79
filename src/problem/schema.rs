//! The problem document as a JSON Schema: from the type that is written, and the codes of the table.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use super::{Code, Document, Outcome, Problem};

/// A request id as the gateway makes them.
const EXAMPLE_ID: &str = "01a212d9-842f-7723-b89e-70edc42e1cee";

/// The schema (draft 2020-12) of every problem.
pub fn schema() -> Value {
    schema_of::<Document<'_>>()
}

/// A problem of a code, as a client may get it.
pub fn example(code: Code) -> Value {
    let problem = Problem::new(code, code.row().when);
    serde_json::from_slice(&problem.body(EXAMPLE_ID)).unwrap_or_default()
}

/// The schema of what the gateway writes, as a part of another document.
pub fn schema_of<T: JsonSchema>() -> Value {
    let schema = SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>();
    let mut schema = schema.to_value();
    if let Some(schema) = schema.as_object_mut() {
        schema.shift_remove("$schema");
        schema.shift_remove("title");
    }
    without_null(&mut schema);
    schema
}

/// Rust's optional fields are members that may be left out, not members that may be null.
fn without_null(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::Array(kinds)) = members.get_mut("type") {
                kinds.retain(|kind| kind != "null");
                if let [only] = kinds.as_slice() {
                    members["type"] = only.clone();
                }
            }
            members.values_mut().for_each(without_null);
        }
        Value::Array(items) => items.iter_mut().for_each(without_null),
        _ => {}
    }
}

/// No list of them: a client that was generated from it would fail on a code that a later version adds.
pub(super) fn codes(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string" })
}

pub(super) fn outcomes(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": Outcome::ALL.map(Outcome::name) })
}
