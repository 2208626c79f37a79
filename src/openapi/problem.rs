//! What becomes of a problem of an operation: which of its `problem` cases rewrite it, as far as that is known before
//! there is a request.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;
use std::time::SystemTime;

use http::{HeaderMap, StatusCode};

use crate::expression::{ProblemInfo, RequestInfo, Scope};
use crate::problem::{Code, Outcome};
use crate::translate::problem::ProblemCase;

/// What only a request tells.
const OF_REQUESTS: [&str; 8] = ["path", "query", "header", "cookie", "body", "claims", "caller", "request"];
/// What of a problem differs from one to the next.
const OF_ONE: [&str; 2] = ["detail", "request_id"];

static NO_HEADERS: LazyLock<HeaderMap> = LazyLock::new(HeaderMap::new);

/// What a problem of a code can become.
pub(super) struct Fate<'c> {
    /// The cases that may rewrite it, in their order.
    pub(super) cases: Vec<&'c ProblemCase>,
    /// It may be answered as it is.
    pub(super) plain: bool,
}

/// Whether a case holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    Always,
    Never,
    Sometimes,
}

pub(super) fn fate(cases: &[ProblemCase], code: Code) -> Fate<'_> {
    let mut fate = Fate { cases: Vec::new(), plain: true };
    for case in cases {
        let holds = holds(case, code);
        if holds != Holds::Never {
            fate.cases.push(case);
        }
        if holds == Holds::Always {
            // It is skipped where its body cannot be made of the request.
            fate.plain = OF_REQUESTS.iter().any(|name| case.case.reads(name));
            break;
        }
    }
    fate
}

fn holds(case: &ProblemCase, code: Code) -> Holds {
    let Some(when) = &case.case.when else { return Holds::Always };
    let source = when.source();
    if OF_REQUESTS.iter().any(|name| when.reads(name)) || OF_ONE.iter().any(|name| source.contains(name)) {
        return Holds::Sometimes;
    }
    let mut seen = (false, false);
    for info in variants(code) {
        match when.bool(&scope(info)) {
            Ok(true) => seen.0 = true,
            Ok(false) | Err(_) => seen.1 = true,
        }
    }
    match seen {
        (true, false) => Holds::Always,
        (false, _) => Holds::Never,
        (true, true) => Holds::Sometimes,
    }
}

/// Every way in which problems of a code differ, as far as cases can tell.
fn variants(code: Code) -> Vec<ProblemInfo<'static>> {
    let row = code.row();
    let statuses: Vec<u16> = match code {
        Code::ServiceError => (400..=599).collect(),
        _ => vec![row.status().as_u16()],
    };
    let mut variants = Vec::new();
    for outcome in
        Outcome::ALL.into_iter().filter(|outcome| *outcome == row.outcome || *outcome == Outcome::Unknown)
    {
        for retryable in [true, false] {
            variants.extend(statuses.iter().map(|status| ProblemInfo {
                code: row.name,
                status: *status,
                title: row.title,
                detail: "",
                outcome: outcome.name(),
                retryable,
                request_id: "",
            }));
        }
    }
    variants
}

fn scope(problem: ProblemInfo<'static>) -> Scope<'static> {
    Scope {
        path: &[],
        query: &[],
        cookies: &[],
        header_parameters: &[],
        headers: &NO_HEADERS,
        body: None,
        caller: None,
        request: RequestInfo {
            id: "",
            method: "",
            path: "",
            time: SystemTime::UNIX_EPOCH,
            ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
        },
        reply: None,
        problem: Some(problem),
    }
}

/// The statuses of a code's problems; `None`: any from 400 on.
pub(super) fn status(code: Code) -> Option<StatusCode> {
    (code != Code::ServiceError).then(|| code.row().status())
}
