//! Summaries added up, and what is old left out.

use std::collections::BTreeMap;

use super::super::status::Example;
use super::{Answers, Found, KINDS, ROWS, SLOTS, Slot, Summary, WRITERS, Window, room};

/// Slots that are kept at most: where the length of slots has changed, there may be some more than a window has.
const MOST: usize = SLOTS as usize + 8;

/// The longest text that is stored, in bytes: well below what a server takes by default.
const LONGEST: usize = 512 << 10;

impl Summary {
    /// As it is stored. Where it would be too long, without examples; and if that is not enough, without rows.
    pub fn to_json(&self) -> Vec<u8> {
        let text = |summary: &Summary| serde_json::to_vec(summary).unwrap_or_default();
        let whole = text(self);
        if whole.len() <= LONGEST {
            return whole;
        }
        let mut shorter = self.clone();
        shorter.rows.iter_mut().for_each(|row| row.example = Example::default());
        let shortened = text(&shorter);
        if shortened.len() <= LONGEST {
            return shortened;
        }
        for row in std::mem::take(&mut shorter.rows) {
            for (at, count) in row.counts {
                shorter.slots.entry(at).or_default().without_row += count;
            }
        }
        text(&shorter)
    }

    /// Adds what another one has.
    pub fn merge(&mut self, other: &Summary) {
        self.began = match (self.began, other.began) {
            (0, began) | (began, 0) => began,
            (one, other) => one.min(other),
        };
        for (at, slot) in &other.slots {
            self.slots.entry(*at).or_default().merge(slot);
        }
        for row in &other.rows {
            self.merge_row(row);
        }
        for (pointer, counts) in &other.noise {
            if let Some(own) = room(&mut self.noise, pointer, ROWS) {
                counts.iter().for_each(|(at, count)| *own.entry(*at).or_default() += count);
            }
        }
        for (instance, writer) in &other.writers {
            let own = self.writers.entry(instance.clone()).or_default();
            if writer.number > own.number {
                *own = *writer;
            }
        }
    }

    fn merge_row(&mut self, row: &Found) {
        let has_room = self.rows.len() < ROWS;
        let known = self.rows.iter_mut().find(|own| own.pointers == row.pointers);
        match known {
            Some(own) => {
                own.first = own.first.min(row.first);
                own.last = own.last.max(row.last);
                row.counts.iter().for_each(|(at, count)| *own.counts.entry(*at).or_default() += count);
            }
            None if has_room => self.rows.push(row.clone()),
            None => {
                for (at, count) in &row.counts {
                    self.slots.entry(*at).or_default().without_row += count;
                }
            }
        }
    }

    /// Leaves out what does not count any more, and what is too much.
    pub fn prune(&mut self, window: Window, now: u64) {
        self.slots.retain(|at, _| !window.is_over(*at, now));
        while self.slots.len() > MOST {
            let Some((_, oldest)) = self.slots.pop_first() else { break };
            if let Some(mut next) = self.slots.first_entry() {
                next.get_mut().merge(&oldest);
            }
        }
        for row in &mut self.rows {
            shrink(&mut row.counts, window, now);
        }
        self.rows.retain(|row| !row.counts.is_empty());
        for counts in self.noise.values_mut() {
            shrink(counts, window, now);
        }
        self.noise.retain(|_, counts| !counts.is_empty());
        if self.slots.values().all(|slot| slot.compared() == 0) && self.began != 0 {
            // After so long without any, it begins anew.
            let is_over = window.is_over(self.began, now);
            self.began = if is_over { 0 } else { self.began };
        }
        while self.writers.len() > WRITERS {
            let oldest = self.writers.iter().min_by_key(|(_, writer)| writer.at);
            let Some(oldest) = oldest.map(|(instance, _)| instance.clone()) else { break };
            self.writers.remove(&oldest);
        }
    }
}

fn shrink(counts: &mut BTreeMap<u64, u64>, window: Window, now: u64) {
    counts.retain(|at, _| !window.is_over(*at, now));
    while counts.len() > MOST {
        let Some((_, oldest)) = counts.pop_first() else { break };
        if let Some(mut next) = counts.first_entry() {
            *next.get_mut() += oldest;
        }
    }
}

impl Slot {
    pub(in super::super) fn merge(&mut self, other: &Slot) {
        self.matched += other.matched;
        self.mismatched += other.mismatched;
        self.without_row += other.without_row;
        self.candidate_errors += other.candidate_errors;
        self.candidate_timeouts += other.candidate_timeouts;
        self.noise_pairs += other.noise_pairs;
        self.dropped += other.dropped;
        add(&mut self.skipped, &other.skipped);
        add(&mut self.fallbacks, &other.fallbacks);
        self.legacy.merge(&other.legacy);
        self.nats.merge(&other.nats);
        for media_type in &other.media_types {
            if self.media_types.len() < KINDS {
                self.media_types.insert(media_type.clone());
            }
        }
    }
}

impl Answers {
    pub(in super::super) fn merge(&mut self, other: &Answers) {
        self.latency.merge(&other.latency);
        add(&mut self.statuses, &other.statuses);
    }
}

fn add<K: Ord + Clone>(own: &mut BTreeMap<K, u64>, other: &BTreeMap<K, u64>) {
    for (key, count) in other {
        if let Some(own) = room(own, key, KINDS) {
            *own += count;
        }
    }
}
