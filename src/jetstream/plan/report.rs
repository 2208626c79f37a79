//! A plan as machines read it.

use serde_json::{Map, Value, json};

use super::{FieldChange, Plan, Planned, show, target};
use crate::diagnostic::Diagnostics;
use crate::jetstream::effective::{Around, effective};
use crate::jetstream::field::Kind;

pub(super) fn json(plan: &Plan, diagnostics: &Diagnostics) -> Value {
    let assets: Vec<_> = plan.assets.iter().map(|planned| asset(plan, planned, diagnostics)).collect();
    let unmanaged: Vec<_> =
        plan.unmanaged.iter().map(|(kind, title)| json!({ "kind": kind.word(), "name": title })).collect();
    json!({ "server": plan.version.to_string(), "assets": assets, "unmanaged": unmanaged,
        "diagnostics": diagnostics.to_json() })
}

fn asset(plan: &Plan, planned: &Planned, diagnostics: &Diagnostics) -> Value {
    let declared = &planned.declared;
    let kept: Vec<_> =
        planned.kept.iter().map(|(field, value)| json!({ "field": field, "value": value })).collect();
    let problems: Vec<_> = planned.problems.iter().map(|problem| &problem.message).collect();
    json!({
        "kind": declared.kind.word(),
        "stream": declared.stream,
        "consumer": declared.consumer,
        "place": diagnostics.locate(declared.place),
        "action": planned.action.word(),
        "class": planned.class().word(),
        "prevented": planned.prevented(),
        "deletes": planned.loses,
        "problems": problems,
        "changes": planned.changes.iter().map(|one| change(declared.kind, one)).collect::<Vec<_>>(),
        "kept": kept,
        "effective": will_be(plan, planned),
    })
}

/// One change, for every report that holds some.
pub(in crate::jetstream) fn change(kind: Kind, change: &FieldChange) -> Value {
    json!({
        "field": change.field,
        "manifest_field": change.shown,
        "op": change.op.word(),
        "declared": change.declared,
        "live": change.live,
        "declared_text": show(kind, &change.field, &change.declared),
        "live_text": show(kind, &change.field, &change.live),
        "class": change.class.word(),
        "why": change.why,
    })
}

/// The configuration that the server will tell, its defaults included.
fn will_be(plan: &Plan, planned: &Planned) -> Map<String, Value> {
    let declared = &planned.declared;
    let nothing = Map::new();
    let live = planned.live.as_ref().unwrap_or(&nothing);
    let target = target(declared.kind, &declared.config, live);
    let around = Around { live: planned.live.as_ref(), ..plan.around(planned) };
    let mut out = effective(declared.kind, &target, &around);
    // As the server writes it: one filter in a field of its own, sources as a list, no number for "as the stream".
    if let Some(filter) = target.get("filter_subject").filter(|filter| **filter != "") {
        out.remove("filter_subjects");
        out.insert("filter_subject".to_owned(), filter.clone());
    }
    for name in ["sources", "num_replicas"] {
        match (target.get(name), declared.kind, name) {
            (Some(value), ..) if out.contains_key(name) => drop(out.insert(name.to_owned(), value.clone())),
            (None, Kind::Consumer, "num_replicas") => drop(out.remove(name)),
            _ => {}
        }
    }
    out
}
