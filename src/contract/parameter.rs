//! Parameters of an operation: where they stand, and what text becomes which value.

use std::sync::Arc;

use super::cursor::{Cursor, SchemaRef};
use super::documents::Documents;
use super::schema::{Kind, SchemaView};
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
    pub kind: ParameterKind,
    /// What stands in for it when a request leaves it out.
    pub default: Option<serde_json::Value>,
    /// What its values look like.
    pub schema: Option<SchemaRef>,
}

/// How the text of a parameter is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// One value.
    Scalar(Scalar),
    /// Any number of values.
    Array {
        /// What each of them is.
        items: Scalar,
        /// How they are told apart.
        form: ArrayForm,
    },
    /// Objects, `content`, mixed types and rare styles: not read, only handed on as text.
    Raw,
}

/// One value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scalar {
    /// Any text.
    Text,
    /// Digits without a fraction or exponent.
    Integer,
    /// A number as JSON writes it.
    Number,
    /// `true` or `false`.
    Boolean,
}

/// How the items of an array are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArrayForm {
    /// The name is repeated: `a=1&a=2`.
    Repeated,
    /// `1,2`
    Commas,
    /// `1%202`
    Spaces,
    /// `1|2`
    Pipes,
}

/// Headers that OpenAPI describes elsewhere; as parameters they are ignored.
const DESCRIBED_ELSEWHERE: [&str; 3] = ["accept", "content-type", "authorization"];

/// Reads a parameter whose `$ref` has been followed. `None`: it is one that the standard ignores.
pub(super) fn read(documents: &Documents, cursor: &Cursor<'_>) -> Result<Option<Parameter>, Diagnostic> {
    let missing = |key: &str| Diagnostic::error(cursor.place(), format!("this parameter has no `{key}`"));
    let name = cursor.text("name").ok_or_else(|| missing("name").help("add `name: …`"))?;
    let location = match cursor.text("in") {
        Some("path") => Location::Path,
        Some("query") => Location::Query,
        Some("header") => Location::Header,
        Some("cookie") => Location::Cookie,
        Some(other) => {
            let place = cursor.get("in").map_or(cursor.place(), |at| at.place());
            let message = format!("a parameter cannot be in `{other}`");
            return Err(Diagnostic::error(place, message).help("one of: path, query, header, cookie"));
        }
        None => return Err(missing("in").help("add `in: path`, `query`, `header` or `cookie`")),
    };
    let header = location == Location::Header;
    let name = if header { name.to_ascii_lowercase() } else { name.to_owned() };
    if header && DESCRIBED_ELSEWHERE.contains(&name.as_str()) {
        return Ok(None);
    }
    let schema = cursor.get("schema");
    let view = schema.as_ref().map(|schema| SchemaView::new(documents, &[schema.node]));
    let kind = view.as_ref().map_or(ParameterKind::Raw, |view| kind(cursor, location, view));
    Ok(Some(Parameter {
        name: name.into(),
        location,
        required: location == Location::Path || cursor.flag("required") == Some(true),
        place: cursor.place(),
        kind,
        default: view.and_then(|view| view.default()),
        schema: schema.map(|schema| schema.schema()),
    }))
}

fn kind(cursor: &Cursor<'_>, location: Location, schema: &SchemaView<'_>) -> ParameterKind {
    let in_form = matches!(location, Location::Query | Location::Cookie);
    let style = cursor.text("style").unwrap_or(if in_form { "form" } else { "simple" });
    let explode = cursor.flag("explode").unwrap_or(style == "form");
    let kind = schema.kind();
    if let Some(scalar) = scalar(kind) {
        return match (location, style) {
            (Location::Path | Location::Header, "simple") => ParameterKind::Scalar(scalar),
            (Location::Query | Location::Cookie, _) if style != "deepObject" => ParameterKind::Scalar(scalar),
            _ => ParameterKind::Raw,
        };
    }
    let form = array_form(location, style, explode);
    match (kind, scalar(schema.item_kind()), form) {
        (Kind::One("array"), Some(items), Some(form)) => ParameterKind::Array { items, form },
        _ => ParameterKind::Raw,
    }
}

fn scalar(kind: Kind) -> Option<Scalar> {
    match kind {
        Kind::Any | Kind::One("string") => Some(Scalar::Text),
        Kind::One("integer") => Some(Scalar::Integer),
        Kind::One("number") => Some(Scalar::Number),
        Kind::One("boolean") => Some(Scalar::Boolean),
        Kind::One(_) | Kind::Mixed => None,
    }
}

fn array_form(location: Location, style: &str, explode: bool) -> Option<ArrayForm> {
    match (location, style, explode) {
        (Location::Path | Location::Header, "simple", _) => Some(ArrayForm::Commas),
        (Location::Query, "form" | "spaceDelimited" | "pipeDelimited", true) => Some(ArrayForm::Repeated),
        (Location::Query | Location::Cookie, "form", false) => Some(ArrayForm::Commas),
        (Location::Query, "spaceDelimited", false) => Some(ArrayForm::Spaces),
        (Location::Query, "pipeDelimited", false) => Some(ArrayForm::Pipes),
        _ => None,
    }
}
