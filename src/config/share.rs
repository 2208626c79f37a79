//! A part of all, as it is written.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error as _};

/// A part of all, with its sign: `10%`, `0.5%`.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Share(f64);

impl Share {
    /// All of it.
    pub const ALL: Share = Share(1.0);

    /// A tenth of it.
    pub const TENTH: Share = Share(0.1);

    /// From 0 to 1.
    pub fn part(self) -> f64 {
        self.0
    }
}

impl FromStr for Share {
    type Err = String;

    /// Reads `10%`. The error is a line on what is wrong, and a line on what to do.
    fn from_str(text: &str) -> Result<Share, String> {
        let wrong =
            || format!("`{text}` is not a share\nwrite a number from 0 to 100 with its sign: 10%, 0.5%");
        let unsigned = || match format!("{text}%").parse::<Share>() {
            // Of everything, or of one: only who wrote it knows.
            Ok(share) if share.0 <= 0.01 => {
                format!("`{text}` is not a share\nwrite {text}%, or {}% if it is of 1", share.0 * 1e4)
            }
            Ok(_) => format!("`{text}` is not a share\nadd the sign: {text}%"),
            Err(_) => wrong(),
        };
        let number = text.strip_suffix('%').ok_or_else(unsigned)?;
        let is_plain = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let percent: f64 = number.parse().ok().filter(|_| is_plain).ok_or_else(wrong)?;
        (0.0..=100.0).contains(&percent).then_some(Share(percent / 100.0)).ok_or_else(wrong)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0 * 100.0)
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Share, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for Share {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Share".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?%$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_has_its_sign_and_is_not_more_than_all() {
        for (text, part) in [("10%", 0.1), ("0.5%", 0.005), ("0%", 0.0), ("100%", 1.0)] {
            assert_eq!(text.parse::<Share>().map(Share::part), Ok(part), "{text}");
        }
        for text in ["", "10", "0.1", "%", "101%", "-1%", "+1%", "1e1%", "inf%", "NaN%", "1 %", "1.2.3%"] {
            assert!(text.parse::<Share>().is_err(), "{text}");
        }
    }
}
