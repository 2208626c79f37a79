//! What is wrong, in words: one sentence for each error, to be read after the name of its place. What a caller sent never
//! appears in it; what the contract says may, where it is short.

use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::types::{JsonType, JsonTypeSet};
use jsonschema::{ValidationError, paths::Location};
use serde_json::Value;

use super::alternatives::{self, Names};
use super::{MOST, Violation};
use crate::contract::applicators::step;

/// Longest text of a contract that is quoted, in characters.
const QUOTED: usize = 120;
/// Longest pointer that is shown, in characters. The names in it are the caller's.
const SHOWN: usize = 300;

/// Every error as violations, until there are more than [`MOST`].
pub(super) fn list<'e>(
    errors: impl IntoIterator<Item = &'e ValidationError<'e>>,
    names: &Names,
) -> Vec<Violation> {
    let mut list = List { names, found: Vec::new() };
    for error in errors {
        if list.is_full() {
            break;
        }
        list.add(error);
    }
    list.found
}

/// A list that is written.
pub(super) struct List<'n> {
    pub(super) names: &'n Names,
    found: Vec<Violation>,
}

impl List<'_> {
    fn is_full(&self) -> bool {
        self.found.len() > MOST
    }

    /// Adds what one error says.
    pub(super) fn add(&mut self, error: &ValidationError<'_>) {
        let path = error.instance_path();
        match error.kind() {
            Kind::Required { property } => {
                self.below(path, property.as_str().unwrap_or_default(), "is required");
            }
            Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
                for name in unexpected {
                    self.below(path, name, "is not a known property");
                }
            }
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
                alternatives::none(self, error, context);
            }
            Kind::OneOfMultipleValid { context } => alternatives::several(self, error, context),
            Kind::PropertyNames { error } => {
                let detail = format!("has a property of which the name {}", sentence(error.kind()));
                self.push(path.as_str(), detail);
            }
            kind => self.push(path.as_str(), sentence(kind)),
        }
    }

    fn below(&mut self, path: &Location, name: &str, detail: &str) {
        // The rest of a long name says nothing.
        let name: String = name.chars().take(SHOWN).collect();
        self.push(&format!("{}{}", path.as_str(), step(&name)), detail.to_owned());
    }

    /// Adds a violation, unless it is known or there are enough.
    pub(super) fn push(&mut self, pointer: &str, detail: String) {
        let pointer = if pointer.chars().nth(SHOWN).is_some() {
            pointer.chars().take(SHOWN).chain(['…']).collect()
        } else {
            pointer.to_owned()
        };
        let violation = Violation { pointer, detail };
        if !self.is_full() && !self.found.contains(&violation) {
            self.found.push(violation);
        }
    }
}

/// What an error says of its place.
pub(super) fn sentence(kind: &Kind) -> String {
    match kind {
        Kind::AdditionalItems { limit } => count("must have at most", *limit as u64, "item"),
        Kind::MaxItems { limit } => count("must have at most", *limit, "item"),
        Kind::MinItems { limit } => count("must have at least", *limit, "item"),
        Kind::MaxProperties { limit } => count("must have at most", *limit, "property"),
        Kind::MinProperties { limit } => count("must have at least", *limit, "property"),
        Kind::MaxLength { limit } => count("must have at most", *limit, "character"),
        Kind::MinLength { limit } => count("must have at least", *limit, "character"),
        Kind::Maximum { limit } => format!("must be at most {limit}"),
        Kind::Minimum { limit } => format!("must be at least {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("must be less than {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("must be greater than {limit}"),
        Kind::MultipleOf { multiple_of } => format!("must be a multiple of {multiple_of}"),
        Kind::Type { kind } => format!("must be {}", kinds(types(kind))),
        Kind::Enum { options } => one_of(options),
        Kind::Constant { expected_value } => match quoted(expected_value) {
            Some(value) => format!("must be {value}"),
            None => "must be exactly what the contract says".to_owned(),
        },
        Kind::Format { format } => format!("must be a valid {format}"),
        Kind::Pattern { pattern: source } => pattern(source),
        Kind::BacktrackLimitExceeded { .. } | Kind::RegexEngineFailure { .. } => {
            "cannot be matched against its pattern".to_owned()
        }
        Kind::UniqueItems => "must not have the same item twice".to_owned(),
        Kind::Contains => "does not contain the items that it must contain".to_owned(),
        Kind::UnevaluatedItems { .. } => "has more items than are known".to_owned(),
        Kind::FalseSchema => "must not be there".to_owned(),
        Kind::Not { .. } => "is what the contract excludes".to_owned(),
        Kind::ContentEncoding { content_encoding } => format!("must be encoded as {content_encoding}"),
        Kind::ContentMediaType { content_media_type } => format!("must hold {content_media_type}"),
        Kind::FromUtf8 { .. } => "must hold UTF-8".to_owned(),
        Kind::Custom { message, .. } => message.clone(),
        Kind::Required { .. }
        | Kind::AdditionalProperties { .. }
        | Kind::UnevaluatedProperties { .. }
        | Kind::PropertyNames { .. }
        | Kind::AnyOf { .. }
        | Kind::OneOfNotValid { .. }
        | Kind::OneOfMultipleValid { .. }
        | Kind::Referencing(_) => "does not match its schema".to_owned(),
    }
}

/// For a text that does not match.
pub(super) fn pattern(source: &str) -> String {
    match source.chars().nth(QUOTED) {
        Some(_) => "must match the contract's pattern".to_owned(),
        None => format!("must match the pattern {source}"),
    }
}

fn count(what: &str, limit: u64, noun: &str) -> String {
    let noun = match (limit, noun.strip_suffix('y')) {
        (1, _) => noun.to_owned(),
        (_, Some(stem)) => format!("{stem}ies"),
        (_, None) => format!("{noun}s"),
    };
    format!("{what} {limit} {noun}")
}

fn one_of(options: &Value) -> String {
    let options: Vec<Option<String>> = options.as_array().into_iter().flatten().map(quoted).collect();
    let number = options.len();
    let shown: Option<Vec<String>> = options.into_iter().collect();
    match shown {
        Some(shown) if shown.iter().map(String::len).sum::<usize>() <= QUOTED * 2 => {
            format!("must be {}", either(&shown))
        }
        _ => format!("must be one of the {number} values that the contract lists"),
    }
}

/// A value of the contract, if it is short.
fn quoted(value: &Value) -> Option<String> {
    let text = value.to_string();
    (!value.is_object() && !value.is_array() && text.len() <= QUOTED).then_some(text)
}

/// Which types an error asks for.
pub(super) fn types(kind: &TypeKind) -> JsonTypeSet {
    match kind {
        TypeKind::Single(kind) => JsonTypeSet::from(*kind),
        TypeKind::Multiple(kinds) => *kinds,
    }
}

/// `a string or null`
pub(super) fn kinds(kinds: JsonTypeSet) -> String {
    let names: Vec<String> = kinds.into_iter().map(|kind| kind_name(kind).to_owned()).collect();
    either(&names)
}

fn kind_name(kind: JsonType) -> &'static str {
    match kind {
        JsonType::Null => "null",
        JsonType::Boolean => "true or false",
        JsonType::Integer => "an integer",
        JsonType::Number => "a number",
        JsonType::String => "a string",
        JsonType::Array => "an array",
        JsonType::Object => "an object",
    }
}

/// `a, b or c`
pub(super) fn either(names: &[String]) -> String {
    match names {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
