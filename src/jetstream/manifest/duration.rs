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

const EXAMPLE: &str = "durations are written like `1h30m`, `500ms` or `720h`";

/// A span of time in nanoseconds, which is also how the server's JSON has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct GoDuration(i64);

impl GoDuration {
    /// For what the server reports; a manifest never holds a negative one, since reading refuses it.
    pub fn from_nanoseconds(nanoseconds: i64) -> GoDuration {
        GoDuration(nanoseconds)
    }

    /// The unit of the server's JSON, so that no conversion follows.
    pub fn nanoseconds(self) -> i64 {
        self.0
    }
}

impl TryFrom<String> for GoDuration {
    type Error = String;

    fn try_from(text: String) -> Result<GoDuration, String> {
        parse(&text).map(GoDuration)
    }
}

/// `1h30m`; zero is `0s`. Reads back as the same value.
impl std::fmt::Display for GoDuration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut rest = self.0.unsigned_abs();
        if self.0 < 0 {
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

/// Nanoseconds of a text; else why it is none and, in a second line, what to write.
fn parse(text: &str) -> Result<i64, String> {
    let unsigned = text.strip_prefix('+').unwrap_or(text);
    if unsigned == "0" {
        return Ok(0);
    }
    if unsigned.starts_with('-') {
        return Err(format!("`{text}` is negative\nwrite a duration of zero or more"));
    }
    let mut rest = unsigned;
    let mut total: u64 = 0;
    while !rest.is_empty() || unsigned.is_empty() {
        let (nanoseconds, after) =
            part(rest).map_err(|reason| format!("`{text}` is no duration: {reason}"))?;
        total = total.saturating_add(nanoseconds);
        rest = after;
    }
    let too_long =
        || format!("`{text}` is too long for a duration\nwrite at most 2562047h, which is 292 years");
    i64::try_from(total).map_err(|_| too_long())
}

/// One number with its unit, and what follows it. Too much is as much as fits.
fn part(text: &str) -> Result<(u64, &str), String> {
    let end = |text: &str, is: fn(char) -> bool| text.find(|c| !is(c)).unwrap_or(text.len());
    let (whole, rest) = text.split_at(end(text, |c| c.is_ascii_digit()));
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(end(rest, |c| c.is_ascii_digit())),
        None => ("", rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return Err(format!("a number was expected\n{EXAMPLE}"));
    }
    let (unit, rest) = rest.split_at(end(rest, |c| c != '.' && !c.is_ascii_digit()));
    match UNITS.iter().find(|(name, _)| *name == unit) {
        Some((_, size)) => Ok((nanoseconds(whole, fraction, *size).unwrap_or(u64::MAX), rest)),
        None if unit.is_empty() => Err(format!("`{text}` has no unit\n{EXAMPLE}")),
        None if matches!(unit, "d" | "w") => {
            Err(format!("there is no unit `{unit}`\nwrite hours: a day is 24h"))
        }
        None => Err(format!("there is no unit `{}`\n{EXAMPLE}", unit.escape_debug())),
    }
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
            ("30d", "no unit `d`\nwrite hours"),
            ("2w", "write hours"),
            ("30", "has no unit"),
            ("1h30", "`30` has no unit"),
            ("1 h", "no unit ` h`"),
            ("s", "a number was expected"),
            (".s", "a number was expected"),
            ("1H", "no unit `H`"),
            ("-1s", "negative"),
            ("9223372036854775808ns", "292 years"),
            ("99999999h", "too long"),
            ("99999999999999999999h", "too long"),
            ("1s-1s", "no unit `s-`"),
        ] {
            let told = parse(text).unwrap_err();
            assert!(told.contains(reason), "{text}: {told}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(nanoseconds in 0..i64::MAX) {
            prop_assert_eq!(parse(&GoDuration(nanoseconds).to_string()), Ok(nanoseconds));
        }
    }
}
