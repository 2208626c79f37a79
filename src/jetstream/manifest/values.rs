//! The scalars of manifests, checked while they are read, and how a whole declaration becomes the server's JSON.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::yaml::Located;

const LONGEST_NAME: usize = 255;
/// `OBJ_`, which the stream of an object store has before the bucket's name.
const LONGEST_PREFIX: usize = 4;

/// The name of a stream or a consumer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Name(String);

impl Name {
    /// As it was written: 1 to 255 bytes, without dots, wildcards, slashes and white space.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of the stream behind a bucket.
    pub(super) fn of_bucket(prefix: &str, bucket: &str) -> Name {
        Name(format!("{prefix}_{bucket}"))
    }
}

impl TryFrom<String> for Name {
    type Error = String;

    fn try_from(text: String) -> Result<Name, String> {
        let illegal =
            |c: char| matches!(c, '.' | '*' | '>' | '/' | '\\') || c.is_whitespace() || c.is_control();
        match text.chars().find(|c| illegal(*c)) {
            _ if text.is_empty() => Err("a name is needed here\nwrite the name".to_owned()),
            _ if text.len() > LONGEST_NAME => {
                Err(format!("this name has {} bytes\nwrite at most {LONGEST_NAME}", text.len()))
            }
            Some(c) => Err(format!(
                "`{}` is no name: `{}` may not stand in it\nletters, digits, `-` and `_` are safe",
                text.escape_debug(),
                c.escape_debug()
            )),
            None => Ok(Name(text)),
        }
    }
}

/// The name of a key-value bucket or an object store, which becomes part of a stream's name and subjects.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Bucket(String);

impl Bucket {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Bucket {
    type Error = String;

    fn try_from(text: String) -> Result<Bucket, String> {
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        match text.chars().find(|c| !legal(*c)) {
            _ if text.is_empty() => Err("a name is needed here\nwrite the name".to_owned()),
            _ if text.len() > LONGEST_NAME - LONGEST_PREFIX => Err(format!(
                "this name has {} bytes\nwrite at most {}",
                text.len(),
                LONGEST_NAME - LONGEST_PREFIX
            )),
            Some(c) => Err(format!(
                "`{}` is no bucket: `{}` may not stand in it\nwrite letters, digits, `-` and `_`",
                text.escape_debug(),
                c.escape_debug()
            )),
            None => Ok(Bucket(text)),
        }
    }
}

/// A subject that may hold wildcards: `orders.*`, `orders.>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct SubjectFilter(String);

impl SubjectFilter {
    /// As it was written: tokens with single dots between them, and `>` only at the end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// One that is made of what has been checked.
    pub(super) fn known(text: String) -> SubjectFilter {
        SubjectFilter(text)
    }
}

impl TryFrom<String> for SubjectFilter {
    type Error = String;

    fn try_from(text: String) -> Result<SubjectFilter, String> {
        let last = text.split('.').count() - 1;
        for (index, token) in text.split('.').enumerate() {
            let reason = match token {
                "" => "a token is empty",
                ">" if index < last => "`>` stands for the rest, so it can only be the last token",
                _ if token.contains(char::is_whitespace) => "white space may not stand in it",
                _ => continue,
            };
            return Err(format!(
                "`{}` is no subject: {reason}\nwrite tokens with single dots between them, as in `orders.*` or `orders.>`",
                text.escape_debug()
            ));
        }
        Ok(SubjectFilter(text))
    }
}

/// A number with a bound: -1 means that there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "i64")]
pub struct Limit(i64);

impl Limit {
    /// At least -1. Zero means the same as -1 to the server, for every limit that has this type.
    pub fn get(self) -> i64 {
        self.0
    }
}

impl TryFrom<i64> for Limit {
    type Error = String;

    fn try_from(value: i64) -> Result<Limit, String> {
        if value < -1 { Err(format!("{value} is no limit\nwrite -1 for none")) } else { Ok(Limit(value)) }
    }
}

/// A moment as RFC 3339 has it, kept as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Timestamp(String);

impl TryFrom<String> for Timestamp {
    type Error = String;

    fn try_from(text: String) -> Result<Timestamp, String> {
        match moment(&text) {
            Some(_) => Ok(Timestamp(text)),
            None => {
                Err(format!("`{}` is no time\nwrite it like `2026-01-31T12:00:00Z`", text.escape_debug()))
            }
        }
    }
}

/// The moment that an RFC 3339 text means, whatever its offset.
pub(crate) fn moment(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok()
}

/// How NACK's controller would connect by TLS. Known, so that nothing is misspelt; natsgate connects in its own way.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tls {
    /// Path of the certificate, as the controller's pod sees it.
    pub client_cert: Option<Located<String>>,
    /// Path of its private key, as the controller's pod sees it.
    pub client_key: Option<Located<String>>,
    /// Paths of the authorities to trust. Absent: the system's.
    pub root_cas: Option<Vec<Located<String>>>,
}

/// What is declared, and nothing else: servers from 2.12 on refuse fields that they do not know.
pub(super) fn declared(of: &impl Serialize) -> Map<String, Value> {
    // These types have text for keys and no writer of their own that fails, so there is always an object.
    match serde_json::to_value(of) {
        Ok(Value::Object(fields)) => without_absent(fields),
        Ok(_) | Err(_) => Map::new(),
    }
}

fn without_absent(fields: Map<String, Value>) -> Map<String, Value> {
    let present = fields.into_iter().filter(|(_, value)| !value.is_null());
    present.map(|(key, value)| (key, compact(value))).collect()
}

fn compact(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(without_absent(fields)),
        Value::Array(items) => items.into_iter().map(compact).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_the_server_takes() {
        for good in ["STACKS", "a-b_c", "Grüße", &"x".repeat(255)] {
            assert!(Name::try_from(good.to_owned()).is_ok(), "{good}");
        }
        for bad in ["", "a.b", "a*", ">", "a b", "a/b", "a\\b", "a\tb", "a\u{7f}", &"x".repeat(256)] {
            assert!(Name::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn filters_are_subjects_with_wildcards() {
        for good in ["a", "a.*.b", "a.>", ">", "*", "a*b", "$JS.EVENT.ADVISORY.>"] {
            assert!(SubjectFilter::try_from(good.to_owned()).is_ok(), "{good}");
        }
        for bad in ["", ".a", "a.", "a..b", "a.>.b", "a b", "a\n"] {
            assert!(SubjectFilter::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn times_are_compared_by_what_they_mean() {
        assert_eq!(moment("2026-01-31T12:00:00Z"), moment("2026-01-31T13:00:00.000+01:00"));
        for bad in ["", "2026-01-31", "2026-02-31T00:00:00Z", "tomorrow"] {
            assert!(Timestamp::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
