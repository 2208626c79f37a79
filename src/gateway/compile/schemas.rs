//! Which schemas of its contract are held against an operation's requests and replies.

use super::Target;
use crate::config::{Operation as Config, Validation};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::translate::promise::Promises;
use crate::validate::BodySchemas;
use crate::yaml::Located;

/// What is done with a request that violates the contract.
pub(super) fn validation(written: &Config) -> Validation {
    let usual = if written.binding().is_some() { Validation::Enforce } else { Validation::Off };
    written.validate.as_ref().map_or(usual, |validation| validation.value)
}

/// The schemas of the bodies.
pub(super) fn of_bodies(target: &Target<'_>, written: &Config, diagnostics: &mut Diagnostics) -> BodySchemas {
    let Some((contract, operation)) = target.contract else {
        nothing_to_check("validate", written.validate.as_ref(), diagnostics);
        nothing_to_check("validate_replies", written.validate_replies.as_ref(), diagnostics);
        return BodySchemas::default();
    };
    match &operation.body {
        Some(body) => BodySchemas::compile(contract, body, validation(written), diagnostics),
        None => BodySchemas::default(),
    }
}

/// What the contract promises of the answers.
pub(super) fn of_replies(
    target: &Target<'_>,
    written: &Config,
    diagnostics: &mut Diagnostics,
) -> Option<Promises> {
    let (contract, operation) = target.contract?;
    let validation = written.validate_replies.as_ref().map_or(Validation::Off, |validation| validation.value);
    Promises::compile(contract, operation, validation, diagnostics)
}

fn nothing_to_check(key: &str, written: Option<&Located<Validation>>, diagnostics: &mut Diagnostics) {
    if let Some(written) = written.filter(|written| written.value != Validation::Off) {
        diagnostics.push(
            Diagnostic::warning(written.place, format!("`{key}` has nothing to check"))
                .reason("the operation has no contract, and so no schema")
                .help("name its contract under `contracts`, or remove the key"),
        );
    }
}
