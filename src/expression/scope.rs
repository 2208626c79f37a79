//! What an expression can read about one request: references only, so that building a scope costs nothing.

use super::path::{Key, Path, Root, Step};
use crate::json::{Document, Json};
use http::HeaderMap;
use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

/// One parameter of a request, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// As the contract or the route has it; headers in lower case.
    pub name: Arc<str>,
    /// Typed by the contract, or text where there is none.
    pub value: ParameterValue,
}

/// The value of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParameterValue {
    /// Percent-decoded; read as a string.
    Text(String),
    /// The valid JSON text of anything that is not a string, for parameters that a contract gives such a type.
    Json(String),
}

/// Everything that is in scope. `reply` and `problem` are there in the positions that have them.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// Parameters of the route's template. Every one has a value, since the route would not match otherwise.
    pub path: &'a [Parameter],
    /// Parameters of the query string. One that the request lacks is not in the list.
    pub query: &'a [Parameter],
    /// Parameters of the `Cookie` header. One that the request lacks is not in the list.
    pub cookies: &'a [Parameter],
    /// Headers that a contract types, under lower-case names; looked at before `headers`.
    pub header_parameters: &'a [Parameter],
    /// The request's head as it came.
    pub headers: &'a HeaderMap,
    /// `None`: the request has no body, or one that is not JSON.
    pub body: Option<&'a Document>,
    /// `None`: nobody is known to call.
    pub caller: Option<CallerInfo<'a>>,
    /// What is known of every request, so never absent.
    pub request: RequestInfo<'a>,
    /// `None` until an answer has come back, and in expressions that build the message.
    pub reply: Option<ReplyInfo<'a>>,
    /// `None` except in `problem` cases.
    pub problem: Option<ProblemInfo<'a>>,
}

/// Who calls, once that has been verified.
#[derive(Clone, Copy)]
pub struct CallerInfo<'a> {
    /// The token's subject, the name of an API key, or of a user.
    pub name: &'a str,
    /// Who vouches for it: a name under `security`.
    pub verifier: &'a str,
    /// What was granted, as a JSON list of texts.
    pub scopes: &'a str,
    /// `None`: it came without a token.
    pub claims: Option<&'a Document>,
}

/// The request beside its parameters and body.
#[derive(Clone, Copy)]
pub struct RequestInfo<'a> {
    /// Of this request, on the answer and every log line too: fresh, or what a trusted proxy has called it. Never the
    /// choice of a caller who comes without such a proxy.
    pub id: &'a str,
    /// As it came, such as `POST`.
    pub method: &'a str,
    /// As it came: still percent-encoded, without the query string.
    pub path: &'a str,
    /// When the head was complete; read as RFC 3339 in UTC with milliseconds.
    pub time: SystemTime,
    /// The client, which behind a trusted proxy is who that names.
    pub ip: IpAddr,
}

/// What came back.
#[derive(Clone, Copy)]
pub struct ReplyInfo<'a> {
    /// `None`: not JSON. An expression that reads `reply` then fails, with or without `.?`.
    pub document: Option<&'a Document>,
    /// HTTP status that the client gets unless a case says otherwise.
    pub status: u16,
    /// There after a publish to a stream; `None` in the answer to a request.
    pub ack: Option<AckInfo<'a>>,
    /// Of the reply message. `None` after a publish, where an acknowledgement has none to show.
    pub headers: Option<&'a async_nats::HeaderMap>,
}

/// A stream's acknowledgement.
#[derive(Clone, Copy)]
pub struct AckInfo<'a> {
    /// The stream that stored the message.
    pub stream: &'a str,
    /// Its number in the stream, from 1; of the original where `duplicate` holds.
    pub sequence: u64,
    /// The stream had stored a message of this id before, and stored nothing now.
    pub duplicate: bool,
}

/// The problem that is about to be answered.
#[derive(Clone, Copy)]
pub struct ProblemInfo<'a> {
    /// The stable name of the problem, by which clients tell problems apart.
    pub code: &'a str,
    /// HTTP status.
    pub status: u16,
    /// The same for every problem of this code.
    pub title: &'a str,
    /// What happened this time; holds no secret and no value of a reply.
    pub detail: &'a str,
    /// Whether the operation took effect: `not_executed`, `executed` or `unknown`.
    pub outcome: &'a str,
    /// Whether the same request may succeed later and does no harm when sent again.
    pub retryable: bool,
    /// By which the log line of this request is found.
    pub request_id: &'a str,
}

/// A value in a scope, still where it lies.
#[derive(Clone, Debug)]
pub(super) enum Found<'a> {
    Text(Cow<'a, str>),
    Json(Json<'a>),
    Bool(bool),
    Number(u64),
}

impl<'a> From<&'a ParameterValue> for Found<'a> {
    fn from(value: &'a ParameterValue) -> Self {
        match value {
            ParameterValue::Text(text) => Self::Text(Cow::Borrowed(text)),
            ParameterValue::Json(text) => Self::Json(Json::new(text)),
        }
    }
}

impl<'a> Scope<'a> {
    /// Follows a path. An error counts the steps that lead to what is missing.
    pub(super) fn find(&self, path: &Path) -> Result<Option<Found<'a>>, usize> {
        let (start, steps) = match path.root {
            Root::Body => (self.body.map(|body| Found::Json(body.root())), 0),
            Root::Claims => (self.claims().map(|claims| Found::Json(claims.root())), 0),
            // A reply that is not JSON has no members of which one could be optional.
            Root::Reply => {
                let document = self.reply.and_then(|reply| reply.document).ok_or(0_usize)?;
                (Some(Found::Json(document.root())), 0)
            }
            Root::Status => (self.reply.map(|reply| Found::Number(u64::from(reply.status))), 0),
            root => match path.steps.first() {
                Some(Step { key: Key::Name(name), .. }) => (self.member(root, name), 1),
                _ => return Err(0),
            },
        };
        let Some(mut value) = start else { return lacking(path, steps) };
        for (step, index) in path.steps.iter().zip(0..).skip(steps) {
            let Some(part) = part(&value, &step.key) else { return lacking(path, index + 1) };
            value = Found::Json(part);
        }
        Ok(Some(value))
    }

    /// The member of a variable that only holds members.
    pub(super) fn member(&self, root: Root, name: &str) -> Option<Found<'a>> {
        match root {
            Root::Path => parameter(self.path, name),
            Root::Query => parameter(self.query, name),
            Root::Cookie => parameter(self.cookies, name),
            Root::Header => parameter(self.header_parameters, name).or_else(|| header(self.headers, name)),
            Root::ReplyHeader => reply_header(self.reply?.headers?, name),
            Root::Caller => self.caller?.member(name),
            Root::Request => self.request.member(name),
            Root::Ack => self.reply?.ack?.member(name),
            Root::Problem => self.problem?.member(name),
            Root::Body | Root::Claims | Root::Reply | Root::Status => None,
        }
    }

    /// Of the caller's token.
    pub(super) fn claims(&self) -> Option<&'a Document> {
        self.caller?.claims
    }
}

impl<'a> CallerInfo<'a> {
    fn member(self, name: &str) -> Option<Found<'a>> {
        Some(match name {
            "name" => Found::Text(Cow::Borrowed(self.name)),
            "verifier" => Found::Text(Cow::Borrowed(self.verifier)),
            "scopes" => Found::Json(Json::new(self.scopes)),
            _ => return None,
        })
    }
}

impl<'a> RequestInfo<'a> {
    fn member(self, name: &str) -> Option<Found<'a>> {
        Some(Found::Text(match name {
            "id" => Cow::Borrowed(self.id),
            "method" => Cow::Borrowed(self.method),
            "path" => Cow::Borrowed(self.path),
            "time" => Cow::Owned(humantime::format_rfc3339_millis(self.time).to_string()),
            "ip" => Cow::Owned(self.ip.to_string()),
            _ => return None,
        }))
    }
}

impl<'a> AckInfo<'a> {
    fn member(self, name: &str) -> Option<Found<'a>> {
        Some(match name {
            "stream" => Found::Text(Cow::Borrowed(self.stream)),
            "sequence" => Found::Number(self.sequence),
            "duplicate" => Found::Bool(self.duplicate),
            _ => return None,
        })
    }
}

impl<'a> ProblemInfo<'a> {
    fn member(self, name: &str) -> Option<Found<'a>> {
        let text = |text| Found::Text(Cow::Borrowed(text));
        Some(match name {
            "code" => text(self.code),
            "status" => Found::Number(u64::from(self.status)),
            "title" => text(self.title),
            "detail" => text(self.detail),
            "outcome" => text(self.outcome),
            "retryable" => Found::Bool(self.retryable),
            "request_id" => text(self.request_id),
            _ => return None,
        })
    }
}

fn lacking<'a>(path: &Path, count: usize) -> Result<Option<Found<'a>>, usize> {
    // Without a body, the first step into it already finds nothing.
    if path.may_lack(count.max(1) - 1) { Ok(None) } else { Err(count) }
}

fn part<'a>(value: &Found<'a>, key: &Key) -> Option<Json<'a>> {
    let Found::Json(json) = value else { return None };
    match key {
        Key::Name(name) => json.member(name),
        Key::Index(index) => json.item(*index),
    }
}

fn parameter<'a>(parameters: &'a [Parameter], name: &str) -> Option<Found<'a>> {
    parameters.iter().find(|parameter| *parameter.name == *name).map(|parameter| (&parameter.value).into())
}

/// Several lines of one header are one list (RFC 9110, 5.3). A value that is not UTF-8 cannot be text and counts as
/// absent.
fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<Found<'a>> {
    let mut lines = headers.get_all(name).iter().map(|value| std::str::from_utf8(value.as_bytes()).ok());
    let first = lines.next()??;
    let mut joined = Cow::Borrowed(first);
    for line in lines {
        let text = joined.to_mut();
        text.push_str(", ");
        text.push_str(line?);
    }
    Some(Found::Text(joined))
}

/// NATS header names keep their case; expressions write them in lower case.
fn reply_header<'a>(headers: &'a async_nats::HeaderMap, name: &str) -> Option<Found<'a>> {
    let (_, values) =
        headers.iter().find(|(key, _)| AsRef::<str>::as_ref(*key).eq_ignore_ascii_case(name))?;
    values.first().map(|value| Found::Text(Cow::Borrowed(value.as_str())))
}
