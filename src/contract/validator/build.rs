//! Assembled schemas → validators, each once; and the library's complaints → diagnostics at their places.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jsonschema::{PatternOptions, ValidationError, ValidationOptions};
use serde_json::Value;

use super::alternatives::Names;
use super::assemble::{Assembled, NAMES, assemble};
use super::instance::Instance;
use super::patterns::Patterns;
use super::{Compiled, Direction, Validator, formats, keywords, sentence};
use crate::contract::cursor::SchemaRef;
use crate::contract::documents::Documents;
use crate::diagnostic::{Diagnostic, Place};

/// What to do about a schema that is none.
const HELP: &str =
    "correct the schema, or turn `validate` (for answers `validate_replies`) off where it is used";

/// Steps that a pattern for the names of properties may try on one name.
const STEPS: usize = 1_000;

/// The validators of a contract, as far as they were asked for.
#[derive(Debug, Default)]
pub(in crate::contract) struct Validators {
    patterns: Patterns,
    made: Mutex<HashMap<(SchemaRef, Direction), Result<Validator, Diagnostic>>>,
}

impl Validators {
    /// The validator of a schema.
    pub(in crate::contract) fn get(
        &self,
        documents: &Documents,
        schema: &SchemaRef,
        direction: Direction,
    ) -> Result<Validator, Diagnostic> {
        let key = (target(documents, schema), direction);
        let known = self.made.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        known.unwrap_or_else(|| {
            let made = self.make(documents, &key.0, direction);
            self.made.lock().unwrap_or_else(PoisonError::into_inner).insert(key, made.clone());
            made
        })
    }

    fn make(
        &self,
        documents: &Documents,
        schema: &SchemaRef,
        direction: Direction,
    ) -> Result<Validator, Diagnostic> {
        let mut assembled = assemble(documents, &self.patterns, schema, direction)?;
        let mut names = Names::new();
        take_names(&mut assembled.document, &mut Address::default(), &mut names);
        let options = match assembled.tries_names {
            true => self.options().with_pattern_options(PatternOptions::fancy_regex().backtrack_limit(STEPS)),
            false => self.options().with_pattern_options(PatternOptions::regex()),
        };
        match options.build(&assembled.document) {
            Ok(schema) => Ok(Validator(Arc::new(Compiled { schema, names }))),
            Err(error) => Err(complaint(documents, &assembled, schema, &error)),
        }
    }

    fn options(&self) -> ValidationOptions<'static, Arc<dyn jsonschema::Retrieve>, Instance> {
        let options = jsonschema::options_for::<Instance>()
            .offline()
            .with_pattern_cache(self.patterns.compiled())
            .with_keyword(keywords::TRIED_PATTERN, keywords::tried_pattern)
            .with_keyword("minimum", |parent, value, _| keywords::number("minimum", parent, value))
            .with_keyword("maximum", |parent, value, _| keywords::number("maximum", parent, value))
            .with_keyword("exclusiveMinimum", |parent, value, _| {
                keywords::number("exclusiveMinimum", parent, value)
            })
            .with_keyword("exclusiveMaximum", |parent, value, _| {
                keywords::number("exclusiveMaximum", parent, value)
            })
            .with_keyword("multipleOf", |parent, value, _| keywords::number("multipleOf", parent, value));
        formats::add(options)
    }
}

/// What a schema is that only refers to another one, so that all who do share a validator.
fn target(documents: &Documents, schema: &SchemaRef) -> SchemaRef {
    let Some(node) = documents.at(schema.file, &schema.pointer) else { return schema.clone() };
    let mut spot = SchemaRef { file: node.place.file, pointer: schema.pointer.clone() };
    let mut node = node;
    // A circle of references ends here too.
    for _ in 0..64 {
        let [(key, reference)] = node.entries() else { return spot };
        if key.name != "$ref" || reference.as_str().is_none() {
            return spot;
        }
        let Ok((next, pointer)) = documents.resolve(reference) else { return spot };
        spot = SchemaRef { file: next.place.file, pointer };
        node = next;
    }
    schema.clone()
}

/// Where a walk over an assembled document is, as the library will name it in its errors.
#[derive(Debug, Default)]
struct Address {
    resource: String,
    pointer: String,
}

/// Takes the names of alternatives out of a document.
fn take_names(value: &mut Value, at: &mut Address, names: &mut Names) {
    match value {
        Value::Object(members) => {
            let own = members.get("$id").or_else(|| members.get("id")).and_then(Value::as_str);
            let inner = own.map(|own| Address { resource: own.to_owned(), pointer: String::new() });
            let outer = inner.map(|inner| std::mem::replace(at, inner));
            if let Some(Value::Object(found)) = members.shift_remove(NAMES) {
                for (keyword, list) in found {
                    let list = list.as_array().into_iter().flatten();
                    let list = list.map(|name| name.as_str().map(str::to_owned)).collect();
                    names.insert(format!("{}#{}/{keyword}", at.resource, at.pointer), list);
                }
            }
            for (key, member) in members {
                descend(at, &crate::contract::applicators::step(key), member, names);
            }
            if let Some(outer) = outer {
                *at = outer;
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                descend(at, &format!("/{index}"), item, names);
            }
        }
        _ => {}
    }
}

fn descend(at: &mut Address, step: &str, value: &mut Value, names: &mut Names) {
    let length = at.pointer.len();
    at.pointer.push_str(step);
    take_names(value, at, names);
    at.pointer.truncate(length);
}

/// A complaint of the library at the place in the contract.
fn complaint(
    documents: &Documents,
    assembled: &Assembled,
    schema: &SchemaRef,
    error: &ValidationError<'_>,
) -> Diagnostic {
    let pointer = match error.instance_path().as_str() {
        "" => error.schema_path().as_str(),
        pointer => pointer,
    };
    let (spot, rest) = assembled.origin(pointer).unwrap_or((schema, ""));
    let keyword = rest.rsplit('/').find(|step| !step.is_empty() && step.parse::<usize>().is_err());
    let what = sentence::list([error], &Names::new());
    let what = what.first().map_or_else(|| error.masked().to_string(), |violation| violation.detail.clone());
    let message = match keyword {
        Some(keyword) => format!("this is no valid schema: `{keyword}` {what}"),
        None => format!("this is no valid schema: it {what}"),
    };
    Diagnostic::error(place(documents, spot, rest), message).help(HELP)
}

/// The place of what a pointer leads to, as far as it leads.
fn place(documents: &Documents, spot: &SchemaRef, rest: &str) -> Place {
    let Some(mut node) = documents.at(spot.file, &spot.pointer) else { return Place::file(spot.file) };
    for step in rest.split('/').skip(1) {
        // A step that was put in between is passed over.
        node = node.pointer(&format!("/{step}")).unwrap_or(node);
    }
    node.place
}
