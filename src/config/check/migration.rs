//! Checks of `migration:`, of an operation and at the top level: what can be seen without knowing the operation's method.

use super::{above_zero, some_bytes};
use crate::config::{Compare, Evidence, Migration, Operation, PromoteWhen, Share, Stage};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::yaml::Located;

/// The longest `compare.max_body`: as many bodies are held at a time as there are copies.
const LONGEST: u64 = 8 << 20;

/// Checks how the sides of an operation share its requests.
pub(super) fn operation(operation: &Operation, diagnostics: &mut Diagnostics) {
    if let (Some(safe), Some(publish)) = (&operation.safe, &operation.publish)
        && safe.value
    {
        diagnostics.push(
            Diagnostic::error(safe.place, "`safe` on a `publish`")
                .also(publish.place, "what it stores")
                .reason("a message that is stored is more than reading, whatever the method says")
                .help("remove `safe`"),
        );
    }
    let Some(Located { value: migration, .. }) = &operation.migration else { return };
    canary(migration, diagnostics);
    breaker(migration, diagnostics);
    if let Some(shadow) = &migration.shadow {
        above_zero("timeout", Some(&shadow.timeout), diagnostics);
        let copies = matches!(migration.stage.value, Stage::Shadow | Stage::Mirror);
        if copies && shadow.sample.part() == 0.0 {
            diagnostics.push(
                Diagnostic::warning(shadow.sample.place, "no request is copied")
                    .also(migration.stage.place, "the stage, which is there for copies")
                    .help("write a share above 0%, or another stage"),
            );
        }
    }
    if let Some(compare) = &migration.compare {
        lengths(compare, diagnostics);
    }
    if let Some(promote) = &migration.promote_when {
        promote_when(promote, diagnostics);
    }
}

fn canary(migration: &Migration, diagnostics: &mut Diagnostics) {
    if let Some(percent) = &migration.percent
        && !is_in_hundredths(percent.value)
    {
        diagnostics.push(
            Diagnostic::error(
                percent.place,
                format!("`{}` is finer than hundredths of a percent", percent.value),
            )
            .help("write 0.01% at least, and no more than two digits after the point"),
        );
    }
    let nothing = migration.percent.as_ref().is_none_or(|percent| percent.part() == 0.0);
    if migration.stage.value == Stage::Canary && nothing {
        let place = migration.percent.as_ref().map_or(migration.stage.place, |percent| percent.place);
        diagnostics.push(
            Diagnostic::warning(place, "a canary of 0%: the legacy service answers everything")
                .help("write `percent: 1%`, say"),
        );
    }
}

/// Doubles are not exact, and need not be.
fn is_in_hundredths(share: Share) -> bool {
    let hundredths = share.part() * 1e4;
    (hundredths - hundredths.round()).abs() < 1e-6
}

fn breaker(migration: &Migration, diagnostics: &mut Diagnostics) {
    let Some(breaker) = &migration.breaker else { return };
    if breaker.failures.value == 0 {
        diagnostics.push(
            Diagnostic::error(breaker.failures.place, "`failures` must be at least 1")
                .reason("NATS would be left alone before anything failed")
                .help("write a number, or remove `failures` for the default of 5"),
        );
    }
    above_zero("open_for", Some(&breaker.open_for), diagnostics);
    if !migration.fallback.as_ref().is_some_and(|fallback| fallback.value) {
        diagnostics.push(
            Diagnostic::error(breaker.place, "`breaker` without `fallback`")
                .reason("while NATS is left alone nobody would answer")
                .help("add `fallback: true`, or remove `breaker`"),
        );
    }
}

fn lengths(compare: &Compare, diagnostics: &mut Diagnostics) {
    some_bytes("max_body", compare.max_body.as_ref(), diagnostics);
    if let Some(most) = compare.max_body.as_ref().filter(|most| most.value.0 > LONGEST) {
        diagnostics.push(
            Diagnostic::error(most.place, "`max_body` is above 8MiB")
                .reason("both bodies of every copy in flight are held until they are compared")
                .help("write 8MiB at most; pairs with longer bodies are counted as skipped"),
        );
    }
}

fn promote_when(promote: &PromoteWhen, diagnostics: &mut Diagnostics) {
    above_zero("for", promote.r#for.as_ref(), diagnostics);
    if let Some(compared) = promote.compared.as_ref().filter(|compared| compared.value == 0) {
        diagnostics.push(
            Diagnostic::error(compared.place, "`compared` must be at least 1")
                .reason("nothing is known of an operation without a pair of answers")
                .help("write a number, or remove it for the default of 1000"),
        );
    }
    if let Some(share) = promote.mismatch.as_ref().filter(|share| share.part() == 0.0) {
        diagnostics.push(
            Diagnostic::error(share.place, "`mismatch: 0%` can never hold")
                .reason("however many pairs are the same, the next one may differ: the 95 % interval never ends at 0")
                .help("write 0.1%, which takes some 3,800 pairs without a mismatch"),
        );
    }
}

/// Checks where evidence is kept.
pub(super) fn evidence(evidence: &Evidence, diagnostics: &mut Diagnostics) {
    let illegal = |c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_');
    for (what, name) in [("bucket", &evidence.bucket), ("stream", &evidence.mismatches)] {
        if name.is_empty() || name.contains(illegal) || name.len() > 200 {
            diagnostics.push(
                Diagnostic::error(name.place, format!("`{}` is not the name of a {what}", name.value))
                    .help("write letters, digits, `-` and `_`, 200 at most"),
            );
        }
    }
    if evidence.mismatches.value == format!("KV_{}", evidence.bucket.value) {
        diagnostics.push(
            Diagnostic::error(
                evidence.mismatches.place,
                "the stream of the mismatches is that of the bucket",
            )
            .also(evidence.bucket.place, "the bucket")
            .help("give it a name of its own"),
        );
    }
    if !(1..=5).contains(&evidence.replicas.value) {
        diagnostics.push(
            Diagnostic::error(evidence.replicas.place, "`replicas` must be from 1 to 5")
                .help("write 3 on a cluster of three servers, or remove it"),
        );
    }
    above_zero("max_age", Some(&evidence.max_age), diagnostics);
    above_zero("every", Some(&evidence.every), diagnostics);
    some_bytes("max_bytes", Some(&evidence.max_bytes), diagnostics);
}
