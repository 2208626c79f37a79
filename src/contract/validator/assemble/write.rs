//! Single keywords as they are written into the assembled document.

use serde_json::{Map, Value, json};

use crate::contract::applicators;
use crate::contract::validator::unsent::Names;
use crate::yaml::{self, Node};

/// Says the same in the way of which the library makes more.
pub(super) fn settle(schema: &mut Map<String, Value>) {
    // Only with `properties` beside it are the unexpected ones named.
    if schema.get("additionalProperties") == Some(&Value::Bool(false)) && !schema.contains_key("properties") {
        schema.insert("properties".to_owned(), json!({}));
    }
    // A number among several is compared to the last digit, and one alone is not.
    if schema.get("const").is_some_and(Value::is_number)
        && !schema.contains_key("enum")
        && let Some(number) = schema.shift_remove("const")
    {
        schema.insert("enum".to_owned(), json!([number]));
    }
}

/// Types as they are meant: YAML reads a bare `null` as nothing.
pub(super) fn types(value: &Node) -> Value {
    let name = |node: &Node| match node.value {
        yaml::Value::Null => json!("null"),
        _ => node.to_json(),
    };
    match &value.value {
        yaml::Value::List(items) => items.iter().map(name).collect(),
        _ => name(value),
    }
}

/// The required properties, without those that are not sent.
pub(super) fn required(value: &Node, unsent: &Names) -> Value {
    let sent = |node: &&Node| node.as_str().is_none_or(|name| !unsent.contains(name));
    match &value.value {
        yaml::Value::List(items) => items.iter().filter(sent).map(Node::to_json).collect(),
        _ => value.to_json(),
    }
}

/// What alternatives are called: by their title, or the name of what they refer to.
pub(super) fn alternatives(branches: &Node) -> Value {
    let name = |branch: &Node| {
        let last = |reference: &str| reference.rsplit(['/', '#']).next().map(str::to_owned);
        let title = branch.get("title").and_then(Node::as_str).map(str::to_owned);
        let name = title.or_else(|| branch.get("$ref")?.as_str().and_then(last));
        let null = branch.get("type").is_some_and(applicators::is_null);
        name.or_else(|| null.then(|| "null".to_owned())).map_or(Value::Null, Value::String)
    };
    branches.items().iter().map(name).collect()
}
