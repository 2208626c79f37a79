//! `/api/problems`: the last problems, the newest first, and how many of each code there have been.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::Uri;
use serde_json::{Map, Value, json};

use super::super::Admin;
use super::{refused, rfc3339};
use crate::gateway::recent::{KEPT, Noted, Recent};
use crate::problem::{Code, Problem};

/// What is asked for. Each part narrows it.
#[derive(Default)]
struct Wanted {
    operation: Option<String>,
    code: Option<String>,
    /// A request's id, or that of its trace.
    id: Option<String>,
    limit: Option<usize>,
}

pub(super) async fn answer(State(admin): State<Admin>, uri: Uri) -> Response {
    match Wanted::parse(uri.query().unwrap_or_default()) {
        Some(wanted) => Json(document(admin.gateway.recent(), &wanted)).into_response(),
        None => {
            let detail = "the query takes operation, code, id and limit (a number)";
            refused(&Problem::new(Code::InvalidParameter, detail))
        }
    }
}

/// The newest, for the document of everything.
pub(super) fn newest(recent: &Recent) -> Value {
    document(recent, &Wanted::default())
}

fn document(recent: &Recent, wanted: &Wanted) -> Value {
    let kept = recent.newest_first();
    let matching = kept.iter().filter(|noted| wanted.takes(noted)).take(wanted.limit.unwrap_or(KEPT));
    let counts = recent.counts().into_iter().map(|count| {
        (count.code.name().to_owned(), json!({ "total": count.total, "not_kept": count.passed_over }))
    });
    json!({
        "problems": matching.map(|noted| problem(noted)).collect::<Vec<_>>(),
        "counts": Value::Object(counts.collect::<Map<_, _>>()),
        "at_most": KEPT,
    })
}

impl Wanted {
    fn parse(query: &str) -> Option<Wanted> {
        let mut wanted = Wanted::default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "operation" => wanted.operation = Some(value.into_owned()),
                "code" => wanted.code = Some(value.into_owned()),
                "id" => wanted.id = Some(value.into_owned()),
                "limit" => wanted.limit = Some(value.parse().ok()?),
                _ => return None,
            }
        }
        Some(wanted)
    }

    fn takes(&self, noted: &Noted) -> bool {
        let is = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| Some(wanted) == found)
        };
        let (request, trace) = (noted.request_id.as_str(), noted.trace_id.as_str());
        is(&self.operation, noted.operation.as_deref())
            && is(&self.code, Some(noted.code.name()))
            && self.id.as_deref().is_none_or(|id| id == request || id == trace)
    }
}

fn problem(noted: &Noted) -> Value {
    json!({
        "time": rfc3339(noted.time),
        "request_id": noted.request_id.as_str(),
        "trace_id": noted.trace_id.as_str(),
        "operation": noted.operation.as_deref(),
        "method": &*noted.method,
        "status": noted.status,
        "code": noted.code.name(),
        "title": noted.code.row().title,
        "outcome": noted.outcome.name(),
        "cause": noted.cause.as_deref(),
        "duration_ms": milliseconds(noted.took),
        "caller": noted.caller.as_deref(),
    })
}

/// With as many digits as a person reads.
fn milliseconds(took: std::time::Duration) -> f64 {
    (took.as_secs_f64() * 1e6).round() / 1e3
}
