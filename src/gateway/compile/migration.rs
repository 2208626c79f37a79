//! How the two sides of an operation share its requests, compiled.

use super::{Target, compare, copying};
use crate::config::{self, Noise, Stage};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::expression::{Expression, ExpressionError, Known, Position};
use crate::gateway::operation::Operation;
use crate::migrate::{Breaker, Migration, Shadow, share_of};
use crate::template::subject::SubjectTemplate;
use crate::template::{Template, condition};
use crate::translate::compile::Compiler;
use crate::yaml::Located;

/// The migration of an operation, if it is in one. The outer `None`: something is wrong with it.
pub(super) fn migration(
    target: &Target<'_>,
    written: &config::Operation,
    (known, former, own): (&Known<'_>, Option<&Operation>, Option<&SubjectTemplate>),
    diagnostics: &mut Diagnostics,
) -> Option<Option<Migration>> {
    let Some(migration) = &written.migration else { return Some(None) };
    let key = migration.key.as_ref().map(|key| {
        let compiled = Template::compile(key, Position::Request, known);
        noted(key, compiled, diagnostics).inspect(|compiled| copying::key(key, compiled, diagnostics))
    });
    let force = migration.force.as_ref().map(|force| {
        let compiled = condition(force, Position::Request, known);
        noted(force, compiled, diagnostics).inspect(|compiled| copying::force(force, compiled, diagnostics))
    });
    let subject = migration.shadow.as_ref().and_then(|shadow| shadow.value.subject.as_ref()).map(|subject| {
        Compiler { operation: &target.key, known, diagnostics: &mut *diagnostics }.subject(subject)
    });
    copying::check(target, written, migration, diagnostics);
    copying::subject(written, migration, (own, subject.as_ref().and_then(Option::as_ref)), diagnostics);
    let former = former.and_then(|former| former.migration.as_ref());
    let seen = former.map(|former| &former.evidence);
    let evidence = compare::evidence(target, (written, &migration.value), seen, diagnostics);
    Some(Some(Migration {
        stage: migration.stage.value,
        share: share_of(migration.percent.as_ref().map_or(0.0, |percent| percent.part())),
        key: optional(key)?,
        fallback: falls_back(migration),
        force: optional::<Expression>(force)?,
        breaker: breaker(migration, former),
        shadow: shadow(migration, optional(subject)?),
        evidence: evidence?,
    }))
}

fn falls_back(migration: &config::Migration) -> bool {
    let serves = matches!(migration.stage.value, Stage::Canary | Stage::Mirror | Stage::Nats);
    serves && migration.fallback.as_ref().is_some_and(|fallback| fallback.value)
}

fn breaker(migration: &config::Migration, former: Option<&Migration>) -> Option<Breaker> {
    falls_back(migration).then(|| {
        let written = migration.breaker.as_ref().map(|breaker| breaker.value.clone()).unwrap_or_default();
        let breaker = Breaker::new(written.failures.value, written.open_for.0);
        match former.and_then(|former| former.breaker.as_ref()) {
            Some(former) => breaker.after(former),
            None => breaker,
        }
    })
}

fn shadow(migration: &config::Migration, subject: Option<SubjectTemplate>) -> Shadow {
    let written = migration.shadow.as_ref().map(|shadow| shadow.value.clone()).unwrap_or_default();
    Shadow {
        sample: share_of(written.sample.part()),
        subject,
        timeout: written.timeout.0,
        noise: written.noise.map_or(Noise::Off, |noise| noise.value),
    }
}

/// What is there must be right.
fn optional<T>(compiled: Option<Option<T>>) -> Option<Option<T>> {
    match compiled {
        None => Some(None),
        Some(compiled) => compiled.map(Some),
    }
}

fn noted<T>(
    text: &Located<String>,
    compiled: Result<T, Vec<ExpressionError>>,
    diagnostics: &mut Diagnostics,
) -> Option<T> {
    let told = |errors: Vec<ExpressionError>| {
        for error in errors {
            let place = diagnostics.inside(text.place, &text.value, error.offset);
            diagnostics.push(Diagnostic::error(place, error.message).help(error.help));
        }
    };
    compiled.map_err(told).ok()
}
