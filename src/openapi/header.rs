//! The headers of answers.

use serde_json::{Map, Value, json};

use crate::contract::{Components, Section};
use crate::problem::{Code, Outcome};

const CODE: &str = "The code of a problem, also where the body is not a problem document.";

/// A header that answers have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Header {
    Code,
    Outcome,
    RequestId,
    RetryAfter,
    Challenge,
    RateLimit,
    Policy,
    Replayed,
    Unverified,
}

impl Header {
    fn name(self) -> &'static str {
        match self {
            Header::Code => "Natsgate-Code",
            Header::Outcome => "Natsgate-Outcome",
            Header::RequestId => "Natsgate-Request-Id",
            Header::RetryAfter => "Retry-After",
            Header::Challenge => "WWW-Authenticate",
            Header::RateLimit => "RateLimit",
            Header::Policy => "RateLimit-Policy",
            Header::Replayed => "Idempotent-Replayed",
            Header::Unverified => "Natsgate-Idempotency",
        }
    }

    fn body(self) -> Value {
        let text = |description: &str| json!({ "description": description, "schema": { "type": "string" } });
        let one_of = |description: &str, values: &[&str]| json!({ "description": description, "schema": { "type": "string", "enum": values } });
        match self {
            Header::Code => text(CODE),
            Header::Outcome => one_of(
                "Of a problem: whether the request was executed, whatever the body says.",
                &Outcome::ALL.map(Outcome::name),
            ),
            Header::RequestId => text("By which the operators find this request in their logs."),
            Header::RetryAfter => json!({
                "description": "In how many seconds trying again may help. Only where nothing was executed.",
                "schema": { "type": "integer", "minimum": 0 },
            }),
            Header::Challenge => text("What is asked for from who calls (RFC 9110, 11.6.1)."),
            Header::RateLimit => text("What is left of the caller's quota, and for how many seconds."),
            Header::Policy => text("The quota: how many requests in how many seconds."),
            Header::Replayed => {
                one_of("An earlier request had stored the message; this one stored nothing.", &["true"])
            }
            Header::Unverified => one_of(
                "An earlier request had stored a message under this key or id, which is gone by now: whether it was the \
                 same request is not known.",
                &["unverified"],
            ),
        }
    }

    /// Which those are that tell a problem's truth.
    pub(super) fn of_problems(codes: &[Code], limited: bool) -> Vec<Header> {
        let mut headers = vec![Header::Code, Header::Outcome, Header::RequestId];
        if codes.iter().any(|code| code.row().retry_after.is_some()) {
            headers.push(Header::RetryAfter);
        }
        if codes.iter().any(|code| matches!(code, Code::Unauthenticated | Code::Forbidden)) {
            headers.push(Header::Challenge);
        }
        headers.extend(limited.then_some([Header::RateLimit, Header::Policy]).into_iter().flatten());
        headers
    }
}

/// Adds the header that has the code, with the codes that it can have in this response.
pub(super) fn add_codes(headers: &mut Map<String, Value>, codes: &[Code]) {
    if headers.keys().any(|known| known.eq_ignore_ascii_case(Header::Code.name())) {
        return;
    }
    let names: Vec<&str> = codes.iter().map(|code| code.name()).collect();
    let body = json!({ "description": CODE, "schema": { "type": "string", "enum": names } });
    headers.insert(Header::Code.name().to_owned(), body);
}

/// What headers are referred to by.
pub(super) struct References(Vec<(Header, Value)>);

impl References {
    pub(super) fn new(components: &mut Components) -> References {
        let reference = |header: Header| {
            let reference = components.share(Section::Headers, header.name(), header.body());
            (header, json!({ "$ref": reference }))
        };
        References(SHARED.into_iter().map(reference).collect())
    }

    fn of(&self, header: Header) -> Option<&Value> {
        self.0.iter().find(|(known, _)| *known == header).map(|(_, reference)| reference)
    }
}

/// Those that are the same wherever they are; the code is told where it is.
const SHARED: [Header; 8] = [
    Header::Outcome,
    Header::RequestId,
    Header::RetryAfter,
    Header::Challenge,
    Header::RateLimit,
    Header::Policy,
    Header::Replayed,
    Header::Unverified,
];

/// Adds headers to those of a response; what a contract says of one stays.
pub(super) fn add(headers: &mut Map<String, Value>, added: &[Header], references: &References) {
    for header in added {
        if headers.keys().any(|known| known.eq_ignore_ascii_case(header.name())) {
            continue;
        }
        headers.extend(references.of(*header).map(|reference| (header.name().to_owned(), reference.clone())));
    }
}
