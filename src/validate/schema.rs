//! The schemas of an operation's bodies: compiled with it, and held against each body that is JSON.

use crate::config::Validation;
use crate::contract::{self, Contract, Direction, RequestBody, Validator};
use crate::diagnostic::Diagnostics;
use crate::head::Head;
use crate::json::Document;
use crate::problem::{Code, Problem, Violation};

/// Violations that one line of the log tells.
const LOGGED: usize = 10;

/// What bodies must look like, by their media types.
#[derive(Debug, Default)]
pub struct BodySchemas {
    /// In the order of the contract; `None` where it says nothing, or nobody looks.
    validators: Vec<Option<Validator>>,
    only_log: bool,
}

impl BodySchemas {
    /// Compiles those of an operation. What is wrong with them goes to the diagnostics.
    pub fn compile(
        contract: &Contract,
        body: &RequestBody,
        validation: Validation,
        diagnostics: &mut Diagnostics,
    ) -> BodySchemas {
        if validation == Validation::Off {
            return BodySchemas::default();
        }
        let mut validator = |media_type: &contract::MediaType| {
            let schema = media_type.schema.as_ref()?;
            let compiled = contract.validator(schema, Direction::Request);
            compiled.map_err(|problem| diagnostics.push(problem)).ok()
        };
        let validators = body.media_types.iter().map(&mut validator).collect();
        BodySchemas { validators, only_log: validation == Validation::Log }
    }

    /// Whether any body is refused that is not as it must look.
    pub fn are_enforced(&self) -> bool {
        !self.only_log && self.validators.iter().any(Option::is_some)
    }

    /// Whether bodies of a media type, by its place in the contract, are looked at.
    pub fn checks(&self, media_type: usize) -> bool {
        self.validators.get(media_type).is_some_and(Option::is_some)
    }

    /// What the client must be told of a body; what is only to be logged is.
    pub fn violations(&self, head: &Head, media_type: usize, document: &Document) -> Vec<Violation> {
        let Some(Some(validator)) = self.validators.get(media_type) else { return Vec::new() };
        let violations = validator.violations_of(document);
        if self.only_log && !violations.is_empty() {
            tracing::warn!(
                request_id = head.id.as_str(),
                trace_id = head.trace.id().as_str(),
                violations = in_a_line(&violations),
                "the body violates the contract"
            );
            return Vec::new();
        }
        violations.into_iter().map(|one| Violation::body(one.pointer, one.detail)).collect()
    }
}

/// Violations for the log: where, and what, but never a value.
pub fn in_a_line(violations: &[contract::Violation]) -> String {
    let mut line = String::new();
    for violation in violations.iter().take(LOGGED) {
        let separator = if line.is_empty() { "" } else { "; " };
        line.push_str(&format!("{separator}{} {}", place(&violation.pointer), violation.detail));
    }
    if violations.len() > LOGGED {
        line.push_str("; and more");
    }
    // The names in pointers are the sender's.
    line.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// What a list of violations of the body amounts to.
pub(super) fn invalid(violations: Vec<Violation>) -> Problem {
    let detail = match violations.as_slice() {
        [Violation { pointer: Some(pointer), detail, .. }] => format!("{} {detail}", place(pointer)),
        several => format!("the body violates the contract in {} places", several.len()),
    };
    Problem::new(Code::InvalidBody, detail).with_errors(violations)
}

fn place(pointer: &str) -> &str {
    if pointer.is_empty() { "the body" } else { pointer }
}
