//! The JSON Schema of the configuration, for editors.

use schemars::Schema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::Config;

/// The schema (draft 2020-12) that `natsgate schema` prints.
pub fn schema() -> Value {
    let schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Config>();
    let mut schema = schema.to_value();
    schema["$id"] = json!("urn:natsgate:config");
    schema["title"] = json!("natsgate configuration");
    schema["$defs"]["Elsewhere"] = json!({
        "type": "object",
        "description": "The value of an environment variable, or the content of a file without its last newline.",
        "properties": {
            "env": { "type": "string", "description": "Name of the variable." },
            "file": { "type": "string", "description": "Path, relative to this file." },
        },
        "additionalProperties": false,
        "minProperties": 1,
        "maxProperties": 1,
    });
    without_null(&mut schema);
    schema
}

/// Lets the values of a map be numbers and booleans: where text is wanted, they are text too.
pub(super) fn texts(map: &mut Schema) {
    map.insert("additionalProperties".into(), json!({ "type": ["string", "number", "boolean"] }));
}

/// Rust's optional fields are keys that may be left out, not keys that may be null.
fn without_null(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::Array(kinds)) = object.get_mut("type") {
                kinds.retain(|kind| kind != "null");
                if let [only] = kinds.as_slice() {
                    let only = only.clone();
                    object.insert("type".into(), only);
                }
            }
            if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
                choices.retain(|choice| choice != &json!({ "type": "null" }));
                if let [Value::Object(only)] = choices.as_mut_slice() {
                    let only = std::mem::take(only);
                    object.shift_remove("anyOf");
                    only.into_iter().for_each(|(key, value)| _ = object.entry(key).or_insert(value));
                }
            }
            if object.get("default").is_some_and(Value::is_null) {
                object.shift_remove("default");
            }
            object.values_mut().for_each(without_null);
        }
        Value::Array(items) => items.iter_mut().for_each(without_null),
        _ => {}
    }
}
