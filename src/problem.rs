//! Every answer of the gateway's own that is not a success: one closed table, and the response made from it.
//!
//! A caller learns three things before it retries: the code, whether the request was executed, and whether
//! repeating it is safe. The cause of a problem is for the log ([`Problem::cause`]) and is never shown.

mod reference;
mod schema;
mod table;

use std::borrow::Cow;

use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
    RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use http::{Response, StatusCode};
use http_body_util::Full;
use schemars::JsonSchema;
use serde::Serialize;

pub use reference::reference;
pub use schema::{example, schema, schema_of};
pub use table::{Code, Outcome, Row, TABLE};

/// Carries [`Code`] on every problem, also when a `problem` case replaces the body.
pub const CODE: HeaderName = HeaderName::from_static("natsgate-code");
/// Carries [`Outcome`] on every problem.
pub const OUTCOME: HeaderName = HeaderName::from_static("natsgate-outcome");
/// The request id, on every answer.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("natsgate-request-id");
const GUARDED: [(HeaderName, HeaderValue); 3] = [
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
];
/// Media type of RFC 9457.
pub const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

/// Says of a document of the gateway's own what browsers must know: it is what it says it is, it needs nothing, it is for
/// nobody else, and it is not kept.
pub fn guard(headers: &mut HeaderMap) {
    for (name, value) in GUARDED {
        headers.insert(name, value);
    }
}

/// One thing that is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Violation {
    /// RFC 6901 pointer into the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// Name of the path, query, header or cookie parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// What is wrong with it.
    pub detail: String,
}

impl Violation {
    /// Something is wrong with a parameter.
    pub fn parameter(name: impl Into<String>, detail: impl Into<String>) -> Violation {
        Violation { pointer: None, parameter: Some(name.into()), detail: detail.into() }
    }

    /// Something is wrong inside the body.
    pub fn body(pointer: impl Into<String>, detail: impl Into<String>) -> Violation {
        Violation { pointer: Some(pointer.into()), parameter: None, detail: detail.into() }
    }
}

/// What went wrong with one request.
#[derive(Debug, Clone)]
pub struct Problem {
    /// Which row of the table.
    pub code: Code,
    /// What the caller reads.
    pub detail: Cow<'static, str>,
    /// The single violations, where there are several.
    pub errors: Vec<Violation>,
    /// Replaces the row's status: a service's own error code.
    pub status: Option<StatusCode>,
    /// Replaces the row's outcome where an earlier try of the same request makes it less certain.
    pub outcome: Option<Outcome>,
    /// Replaces the row's `retryable` where the server removes duplicates.
    pub retryable: Option<bool>,
    /// Replaces the row's seconds for `Retry-After` where it is known when repeating will help.
    pub retry_after: Option<u32>,
    /// The methods that the path has. Boxed, as few problems have any, and every stage returns one.
    pub allow: Option<Box<HeaderValue>>,
    /// What is asked for from who calls: one `WWW-Authenticate` each.
    pub challenges: Vec<HeaderValue>,
    /// For the log only.
    pub cause: Option<String>,
}

impl Problem {
    /// A problem with what its caller reads.
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Problem {
        Problem {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            status: None,
            outcome: None,
            retryable: None,
            retry_after: None,
            allow: None,
            challenges: Vec::new(),
            cause: None,
        }
    }

    /// Adds what only the log may know.
    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> Problem {
        self.cause = Some(cause.into());
        self
    }

    /// Adds the single violations.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<Violation>) -> Problem {
        self.errors = errors;
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status.unwrap_or_else(|| self.code.row().status())
    }

    /// Whether the request was executed.
    pub fn outcome(&self) -> Outcome {
        self.outcome.unwrap_or(self.code.row().outcome)
    }

    /// Whether repeating the identical request cannot execute it twice, and may succeed.
    pub fn retryable(&self) -> bool {
        self.retryable
            .unwrap_or(self.code.row().retry_after.is_some() && self.outcome() == Outcome::NotExecuted)
    }

    /// The headers that tell the truth whatever the body says.
    pub fn headers(&self) -> HeaderMap {
        let row = self.code.row();
        let mut headers = HeaderMap::with_capacity(10);
        // A cache may otherwise keep some of them, such as 404, by its own lights.
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(CODE, HeaderValue::from_static(row.name));
        headers.insert(OUTCOME, HeaderValue::from_static(self.outcome().name()));
        if let Some(seconds) = self.retry_after.or(row.retry_after) {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(allow) = &self.allow {
            headers.insert(ALLOW, HeaderValue::clone(allow));
        }
        for challenge in &self.challenges {
            headers.append(WWW_AUTHENTICATE, challenge.clone());
        }
        headers
    }

    /// The RFC 9457 document.
    pub fn body(&self, request_id: &str) -> Bytes {
        let row = self.code.row();
        let document = Document {
            r#type: &format!("urn:natsgate:problem:{}", row.name),
            title: row.title,
            status: self.status().as_u16(),
            detail: &self.detail,
            instance: &format!("urn:natsgate:request:{request_id}"),
            code: row.name,
            outcome: self.outcome().name(),
            retryable: self.retryable(),
            request_id,
            errors: &self.errors,
        };
        serde_json::to_vec(&document).unwrap_or_default().into()
    }

    /// The whole answer.
    pub fn response(&self, request_id: &str) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.body(request_id)));
        *response.status_mut() = self.status();
        *response.headers_mut() = self.headers();
        response.headers_mut().insert(CONTENT_TYPE, MEDIA_TYPE);
        guard(response.headers_mut());
        response
    }
}

/// An answer of the gateway's own that is not a success (RFC 9457).
#[derive(Serialize, JsonSchema)]
struct Document<'a> {
    /// `urn:natsgate:problem:` and the code.
    r#type: &'a str,
    /// Short, and the same for every problem of this code.
    title: &'a str,
    /// The HTTP status.
    #[schemars(range(min = 200, max = 599))]
    status: u16,
    /// What went wrong this time, for people.
    detail: &'a str,
    /// `urn:natsgate:request:` and the request id.
    instance: &'a str,
    /// What programs tell problems apart by.
    #[schemars(schema_with = "schema::codes")]
    code: &'a str,
    /// Whether the request was executed: `not_executed` if provably nothing was, `executed` if a backend answered,
    /// `unknown` if neither can be proven.
    #[schemars(schema_with = "schema::outcomes")]
    outcome: &'a str,
    /// Whether repeating the identical request cannot execute it twice, and may succeed.
    retryable: bool,
    /// By which the operators find this request in their logs.
    request_id: &'a str,
    /// Everything that is wrong with the request, where several things can be.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [Violation],
}
