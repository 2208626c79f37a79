//! Durations as Go writes them: `1h30m`, `500ms`, `1.5h`. Days and weeks do not exist there.

use serde::{Deserialize, Serialize};

const UNITS: [(&str, u64); 8] = [
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ns", 1),
];

/// A span of time in nanoseconds, which is also how the server's JSON has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct GoDuration {
    nanoseconds: i64,
}

impl GoDuration {
    pub fn from_nanoseconds(nanoseconds: i64) -> GoDuration {
        GoDuration { nanoseconds }
    }

    pub fn nanoseconds(self) -> i64 {
        self.nanoseconds
    }
}

impl TryFrom<String> for GoDuration {
    type Error = String;

    fn try_from(text: String) -> Result<GoDuration, String> {
        parse(&text).map(|nanoseconds| GoDuration { nanoseconds })
    }
}

/// `1h30m`; zero is `0s`. Reads back as the same value.
impl std::fmt::Display for GoDuration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut rest = self.nanoseconds.unsigned_abs();
        if self.nanoseconds < 0 {
            f.write_str("-")?;
        }
        if rest == 0 {
            return f.write_str("0s");
        }
        for (unit, size) in UNITS.into_iter().filter(|(unit, _)| unit.is_ascii()) {
            if rest >= size {
                write!(f, "{}{unit}", rest / size)?;
                rest %= size;
            }
        }
        Ok(())
    }
}

/// Nanoseconds of a text, or why it is none.
fn parse(text: &str) -> Result<i64, String> {
    let unsigned = text.strip_prefix('+').unwrap_or(text);
    if unsigned == "0" {
        return Ok(0);
    }
    if unsigned.starts_with('-') {
        return Err(format!("`{text}` is negative, which no field here can be"));
    }
    let mut rest = unsigned;
    let mut total: u64 = 0;
    while !rest.is_empty() || unsigned.is_empty() {
        let (nanoseconds, after) = part(rest).map_err(|reason| malformed(text, &reason))?;
        total = total.checked_add(nanoseconds).ok_or_else(|| too_long(text))?;
        rest = after;
    }
    i64::try_from(total).map_err(|_| too_long(text))
}

/// One number with its unit, and what follows it.
fn part(text: &str) -> Result<(u64, &str), String> {
    let end = |text: &str, is: fn(char) -> bool| text.find(|c| !is(c)).unwrap_or(text.len());
    let (whole, rest) = text.split_at(end(text, |c| c.is_ascii_digit()));
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(end(rest, |c| c.is_ascii_digit())),
        None => ("", rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return Err("a number was expected".to_owned());
    }
    let (unit, rest) = rest.split_at(end(rest, |c| c != '.' && !c.is_ascii_digit()));
    let size = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, size)| *size);
    let size = size.ok_or_else(|| match unit {
        "" => format!("`{text}` has no unit"),
        "d" | "w" => format!("the unit `{unit}` does not exist, write hours"),
        _ => format!("the unit `{unit}` does not exist"),
    })?;
    nanoseconds(whole, fraction, size).map(|value| (value, rest)).ok_or_else(|| "it is too long".to_owned())
}

fn nanoseconds(whole: &str, fraction: &str, unit: u64) -> Option<u64> {
    let whole = if whole.is_empty() { 0 } else { whole.parse::<u64>().ok()? };
    // No unit has more than thirteen digits of nanoseconds: further ones are less than one.
    let (mut part, mut scale) = (0_u128, 1_u128);
    for digit in fraction.bytes().take(13) {
        part = part * 10 + u128::from(digit - b'0');
        scale *= 10;
    }
    let part = u64::try_from(part * u128::from(unit) / scale).ok()?;
    whole.checked_mul(unit)?.checked_add(part)
}

fn malformed(text: &str, reason: &str) -> String {
    format!("`{text}` is no duration: {reason}; written like `1h30m`, `500ms` or `720h`")
}

fn too_long(text: &str) -> String {
    format!("`{text}` is longer than a duration can be, which is 292 years")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_read_as_go_reads_them() {
        for (text, expected) in [
            ("0", 0),
            ("+0", 0),
            ("0s", 0),
            ("1ns", 1),
            ("500ms", 500_000_000),
            ("1h30m", 5_400_000_000_000),
            ("1.5h", 5_400_000_000_000),
            ("+5s", 5_000_000_000),
            (".5s", 500_000_000),
            ("5.s", 5_000_000_000),
            ("100us", 100_000),
            ("100\u{b5}s", 100_000),
            ("0.1ns", 0),
            ("1h1m1s1ms1us1ns", 3_661_001_001_001),
            ("0.3333333333333333333h", 1_199_999_999_999),
            ("9223372036854775807ns", i64::MAX),
        ] {
            assert_eq!(parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_go_refuses_is_refused() {
        for (text, reason) in [
            ("", "a number was expected"),
            ("30d", "write hours"),
            ("2w", "write hours"),
            ("30", "has no unit"),
            ("1h30", "`30` has no unit"),
            ("1 h", "does not exist"),
            ("s", "a number was expected"),
            (".s", "a number was expected"),
            ("1H", "`H` does not exist"),
            ("-1s", "negative"),
            ("9223372036854775808ns", "292 years"),
            ("99999999h", "too long"),
            ("1s-1s", "does not exist"),
        ] {
            let told = parse(text).unwrap_err();
            assert!(told.contains(reason), "{text}: {told}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(nanoseconds in 0..i64::MAX) {
            prop_assert_eq!(parse(&GoDuration { nanoseconds }.to_string()), Ok(nanoseconds));
        }
    }
}
