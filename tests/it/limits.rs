//! Who is counted, how much each may, and what travels beside a request in either direction.

mod address;
mod headers;
mod injection;
mod overload;
mod rate;
mod request_id;

use crate::support::http::Answer;

/// A gateway in front of which this machine is a trusted proxy.
const BEHIND_PROXY: &str = "server: { trusted_proxies: [127.0.0.0/8] }\n";

/// Status and code of an answer.
fn told(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.problem().0)
}
