//! Where a server is not what the manifests say, and how that can have come about. For monitoring; changes nothing.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::field::Kind;
use super::plan::{Action, Class, FieldChange, Op, Plan, Planned, change_to_json, show};

/// A stream or a consumer that is not as declared.
#[derive(Debug, Clone, PartialEq)]
pub struct Drifted {
    /// Which of both `name` means.
    pub kind: Kind,
    /// `STREAM`, or `STREAM > CONSUMER`.
    pub name: String,
    /// It is not there at all.
    pub missing: bool,
    /// What differs, each with how that can have come about.
    pub fields: Vec<(FieldChange, String)>,
}

/// Everything that is not as declared. Empty: the server is what the manifests say.
pub fn drift(plan: &Plan) -> Vec<Drifted> {
    let differs = plan.assets.iter().filter(|planned| planned.action != Action::None);
    differs.map(drifted).collect()
}

fn drifted(planned: &Planned) -> Drifted {
    let declared = &planned.declared;
    let fields = planned.changes.iter().map(|change| (change.clone(), cause(planned, change))).collect();
    Drifted { kind: declared.kind, name: declared.title(), missing: planned.action == Action::Create, fields }
}

/// Why an upgrade without an error may have changed nothing.
fn cause(planned: &Planned, change: &FieldChange) -> String {
    let declared = &planned.declared;
    let root = change.field.split(['.', '[']).next().unwrap_or_default();
    let sticky = declared.kind.field(root).is_some_and(|field| field.sticky);
    if declared.prevent_update {
        return "preventUpdate is set: NACK changes nothing that exists, and reports it as ready".to_owned();
    }
    if change.class == Class::Replace {
        return "the server never changes it: NACK's update failed, which stands in the resource's status alone, and the upgrade of the chart succeeded".to_owned();
    }
    let overridden =
        || planned.changes.iter().any(|other| other.field == "backoff" && other.op == Op::Remove);
    if root == "ack_wait" && overridden() {
        return "the server's `backoff` is in force: its first entry takes the place of ackWait".to_owned();
    }
    let name = &change.shown;
    match change.op {
        Op::Remove if sticky => format!(
            "the manifest no longer has `{name}`, the server still does: NACK merges what a manifest has into what the server has, so a removed field stays; `natsgate streams apply` removes it"
        ),
        Op::Remove => format!(
            "no manifest has `{name}`: somebody set it on the server, or it was removed from the manifest"
        ),
        Op::Add | Op::Change => {
            "the manifest was not applied, or somebody changed the server since".to_owned()
        }
    }
}

/// The report for a terminal.
pub fn render(drifted: &[Drifted], declared: usize) -> String {
    let mut out = String::new();
    for one in drifted {
        // Writing into a String cannot fail.
        let _ = match one.missing {
            true => writeln!(out, "{} {} is not on the server", one.kind.word(), one.name),
            false => writeln!(out, "{} {} is not as declared", one.kind.word(), one.name),
        };
        for (change, cause) in &one.fields {
            let text = |value| show(one.kind, &change.field, value);
            let _ = writeln!(
                out,
                "  {}: declared {}, on the server {}\n    {cause}",
                change.shown,
                text(&change.declared),
                text(&change.live)
            );
        }
    }
    let _ = match drifted.len() {
        0 => writeln!(out, "no drift: {declared} as declared"),
        n => writeln!(out, "{n} of {declared} drifted; `natsgate streams plan` shows what would be done"),
    };
    out
}

/// The report for machines.
pub fn to_json(drifted: &[Drifted]) -> Value {
    let field = |kind, (change, cause): &(FieldChange, String)| {
        let mut json = change_to_json(kind, change);
        json["cause"] = cause.as_str().into();
        json
    };
    let row = |one: &Drifted| {
        let fields: Vec<_> = one.fields.iter().map(|each| field(one.kind, each)).collect();
        json!({ "kind": one.kind.word(), "name": one.name, "missing": one.missing, "fields": fields })
    };
    json!({ "drifted": drifted.iter().map(row).collect::<Vec<_>>() })
}
