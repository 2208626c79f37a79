//! A plan as people read it.

use std::fmt::Write as _;

use super::{Action, Class, FieldChange, Op, Plan, Planned, show};
use crate::jetstream::field::Kind;

pub(super) fn render(plan: &Plan) -> String {
    let titles = plan.assets.iter().map(|planned| planned.declared.title());
    let width = titles.map(|title| title.chars().count()).max().unwrap_or(0);
    let mut out = String::new();
    for planned in &plan.assets {
        let declared = &planned.declared;
        // Writing into a String cannot fail.
        let _ =
            writeln!(out, "{:<8}  {:<width$}  {}", declared.kind.word(), declared.title(), verdict(planned));
        out.push_str(&lines(declared.kind, &planned.changes));
        for (way, value) in &planned.kept {
            let value = show(declared.kind, way, value);
            let _ = writeln!(out, "            = {way}: {value}  (no manifest can write it: it stays)");
        }
    }
    for (kind, title) in &plan.unmanaged {
        let _ = writeln!(out, "{:<8}  {title:<width$}  in no manifest: left alone", kind.word());
    }
    let _ = writeln!(out, "{}", summary(plan));
    out
}

fn verdict(planned: &Planned) -> String {
    let mut out = planned.action.word().to_owned();
    if !planned.problems.is_empty() {
        out.push_str(", which cannot be done");
    }
    if let Some(loses) = &planned.loses {
        let _ = write!(out, ", which deletes {loses}");
    }
    if let Some(field) = planned.prevented() {
        let _ = write!(out, ", held back by {field} (NACK would report it as ready)");
    }
    out
}

/// The fields that change, a line each.
pub(in crate::jetstream) fn lines(kind: Kind, changes: &[FieldChange]) -> String {
    let mut out = String::new();
    for change in changes {
        let (to, from) =
            (show(kind, &change.field, &change.declared), show(kind, &change.field, &change.live));
        let (sign, what) = match change.op {
            Op::Add if change.live.is_null() => ('+', to),
            Op::Remove if change.declared.is_null() => ('-', from),
            Op::Add => ('+', format!("{from} → {to}")),
            Op::Remove => ('-', format!("{from} → {to}, the default")),
            Op::Change => ('~', format!("{from} → {to}")),
        };
        let cost = match (change.class, &change.why) {
            (Class::InPlace, None) => String::new(),
            (Class::InPlace, Some(why)) => format!("  ({why})"),
            (class, why) => format!("  {}: {}", class.word(), why.as_deref().unwrap_or("it is lost")),
        };
        let _ = writeln!(out, "            {sign} {}: {what}{cost}", change.shown);
    }
    out
}

fn summary(plan: &Plan) -> String {
    let count = |action: Action| plan.assets.iter().filter(|planned| planned.action == action).count();
    let counts = [
        (count(Action::Create), "to create"),
        (count(Action::Update), "to update"),
        (count(Action::Replace), "to replace"),
        (count(Action::None), "as declared"),
        (plan.unmanaged.len(), "in no manifest"),
    ];
    let told: Vec<_> = counts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    if told.is_empty() {
        return "nothing to plan: no manifest declares a stream or a consumer".to_owned();
    }
    match next(plan) {
        Some(next) => format!("{}\nnext: `{next}`, with the same paths and flags", told.join(", ")),
        None => told.join(", "),
    }
}

/// The command that would do all of it.
fn next(plan: &Plan) -> Option<String> {
    if !plan.has_differences() || plan.has_problems() {
        return None;
    }
    let due = || plan.assets.iter().filter(|planned| planned.prevented().is_none());
    if !due().any(|planned| planned.action != Action::None) {
        return None;
    }
    let destructive = due().any(Planned::is_destructive);
    let replace = due().any(|planned| planned.action == Action::Replace);
    let flag = |on: bool, text: &'static str| if on { text } else { "" };
    Some(format!(
        "natsgate streams apply{}{}",
        flag(destructive, " --allow-destructive"),
        flag(replace, " --replace")
    ))
}
