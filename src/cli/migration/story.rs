//! The whole story of one migration.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::SystemTime;

use super::figures::{NONE, clean, count, milliseconds, minute, part, percent, since};
use super::summary::stage;
use crate::migrate::status::{Row, SideStatus, Status};

/// Rows of differing fields that are shown.
const ROWS: usize = 10;

/// Columns that are wider are not filled up.
const WIDEST: usize = 32;

/// Everything that is known, for people.
pub(super) fn of(status: &Status, next: &[String], now: SystemTime) -> String {
    let mut story = Story { out: String::new(), status, now };
    story.head();
    story.compared();
    story.fields();
    story.noise();
    story.sides();
    story.seen();
    story.fallbacks();
    story.gate();
    story.next(next);
    story.out
}

struct Story<'a> {
    out: String,
    status: &'a Status,
    now: SystemTime,
}

impl Story<'_> {
    fn head(&mut self) {
        let status = self.status;
        let route = format!("{} {}", status.method, status.path);
        let name = if status.operation == route { "" } else { status.operation.as_str() };
        let title = [name, &route].into_iter().filter(|part| !part.is_empty()).map(clean);
        self.title(&title.collect::<Vec<_>>().join("   "), "");
        let entered = status.since.as_deref().map(|at| self.for_so_long(at)).unwrap_or_default();
        self.line("stage", &format!("{}{entered}", stage(status)));
        if let Some(breaker) = &status.breaker {
            let told = match breaker.as_str() {
                "open" => "open: NATS is left alone for now, and the legacy service answers",
                other => other,
            };
            self.line("breaker", &clean(told));
        }
    }

    fn for_so_long(&self, moment: &str) -> String {
        let span = since(moment, self.now).map(|span| format!(" for {span}")).unwrap_or_default();
        format!("{span}, since {}", minute(moment))
    }

    fn compared(&mut self) {
        let status = self.status;
        self.title("Compared", "");
        let kinds = [
            (status.matched, "match"),
            (status.mismatched, "differ"),
            (status.noise, "differ only by noise"),
            (status.candidate_errors, "failed"),
            (status.candidate_timeouts, "not answered in time"),
        ];
        let kinds = kinds.into_iter().filter(|(number, _)| *number > 0);
        let kinds: Vec<String> = kinds.map(|(number, kind)| format!("{} {kind}", count(number))).collect();
        let of = if kinds.is_empty() { String::new() } else { format!(": {}", kinds.join(", ")) };
        self.line("pairs", &format!("{}{of}", count(status.compared)));
        if let (Some(rate), Some([low, high])) = (status.rate, status.interval) {
            let text = format!("{}, with 95 % certainty {} to {}", percent(rate), part(low), percent(high));
            self.line("mismatches", &text);
        }
        if status.skipped > 0 {
            let reasons = status.skipped_by.iter();
            let reasons: Vec<String> =
                reasons.map(|(reason, number)| format!("{} {}", count(*number), clean(reason))).collect();
            let why = if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join(", ")) };
            self.line("skipped", &format!("{}{why}", count(status.skipped)));
        }
        if status.dropped > 0 {
            self.line(
                "dropped",
                &format!("{} copies, since too many were on their way", count(status.dropped)),
            );
        }
        let instances = match status.instances {
            0 => String::new(),
            1 => " by 1 instance".to_owned(),
            number => format!(" by {number} instances"),
        };
        let begun = status.epoch_since.as_deref();
        let begun =
            begun.map_or_else(|| "gathered".to_owned(), |at| format!("gathered since {}", minute(at)));
        if status.instances > 0 || status.epoch_since.is_some() {
            self.line("evidence", &format!("{begun}{instances}"));
        }
        if let Some(reason) = &status.not_kept {
            self.line("", &format!("not kept beyond this process: {}", clean(reason)));
        }
    }

    fn fields(&mut self) {
        let (rows, others) = (&self.status.fields, self.status.other_fields);
        if rows.is_empty() && others == 0 {
            return;
        }
        self.title("What differs", "");
        rows.iter().take(ROWS).for_each(|row| self.row(row));
        let left = rows.len().saturating_sub(ROWS);
        if left > 0 {
            let _ = writeln!(self.out, "  and {left} more rows: --output json has them");
        }
        if others > 0 {
            let _ = writeln!(self.out, "  and {} pairs elsewhere", count(others));
        }
    }

    /// The places that differ together, and of one pair what stood there, side by side.
    fn row(&mut self, row: &Row) {
        let times = [&row.first_seen, &row.last_seen].map(|at| since(at, self.now));
        let times = match times {
            [Some(first), Some(last)] => format!(", first {first} ago, last {last} ago"),
            _ => String::new(),
        };
        let pairs = if row.count == 1 { "pair" } else { "pairs" };
        let _ = writeln!(self.out, "  {} {pairs}, {}{times}", count(row.count), percent(row.share));
        if row.noise {
            self.out.push_str("  noise: two answers of the legacy service differ there too\n");
        }
        let said = |side: &BTreeMap<String, String>, pointer: &str| {
            side.get(pointer).map_or_else(|| "(nothing)".to_owned(), |value| clean(value))
        };
        let rows = row.pointers.iter().map(|pointer| {
            [clean(pointer), said(&row.example.legacy, pointer), said(&row.example.nats, pointer)]
        });
        let head = ["", "legacy", "NATS"].map(str::to_owned);
        let rows: Vec<[String; 3]> = [head].into_iter().chain(rows).collect();
        let widths = [0, 1].map(|column| {
            let widths = rows.iter().map(|row| row[column].chars().count());
            widths.max().unwrap_or_default().min(WIDEST)
        });
        for [pointer, legacy, nats] in rows {
            let _ = writeln!(self.out, "    {pointer:<0$}  {legacy:<1$}  {nats}", widths[0], widths[1]);
        }
    }

    fn noise(&mut self) {
        if self.status.noise_fields.is_empty() {
            return;
        }
        self.title("What differs by itself", " (between two answers of the legacy service)");
        for field in &self.status.noise_fields {
            let pairs = format!("{} of {} pairs", count(field.count), count(field.of));
            let _ = writeln!(self.out, "  {:<28}  {pairs}", clean(&field.pointer));
        }
    }

    fn sides(&mut self) {
        let Status { legacy, nats, .. } = self.status;
        self.title(&format!("{:<16}{:<20}  NATS", "Both sides", "legacy"), "");
        let out = &mut self.out;
        let mut three = |name: &str, of: &dyn Fn(&SideStatus) -> String| {
            let _ = writeln!(out, "  {name:<12}  {:<20}  {}", of(legacy), of(nats));
        };
        three("answers", &|side| count(side.answers));
        three("p50", &|side| milliseconds(side.p50_ms));
        three("p99", &|side| milliseconds(side.p99_ms));
        three("errors", &errors);
    }

    fn seen(&mut self) {
        let coverage = &self.status.coverage;
        let list = |names: &[String]| match names.is_empty() {
            true => NONE.to_owned(),
            false => names.iter().map(|name| clean(name)).collect::<Vec<_>>().join(", "),
        };
        let days = match coverage.days.as_slice() {
            [first, .., last] => format!("{}: {} to {}", coverage.days.len(), clean(first), clean(last)),
            days => list(days),
        };
        let (statuses, types, missing) =
            (list(&coverage.statuses), list(&coverage.media_types), list(&coverage.missing));
        self.title("Seen", "");
        self.line("statuses", &statuses);
        if !coverage.missing.is_empty() {
            self.line("never seen", &format!("{missing} (declared by the contract)"));
        }
        self.line("media types", &types);
        self.line("days", &days);
    }

    fn fallbacks(&mut self) {
        let fallbacks = &self.status.fallbacks;
        if fallbacks.total == 0 {
            return;
        }
        let codes = fallbacks.by_code.iter();
        let codes: Vec<String> =
            codes.map(|(code, number)| format!("{} {}", count(*number), clean(code))).collect();
        self.title("Fallbacks", "");
        self.line("in all", &count(fallbacks.total));
        self.line("by code", &codes.join(", "));
    }

    fn gate(&mut self) {
        let gate = &self.status.gate;
        self.title(if gate.holds { "Gate: holds" } else { "Gate: does not hold" }, "");
        for condition in &gate.conditions {
            let mark = if condition.holds { "yes" } else { "NO " };
            let (wanted, found) = (clean(&condition.wanted), clean(&condition.found));
            let missing = condition.missing.as_ref().map(|missing| format!(" ({})", clean(missing)));
            let name = clean(&condition.name);
            let missing = missing.unwrap_or_default();
            let _ = writeln!(self.out, "  {mark}  {name:<9}  {wanted}: {found}{missing}");
        }
    }

    fn next(&mut self, next: &[String]) {
        if next.is_empty() {
            return;
        }
        self.title("Next", "");
        for step in next {
            let _ = writeln!(self.out, "  {}", clean(step));
        }
    }

    fn title(&mut self, title: &str, rest: &str) {
        let before = if self.out.is_empty() { "" } else { "\n" };
        let _ = writeln!(self.out, "{before}{title}{rest}");
    }

    fn line(&mut self, name: &str, text: &str) {
        let _ = writeln!(self.out, "  {name:<12}  {text}");
    }
}

fn errors(side: &SideStatus) -> String {
    if side.errors.is_empty() {
        return "none".to_owned();
    }
    let errors = side.errors.iter().map(|(status, number)| format!("{}: {}", clean(status), count(*number)));
    errors.collect::<Vec<_>>().join(", ")
}
