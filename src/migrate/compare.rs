//! Two answers to one request, held against each other: by status, by the headers that are named, and by body.

mod content;
mod json;
mod rules;
mod shown;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::status::Example;
use super::{Answer, Pair, Side};
use crate::json::Document;
use crate::problem::Code;
pub(super) use content::media_type;
pub use rules::PatternError;
use rules::Rules;
pub(super) use shown::MORE;
use shown::Places;

/// The longest body that is compared, unless something else is written.
pub const MAX_BODY: usize = 256 << 10;

/// How answers are compared.
#[derive(Debug)]
pub struct Comparison {
    rules: Rules,
    headers: Vec<HeaderName>,
    max_body: usize,
}

/// What may be said of a place in a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// It may differ.
    Ignore,
    /// It is a list whose order does not matter.
    Unordered,
    /// `null` there is the same as nothing there.
    NullIsMissing,
    /// An example may show it.
    Show,
}

/// What came of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// They are the same.
    Match,
    /// They differ.
    Mismatch(Difference),
    /// The copy failed where the other side answered.
    CandidateError(Code),
    /// The copy was not answered in time.
    CandidateTimeout,
    /// They could not be compared.
    Skipped(Skip),
}

/// Where two answers differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// The places, in their order: `status`, `header:…`, `body` or JSON Pointers.
    pub pointers: Vec<String>,
    /// What stands there.
    pub example: Example,
}

/// Why two answers could not be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skip {
    /// The client's answer failed or broke off, so there is nothing to compare with.
    NotAnswered,
    /// The legacy service did not answer its copy.
    LegacyFailed,
    /// A body is longer than `compare.max_body`, or did not end in time.
    BodyTooLong,
    /// A body has a content coding that is not undone here, or is not what it says.
    Encoded,
    /// It would take too long.
    TooMuchWork,
}

impl Skip {
    /// As the status has it.
    pub fn name(self) -> &'static str {
        match self {
            Skip::NotAnswered => "not_answered",
            Skip::LegacyFailed => "legacy_failed",
            Skip::BodyTooLong => "body_too_long",
            Skip::Encoded => "encoded",
            Skip::TooMuchWork => "too_much_work",
        }
    }
}

impl Default for Comparison {
    fn default() -> Comparison {
        Comparison { rules: Rules::default(), headers: vec![CONTENT_TYPE], max_body: MAX_BODY }
    }
}

impl Comparison {
    /// Says something of the places that a pattern stands for.
    ///
    /// # Errors
    /// The pattern is none.
    pub fn rule(&mut self, pattern: &str, rule: Rule) -> Result<(), PatternError> {
        let says = match rule {
            Rule::Ignore => rules::IGNORED,
            Rule::Unordered => rules::UNORDERED,
            Rule::NullIsMissing => rules::NULLABLE,
            Rule::Show => rules::SHOWN,
        };
        self.rules.add(pattern, says)
    }

    /// Which headers are compared.
    #[must_use]
    pub fn with_headers(self, headers: Vec<HeaderName>) -> Comparison {
        Comparison { headers, ..self }
    }

    /// The longest body that is compared.
    #[must_use]
    pub fn with_max_body(self, max_body: usize) -> Comparison {
        Comparison { max_body, ..self }
    }

    /// The longest body that is compared, in bytes.
    pub fn max_body(&self) -> usize {
        self.max_body
    }

    /// Compares the answers of a pair.
    pub fn judge(&self, pair: &Pair) -> Verdict {
        let Some(primary) = &pair.primary else { return Verdict::Skipped(Skip::NotAnswered) };
        let from_legacy = pair.served == Side::Nats || pair.noise;
        let candidate = match (&pair.candidate, from_legacy) {
            (Some(candidate), _) if !failed(candidate) => candidate,
            // Says nothing of NATS.
            (_, true) => return Verdict::Skipped(Skip::LegacyFailed),
            (None | Some(Answer { code: Some(Code::Timeout), .. }), false) => {
                return Verdict::CandidateTimeout;
            }
            (Some(candidate), false) => {
                return Verdict::CandidateError(candidate.code.unwrap_or(Code::Internal));
            }
        };
        match pair.served {
            Side::Legacy => self.compare(primary, candidate),
            Side::Nats => self.compare(candidate, primary),
        }
    }

    fn compare(&self, legacy: &Answer, nats: &Answer) -> Verdict {
        let mut places = Places::default();
        if legacy.status != nats.status {
            places.note(
                "status".to_owned(),
                || legacy.status.as_str().into(),
                || nats.status.as_str().into(),
            );
        }
        self.headers(legacy, nats, &mut places);
        match self.bodies(legacy, nats, &mut places) {
            Err(skip) if places.is_empty() => Verdict::Skipped(skip),
            _ if places.is_empty() => Verdict::Match,
            _ => {
                let (pointers, example) = places.into_parts();
                Verdict::Mismatch(Difference { pointers, example })
            }
        }
    }

    fn headers(&self, legacy: &Answer, nats: &Answer, places: &mut Places) {
        for name in &self.headers {
            if *name == CONTENT_TYPE {
                let has_none = |answer: &Answer| {
                    matches!(answer.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
                };
                let (one, other) = (essence(&legacy.headers), essence(&nats.headers));
                // Without content its type means nothing.
                if one != other && !(has_none(legacy) && has_none(nats)) {
                    let shown = |answer| move || media_type(answer).unwrap_or_else(|| "none".to_owned());
                    places.note(format!("header:{name}"), shown(legacy), shown(nats));
                }
                continue;
            }
            let values = |answer: &Answer| -> Vec<HeaderValue> {
                answer.headers.get_all(name).iter().cloned().collect()
            };
            let (one, other) = (values(legacy), values(nats));
            if one != other {
                places.note(format!("header:{name}"), || lengths(&one), || lengths(&other));
            }
        }
    }

    fn bodies(&self, legacy: &Answer, nats: &Answer, places: &mut Places) -> Result<(), Skip> {
        let (Some(one), Some(other)) = (&legacy.body, &nats.body) else { return Err(Skip::BodyTooLong) };
        if one.len().max(other.len()) > self.max_body {
            return Err(Skip::BodyTooLong);
        }
        let same_coding = legacy.headers.get(CONTENT_ENCODING) == nats.headers.get(CONTENT_ENCODING);
        if one == other && same_coding {
            return Ok(());
        }
        let one = content::decoded(legacy, one, self.max_body)?;
        let other = content::decoded(nats, other, self.max_body)?;
        if one == other {
            return Ok(());
        }
        if !content::says_json(legacy) && !content::says_json(nats) {
            places.note("body".to_owned(), || bytes(&one), || bytes(&other));
            return Ok(());
        }
        let parsed = |bytes: &[u8]| Document::parse(Bytes::copy_from_slice(bytes));
        match (parsed(&one), parsed(&other)) {
            (Ok(one), Ok(other)) => json::differ(&one.tree(), &other.tree(), &self.rules.root(), places)
                .map_err(|json::TooMuch| Skip::TooMuchWork),
            (one_read, other_read) => {
                let said = |read: bool, content: &[u8]| match (read, content.is_empty()) {
                    (true, _) => format!("JSON, {}", bytes(content)),
                    (false, true) => "empty".to_owned(),
                    (false, false) => format!("no JSON, {}", bytes(content)),
                };
                places.note(
                    "body".to_owned(),
                    || said(one_read.is_ok(), &one),
                    || said(other_read.is_ok(), &other),
                );
                Ok(())
            }
        }
    }
}

/// A refusal that a client would have for its request is an answer like any other. Where NATS failed, it is none,
/// whatever a `problem` case makes of it.
fn failed(answer: &Answer) -> bool {
    answer.code.is_some_and(|code| code.row().status().is_server_error())
}

/// What a Content-Type says without its parameters.
fn essence(headers: &HeaderMap) -> Option<Vec<u8>> {
    let value = headers.get(CONTENT_TYPE)?.as_bytes();
    let essence = value.split(|byte| *byte == b';').next().unwrap_or_default();
    Some(essence.trim_ascii().to_ascii_lowercase())
}

fn lengths(values: &[HeaderValue]) -> String {
    match values {
        [] => "missing".to_owned(),
        [value] => format!("string({})", value.len()),
        values => format!("list({})", values.len()),
    }
}

fn bytes(content: &[u8]) -> String {
    format!("bytes({})", content.len())
}
