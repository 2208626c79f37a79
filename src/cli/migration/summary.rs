//! All migrations, a line each: narrow enough for 80 columns where names are as long as they mostly are.

use super::figures::{NONE, clean, digits, part, percent, short};
use crate::migrate::status::Status;

/// The heads of the columns, and which of them are numbers.
const COLUMNS: [(&str, bool); 7] = [
    ("OPERATION", false),
    ("STAGE", false),
    ("PAIRS", true),
    ("MISMATCH", true),
    ("P99 L/N", true),
    ("FALLS", true),
    ("GATE", false),
];

/// The table.
pub(super) fn of<'a>(all: impl Iterator<Item = &'a Status>) -> String {
    let rows: Vec<[String; 7]> = all.map(row).collect();
    if rows.is_empty() {
        return "no operation has a `migration`: none has both `forward` and a binding to NATS\n".to_owned();
    }
    let heads = COLUMNS.map(|(head, _)| head.to_owned());
    let width = |column: usize| {
        let cells = [&heads].into_iter().chain(&rows).map(|row| row[column].chars().count());
        cells.max().unwrap_or_default()
    };
    let widths: [usize; 7] = std::array::from_fn(width);
    [&heads].into_iter().chain(&rows).map(|row| line(row, &widths)).collect()
}

fn line(row: &[String; 7], widths: &[usize; 7]) -> String {
    let cells = row.iter().zip(widths).zip(COLUMNS).map(|((cell, width), (_, is_number))| {
        let padding = " ".repeat(width - cell.chars().count());
        if is_number { format!("{padding}{cell}") } else { format!("{cell}{padding}") }
    });
    let line = cells.collect::<Vec<_>>().join("  ");
    format!("{}\n", line.trim_end())
}

fn row(status: &Status) -> [String; 7] {
    [
        clean(&status.operation),
        stage(status),
        short(status.compared),
        mismatch(status),
        p99(status),
        short(status.fallbacks.total),
        gate(status),
    ]
}

/// `canary 5%`, as it is written in the configuration.
pub(super) fn stage(status: &Status) -> String {
    match status.stage.as_str() {
        "canary" => format!("canary {}%", part(status.percent / 100.0)),
        stage => clean(stage),
    }
}

fn mismatch(status: &Status) -> String {
    match (status.rate, status.interval) {
        (Some(rate), Some([low, high])) => format!("{} ({}-{}) %", part(rate), part(low), part(high)),
        (Some(rate), None) => percent(rate),
        (None, _) => NONE.to_owned(),
    }
}

fn p99(status: &Status) -> String {
    match (status.legacy.p99_ms, status.nats.p99_ms) {
        (None, None) => NONE.to_owned(),
        (legacy, nats) => format!("{}/{} ms", digits(legacy), digits(nats)),
    }
}

/// `holds`, or the first thing that is missing.
fn gate(status: &Status) -> String {
    if status.gate.holds {
        return "holds".to_owned();
    }
    let missing = status.gate.conditions.iter().find(|condition| !condition.holds);
    missing.map_or_else(|| NONE.to_owned(), |condition| clean(&condition.name))
}
