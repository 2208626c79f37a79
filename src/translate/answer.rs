//! Reply → HTTP response. The order in which a status and a content type are chosen is the product's promise.

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, HeaderMap};
use http::{HeaderName, HeaderValue, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::IgnoredAny;

use super::case::{Case, JSON};
use super::promise::Promises;
use super::{HttpResponse, Seen, header_value, named_by_connection, unfit_reply, whole};
use crate::exchange::{self, Reply, Stored};
use crate::expression::{AckInfo, ReplyInfo, Scope};
use crate::json::Document;
use crate::nats::{self, ServiceError};
use crate::problem::{Code, Problem, schema_of};

const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
const IDEMPOTENCY: HeaderName = HeaderName::from_static("natsgate-idempotency");
const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");
/// Longest text of a service's own error that is shown, in characters.
const LONGEST_ERROR: usize = 500;

/// How replies become responses.
#[derive(Debug)]
pub struct Answering {
    /// Tried in order; the first that holds wins.
    pub cases: Vec<Case>,
    /// A case reads `reply`, so the reply is parsed.
    pub reads_reply: bool,
    /// Reply headers that reach the client, lower case.
    pub reply_headers: Vec<HeaderName>,
    /// The contract's only 2xx, else 200 for a request and 202 for a publish.
    pub status: StatusCode,
    /// The contract's only media type for that status.
    pub media_type: Option<HeaderValue>,
    /// What the contract promises, where somebody looks.
    pub promises: Option<Promises>,
}

/// A reply before a case has looked at it, and after.
struct Plain {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answering {
    /// Makes the response.
    ///
    /// # Errors
    /// `service_error`, `bad_reply`.
    pub fn response(&self, seen: Seen<'_>, reply: Reply) -> Result<HttpResponse, Problem> {
        let Plain { status, headers, body } = match reply {
            Reply::Service(reply) => self.service(seen, &reply),
            Reply::Stored(stored) => self.stored(seen, &stored),
        }?;
        if let Some(promises) = &self.promises {
            promises.check(seen.head, status, headers.get(CONTENT_TYPE), &body)?;
        }
        Ok(whole(status, headers, body))
    }

    fn service(&self, seen: Seen<'_>, reply: &nats::Reply) -> Result<Plain, Problem> {
        let error = reply.service_error();
        let status = match &error {
            Some(error) => error_status(error),
            None => asked_status(reply)?.unwrap_or(self.status),
        };
        let document = if self.reads_reply { Document::parse(reply.payload.clone()).ok() } else { None };
        let info = ReplyInfo {
            document: document.as_ref(),
            status: status.as_u16(),
            ack: None,
            headers: Some(&reply.headers),
        };
        let scope = seen.scope(Some(info), None);
        let case = self.case(&scope, error.is_some())?;
        if case.is_none()
            && reply.payload.is_empty()
            && let Some(error) = error
        {
            return Err(service_error(&error, status));
        }
        let headers = self.headers(reply, status)?;
        render(case, &scope, Plain { status, headers, body: reply.payload.clone() })
    }

    /// The first case that holds. A service that reported an error is never turned into a success by a case that
    /// did not look at the error: then only cases that read `status` or `reply_header` count.
    fn case(&self, scope: &Scope<'_>, failed: bool) -> Result<Option<&Case>, Problem> {
        for case in &self.cases {
            let looks =
                case.when.as_ref().is_some_and(|when| when.reads("status") || when.reads("reply_header"));
            if failed && !looks {
                continue;
            }
            if case.holds(scope).map_err(|error| unfit_reply(&error))? {
                return Ok(Some(case));
            }
        }
        Ok(None)
    }

    /// The reply's headers that may reach the client, and its content type.
    fn headers(&self, reply: &nats::Reply, status: StatusCode) -> Result<HeaderMap, Problem> {
        let mut headers = HeaderMap::with_capacity(8);
        for (name, values) in reply.headers.iter() {
            let text: &str = name.as_ref();
            let Some(name) =
                self.reply_headers.iter().find(|allowed| text.eq_ignore_ascii_case(allowed.as_str()))
            else {
                continue;
            };
            // A service may pass on what it got over HTTP, with what was for that connection alone.
            if name == CONTENT_TYPE || named_by_connection(reply.header(CONNECTION.as_str()), text) {
                continue;
            }
            for value in values {
                headers.append(name, legal(text, value.as_str())?);
            }
        }
        if !reply.payload.is_empty() {
            headers.insert(CONTENT_TYPE, self.content_type(reply, status)?);
        }
        Ok(headers)
    }

    /// The one type of the body. The reply says it even where its header may not reach the client as it came.
    fn content_type(&self, reply: &nats::Reply, status: StatusCode) -> Result<HeaderValue, Problem> {
        if let Some(own) = reply.header(CONTENT_TYPE.as_str()) {
            return legal(CONTENT_TYPE.as_str(), own);
        }
        let contract = self.media_type.clone().filter(|_| status == self.status);
        Ok(contract.unwrap_or_else(|| match serde_json::from_slice::<IgnoredAny>(&reply.payload) {
            Ok(_) => JSON,
            Err(_) => OCTETS,
        }))
    }

    fn stored(&self, seen: Seen<'_>, stored: &Stored) -> Result<Plain, Problem> {
        let ack = AckInfo { stream: &stored.stream, sequence: stored.sequence, duplicate: stored.duplicate };
        let info = ReplyInfo { document: None, status: self.status.as_u16(), ack: Some(ack), headers: None };
        let scope = seen.scope(Some(info), None);
        let case = self.case(&scope, false)?;
        let mut headers = HeaderMap::with_capacity(8);
        headers.insert(CONTENT_TYPE, JSON);
        if stored.unverified {
            headers.insert(IDEMPOTENCY, HeaderValue::from_static("unverified"));
        }
        if stored.duplicate {
            headers.insert(REPLAYED, HeaderValue::from_static("true"));
        }
        render(case, &scope, Plain { status: self.status, headers, body: receipt(stored) })
    }
}

fn render(case: Option<&Case>, scope: &Scope<'_>, plain: Plain) -> Result<Plain, Problem> {
    let Plain { mut status, mut headers, mut body } = plain;
    if let Some(case) = case {
        status = case.status.unwrap_or(status);
        if let Some(made) = case.body(scope).map_err(|error| unfit_reply(&error))? {
            body = made;
        }
        case.set_headers(scope, &mut headers).map_err(|error| unfit_reply(&error))?;
    }
    Ok(Plain { status, headers, body })
}

/// A message that a stream has stored.
#[derive(Serialize, JsonSchema)]
struct Receipt<'a> {
    /// The message's id, by which the stream knows it again.
    id: &'a str,
    /// The stream that stored it.
    stream: &'a str,
    /// Its number in the stream; of a repetition, that of the original.
    #[schemars(range(min = 1))]
    sequence: u64,
    /// Whether an earlier request had stored it.
    duplicate: bool,
}

/// The answer to a publish that no case rewrites, as a JSON Schema.
pub fn receipt_schema() -> serde_json::Value {
    schema_of::<Receipt<'_>>()
}

fn receipt(stored: &Stored) -> Bytes {
    let Stored { id, stream, sequence, duplicate, .. } = stored;
    let receipt = Receipt { id, stream, sequence: *sequence, duplicate: *duplicate };
    serde_json::to_vec(&receipt).unwrap_or_default().into()
}

fn error_status(error: &ServiceError) -> StatusCode {
    error
        .code
        .filter(|code| (400..=599).contains(code))
        .and_then(|code| StatusCode::from_u16(code).ok())
        .unwrap_or(StatusCode::BAD_GATEWAY)
}

fn asked_status(reply: &nats::Reply) -> Result<Option<StatusCode>, Problem> {
    let Some(text) = reply.header(exchange::STATUS) else { return Ok(None) };
    let status = nats::headers::number(text).filter(|status| (200..=599).contains(status));
    match status.and_then(|status| StatusCode::from_u16(status).ok()) {
        Some(status) => Ok(Some(status)),
        None => Err(bad_reply("its status is not 200 to 599", exchange::STATUS)),
    }
}

fn service_error(error: &ServiceError, status: StatusCode) -> Problem {
    let text: String = error.description.chars().filter(|c| !c.is_control()).take(LONGEST_ERROR).collect();
    let detail = if text.is_empty() { "the service reported an error".to_owned() } else { text };
    let mut problem = Problem::new(Code::ServiceError, detail);
    problem.status = Some(status);
    problem
}

fn legal(name: &str, value: &str) -> Result<HeaderValue, Problem> {
    header_value(value).ok_or_else(|| bad_reply("a header is not legal", name))
}

fn bad_reply(what: &str, header: &str) -> Problem {
    Problem::new(Code::BadReply, "the service's reply is malformed").because(format!("{what}: {header}"))
}
