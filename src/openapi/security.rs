//! Who may call an operation that only the configuration knows: its verifiers, as security schemes.

use serde_json::{Map, Value, json};

use super::Bound;
use crate::config::{Config, Verifier};
use crate::contract::{Components, Section};

/// Where an API key is sent unless the verifier says otherwise.
const KEY_HEADER: &str = "X-API-Key";

/// An entry that says no more than who may call.
pub(super) fn of(bound: &Bound<'_>, config: &Config, components: &mut Components) -> Map<String, Value> {
    let mut alternatives = Vec::new();
    for alternative in bound.written.security.iter().flat_map(|security| &security.value) {
        let mut demands = Map::new();
        for (name, scopes) in &alternative.0 {
            let verifier = config.security.0.iter().find(|(known, _)| known.value == name.value);
            let Some(scheme) = verifier.and_then(|(_, verifier)| scheme(verifier)) else { continue };
            let reference = components.share(Section::SecuritySchemes, &legal(&name.value), scheme);
            let scopes: Vec<&str> = scopes.iter().map(|scope| scope.value.as_str()).collect();
            demands.insert(reference, json!(scopes));
        }
        alternatives.push(Value::Object(demands));
    }
    let summary = format!("{} {}", bound.method, bound.path.as_str());
    Map::from_iter([
        ("summary".to_owned(), Value::String(summary)),
        ("security".to_owned(), Value::Array(alternatives)),
    ])
}

fn scheme(verifier: &Verifier) -> Option<Value> {
    if verifier.jwt.is_some() {
        return Some(json!({ "type": "http", "scheme": "bearer", "bearerFormat": "JWT" }));
    }
    if let Some(keys) = &verifier.api_key {
        let header = keys.header.as_ref().map_or(KEY_HEADER, |header| header.value.as_str());
        return Some(json!({ "type": "apiKey", "in": "header", "name": header }));
    }
    verifier.basic.as_ref().map(|_| json!({ "type": "http", "scheme": "basic" }))
}

/// What the keys of components may be made of.
fn legal(name: &str) -> String {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    name.chars().map(|c| if legal(c) { c } else { '_' }).collect()
}
