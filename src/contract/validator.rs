//! A schema of a contract, compiled to hold values against.
//!
//! Compiled once, when the configuration is loaded; then shared by every request. A value is first judged, which
//! is cheap, and only what is wrong is looked at again, to say why.

mod alternatives;
mod assemble;
mod build;
mod dialect;
mod formats;
mod instance;
mod keywords;
mod patterns;
mod sentence;
mod unsent;

use std::sync::Arc;

use serde_json::Value;

use crate::json::{Document, Tree};
pub(super) use build::Validators;
pub(super) use dialect::{Draft, from_openapi_3_0};
use instance::{Instance, Seen, Watch};

/// Violations that one list tells; of more, only that there are more.
const MOST: usize = 64;

/// Which way a value goes: a `readOnly` property is not sent by a client, a `writeOnly` one not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the client.
    Request,
    /// To the client.
    Response,
}

/// A compiled schema. Cheap to clone; clones share.
#[derive(Debug, Clone)]
pub struct Validator(Arc<Compiled>);

#[derive(Debug)]
struct Compiled {
    schema: jsonschema::Validator<Instance>,
    names: alternatives::Names,
}

/// What is wrong at one place of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// RFC 6901, from the root of the value.
    pub pointer: String,
    /// What is wrong, to be read after the name of the place. Never quotes the value.
    pub detail: String,
}

impl Validator {
    /// Whether a value is valid.
    pub fn is_valid(&self, value: &Value) -> bool {
        self.admits(&Tree::from(value))
    }

    /// Everything that is wrong with a value, up to a bound.
    pub fn violations(&self, value: &Value) -> Vec<Violation> {
        self.judge(&Tree::from(value))
    }

    /// Everything that is wrong with a body, up to a bound. Its numbers are taken to the last digit.
    pub fn violations_of(&self, document: &Document) -> Vec<Violation> {
        self.judge(&document.tree())
    }

    fn admits(&self, tree: &Tree<'_>) -> bool {
        keywords::begin();
        self.0.schema.is_valid(Seen::new(tree))
    }

    fn judge(&self, tree: &Tree<'_>) -> Vec<Violation> {
        match self.admits(tree) {
            true => Vec::new(),
            false => self.explain(tree),
        }
    }

    #[cold]
    fn explain(&self, tree: &Tree<'_>) -> Vec<Violation> {
        keywords::begin();
        let watch = Watch::new();
        let errors: Vec<_> = self.0.schema.iter_errors(Seen::watched(tree, &watch)).collect();
        let mut violations = sentence::list(&errors, &self.0.names);
        let more = violations.len().saturating_sub(MOST);
        violations.truncate(MOST);
        if violations.is_empty() {
            // A walk that was cut short may have ended before what is wrong.
            violations
                .push(Violation { pointer: String::new(), detail: "does not match its schema".to_owned() });
        }
        if more > 0 || watch.is_used_up() {
            violations.push(Violation { pointer: String::new(), detail: "and more".to_owned() });
        }
        violations
    }
}
