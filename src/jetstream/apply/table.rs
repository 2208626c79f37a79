//! What was applied, as a table for a terminal.

use std::fmt::Write as _;

use super::{Applied, Edit, Outcome};
use crate::jetstream::plan::lines;

/// A line for each declaration, one more for each field that it is about, and a closing line with the counts.
pub fn render(applied: &[Applied]) -> String {
    let width = applied.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
    let mut out = String::new();
    for row in applied {
        // Writing into a String cannot fail.
        let _ = writeln!(out, "{:<8}  {:<width$}  {}", row.kind.word(), row.name, outcome(&row.outcome));
        out.push_str(&lines(row.kind, row.outcome.changes()));
    }
    let _ = writeln!(out, "{}", summary(applied));
    out
}

fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Created => "created".to_owned(),
        Outcome::Exists => "exists".to_owned(),
        Outcome::Updated(_) => "updated, and read back as declared".to_owned(),
        Outcome::Replaced(_) => "deleted and created again, and read back as declared".to_owned(),
        Outcome::Differs(_) => "differs, left as it is; `natsgate streams apply` would change:".to_owned(),
        Outcome::Prevented(field, _) => {
            format!("differs, held back by {field} (NACK would report it as ready)")
        }
        Outcome::Refused(reason) => format!("refused: {reason}"),
        Outcome::Conflict(edit, _) => format!("stopped: {}; look, and plan again", edited(*edit)),
        Outcome::NotKept(_) => {
            "written, and the server keeps it otherwise (by a limit of its own?); what still differs:"
                .to_owned()
        }
        Outcome::Failed(reason) => format!("failed: {reason}"),
        Outcome::Skipped(reason) => format!("skipped: {reason}"),
    }
}

fn edited(edit: Edit) -> &'static str {
    match edit {
        Edit::Created => "somebody has created it since it was planned, otherwise than declared",
        Edit::Changed => "somebody has changed it since it was planned",
        Edit::Deleted => "somebody has deleted it since it was planned",
    }
}

fn summary(applied: &[Applied]) -> String {
    let count = |word: &str| applied.iter().filter(|row| row.outcome.word() == word).count();
    let counts = [
        (count("created"), "created"),
        (count("updated"), "updated"),
        (count("replaced"), "replaced"),
        (count("exists"), "as declared already"),
        (count("differs"), "different"),
        (count("prevented"), "held back"),
        (count("refused"), "refused"),
        (count("conflict"), "changed by somebody else"),
        (count("not_kept"), "not kept as written"),
        (count("failed"), "failed"),
        (count("skipped"), "skipped"),
    ];
    let told: Vec<_> = counts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    if told.is_empty() {
        return "nothing to apply: no manifest declares a stream or a consumer".to_owned();
    }
    told.join(", ")
}
