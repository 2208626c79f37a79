//! Numbers and times as people read them, and text that a terminal may be shown.

use std::time::{Duration, SystemTime};

use crate::diagnostic::is_unseen;

/// What stands where there is nothing.
pub(super) const NONE: &str = "-";

/// A number with its thousands apart.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number in few characters: `12.4k`.
pub(super) fn short(number: u64) -> String {
    match number {
        0..10_000 => count(number),
        10_000..1_000_000 => format!("{:.1}k", number as f64 / 1e3),
        _ => format!("{:.1}M", number as f64 / 1e6),
    }
}

/// A part of all in percent, without its sign, with as many digits as say something.
pub(super) fn part(part: f64) -> String {
    let percent = part * 100.0;
    let text = match percent {
        percent if percent >= 9.95 => format!("{percent:.0}"),
        percent if percent >= 0.995 => format!("{percent:.1}"),
        percent if percent == 0.0 || percent >= 0.005 => format!("{percent:.2}"),
        _ => return "<0.01".to_owned(),
    };
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// `1.2 %`.
pub(super) fn percent(share: f64) -> String {
    format!("{} %", part(share))
}

/// Milliseconds: `34 ms`, `0.8 ms`, `1.2 s`.
pub(super) fn milliseconds(milliseconds: Option<f64>) -> String {
    match milliseconds {
        None => NONE.to_owned(),
        Some(ms) if ms < 9.95 => format!("{ms:.1} ms"),
        Some(ms) if ms < 999.5 => format!("{ms:.0} ms"),
        Some(ms) => format!("{:.1} s", ms / 1e3),
    }
}

/// Milliseconds without their unit.
pub(super) fn digits(milliseconds: Option<f64>) -> String {
    match milliseconds {
        None => NONE.to_owned(),
        Some(ms) if ms < 9.95 => format!("{ms:.1}"),
        Some(ms) => format!("{ms:.0}"),
    }
}

/// A span in its two largest units: `3 d 4 h`.
pub(super) fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    let units = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let Some(first) = units.iter().position(|(size, _)| seconds >= *size) else { return "0 s".to_owned() };
    let (size, unit) = units[first];
    let mut out = format!("{} {unit}", seconds / size);
    if let Some((smaller, unit)) = units.get(first + 1).filter(|(smaller, _)| seconds % size >= *smaller) {
        out.push_str(&format!(" {} {unit}", seconds % size / smaller));
    }
    out
}

/// How long ago a moment is (RFC 3339): `3 d 4 h`.
pub(super) fn since(moment: &str, now: SystemTime) -> Option<String> {
    let then = humantime::parse_rfc3339(moment).ok()?;
    Some(span(now.duration_since(then).unwrap_or_default()))
}

/// The date and the minute of a moment (RFC 3339, UTC).
pub(super) fn minute(moment: &str) -> String {
    match (moment.get(..10), moment.get(11..16)) {
        (Some(date), Some(time)) => format!("{} {} UTC", clean(date), clean(time)),
        _ => clean(moment),
    }
}

/// Text from outside, without what a terminal would obey.
pub(super) fn clean(text: &str) -> String {
    text.chars().map(|c| if is_unseen(c) { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_as_many_digits_as_people_read() {
        let parts = [(0.0, "0"), (0.000_01, "<0.01"), (0.0031, "0.31"), (0.005, "0.5"), (0.012, "1.2")];
        for (share, text) in parts.into_iter().chain([(0.02, "2"), (0.125, "12"), (1.0, "100")]) {
            assert_eq!(part(share), text, "{share}");
        }
        for (number, text) in [(7, "7"), (1_204, "1,204"), (12_403, "12,403"), (1_234_567, "1,234,567")] {
            assert_eq!(count(number), text);
        }
        for (number, text) in [(9_999, "9,999"), (12_403, "12.4k"), (3_400_000, "3.4M")] {
            assert_eq!(short(number), text);
        }
        for (ms, text) in [(0.84, "0.8 ms"), (34.2, "34 ms"), (1_240.0, "1.2 s")] {
            assert_eq!(milliseconds(Some(ms)), text);
        }
    }

    #[test]
    fn spans_have_two_units() {
        for (seconds, text) in
            [(0, "0 s"), (59, "59 s"), (61, "1 min 1 s"), (7_200, "2 h"), (273_600, "3 d 4 h")]
        {
            assert_eq!(span(Duration::from_secs(seconds)), text);
        }
        let now = humantime::parse_rfc3339("2026-11-25T16:00:00Z").unwrap();
        assert_eq!(since("2026-11-25T14:30:00.123Z", now), Some("1 h 29 min".to_owned()));
        assert_eq!(since("yesterday", now), None);
    }

    #[test]
    fn nothing_from_outside_reaches_the_terminal_as_a_command() {
        assert_eq!(clean("a\u{1b}[2Jb\n\u{9b}c"), "a\u{fffd}[2Jb\u{fffd}\u{fffd}c");
    }
}
