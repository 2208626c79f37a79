//! The rate of an operation on the way of a request: before its caller is asked who it is, after that, and in the answer.

use std::sync::Arc;
use std::time::Duration;

use http::header::HeaderMap;

use super::Gateway;
use super::find::Matched;
use super::operation::Operation;
use crate::admit::Standing;
use crate::authenticate::Caller;
use crate::head::Head;
use crate::problem::{Code, Problem};
use crate::translate::Seen;
use crate::validate;

/// How often those who have used nothing for long are forgotten. What they take up is bounded anyway.
const FORGET: Duration = Duration::from_secs(60);

/// Counts a request for its address, where that is what counts.
///
/// # Errors
/// `rate_limited`.
pub(super) fn before(
    operation: &Operation,
    head: &Head,
    standing: &mut Option<Standing>,
) -> Result<(), Problem> {
    operation.rate.as_ref().map_or(Ok(()), |rate| rate.before(head.ip, standing))
}

/// Notes that nobody knows who has sent a request.
pub(super) fn failed(operation: &Operation, head: &Head, problem: &Problem) {
    if let (Some(rate), Code::Unauthenticated) = (&operation.rate, problem.code) {
        rate.failed(head.ip);
    }
}

/// Counts a request for its caller, or for what the operation counts by.
///
/// # Errors
/// `rate_limited`.
pub(super) fn after(
    matched: &Matched<'_>,
    head: &Head,
    caller: &Caller,
    standing: &mut Option<Standing>,
) -> Result<(), Problem> {
    let Some(rate) = &matched.operation.rate else { return Ok(()) };
    // Nothing of the request has been decoded yet: whoever sends what cannot be is counted too.
    let path = if rate.reads("path") { validate::as_text(&matched.path) } else { Vec::new() };
    let seen = Seen { head, path: &path, payload: None, caller: Some(caller) };
    let key = caller.identity().map(|identity| identity.key.as_str());
    rate.after(head.ip, key, &seen.scope(None, None), standing)
}

/// Tells the client what is left of its quota.
pub(super) fn tell(operation: &Operation, standing: Option<Standing>, headers: &mut HeaderMap) {
    if let (Some(rate), Some(standing)) = (&operation.rate, standing) {
        rate.tell(standing, headers);
    }
}

/// Forgets, for ever, those who have used nothing for long.
pub async fn forget(gateway: Arc<Gateway>) {
    loop {
        tokio::time::sleep(FORGET).await;
        for rate in gateway.table().operations.iter().filter_map(|operation| operation.rate.as_ref()) {
            rate.limiter().forget();
            tokio::task::yield_now().await;
        }
    }
}
