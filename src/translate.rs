//! The stage between the two worlds: HTTP request → outbound message, reply → HTTP response, problem → the
//! error body that a legacy client knows. Rendering happens here; sending does not.

pub mod answer;
pub mod case;
pub mod compile;
pub mod outbound;
pub mod problem;
pub mod promise;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap};
use http::{HeaderValue, Response, StatusCode};

use crate::authenticate::Caller;
use crate::body::Body;
use crate::expression::{EvalError, Parameter, Place, ProblemInfo, Reason, ReplyInfo, RequestInfo, Scope};
use crate::head::Head;
use crate::media_type::is_form;
use crate::problem::{Code, Problem, Violation};
use crate::template::subject::SubjectTemplate;
use crate::validate::Payload;

/// An answer to the client.
pub type HttpResponse = Response<Body>;

/// Whether the values of `Connection` name a header: it is for that connection alone (RFC 9110, 7.6.1).
fn named_by_connection<'a>(values: impl IntoIterator<Item = &'a str>, name: &str) -> bool {
    let options = values.into_iter().flat_map(|value| value.split(','));
    options.into_iter().any(|option| option.trim().eq_ignore_ascii_case(name))
}

/// What expressions may read of a request: as much of it as is known so far.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The head.
    pub head: &'a Head,
    /// Path parameters; replaced by the payload's, which have their types, once that is there.
    pub path: &'a [Parameter],
    /// Parameters and body; the body is empty as long as it has not been read.
    pub payload: Option<&'a Payload>,
    /// Who sent it; `None`: not asked yet.
    pub caller: Option<&'a Caller>,
}

impl<'a> Seen<'a> {
    /// What expressions read.
    pub fn scope(self, reply: Option<ReplyInfo<'a>>, problem: Option<ProblemInfo<'a>>) -> Scope<'a> {
        let head = self.head;
        let parameters = self.payload.map(|payload| &payload.parameters);
        Scope {
            path: parameters.map_or(self.path, |parameters| &parameters.path),
            query: parameters.map_or(&[], |parameters| &parameters.query),
            cookies: parameters.map_or(&[], |parameters| &parameters.cookies),
            header_parameters: parameters.map_or(&[], |parameters| &parameters.headers),
            headers: head.headers(),
            body: self.payload.and_then(|payload| payload.body.document.as_ref()),
            caller: self.caller.and_then(Caller::info),
            request: RequestInfo {
                id: head.id.as_str(),
                method: head.method().as_str(),
                path: head.path(),
                time: head.time,
                ip: head.ip,
            },
            reply,
            problem,
        }
    }
}

/// The response of a status, whatever body was made for it: some statuses have none, and a body would break the
/// connection.
fn whole(status: StatusCode, mut headers: HeaderMap, mut body: Bytes) -> HttpResponse {
    if matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED) {
        body = Bytes::new();
        headers.remove(CONTENT_TYPE);
    }
    let mut response = Response::new(Body::whole(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// A subject, with what a request puts into it.
///
/// # Errors
/// `invalid_parameter` where that is no legal token.
pub fn subject(template: &SubjectTemplate, seen: Seen<'_>) -> Result<async_nats::Subject, Problem> {
    template.render(&seen.scope(None, None)).map_err(|error| unfit_request(&error, seen.head))
}

/// A text as the value of a header, if it is one line whoever reads it: HTTP itself lets the control characters of
/// Latin-1 pass, one of which is a line's end.
fn header_value(text: &str) -> Option<HeaderValue> {
    let line = !text.contains(|c: char| c.is_control() && c != '\t');
    line.then(|| HeaderValue::from_str(text).ok()).flatten()
}

/// An expression that failed while the outbound message was built: the client's request lacks something.
pub(crate) fn unfit_request(error: &EvalError, head: &Head) -> Problem {
    let mut detail = error.to_string();
    // Mostly JSON of a client that forgot to say so: curl's own word for a body is a form.
    if matches!(error.place, Place::Body { .. }) && error.reason == Reason::Missing && sent_form(head) {
        detail.push_str("; by its Content-Type the body is a form");
    }
    let (code, violation) = match &error.place {
        Place::Parameter { name, .. } => {
            (Code::InvalidParameter, Some(Violation::parameter(name.as_str(), &detail)))
        }
        Place::Body { pointer } => (Code::MalformedBody, Some(Violation::body(pointer.as_str(), &detail))),
        // No other request of this caller would fit better.
        Place::Claims { .. } | Place::Caller => (Code::Forbidden, None),
        Place::Reply { .. } | Place::Expression => (Code::MalformedBody, None),
    };
    let cause = format!("${{{}}}: {detail}", error.expression);
    Problem::new(code, detail).with_errors(violation.into_iter().collect()).because(cause)
}

fn sent_form(head: &Head) -> bool {
    let given = head.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    given.is_some_and(is_form)
}

/// An expression that failed while the reply was mapped: the service's reply lacks something.
fn unfit_reply(error: &EvalError) -> Problem {
    Problem::new(Code::BadReply, "the service's reply does not fit this operation's mapping")
        .because(format!("${{{}}}: {error}", error.expression))
}
