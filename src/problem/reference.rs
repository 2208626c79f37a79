//! The table as a page for people: `docs/problems.md`.

use std::fmt::Write as _;

use super::{Outcome, TABLE};

const HEAD: &str =
    "<!-- Generated from src/problem/table.rs; a test keeps it current (UPDATE_GOLDEN=1 rewrites it). -->

# Problems

Every answer of the gateway's own that is not a success is an RFC 9457 document
(`application/problem+json`) with `type` (`urn:natsgate:problem:<code>`), `title`, `status`, `detail`,
`instance`, `code`, `outcome`, `retryable`, `request_id`, and, where several things are wrong, `errors`.

The headers `Natsgate-Code` and `Natsgate-Outcome`, and `Retry-After` where the table has one, are always
sent, also when a `problem` case of the operation replaces the body by one that a legacy client knows.

`outcome` is what a caller must know before it retries:

- `not_executed`: provably nothing reached a backend or a stream.
- `executed`: a backend answered.
- `unknown`: neither can be proven.

A problem is `retryable` if repeating the identical request cannot execute it twice and may succeed: where
the table has a `Retry-After`, and, on a publish with an `Idempotency-Key` or a `message_id`, also where the
outcome is unknown, since the stream removes the duplicate.

A later failure never hides an earlier uncertainty: a publish whose first try may have been stored answers
`unknown` even if the last try provably reached nobody.

| code | status | outcome | Retry-After | when |
| --- | --- | --- | --- | --- |
";

/// The page.
pub fn reference() -> String {
    let mut page = HEAD.to_owned();
    for row in TABLE {
        let retry = row.retry_after.map(|seconds| format!("{seconds} s")).unwrap_or_default();
        let status = if row.outcome == Outcome::Executed && row.name == "service_error" {
            "its code".to_owned()
        } else {
            row.status().as_u16().to_string()
        };
        let _ =
            writeln!(page, "| `{}` | {status} | {} | {retry} | {} |", row.name, row.outcome.name(), row.when);
    }
    page
}
