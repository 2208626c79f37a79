//! What was applied, as a table for a terminal.

use std::fmt::Write as _;

use super::{Applied, Kind, Outcome};

/// One line a declaration, one more for each field that differs, and a closing line with the counts.
pub fn render(applied: &[Applied]) -> String {
    let width = applied.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
    let mut out = String::new();
    for row in applied {
        // Writing into a String cannot fail.
        let _ = writeln!(out, "{:<8}  {:<width$}  {}", kind(row.kind), row.name, outcome(&row.outcome));
        if let Outcome::Differs(differences) = &row.outcome {
            for difference in differences {
                let _ = writeln!(
                    out,
                    "{:<8}    {}: declared {}, on the server {}",
                    "", difference.field, difference.declared, difference.live
                );
            }
        }
    }
    let _ = writeln!(out, "{}", summary(applied));
    out
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Stream => "stream",
        Kind::Consumer => "consumer",
    }
}

fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Created => "created".to_owned(),
        Outcome::Exists => "exists".to_owned(),
        Outcome::Differs(_) => "differs, left as it is".to_owned(),
        Outcome::Failed(reason) => format!("failed: {reason}"),
        Outcome::Skipped(reason) => format!("skipped: {reason}"),
    }
}

fn summary(applied: &[Applied]) -> String {
    let count = |is: fn(&Outcome) -> bool| applied.iter().filter(|row| is(&row.outcome)).count();
    let counts = [
        (count(|outcome| matches!(outcome, Outcome::Created)), "created"),
        (count(|outcome| matches!(outcome, Outcome::Exists)), "as declared already"),
        (count(|outcome| matches!(outcome, Outcome::Differs(_))), "different"),
        (count(|outcome| matches!(outcome, Outcome::Failed(_))), "failed"),
        (count(|outcome| matches!(outcome, Outcome::Skipped(_))), "skipped"),
    ];
    let told: Vec<_> = counts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    if told.is_empty() {
        return "no streams to create: no manifest declares any".to_owned();
    }
    told.join(", ")
}
