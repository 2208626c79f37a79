//! What the parts of an OpenAPI document hold: which of their members are parts in turn, and which are data.

use serde_json::{Map, Value, json};

use super::components::Section;

/// Extensions that tell generators of clients the names of what they make; all others are taken to be internal.
const PUBLIC: [&str; 3] = ["x-enum-varnames", "x-enum-descriptions", "x-enumNames"];

/// A part of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Operation,
    PathItem,
    Parameter,
    Header,
    Body,
    Response,
    MediaType,
    Encoding,
    Example,
    Link,
    Callback,
    SecurityScheme,
    Schema,
    /// One without parts, of which only its extensions are left out.
    Plain,
}

/// How a member is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Child {
    /// Not at all.
    Left,
    /// As it stands there.
    Data,
    One(Kind),
    List(Kind),
    /// By names that are anything.
    Map(Kind),
    /// By names among which extensions may stand.
    Extended(Kind),
}

/// Whether a key is an extension that clients have no use for.
pub(super) fn is_internal(key: &str) -> bool {
    key.starts_with("x-") && !PUBLIC.contains(&key)
}

impl Kind {
    /// Under which section of the components it stands; media types, encodings and what is plain have none.
    pub(super) fn section(self) -> Option<Section> {
        Some(match self {
            Kind::Schema => Section::Schemas,
            Kind::Response => Section::Responses,
            Kind::Parameter => Section::Parameters,
            Kind::Example => Section::Examples,
            Kind::Body => Section::RequestBodies,
            Kind::Header => Section::Headers,
            Kind::SecurityScheme => Section::SecuritySchemes,
            Kind::Link => Section::Links,
            Kind::Callback => Section::Callbacks,
            Kind::PathItem => Section::PathItems,
            Kind::Operation | Kind::MediaType | Kind::Encoding | Kind::Plain => return None,
        })
    }

    /// How one of its members is copied.
    pub(super) fn child(self, key: &str) -> Child {
        match (self, key) {
            // Each operation says for itself who may call it, and all are where the gateway is.
            (Kind::Operation, "security" | "servers") | (Kind::PathItem, "servers" | "$ref") => Child::Left,
            (Kind::Operation | Kind::PathItem, "parameters") => Child::List(Kind::Parameter),
            (Kind::Operation, "requestBody") => Child::One(Kind::Body),
            (Kind::Operation, "responses") => Child::Extended(Kind::Response),
            (Kind::Operation, "callbacks") => Child::Map(Kind::Callback),
            (Kind::Operation, "externalDocs") => Child::One(Kind::Plain),
            (Kind::SecurityScheme, "flows") => Child::Extended(Kind::Plain),
            (Kind::Callback, _) => Child::One(Kind::PathItem),
            (Kind::PathItem, "get" | "put" | "post" | "delete" | "options" | "head" | "patch" | "trace") => {
                Child::One(Kind::Operation)
            }
            (Kind::Parameter | Kind::Header | Kind::MediaType, "schema") => Child::One(Kind::Schema),
            (Kind::Parameter | Kind::Header | Kind::MediaType, "examples") => Child::Map(Kind::Example),
            (Kind::Parameter | Kind::Header | Kind::Body | Kind::Response, "content") => {
                Child::Map(Kind::MediaType)
            }
            (Kind::MediaType, "encoding") => Child::Map(Kind::Encoding),
            (Kind::Encoding | Kind::Response, "headers") => Child::Map(Kind::Header),
            (Kind::Response, "links") => Child::Map(Kind::Link),
            // By path, and where else something answers.
            (Kind::Link, "operationRef" | "server") => Child::Left,
            _ => Child::Data,
        }
    }

    /// Adds what 3.1 demands and authors forget.
    pub(super) fn complete(self, copy: &mut Map<String, Value>) {
        match self {
            Kind::Response if !copy.get("description").is_some_and(Value::is_string) => {
                copy.insert("description".to_owned(), json!(""));
            }
            Kind::Response => {
                // A link that names nothing leads nowhere.
                let links = copy.get_mut("links").and_then(Value::as_object_mut);
                let leads = |_: &String, link: &mut Value| {
                    link.get("operationId").is_some() || link.get("$ref").is_some()
                };
                if links.is_some_and(|links| {
                    links.retain(leads);
                    links.is_empty()
                }) {
                    copy.shift_remove("links");
                }
            }
            Kind::Body if !copy.get("content").is_some_and(Value::is_object) => {
                copy.insert("content".to_owned(), json!({}));
            }
            Kind::Operation if !copy.get("responses").is_some_and(Value::is_object) => {
                copy.insert("responses".to_owned(), json!({}));
            }
            _ => {}
        }
    }

    /// What is published in place of something that nobody can find.
    pub(super) fn stand_in(self) -> Value {
        match self {
            Kind::Response => json!({ "description": "" }),
            Kind::Body => json!({ "content": {} }),
            _ => json!({}),
        }
    }
}
