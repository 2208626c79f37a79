//! What there is to tell of the migration of an operation: made of the evidence of all instances together.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::gate::Gate;

/// How far an operation has come. Counts are those of the window that the gate looks at (`promote_when.for`), unless
/// something else is said.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Status {
    /// Its name.
    pub operation: String,
    /// Its method.
    pub method: String,
    /// Its path, with parameters.
    pub path: String,
    /// `legacy`, `shadow`, `canary`, `mirror` or `nats`.
    pub stage: String,
    /// In a canary: the share of requests that NATS answers, in percent.
    pub percent: f64,
    /// Since when it is in this stage, RFC 3339; absent while that is not known.
    pub since: Option<String>,
    /// Since when evidence is gathered for what is written now: a changed mapping or comparison starts anew.
    pub epoch_since: Option<String>,
    /// Pairs of answers that were compared: those that match, do not match or are noise, and failures of the copy.
    pub compared: u64,
    /// Pairs that are the same.
    pub matched: u64,
    /// Pairs that differ.
    pub mismatched: u64,
    /// Pairs that differ only where two answers of the legacy service differ too. They count for the gate like those that
    /// differ, until what differs is ignored.
    pub noise: u64,
    /// Copies that NATS refused or could not answer.
    pub candidate_errors: u64,
    /// Copies that were not answered in time.
    pub candidate_timeouts: u64,
    /// Pairs that could not be compared.
    pub skipped: u64,
    /// Those by the reason.
    pub skipped_by: BTreeMap<String, u64>,
    /// Copies that were not made, because there were too many.
    pub dropped: u64,
    /// The share of pairs that count against the move (0 to 1): all that were compared and do not match. Absent without any.
    pub rate: Option<f64>,
    /// Where the true share lies, with 95 % certainty.
    pub interval: Option<[f64; 2]>,
    /// How many more pairs it takes until the gate could hold at this rate; absent if no number would do.
    pub needed: Option<u64>,
    /// What differs, a row for each set of places, the most frequent first.
    pub fields: Vec<Row>,
    /// Pairs that differ in places for which there was no row left.
    pub other_fields: u64,
    /// Places that differ between two answers of the legacy service, and in how many of how many such pairs.
    pub noise_fields: Vec<NoiseField>,
    /// The legacy side.
    pub legacy: SideStatus,
    /// The side on NATS.
    pub nats: SideStatus,
    /// What was seen of what there is.
    pub coverage: Coverage,
    /// Requests that the legacy service answered because NATS did not take them.
    pub fallbacks: Fallbacks,
    /// `open`: NATS is left alone for now, on this instance; `closed`; absent without a breaker.
    pub breaker: Option<String>,
    /// Instances that have written evidence lately.
    pub instances: u64,
    /// Why evidence is not kept beyond this process, if it is not.
    pub not_kept: Option<String>,
    /// Whether the operation may be moved on.
    pub gate: Gate,
}

/// What differs, and how often.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// Where: `status`, `header:etag`, `body`, or JSON Pointers with `*` for items; `…` where there are more.
    pub pointers: Vec<String>,
    /// In how many pairs.
    pub count: u64,
    /// In what part of those that were compared (0 to 1).
    pub share: f64,
    /// RFC 3339.
    pub first_seen: String,
    /// RFC 3339.
    pub last_seen: String,
    /// One pair.
    pub example: Example,
    /// All of the places differ between two answers of the legacy service too: add them to `compare.ignore`.
    pub noise: bool,
}

/// One pair of answers where they differ: of values that are not shown, kind and length.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Example {
    /// By place, what the legacy service said there.
    pub legacy: BTreeMap<String, String>,
    /// By place, what NATS said there.
    pub nats: BTreeMap<String, String>,
}

/// A place that differs by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NoiseField {
    /// The place.
    pub pointer: String,
    /// In how many pairs of two legacy answers.
    pub count: u64,
    /// How many such pairs there were.
    pub of: u64,
}

/// One side of an operation, as it answered: in the pairs where copies are made, else to clients.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SideStatus {
    /// Answers.
    pub answers: u64,
    /// Half of the answers were there within so many milliseconds; absent without answers.
    pub p50_ms: Option<f64>,
    /// 99 of 100.
    pub p99_ms: Option<f64>,
    /// Answers with a status from 400 on, by status.
    pub errors: BTreeMap<String, u64>,
}

/// What was seen of what there is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Coverage {
    /// Classes of the legacy side's statuses: `2xx`.
    pub statuses: Vec<String>,
    /// Media types of the legacy side's answers.
    pub media_types: Vec<String>,
    /// Days (UTC) on which pairs were seen: `2026-11-25`.
    pub days: Vec<String>,
    /// Classes of statuses that the contract declares and no pair had.
    pub missing: Vec<String>,
}

/// Requests that the legacy service answered because NATS did not take them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fallbacks {
    /// All.
    pub total: u64,
    /// By the code of the problem that NATS had.
    pub by_code: BTreeMap<String, u64>,
}
