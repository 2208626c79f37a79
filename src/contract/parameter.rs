//! Parameters of an operation: where they stand, and how their text is read.

use std::sync::Arc;

use super::cursor::{Cursor, SchemaRef};
use super::documents::Documents;
use super::schema::SchemaView;
use super::shape::Shapes;
use super::style::{self, Serialization};
use crate::diagnostic::{Diagnostic, Place};
use crate::expression::Location;

/// A parameter of an operation.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// Its name; in lower case for a header.
    pub name: Arc<str>,
    /// Where a request carries it.
    pub location: Location,
    /// Whether a request without it is wrong.
    pub required: bool,
    /// Where it stands in the contract.
    pub place: Place,
    /// How its text is read.
    pub serialization: Serialization,
    /// What its values look like, as far as reading them goes.
    pub shapes: Shapes,
    /// Whether a value of the right type can still be wrong, so that it must be held against the schema.
    pub constrained: bool,
    /// `allowEmptyValue`: in a query, the name alone is a value.
    pub may_be_empty: bool,
    /// What stands in for it when a request leaves it out.
    pub default: Option<serde_json::Value>,
    /// What its values look like.
    pub schema: Option<SchemaRef>,
}

/// Headers that OpenAPI describes elsewhere; as parameters they are ignored.
const DESCRIBED_ELSEWHERE: [&str; 3] = ["accept", "content-type", "authorization"];

/// Reads a parameter whose `$ref` has been followed. `None`: it is one that the standard ignores.
pub(super) fn read(documents: &Documents, cursor: &Cursor<'_>) -> Result<Option<Parameter>, Diagnostic> {
    let missing = |key: &str| Diagnostic::error(cursor.place(), format!("this parameter has no `{key}`"));
    let name = cursor.text("name").ok_or_else(|| missing("name").help("add `name: …`"))?;
    let location = location(cursor)?;
    let header = location == Location::Header;
    let name = if header { name.to_ascii_lowercase() } else { name.to_owned() };
    if header && DESCRIBED_ELSEWHERE.contains(&name.as_str()) {
        return Ok(None);
    }
    let content = cursor.get("content").and_then(|content| content.entries().next());
    let schema = match &content {
        Some((_, media_type)) => media_type.get("schema"),
        None => cursor.get("schema"),
    };
    let view = schema.as_ref().map(|schema| SchemaView::new(documents, &[schema.node]));
    let shapes = view.as_ref().map_or_else(Shapes::text, Shapes::of);
    let serialization = match &content {
        Some((key, _)) => style::of_content(key),
        None => style::read(cursor, location, &name, &shapes),
    };
    Ok(Some(Parameter {
        name: name.into(),
        location,
        required: location == Location::Path || cursor.flag("required") == Some(true),
        place: cursor.place(),
        serialization,
        shapes,
        constrained: view.as_ref().is_some_and(SchemaView::constrains),
        may_be_empty: location == Location::Query && cursor.flag("allowEmptyValue") == Some(true),
        default: view.and_then(|view| view.default()).map(|node| node.to_json()),
        schema: schema.map(|schema| schema.schema()),
    }))
}

fn location(cursor: &Cursor<'_>) -> Result<Location, Diagnostic> {
    match cursor.text("in") {
        Some("path") => Ok(Location::Path),
        Some("query") => Ok(Location::Query),
        Some("header") => Ok(Location::Header),
        Some("cookie") => Ok(Location::Cookie),
        Some(other) => {
            let place = cursor.get("in").map_or(cursor.place(), |at| at.place());
            let message = format!("a parameter cannot be in `{other}`");
            Err(Diagnostic::error(place, message).help("one of: path, query, header, cookie"))
        }
        None => Err(Diagnostic::error(cursor.place(), "this parameter has no `in`")
            .help("add `in: path`, `query`, `header` or `cookie`")),
    }
}
