//! Holds answers of a real gateway against what the document says of them.

use jsonschema::Draft;
use serde_json::{Value, json};

use crate::support::gateway::Gateway;
use crate::support::http::Answer;

/// Headers that the document speaks of wherever they are sent.
const SPOKEN_OF: [&str; 9] = [
    "natsgate-code",
    "natsgate-outcome",
    "natsgate-request-id",
    "natsgate-idempotency",
    "idempotent-replayed",
    "retry-after",
    "ratelimit",
    "ratelimit-policy",
    "www-authenticate",
];

/// A document, and the operations in it.
pub(super) struct Document(pub(super) Value);

impl Document {
    pub(super) fn of(gateway: &Gateway) -> Document {
        Document(serde_json::from_slice(&gateway.inner.published().json()).expect("JSON"))
    }

    pub(super) fn operation(&self, id: &str) -> &Value {
        let items = self.0["paths"].as_object().expect("paths").values();
        let mut operations = items.flat_map(|item| item.as_object().expect("an item").values());
        operations.find(|one| one["operationId"] == *id).unwrap_or_else(|| panic!("{id} is not published"))
    }

    /// What stands there, or where a reference leads.
    pub(super) fn resolve<'v>(&'v self, value: &'v Value) -> &'v Value {
        match value["$ref"].as_str() {
            Some(reference) => {
                self.0.pointer(reference.trim_start_matches('#')).unwrap_or_else(|| panic!("{reference}"))
            }
            None => value,
        }
    }

    /// Whether a value is what a schema of the document says.
    pub(super) fn admits(&self, schema: &Value, value: &Value) -> Result<(), String> {
        let whole = json!({ "components": self.0["components"], "allOf": [schema] });
        let validator = jsonschema::options().with_draft(Draft::Draft202012).build(&whole).expect("a schema");
        validator.validate(value).map_err(|error| error.to_string())
    }

    /// Fails unless the document speaks of an answer: of its status, media type, body and headers.
    pub(super) fn speaks_of(&self, operation: &str, answer: &Answer) {
        self.judge(operation, answer).unwrap_or_else(|why| {
            panic!("{operation} {}: {why}\n{:?}\n{}", answer.status, answer.headers, answer.text())
        });
    }

    /// Why the document does not speak of an answer.
    pub(super) fn judge(&self, operation: &str, answer: &Answer) -> Result<(), String> {
        let responses = &self.operation(operation)["responses"];
        let response = responses.get(answer.status.to_string()).or_else(|| responses.get("default"));
        let response = self.resolve(response.ok_or("the status is not there")?);
        for (name, value) in &answer.headers {
            if SPOKEN_OF.contains(&name.to_ascii_lowercase().as_str()) {
                self.header(&response["headers"], name, value)?;
            }
        }
        if answer.body.is_empty() {
            return Ok(());
        }
        let given = answer.header("content-type").unwrap_or_default();
        let given = given.split(';').next().unwrap_or_default();
        let content = &response["content"];
        let media = content.get(given).or_else(|| content.get("*/*"));
        let media = media.ok_or_else(|| format!("{given} is not there"))?;
        if media["schema"] == json!({}) && !given.ends_with("json") {
            return Ok(());
        }
        let body: Value = serde_json::from_slice(&answer.body).map_err(|error| error.to_string())?;
        self.admits(&media["schema"], &body)
    }

    fn header(&self, headers: &Value, name: &str, value: &str) -> Result<(), String> {
        let mut known = headers.as_object().into_iter().flatten();
        let (_, header) = known
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .ok_or(format!("the header {name} is not there"))?;
        let schema = &self.resolve(header)["schema"];
        let value = match schema["type"].as_str() {
            Some("integer") => json!(value.parse::<u64>().map_err(|_| format!("{name} is no number"))?),
            _ => json!(value),
        };
        self.admits(schema, &value)
    }
}
