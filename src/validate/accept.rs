//! What a client takes as an answer (`Accept`, RFC 9110, 12.5.1), held against what the contract's successes have.
//!
//! A client is refused only if it says clearly that it takes none of them: a header that cannot be read is ignored,
//! as the servers of legacy clients did. JSON is JSON under whatever name: who takes `application/json` takes
//! `application/hal+json` too, unless it says otherwise.

use http::header::ACCEPT;

use super::violates;
use crate::config::Validation;
use crate::contract::{Operation, ResponseStatus};
use crate::head::Head;
use crate::media_type::{self, MediaType};
use crate::problem::{Code, Problem};

/// The media types that an operation answers with.
#[derive(Debug)]
pub struct Accept {
    /// Without parameters; empty: nothing is known, or anything may come.
    offered: Vec<String>,
    validation: Validation,
}

/// What a client thinks of one media type.
#[derive(Clone, Copy, Default)]
struct Opinion {
    /// How exactly it was named; the most exact word counts.
    exactness: u8,
    wanted: bool,
}

impl Accept {
    /// Where nobody says what is answered.
    pub fn any() -> Accept {
        Accept { offered: Vec::new(), validation: Validation::Off }
    }

    /// Whether a client can be refused that takes none of what is answered.
    pub fn is_enforced(&self) -> bool {
        self.validation == Validation::Enforce && !self.offered.is_empty()
    }

    /// Of an operation of a contract: the media types of its 2xx answers.
    pub fn compile(operation: &Operation, validation: Validation) -> Accept {
        let successes = operation.responses.iter().filter(|response| {
            matches!(response.status, ResponseStatus::Code(200..=299) | ResponseStatus::Range(2))
        });
        let mut offered: Vec<String> = Vec::new();
        for media_type in successes.flat_map(|response| &response.media_types) {
            match MediaType::parse(&media_type.name) {
                Some(parsed) if parsed.openness() < 2 => {
                    offered.push(format!("{}/{}", parsed.kind, parsed.subtype).to_ascii_lowercase());
                }
                // Anything may come, or nobody knows what.
                _ => return Accept::any(),
            }
        }
        offered.sort();
        offered.dedup();
        Accept { offered, validation }
    }

    /// Checks whether the client takes any of them.
    ///
    /// # Errors
    /// `not_acceptable`.
    pub fn check(&self, head: &Head) -> Result<(), Problem> {
        if self.offered.is_empty() || self.validation == Validation::Off || self.is_accepted(head) {
            return Ok(());
        }
        let detail = format!("this operation answers with {}", self.offered.join(" or "));
        violates(self.validation, head, Problem::new(Code::NotAcceptable, detail))
    }

    fn is_accepted(&self, head: &Head) -> bool {
        let mut lines = head.headers().get_all(ACCEPT).iter();
        let (Some(first), second) = (lines.next(), lines.next()) else { return true };
        let plain = |one: &String| first.as_bytes().eq_ignore_ascii_case(one.as_bytes());
        if second.is_none() && (first.as_bytes() == b"*/*" || self.offered.iter().any(plain)) {
            return true;
        }
        let lines = head.headers().get_all(ACCEPT).iter().map(|line| line.to_str().ok());
        let mut opinions = vec![None; self.offered.len()];
        for line in lines {
            let Some(()) = line.and_then(|line| self.hear(line, &mut opinions)) else { return true };
        }
        let spoken = opinions.iter().flatten().count() > 0;
        let said_something =
            head.headers().get_all(ACCEPT).iter().any(|line| !line.as_bytes().trim_ascii().is_empty());
        !said_something || (spoken && opinions.iter().flatten().any(|opinion: &Opinion| opinion.wanted))
    }

    /// Takes in one line; `None` if it cannot be read.
    fn hear(&self, line: &str, opinions: &mut [Option<Opinion>]) -> Option<()> {
        for item in media_type::list(line).map(str::trim).filter(|item| !item.is_empty()) {
            let range = MediaType::range(item)?;
            let wanted = match range.parameter("q") {
                Some(weight) => is_above_zero(&weight)?,
                None => true,
            };
            for (offered, opinion) in self.offered.iter().zip(opinions.iter_mut()) {
                let Some(exactness) =
                    MediaType::parse(offered).and_then(|offered| exactness(&range, &offered, wanted))
                else {
                    continue;
                };
                let known = opinion.get_or_insert_with(Opinion::default);
                if exactness >= known.exactness {
                    *known = Opinion {
                        exactness,
                        wanted: wanted || (exactness == known.exactness && known.wanted),
                    };
                }
            }
        }
        Some(())
    }
}

/// How exactly a range names a media type, from 1; `None`: not at all.
fn exactness(range: &MediaType<'_>, offered: &MediaType<'_>, wanted: bool) -> Option<u8> {
    match range.openness() {
        _ if offered.covers(range) => Some(4),
        0 if wanted && range.is_json() && offered.is_json() => Some(3),
        0 => None,
        openness => range.covers(offered).then_some(3 - openness),
    }
}

/// Whether a weight (`0.5`, and `.5` as old Java writes it) wants something at all; `None`: it is none.
fn is_above_zero(weight: &str) -> Option<bool> {
    let legal =
        !weight.is_empty() && weight.len() <= 8 && weight.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let value: f32 = weight.parse().ok().filter(|_| legal)?;
    (value <= 1.0).then_some(value > 0.0)
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn accepts(offered: &[&str], lines: &[&str]) -> bool {
        let mut request = http::Request::builder();
        for line in lines {
            request = request.header(ACCEPT, http::HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        let head = Head::new(
            request.body(()).unwrap().into_parts().0,
            IpAddr::from([127, 0, 0, 1]),
            &crate::head::TrustedProxies::default(),
        );
        let offered = offered.iter().map(|one| (*one).to_owned()).collect();
        Accept { offered, validation: Validation::Enforce }.check(&head).is_ok()
    }

    #[test]
    fn only_a_clear_no_is_one() {
        let json: &[&str] = &["application/json"];
        for (offered, lines) in [
            (json, &[] as &[&str]),
            (json, &[""]),
            (json, &["*/*"]),
            (json, &["Application/JSON"]),
            (json, &["application/json;q=0.1, text/html"]),
            (json, &["text/html", "application/*"]),
            (json, &["text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"]),
            (json, &["application/json; charset=utf-8"]),
            (json, &["application/vnd.github.v3+json"]),
            (json, &["text/html;q=0, */*"]),
            (json, &["text/html;level=\"1,2\", */*;q=0.1"]),
            (json, &["text/html, nonsense"]),
            (json, &["text/html;q=x"]),
            (json, &["text/html;q=2"]),
            (json, &["text/html\u{e9}"]),
            (json, &["application/json;q=0, application/json"]),
            (json, &["application/hal+json;q=0, */*;q=0.1"]),
            (&["application/hal+json", "text/csv"], &["text/csv, application/json;q=0"]),
            (&["image/*"], &["image/png"]),
            (&["image/*"], &["image/*"]),
        ] {
            assert!(accepts(offered, lines), "{offered:?} {lines:?}");
        }
        for (offered, lines) in [
            (json, &["text/html"] as &[&str]),
            (json, &["text/html", "text/*"]),
            (json, &["application/json;q=0, */*"]),
            (json, &["*/*;q=0"]),
            (json, &["application/*;q=0.0, */*"]),
            (json, &["application/json;Q=0.000"]),
            (&["application/hal+json"], &["application/hal+json;q=0, application/json"]),
            (&["image/*"], &["video/png, image/*;q=0"]),
            (&["text/csv", "text/html"], &["application/json, text/*;q=0"]),
        ] {
            assert!(!accepts(offered, lines), "{offered:?} {lines:?}");
        }
    }
}
