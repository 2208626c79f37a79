//! What is known of one parameter when the contract is compiled. Reading it is in `reading`.

use std::sync::Arc;

use serde_json::Value;

use super::reading::scalar_of;
use super::scalar::Encoding;
use super::violation::Violation;
use crate::config::Validation;
use crate::contract::{self, Contract, Serialization, Shapes, Types, Validator};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::expression::{KnownName, Location, ParameterValue, Schema};

/// How one parameter is read.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) name: Arc<str>,
    location: Location,
    pub(super) required: bool,
    pub(super) serialization: Serialization,
    pub(super) shapes: Shapes,
    pub(super) may_be_empty: bool,
    pub(super) default: Option<ParameterValue>,
    /// `None`: every value of its type is right, or nobody looks.
    pub(super) validator: Option<Validator>,
}

impl Rule {
    /// Of a parameter of a contract.
    pub(super) fn compile(
        contract: &Contract,
        declared: &contract::Parameter,
        validation: Validation,
        diagnostics: &mut Diagnostics,
    ) -> Rule {
        let readable = match &declared.serialization {
            Serialization::Unreadable(why) => {
                diagnostics.push_unless_told(unreadable(why.diagnostic(), declared.location));
                false
            }
            _ => true,
        };
        let checked = readable && validation != Validation::Off && declared.constrained;
        let validator = declared.schema.as_ref().filter(|_| checked).and_then(|schema| {
            let compiled = contract.validator(schema, contract::Direction::Request);
            compiled.map_err(|problem| diagnostics.push_unless_told(problem)).ok()
        });
        Rule {
            name: Arc::clone(&declared.name),
            location: declared.location,
            required: declared.required,
            serialization: declared.serialization.clone(),
            shapes: declared.shapes.clone(),
            may_be_empty: declared.may_be_empty,
            default: declared.default.as_ref().filter(|_| readable).and_then(|value| {
                default(&declared.shapes, value)
                    .map_err(|problem| diagnostics.push_unless_told(problem(declared)))
                    .ok()
            }),
            validator,
        }
    }

    /// A path parameter of which nothing is known.
    pub(super) fn text(name: &Arc<str>) -> Rule {
        Rule {
            name: Arc::clone(name),
            location: Location::Path,
            required: true,
            serialization: Serialization::Text,
            shapes: Shapes::text(),
            may_be_empty: false,
            default: None,
            validator: None,
        }
    }

    /// What expressions can rely on.
    pub(super) fn known<'a>(&'a self, schema: Option<Schema<'a>>) -> KnownName<'a> {
        let readable = self.is_readable();
        let always =
            self.location == Location::Path || (readable && (self.required || self.default.is_some()));
        KnownName { name: &self.name, required: always, readable, schema }
    }

    pub(super) fn is_readable(&self) -> bool {
        !matches!(self.serialization, Serialization::Unreadable(_))
    }

    /// Whether its value may be spread over several pairs.
    pub(super) fn is_spread_over_pairs(&self) -> bool {
        let exploded = matches!(self.serialization, Serialization::Style { explode: true, .. });
        exploded && self.shapes.root().types.any(Types::ARRAY.or(Types::OBJECT))
    }

    /// Whether its members are names of the query.
    pub(super) fn is_spread(&self) -> bool {
        self.serialization.spreads() && self.shapes.root().types.has(Types::OBJECT)
    }

    /// The names of the query that belong to it.
    pub(super) fn claims(&self) -> Vec<Arc<str>> {
        let mut names = vec![Arc::clone(&self.name)];
        if self.is_spread() {
            names.extend(self.shapes.root().members.iter().map(|(name, _)| Arc::clone(name)));
        }
        names
    }

    pub(super) fn violation(&self, pointer: &str, detail: String) -> Violation {
        let detail = if pointer.is_empty() { detail } else { format!("at {pointer} {detail}") };
        Violation { location: self.location, name: Arc::clone(&self.name), detail }
    }
}

/// The value that stands in for a parameter that is not sent. Contracts write `default: "10"` for numbers and
/// `default: 10` for texts; what is meant is clear.
fn default(shapes: &Shapes, value: &Value) -> Result<ParameterValue, fn(&contract::Parameter) -> Diagnostic> {
    let types = shapes.root().types;
    let fits = match value {
        Value::Array(_) => types.has(Types::ARRAY),
        Value::Object(_) => types.has(Types::OBJECT),
        Value::Null => types.has(Types::NULL),
        Value::String(text) => return scalar_of(types, text, Encoding::Plain).whole().ok_or(unfit_default),
        Value::Bool(_) | Value::Number(_) => {
            return scalar_of(types, &value.to_string(), Encoding::Plain).whole().ok_or(unfit_default);
        }
    };
    if fits { Ok(ParameterValue::Json(value.to_string())) } else { Err(unfit_default) }
}

fn unfit_default(declared: &contract::Parameter) -> Diagnostic {
    let message =
        format!("the default of the {} parameter `{}` is not of its type", declared.location, declared.name);
    Diagnostic::warning(declared.place, message)
        .reason("it is not used")
        .help(format!("write one that is of the type {}", declared.shapes.root().types))
}

fn unreadable(problem: Diagnostic, location: Location) -> Diagnostic {
    match location {
        Location::Path => problem.reason("an operation whose path cannot be read cannot work"),
        _ => problem.as_warning().reason("it is passed by, and expressions cannot read it"),
    }
}
