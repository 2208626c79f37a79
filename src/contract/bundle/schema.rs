//! Schemas: every keyword is kept, 3.0's are written as those of 3.1, and references lead to components.
//!
//! The names that schemas give themselves (`$id`, `$anchor`) are left out once the references by them are replaced:
//! beside an `$id`, a reference into the document would lead somewhere else. A `$dynamicRef` leads to the schema that it
//! means where nobody replaces that.

use serde_json::{Map, Value, json};

use super::super::applicators::{Form, form, is_null, step};
use super::super::validator::{Draft, from_openapi_3_0};
use super::Bundler;
use super::components::Section;
use super::kind::{Kind, is_internal};
use crate::yaml::{self, Node};

/// What only names a schema.
const NAMES: [&str; 4] = ["$id", "$anchor", "$dynamicAnchor", "$recursiveAnchor"];

impl<'c> Bundler<'c, '_> {
    pub(super) fn schema(&mut self, node: &'c Node) -> Value {
        if !matches!(node.value, yaml::Value::Map(_)) {
            return node.to_json();
        }
        if self.openapi_3_0
            && let Some(reference) = node.get("$ref")
        {
            // What stands beside it means nothing in 3.0, and would in 3.1.
            return self.reference(reference).map_or(json!({}), |reference| json!({ "$ref": reference }));
        }
        let mut copy = Map::with_capacity(node.entries().len());
        for (key, value) in node.entries() {
            if let Some((name, value)) = self.keyword(node, &key.name, value) {
                copy.insert(name, value);
            }
        }
        if !self.openapi_3_0 {
            return Value::Object(copy);
        }
        encoded(&mut copy);
        from_openapi_3_0(copy)
    }

    fn keyword(&mut self, schema: &'c Node, key: &str, value: &'c Node) -> Option<(String, Value)> {
        let copied = match key {
            "$ref" => Value::String(self.reference(value)?),
            "$dynamicRef" | "$recursiveRef" if schema.get("$ref").is_none() => {
                return Some(("$ref".to_owned(), Value::String(self.reference(value)?)));
            }
            "$dynamicRef" | "$recursiveRef" => return None,
            "id" if schema.get("$schema").is_some() && value.as_str().is_some() => return None,
            key if NAMES.contains(&key) => return None,
            "type" => types(value),
            "discriminator" => self.discriminator(schema, value),
            "example" if self.openapi_3_0 => return Some(("examples".to_owned(), json!([value.to_json()]))),
            "examples" if !matches!(value.value, yaml::Value::List(_)) => return None,
            key if is_internal(key) => return None,
            "xml" | "externalDocs" => self.object(Kind::Plain, value),
            _ => match form(key) {
                Some(form) => self.applicator(form, value),
                None => value.to_json(),
            },
        };
        Some((key.to_owned(), copied))
    }

    fn applicator(&mut self, form: Form, value: &'c Node) -> Value {
        match (form, &value.value) {
            (Form::Map, yaml::Value::Map(entries)) => {
                entries.iter().map(|(key, child)| (key.name.clone(), self.schema(child))).collect()
            }
            (Form::List | Form::OneOrList, yaml::Value::List(items)) => {
                items.iter().map(|item| self.schema(item)).collect()
            }
            (Form::One | Form::OneOrList, _) => self.schema(value),
            _ => value.to_json(),
        }
    }

    /// `None`: it leads nowhere.
    fn reference(&mut self, reference: &Node) -> Option<String> {
        let text = reference.as_str()?;
        match self.documents.resolve(reference) {
            Ok((target, pointer)) => {
                let name = self.name(target, &pointer);
                Some(self.refer(Section::Schemas, Kind::Schema, target, pointer, &name))
            }
            Err(_) if Draft::is_described_by(text) => Some(text.to_owned()),
            Err(_) => None,
        }
    }

    /// Its mapping leads to components, by references or by their names.
    fn discriminator(&mut self, schema: &'c Node, node: &'c Node) -> Value {
        let entries = node.entries().iter().filter(|(key, _)| !is_internal(&key.name));
        let copied = entries.map(|(key, value)| {
            let value = match key.name.as_str() {
                "mapping" => {
                    let entries = value.entries().iter();
                    entries.map(|(key, to)| (key.name.clone(), self.mapped(schema, to))).collect()
                }
                _ => value.to_json(),
            };
            (key.name.clone(), value)
        });
        Value::Object(copied.collect())
    }

    /// A name is that of an alternative of the schema, or of any schema of the document.
    fn mapped(&mut self, schema: &'c Node, to: &Node) -> Value {
        let text = to.as_str().unwrap_or_default();
        let alternatives = ["oneOf", "anyOf"].into_iter().filter_map(|key| schema.get(key));
        let mut references = alternatives.flat_map(Node::items).filter_map(|one| one.get("$ref"));
        let end = step(text);
        let alternative = references.find(|one| one.as_str().is_some_and(|one| one.ends_with(&end)));
        let named = Node::text(to.place, format!("#/components/schemas{end}"));
        let found = alternative.and_then(|alternative| self.reference(alternative));
        let found = found.or_else(|| self.reference(&named)).or_else(|| self.reference(to));
        found.map_or_else(|| to.to_json(), Value::String)
    }
}

/// In 3.1, `format` does not say how bytes are written as text. It stays, for generators that look at nothing else.
fn encoded(copy: &mut Map<String, Value>) {
    match copy.get("format").and_then(Value::as_str) {
        Some("byte") => copy.insert("contentEncoding".to_owned(), json!("base64")),
        Some("binary") => copy.insert("contentMediaType".to_owned(), json!("application/octet-stream")),
        _ => None,
    };
}

/// YAML reads a bare `null` as nothing.
fn types(value: &Node) -> Value {
    let name = |node: &Node| if is_null(node) { json!("null") } else { node.to_json() };
    match &value.value {
        yaml::Value::List(items) => items.iter().map(name).collect(),
        _ => name(value),
    }
}
