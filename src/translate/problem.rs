//! Problem → HTTP response: RFC 9457, or the error body that a legacy client parses. The headers keep the truth.

use http::HeaderValue;
use http::header::CONTENT_TYPE;

use super::case::Case;
use super::{HttpResponse, Seen, whole};
use crate::body::Body;
use crate::expression::{EvalError, ProblemInfo, Scope};
use crate::problem::{MEDIA_TYPE, Problem};

/// A compiled `problem` case.
#[derive(Debug)]
pub struct ProblemCase {
    /// When it applies, and what it makes.
    pub case: Case,
    /// The media type of its body.
    pub content_type: Option<HeaderValue>,
}

/// Answers with the first case that holds, else with the problem itself. A case that cannot be evaluated is
/// skipped and logged: it must not hide the problem.
pub fn response(cases: &[ProblemCase], seen: Seen<'_>, problem: &Problem) -> HttpResponse {
    let id = seen.head.id.as_str();
    if cases.is_empty() {
        return problem.response(id).map(Body::from);
    }
    let row = problem.code.row();
    let info = ProblemInfo {
        code: row.name,
        status: problem.status().as_u16(),
        title: row.title,
        detail: &problem.detail,
        outcome: problem.outcome().name(),
        retryable: problem.retryable(),
        request_id: id,
    };
    let scope = seen.scope(None, Some(info));
    for case in cases {
        match render(case, &scope, problem, id) {
            Ok(Some(response)) => return response,
            Ok(None) => {}
            Err(error) => tracing::warn!(
                request_id = id,
                trace_id = seen.head.trace.id().as_str(),
                expression = %error.expression,
                error = %error,
                "a problem case cannot be evaluated and is skipped"
            ),
        }
    }
    problem.response(id).map(Body::from)
}

fn render(
    case: &ProblemCase,
    scope: &Scope<'_>,
    problem: &Problem,
    id: &str,
) -> Result<Option<HttpResponse>, EvalError> {
    if !case.case.holds(scope)? {
        return Ok(None);
    }
    let status = case.case.status.unwrap_or_else(|| problem.status());
    let mut headers = problem.headers();
    headers.insert(CONTENT_TYPE, MEDIA_TYPE);
    let body = case.case.body(scope)?.unwrap_or_else(|| problem.body(id));
    case.case.set_headers(scope, &mut headers)?;
    if let Some(content_type) = &case.content_type {
        headers.insert(CONTENT_TYPE, content_type.clone());
    }
    Ok(Some(whole(status, headers, body)))
}
