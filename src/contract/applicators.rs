//! Which keywords of a schema hold other schemas, and in what form. Everything else is data to a schema: an `$id` or a
//! `$ref` in there means nothing.

use crate::yaml::{Node, Value};

/// How a keyword holds schemas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// It is one.
    One,
    /// A list of them.
    List,
    /// A map of them.
    Map,
    /// One, or a list.
    OneOrList,
}

const KEYWORDS: [(&str, Form); 24] = [
    ("properties", Form::Map),
    ("items", Form::OneOrList),
    ("allOf", Form::List),
    ("oneOf", Form::List),
    ("anyOf", Form::List),
    ("additionalProperties", Form::One),
    ("not", Form::One),
    ("if", Form::One),
    ("then", Form::One),
    ("else", Form::One),
    ("prefixItems", Form::List),
    ("contains", Form::One),
    ("patternProperties", Form::Map),
    ("propertyNames", Form::One),
    ("dependentSchemas", Form::Map),
    ("unevaluatedProperties", Form::One),
    ("unevaluatedItems", Form::One),
    ("additionalItems", Form::One),
    ("contentSchema", Form::One),
    ("$defs", Form::Map),
    ("definitions", Form::Map),
    // A map of schemas or of lists of names; a list of names holds no schema.
    ("dependencies", Form::Map),
    ("extends", Form::OneOrList),
    ("disallow", Form::One),
];

/// How a keyword holds schemas, if it does.
pub(super) fn form(keyword: &str) -> Option<Form> {
    KEYWORDS.iter().find(|(name, _)| *name == keyword).map(|(_, form)| *form)
}

/// Whether the schemas of a keyword judge the same value as the schema that they stand in.
pub(super) fn is_in_place(keyword: &str) -> bool {
    matches!(keyword, "allOf" | "oneOf" | "anyOf" | "if" | "then" | "else" | "dependentSchemas")
}

/// Whether a map is a schema, by the keywords that it has. Asked where a document does not say what stands there.
pub(super) fn looks_like_schema(node: &Node) -> bool {
    node.entries().iter().any(|(key, value)| match key.name.as_str() {
        "$id" | "$schema" | "$anchor" | "$dynamicAnchor" | "$ref" | "type" => value.as_str().is_some(),
        "properties" | "patternProperties" | "$defs" => matches!(value.value, Value::Map(_)),
        "allOf" | "oneOf" | "anyOf" | "prefixItems" => matches!(value.value, Value::List(_)),
        "enum" | "const" | "if" | "items" => true,
        _ => false,
    })
}

/// Every schema directly inside one, with the steps that lead to it.
pub(super) fn children(schema: &Node) -> impl Iterator<Item = (String, &Node)> {
    schema
        .entries()
        .iter()
        .filter_map(|(key, value)| Some((key.name.as_str(), value, form(&key.name)?)))
        .flat_map(|(keyword, value, form)| -> Vec<(String, &Node)> {
            let keyword = step(keyword);
            match form {
                Form::Map => value
                    .entries()
                    .iter()
                    .map(|(key, child)| (format!("{keyword}{}", step(&key.name)), child))
                    .collect(),
                Form::List | Form::OneOrList if !value.items().is_empty() => {
                    let items = value.items().iter().enumerate();
                    items.map(|(index, child)| (format!("{keyword}/{index}"), child)).collect()
                }
                _ => vec![(keyword, value)],
            }
        })
}

/// Whether a `type` is `null`, which YAML reads as nothing unless it stands in quotation marks.
pub(super) fn is_null(kind: &Node) -> bool {
    kind.value == Value::Null || kind.as_str() == Some("null")
}

/// A name as a step of a pointer.
pub(super) fn step(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}
