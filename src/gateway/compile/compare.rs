//! How the two sides of an operation are compared and what the gate asks for, compiled.

use std::collections::BTreeSet;
use std::time::Duration;

use http::HeaderName;

use super::Target;
use crate::config::{self, Compare, PromoteWhen};
use crate::contract::ResponseStatus;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::migrate::compare::{Comparison, Rule};
use crate::migrate::gate::Wanted;
use crate::migrate::{Evidence, Rules};
use crate::yaml::Located;

/// What is seen of an operation from now on, on top of what an earlier table has seen. `None`: something is wrong.
pub(super) fn evidence(
    target: &Target<'_>,
    (written, migration): (&config::Operation, &config::Migration),
    former: Option<&Evidence>,
    diagnostics: &mut Diagnostics,
) -> Option<Evidence> {
    let rules = Rules {
        comparison: comparison(migration.compare.as_deref(), diagnostics)?,
        wanted: wanted(migration.promote_when.as_deref()),
        declared: declared(target),
    };
    Some(Evidence::new(&epoch(written), rules, former))
}

/// Tells apart what was written, in a few characters.
fn epoch(written: &config::Operation) -> String {
    written.written.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn comparison(written: Option<&Compare>, diagnostics: &mut Diagnostics) -> Option<Comparison> {
    let mut comparison = Comparison::default();
    let Some(written) = written else { return Some(comparison) };
    let lists = [
        (Rule::Ignore, &written.ignore),
        (Rule::Unordered, &written.unordered),
        (Rule::NullIsMissing, &written.null_is_missing),
        (Rule::Show, &written.show),
    ];
    let mut whole = true;
    for (rule, pointers) in lists {
        for pointer in pointers {
            if let Err(error) = comparison.rule(&pointer.value, rule) {
                let message = format!("`{}` cannot be looked for: {}", pointer.value, error.message);
                diagnostics.push(Diagnostic::error(pointer.place, message).help(error.help));
                whole = false;
            }
        }
    }
    if let Some(names) = &written.headers {
        let compiled: Vec<_> = names.iter().filter_map(|name| header(name, diagnostics)).collect();
        whole &= compiled.len() == names.len();
        comparison = comparison.with_headers(compiled);
    }
    if let Some(most) = &written.max_body {
        comparison = comparison.with_max_body(usize::try_from(most.value.0).unwrap_or(usize::MAX));
    }
    whole.then_some(comparison)
}

fn header(name: &Located<String>, diagnostics: &mut Diagnostics) -> Option<HeaderName> {
    let parsed = HeaderName::from_bytes(name.as_bytes()).ok();
    if parsed.is_none() {
        diagnostics.push(
            Diagnostic::error(name.place, format!("`{}` is not the name of a header", name.value))
                .help("write a name such as ETag"),
        );
    }
    parsed
}

fn wanted(written: Option<&PromoteWhen>) -> Wanted {
    let written = written.cloned().unwrap_or_default();
    Wanted {
        compared: written.compared.map_or(PromoteWhen::COMPARED, |compared| compared.value),
        mismatch: written.mismatch.map_or(PromoteWhen::MISMATCH, |share| share.part()),
        p99_delta: written.p99_delta.map(|span| span.value.0),
        gathered: written
            .r#for
            .map_or(PromoteWhen::FOR, |span: Located<config::TimeSpan>| -> Duration { span.value.0 }),
    }
}

/// Classes of statuses that the contract declares, each by itself or as a whole.
fn declared(target: &Target<'_>) -> Vec<u16> {
    let responses = target.contract.into_iter().flat_map(|(_, operation)| &operation.responses);
    let classes = responses.filter_map(|response| match response.status {
        ResponseStatus::Code(code) => Some(code / 100),
        ResponseStatus::Range(class) => Some(u16::from(class)),
        ResponseStatus::Default => None,
    });
    classes.collect::<BTreeSet<_>>().into_iter().collect()
}
