//! What has been seen, in a form that adds up: over pairs, over instances, and over restarts. Cut into slots of time, so
//! that what is old can be left out, and bounded in every direction.

mod merge;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::compare::{Difference, Verdict, media_type};
use super::status::Example;
use super::{Answer, Pair, Side};
use crate::telemetry::Latency;

/// Slots of a window.
const SLOTS: u64 = 48;
/// Sets of places that have a row of their own, and single places that differ by themselves.
const ROWS: usize = 64;
/// Different statuses, media types and codes that are told apart in one slot.
const KINDS: usize = 24;
/// Instances that are remembered.
const WRITERS: usize = 64;

/// How much of the past counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// In seconds.
    span: u64,
}

impl Window {
    /// The last so much time.
    pub fn new(span: Duration) -> Window {
        Window { span: span.as_secs().max(1) }
    }

    /// Seconds that are counted together.
    pub(super) fn slot(self) -> u64 {
        (self.span / SLOTS).max(1)
    }

    /// The slot of a moment.
    fn of(self, now: u64) -> u64 {
        now - now % self.slot()
    }

    /// Whether a slot is over.
    fn is_over(self, slot: u64, now: u64) -> bool {
        slot.saturating_add(self.slot()).saturating_add(self.span) <= now
    }
}

/// What has been seen of an operation. Times are seconds since 1970.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Summary {
    /// When the first pair came; 0: none has come.
    pub began: u64,
    /// By their first second.
    pub slots: BTreeMap<u64, Slot>,
    /// What differs.
    pub rows: Vec<Found>,
    /// What differs between two answers of the legacy service: by place, the slots and counts.
    pub noise: BTreeMap<String, BTreeMap<u64, u64>>,
    /// Who has added to it.
    pub writers: BTreeMap<String, Writer>,
}

/// The last time that an instance added to a summary.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Writer {
    /// The number of what it added: the same is not added twice.
    pub number: u64,
    /// When.
    pub at: u64,
}

/// What was seen in one slot of time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Slot {
    /// Pairs that are the same.
    pub matched: u64,
    /// Pairs that differ.
    pub mismatched: u64,
    /// Those for whose places there was no row.
    pub without_row: u64,
    /// Copies that failed.
    pub candidate_errors: u64,
    /// Copies without an answer in time.
    pub candidate_timeouts: u64,
    /// What could not be compared, by the reason.
    pub skipped: BTreeMap<String, u64>,
    /// Pairs of two legacy answers that were compared.
    pub noise_pairs: u64,
    /// The legacy side.
    pub legacy: Answers,
    /// The side on NATS.
    pub nats: Answers,
    /// Media types of the legacy side.
    pub media_types: BTreeSet<String>,
    /// Requests that the legacy service took over, by the reason.
    pub fallbacks: BTreeMap<String, u64>,
    /// Copies that were not made.
    pub dropped: u64,
}

/// The answers of one side.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Answers {
    /// How long they took.
    pub latency: Latency,
    /// How many had which status.
    pub statuses: BTreeMap<u16, u64>,
}

/// Pairs that differ in the same places.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Found {
    /// The places.
    pub pointers: Vec<String>,
    /// When the first one came.
    pub first: u64,
    /// When the last one came.
    pub last: u64,
    /// One of them.
    pub example: Example,
    /// How many there were in each slot.
    pub counts: BTreeMap<u64, u64>,
}

impl Found {
    /// How many there were.
    pub fn count(&self) -> u64 {
        self.counts.values().fold(0, |sum, count| sum.saturating_add(*count))
    }
}

impl Summary {
    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty() && self.rows.is_empty() && self.noise.is_empty()
    }

    /// The slot of a moment.
    pub(super) fn slot(&mut self, window: Window, now: u64) -> &mut Slot {
        self.slots.entry(window.of(now)).or_default()
    }

    /// Adds a pair.
    pub(super) fn add(&mut self, pair: &Pair, verdict: &Verdict, window: Window, now: u64) {
        if pair.noise {
            return self.add_noise(verdict, window, now);
        }
        if self.began == 0 {
            self.began = now;
        }
        let at = window.of(now);
        let has_row = match verdict {
            Verdict::Mismatch(difference) => self.row(difference, at, now),
            _ => true,
        };
        let slot = self.slots.entry(at).or_default();
        slot.answers(pair, verdict);
        match verdict {
            Verdict::Match => slot.matched += 1,
            Verdict::Mismatch(_) => {
                slot.mismatched += 1;
                slot.without_row += u64::from(!has_row);
            }
            Verdict::CandidateError(_) => slot.candidate_errors += 1,
            Verdict::CandidateTimeout => slot.candidate_timeouts += 1,
            Verdict::Skipped(why) => *slot.skipped.entry(why.name().to_owned()).or_default() += 1,
        }
    }

    fn add_noise(&mut self, verdict: &Verdict, window: Window, now: u64) {
        let at = window.of(now);
        match verdict {
            Verdict::Match => {}
            Verdict::Mismatch(difference) => {
                for pointer in &difference.pointers {
                    if let Some(counts) = room(&mut self.noise, pointer, ROWS) {
                        *counts.entry(at).or_default() += 1;
                    }
                }
            }
            _ => return,
        }
        self.slots.entry(at).or_default().noise_pairs += 1;
    }

    /// Counts a set of places, if there is a row for it.
    fn row(&mut self, difference: &Difference, at: u64, now: u64) -> bool {
        let known = self.rows.iter_mut().find(|row| row.pointers == difference.pointers);
        if let Some(row) = known {
            row.last = row.last.max(now);
            *row.counts.entry(at).or_default() += 1;
            return true;
        }
        let has_room = self.rows.len() < ROWS;
        if has_room {
            self.rows.push(Found {
                pointers: difference.pointers.clone(),
                first: now,
                last: now,
                example: difference.example.clone(),
                counts: BTreeMap::from([(at, 1)]),
            });
        }
        has_room
    }
}

impl Slot {
    /// Pairs that were compared, and copies that failed.
    pub fn compared(&self) -> u64 {
        self.matched + self.mismatched + self.candidate_errors + self.candidate_timeouts
    }

    fn answers(&mut self, pair: &Pair, verdict: &Verdict) {
        let (legacy, nats) = match pair.served {
            Side::Legacy => (&pair.primary, &pair.candidate),
            Side::Nats => (&pair.candidate, &pair.primary),
        };
        let failed = matches!(verdict, Verdict::CandidateError(_) | Verdict::CandidateTimeout);
        if let Some(answer) = legacy {
            self.legacy.add(answer, answer.code.is_none());
            if let Some(media_type) = media_type(answer).filter(|_| self.media_types.len() < KINDS) {
                self.media_types.insert(media_type);
            }
        }
        if let Some(answer) = nats {
            self.nats.add(answer, !failed);
        }
    }
}

impl Answers {
    /// Adds an answer. How long a failure took says nothing of how long answers take.
    fn add(&mut self, answer: &Answer, is_timed: bool) {
        self.count(answer.status.as_u16(), is_timed.then_some(answer.took));
    }

    /// Adds one by its status, and by its time if that counts.
    pub(super) fn count(&mut self, status: u16, took: Option<Duration>) {
        if let Some(count) = room(&mut self.statuses, &status, KINDS) {
            *count += 1;
        }
        if let Some(took) = took {
            self.latency.add(took);
        }
    }
}

/// The value of a key, where the key is there or there is room for another one.
fn room<'m, K: Ord + Clone, V: Default>(
    map: &'m mut BTreeMap<K, V>,
    key: &K,
    most: usize,
) -> Option<&'m mut V> {
    (map.contains_key(key) || map.len() < most).then(|| map.entry(key.clone()).or_default())
}
