//! Scalars with units: durations, byte sizes, addresses. Errors name the text and show how to write it.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};

use crate::yaml::Located;

/// A duration, with its unit: `500ms`, `2s`, `1m30s`, `24h`, `7d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeSpan(pub Duration);

/// A number of bytes: `1MiB`, `64KiB`, `10MB`, or a plain number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

/// An IP address, or a network of them: `10.0.0.7`, `10.0.0.0/8`, `fd00::/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network(pub IpNet);

/// How often something may happen, with its unit: `100/s`, `30/m`, `1000/h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How often.
    pub count: NonZeroU32,
    /// In which time: a second, a minute or an hour.
    pub per: Duration,
}

/// Milliseconds of the longest duration, a year: sums with the time of day stay far from every clock's end.
const LONGEST: u64 = 365 * 86_400_000;

const TIME_UNITS: [(&str, u64); 5] =
    [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

const SIZE_UNITS: [(&str, u64); 8] = [
    ("", 1),
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
];

impl FromStr for TimeSpan {
    type Err = String;

    /// Reads `1m30s`. The error is a line on what is wrong, and a line on what to do.
    fn from_str(text: &str) -> Result<TimeSpan, String> {
        let wrong = |help: &str| format!("`{text}` is not a duration\n{help}");
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong(&format!("add a unit: {text}ms, {text}s, {text}m, {text}h or {text}d")));
        }
        let help = "write numbers with ms, s, m, h or d: 500ms, 2s, 1m30s";
        let (mut rest, mut total) = (text, 0_u64);
        loop {
            let (number, unit);
            (number, unit, rest) = leading(rest).ok_or_else(|| wrong(help))?;
            let factor = factor(&TIME_UNITS, unit).ok_or_else(|| wrong(help))?;
            total = number
                .checked_mul(factor)
                .and_then(|part| total.checked_add(part))
                .filter(|total| *total <= LONGEST)
                .ok_or_else(|| wrong("it is too long: write at most 365d"))?;
            if rest.is_empty() {
                return Ok(TimeSpan(Duration::from_millis(total)));
            }
        }
    }
}

impl FromStr for ByteSize {
    type Err = String;

    /// Reads `64KiB` or `4096`. The error is a line on what is wrong, and a line on what to do.
    fn from_str(text: &str) -> Result<ByteSize, String> {
        let wrong = || {
            format!(
                "`{text}` is not a size\nwrite a number of bytes, or one with KiB, MiB, GiB, kB, MB or GB: 64KiB"
            )
        };
        let Some((number, unit, "")) = leading(text) else { return Err(wrong()) };
        let factor = factor(&SIZE_UNITS, unit).ok_or_else(wrong)?;
        number.checked_mul(factor).map(ByteSize).ok_or_else(wrong)
    }
}

/// Splits `30s1h` into 30, `s` and the rest.
fn leading(text: &str) -> Option<(u64, &str, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at(digits);
    let letters = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(letters);
    Some((number.parse().ok()?, unit, rest))
}

fn factor(units: &[(&str, u64)], unit: &str) -> Option<u64> {
    units.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor)
}

impl FromStr for Network {
    type Err = String;

    /// Reads an address or a network. The error is a line on what is wrong, and a line on what to do.
    fn from_str(text: &str) -> Result<Network, String> {
        let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        network.map(|network| Network(network.trunc())).map_err(|_| {
            format!("`{text}` is not an address or a network\nwrite one such as 10.0.0.7 or 10.0.0.0/8")
        })
    }
}

impl FromStr for Rate {
    type Err = String;

    /// Reads `100/s`. The error is a line on what is wrong, and a line on what to do.
    fn from_str(text: &str) -> Result<Rate, String> {
        let wrong = || format!("`{text}` is not a rate\nwrite a number and s, m or h: 100/s, 30/m, 1000/h");
        let (count, unit) = text.split_once('/').ok_or_else(wrong)?;
        let per = Duration::from_millis(factor(&TIME_UNITS[1..4], unit).ok_or_else(wrong)?);
        let digits = count.bytes().all(|byte| byte.is_ascii_digit());
        let count = count.parse().ok().filter(|_| digits).ok_or_else(wrong)?;
        Ok(Rate { count, per })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.per.as_secs() {
            1 => 's',
            60 => 'm',
            _ => 'h',
        };
        write!(f, "{}/{unit}", self.count)
    }
}

impl fmt::Display for TimeSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        match millis.is_multiple_of(1_000) {
            true => write!(f, "{}s", millis / 1_000),
            false => write!(f, "{millis}ms"),
        }
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            n if n > 0 && n.is_multiple_of(1 << 20) => write!(f, "{}MiB", n >> 20),
            n if n > 0 && n.is_multiple_of(1 << 10) => write!(f, "{}KiB", n >> 10),
            n => write!(f, "{n}"),
        }
    }
}

impl<'de> Deserialize<'de> for TimeSpan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<TimeSpan, D::Error> {
        parsed(deserializer)
    }
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ByteSize, D::Error> {
        parsed(deserializer)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Network, D::Error> {
        parsed(deserializer)
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Rate, D::Error> {
        parsed(deserializer)
    }
}

/// Where text is wanted, the tree hands over numbers as their text.
fn parsed<'de, D: Deserializer<'de>, T: FromStr<Err = String>>(deserializer: D) -> Result<T, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
}

impl Serialize for TimeSpan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for ByteSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for TimeSpan {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "TimeSpan".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^([0-9]+(ms|s|m|h|d))+$" })
    }
}

impl JsonSchema for ByteSize {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ByteSize".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["integer", "string"], "minimum": 0, "pattern": "^[0-9]+(B|KiB|MiB|GiB|kB|MB|GB)?$"
        })
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl JsonSchema for Network {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Network".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[0-9a-fA-F:.]+(/[0-9]+)?$" })
    }
}

impl JsonSchema for Rate {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Rate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[0-9]+/(s|m|h)$" })
    }
}

/// Reads an address to listen on: an IP address and a port.
pub(super) fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Located<SocketAddr>, D::Error> {
    let Located { value, place } = Located::<Address>::deserialize(deserializer)?;
    Ok(Located { value: value.0, place })
}

struct Address(SocketAddr);

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Address, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wrong = |_| {
            format!(
                "`{text}` is not an address\nwrite an IP address and a port: 0.0.0.0:8080, [::]:8080, 127.0.0.1:9090"
            )
        };
        text.parse().map(Address).map_err(wrong).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_units() {
        for (text, millis) in
            [("0s", 0), ("500ms", 500), ("2s", 2_000), ("1m30s", 90_000), ("365d", 31_536_000_000)]
        {
            assert_eq!(text.parse(), Ok(TimeSpan(Duration::from_millis(millis))), "{text}");
        }
        for text in [
            "",
            "2",
            "s",
            "2 s",
            "2sec",
            "1.5s",
            "-2s",
            "2s1",
            "99999999999999999d",
            "366d",
            "364d25h",
            "２s",
        ] {
            assert!(text.parse::<TimeSpan>().is_err(), "{text}");
        }
        assert!("2".parse::<TimeSpan>().unwrap_err().ends_with("add a unit: 2ms, 2s, 2m, 2h or 2d"));
    }

    #[test]
    fn sizes_are_bytes_or_have_units() {
        for (text, bytes) in
            [("0", 0), ("4096", 4096), ("64KiB", 65_536), ("1MiB", 1 << 20), ("5MB", 5_000_000)]
        {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
        }
        for text in ["", "1 MiB", "1mib", "1.5MiB", "-1", "1MiB1", "99999999999GiB"] {
            assert!(text.parse::<ByteSize>().is_err(), "{text}");
        }
    }

    #[test]
    fn rates_have_a_unit_and_let_something_through() {
        for text in ["100/s", "30/m", "1000/h"] {
            assert_eq!(text.parse::<Rate>().map(|rate| rate.to_string()), Ok(text.to_owned()));
        }
        for text in
            ["", "100", "100/", "/s", "0/s", "-1/s", "+1/s", "1.5/s", "100/d", "100/ms", "5000000000/s"]
        {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_network_is_an_address_with_or_without_a_length() {
        for (text, network) in [("10.0.0.7", "10.0.0.7/32"), ("10.1.2.3/8", "10.0.0.0/8"), ("::1", "::1/128")]
        {
            assert_eq!(text.parse::<Network>().map(|network| network.0.to_string()), Ok(network.to_owned()));
        }
        for text in ["", "10.0.0.0/33", "10.0.0", "localhost"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_shown_can_be_read_again() {
        for text in ["0s", "500ms", "90s"] {
            assert_eq!(text.parse::<TimeSpan>().map(|span| span.to_string()), Ok(text.to_owned()));
        }
        for text in ["0", "4095", "64KiB", "3MiB"] {
            assert_eq!(text.parse::<ByteSize>().map(|size| size.to_string()), Ok(text.to_owned()));
        }
    }
}
