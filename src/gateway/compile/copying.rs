//! Which operations may be copied to their other side, and where the copies go: what writes is never done twice.

use std::sync::Arc;

use super::Target;
use crate::config::{self, Noise, Stage, Writes};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::expression::Expression;
use crate::gateway::operation::Operation;
use crate::jetstream;
use crate::jetstream::manifest::Manifests;
use crate::migrate::is_safe;
use crate::subject::overlaps;
use crate::template::Template;
use crate::template::subject::SubjectTemplate;
use crate::yaml::Located;

/// Refuses copies that would do something twice.
pub(super) fn check(
    target: &Target<'_>,
    written: &config::Operation,
    migration: &config::Migration,
    diagnostics: &mut Diagnostics,
) {
    let method = &target.method;
    if written.safe.as_ref().map_or(is_safe(method), |safe| safe.value) && written.publish.is_none() {
        return;
    }
    let shadow = migration.shadow.as_ref();
    let stage = migration.stage.place;
    let what = if written.publish.is_some() { "a publish".to_owned() } else { format!("{method} requests") };
    match (migration.stage.value, shadow.and_then(|shadow| shadow.writes.as_ref())) {
        (Stage::Shadow, None) => diagnostics.push(
            Diagnostic::error(stage, format!("{what} would be carried out on both sides"))
                .reason("the operation is not safe: a copy of its requests writes a second time")
                .help(match &written.publish {
                    Some(_) => "add `shadow: { writes: dry_run }`: copies are mapped, validated and held against the stream, and not published",
                    None => "add `shadow: { writes: dry_run, subject: … }` with a subject whose service changes nothing, or `safe: true` on the operation if it only reads",
                }),
        ),
        (Stage::Mirror, _) => diagnostics.push(
            Diagnostic::error(stage, format!("{what} would be carried out on both sides"))
                .reason("the operation is not safe, and the legacy service has no dry run")
                .help("use `stage: canary` or `stage: nats`, or `safe: true` on the operation if it only reads"),
        ),
        _ => {}
    }
    if let Some(writes) = shadow.and_then(|shadow| shadow.writes.as_ref()) {
        dry_run(written, shadow, writes, diagnostics);
    }
    if let Some(noise) =
        shadow.and_then(|shadow| shadow.noise.as_ref()).filter(|one| one.value == Noise::Legacy)
    {
        diagnostics.push(
            Diagnostic::error(
                noise.place,
                format!("{what} would be carried out twice by the legacy service"),
            )
            .reason("the operation is not safe")
            .help("remove `noise`"),
        );
    }
}

/// Copies of writes go where nothing is written.
fn dry_run(
    written: &config::Operation,
    shadow: Option<&Located<config::Shadow>>,
    writes: &Located<Writes>,
    diagnostics: &mut Diagnostics,
) {
    let subject = shadow.and_then(|shadow| shadow.subject.as_ref());
    match (&written.request, subject) {
        (Some(_), None) => diagnostics.push(
            Diagnostic::error(writes.place, "`dry_run` of a request without a subject of its own")
                .reason("the copies would go to the service that writes")
                .help("add `subject: …` beside it, and a service there that changes nothing"),
        ),
        (None, Some(subject)) => diagnostics.push(
            Diagnostic::warning(subject.place, "copies of a publish are not sent anywhere")
                .help("remove `subject`"),
        ),
        _ => {}
    }
}

/// The subject of copies must not reach the service that carries requests out.
pub(super) fn subject(
    written: &config::Operation,
    migration: &config::Migration,
    (own, copies): (Option<&SubjectTemplate>, Option<&SubjectTemplate>),
    diagnostics: &mut Diagnostics,
) {
    let shadow = migration.shadow.as_ref();
    let (Some(own), Some(copies), Some(request)) = (own, copies, &written.request) else { return };
    let Some(place) = shadow.filter(|one| one.writes.is_some()).and_then(|one| one.subject.as_ref()) else {
        return;
    };
    if overlaps(own.pattern(), copies.pattern()) {
        diagnostics.push(
            Diagnostic::error(place.place, "copies would reach the service that writes")
                .also(request.subject.place, "the subject of requests, which matches")
                .help("begin it with a word of its own: shadow.users.create"),
        );
    }
}

/// Nor may it reach what another operation writes by, or what a stream stores.
pub(super) fn among(
    manifests: &Manifests,
    all: &[(Target<'_>, &config::Operation, Arc<Operation>)],
    diagnostics: &mut Diagnostics,
) {
    for (target, written, operation) in all {
        let Some(copies) = operation.migration.as_ref().and_then(|one| one.shadow.subject.as_ref()) else {
            continue;
        };
        let shadow = written.migration.as_ref().and_then(|one| one.shadow.as_ref());
        let Some(place) = shadow.and_then(|one| one.subject.as_ref()).map(|subject| subject.place) else {
            continue;
        };
        if written.publish.is_some() {
            continue;
        }
        let sending = jetstream::Sending {
            operation: &operation.name,
            pattern: copies.pattern(),
            stream: None,
            place,
            key_required: None,
        };
        jetstream::check_operations(manifests, &[sending], diagnostics);
        let reached = all.iter().find(|(_, _, other)| {
            let is_another = !Arc::ptr_eq(other, operation);
            is_another
                && !other.safe
                && other.subject().is_some_and(|subject| overlaps(subject, copies.pattern()))
        });
        if let Some((other, ..)) = reached {
            diagnostics.push(
                Diagnostic::error(
                    place,
                    format!(
                        "copies of `{}` would be carried out as requests for `{}`",
                        target.key.value, other.key.value
                    ),
                )
                .also(other.key.place, "that one, which is not safe, and whose subject matches")
                .help("begin it with a word that no operation's subject begins with: shadow.users.create"),
            );
        }
    }
}

/// What keeps requests on their side must tell them apart, and be known before their body is.
pub(super) fn key(written: &Located<String>, key: &Template, diagnostics: &mut Diagnostics) {
    if key.reads("body") {
        diagnostics.push(
            Diagnostic::error(written.place, "the side of a request is chosen before its body is read")
                .help("use what stands in its path, query or headers, or its caller: ${claims.sub}"),
        );
    } else if key.is_constant().is_some() {
        diagnostics.push(
            Diagnostic::error(written.place, "`key` is the same for every request")
                .reason("all of them would be on the same side")
                .help("write what tells callers apart: ${claims.sub}"),
        );
    }
}

/// Whoever may choose a side must be known.
pub(super) fn force(written: &Located<String>, force: &Expression, diagnostics: &mut Diagnostics) {
    if force.reads("body") {
        diagnostics.push(
            Diagnostic::error(written.place, "the side of a request is chosen before its body is read")
                .help("use the claims of its caller: ${\"tester\" in claims.roles}"),
        );
    } else if !["claims", "caller"].into_iter().any(|name| force.reads(name)) {
        diagnostics.push(
            Diagnostic::warning(written.place, "`force` does not look at who calls")
                .reason("what stands in a request is what its sender likes to write")
                .help("write a condition on the caller: ${\"tester\" in claims.roles}"),
        );
    }
}
