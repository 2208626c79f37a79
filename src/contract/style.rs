//! How a value becomes text: `style` and `explode`, or the media type of `content`.

use std::fmt;

use super::cursor::Cursor;
use super::shape::Shapes;
use super::types::Types;
use crate::diagnostic::{Diagnostic, Place};
use crate::expression::Location;
use crate::media_type::{self, MediaType};
use crate::yaml::Key;

/// How the text of a parameter, or of a field of a form, is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Serialization {
    /// By a style.
    Style {
        /// Which one.
        style: Style,
        /// Whether every item and member stands by itself.
        explode: bool,
    },
    /// The text is JSON.
    Json,
    /// The text is the value.
    Text,
    /// It cannot be read.
    Unreadable(Unreadable),
}

/// The styles of OpenAPI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// `blue,black`
    Simple,
    /// `.blue.black`
    Label,
    /// `;color=blue,black`
    Matrix,
    /// `color=blue,black`, or `color=blue&color=black`
    Form,
    /// `color=blue%20black`
    SpaceDelimited,
    /// `color=blue%7Cblack`
    PipeDelimited,
    /// `color[R]=100`
    DeepObject,
}

/// Why a parameter cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    place: Place,
    /// What is wrong, in lower case and without a full stop.
    pub message: String,
    help: String,
}

impl Unreadable {
    /// The same as a diagnostic of an error.
    pub fn diagnostic(&self) -> Diagnostic {
        Diagnostic::error(self.place, self.message.clone()).help(self.help.clone())
    }
}

/// `form*`, where the star means exploded.
impl fmt::Display for Serialization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Serialization::Style { style, explode } => {
                write!(f, "{}{}", style.name(), if *explode { "*" } else { "" })
            }
            Serialization::Json => f.write_str("json"),
            Serialization::Text => f.write_str("text"),
            Serialization::Unreadable(why) => write!(f, "unreadable ({})", why.message),
        }
    }
}

impl Serialization {
    /// Whether the members of a map stand by themselves, without a name before them.
    pub fn spreads(&self) -> bool {
        matches!(self, Serialization::Style { style: Style::Form, explode: true })
    }
}

impl Style {
    const fn name(self) -> &'static str {
        match self {
            Style::Simple => "simple",
            Style::Label => "label",
            Style::Matrix => "matrix",
            Style::Form => "form",
            Style::SpaceDelimited => "spaceDelimited",
            Style::PipeDelimited => "pipeDelimited",
            Style::DeepObject => "deepObject",
        }
    }

    /// By its name in a contract. `cookie` is 3.2's word for what clients have always sent.
    fn named(name: &str) -> Option<Style> {
        Some(match name {
            "simple" => Style::Simple,
            "label" => Style::Label,
            "matrix" => Style::Matrix,
            "form" | "cookie" => Style::Form,
            "spaceDelimited" => Style::SpaceDelimited,
            "pipeDelimited" => Style::PipeDelimited,
            "deepObject" => Style::DeepObject,
            _ => return None,
        })
    }
}

/// The names of the styles that a location has; the first is the default.
const fn legal(location: Location) -> &'static [&'static str] {
    match location {
        Location::Path => &["simple", "label", "matrix"],
        Location::Query => &["form", "spaceDelimited", "pipeDelimited", "deepObject"],
        Location::Header => &["simple"],
        Location::Cookie => &["form", "cookie"],
    }
}

/// Of a parameter with a `schema`.
pub(super) fn read(cursor: &Cursor<'_>, location: Location, name: &str, shapes: &Shapes) -> Serialization {
    let names = legal(location);
    let written = cursor.text("style").unwrap_or(names.first().copied().unwrap_or_default());
    let place = cursor.get("style").map_or(cursor.place(), |style| style.place());
    let unreadable =
        |message: String, help: String| Serialization::Unreadable(Unreadable { place, message, help });
    let Some(style) = Style::named(written).filter(|_| names.contains(&written)) else {
        return unreadable(
            format!("the {location} parameter `{name}` cannot have the style `{written}`"),
            format!("one of: {}", names.join(", ")),
        );
    };
    let explode = cursor.flag("explode").unwrap_or(style == Style::Form);
    let parts_are_named =
        location == Location::Query && (style == Style::DeepObject || (style == Style::Form && explode));
    let root = shapes.root();
    if !parts_are_named && !root.types.any(Types::SCALARS) && !shapes.is_flat(root) {
        return unreadable(
            format!(
                "the {location} parameter `{name}` holds lists or maps in each other, which the style `{written}` cannot say"
            ),
            "describe it with `content: { application/json: … }`, or in a query with `style: deepObject`"
                .to_owned(),
        );
    }
    Serialization::Style { style, explode }
}

/// Of a parameter with a `content`.
pub(super) fn of_content(media_type: &Key) -> Serialization {
    match MediaType::parse(&media_type.name) {
        Some(parsed) if parsed.is_json() => Serialization::Json,
        Some(parsed) if parsed.is_text() => Serialization::Text,
        _ => Serialization::Unreadable(Unreadable {
            place: media_type.place,
            message: format!("a parameter of the media type `{}` cannot be read", media_type.name),
            help: "describe it as application/json or text/plain, or with a `schema` and a `style`"
                .to_owned(),
        }),
    }
}

/// Of a field of a form, by its entry in `encoding`; `None` if that says nothing of it. A style that forms do not have
/// is taken for `form`.
pub(super) fn of_encoding(encoding: &Cursor<'_>) -> Option<Serialization> {
    let json = encoding.text("contentType").is_some_and(media_type::is_json);
    let said = encoding.text("style").and_then(Style::named);
    if json && said.is_none() {
        return Some(Serialization::Json);
    }
    if said.is_none() && encoding.flag("explode").is_none() {
        return None;
    }
    let style = said
        .filter(|style| !matches!(style, Style::Simple | Style::Label | Style::Matrix))
        .unwrap_or(Style::Form);
    Some(Serialization::Style { style, explode: encoding.flag("explode").unwrap_or(style == Style::Form) })
}
