//! What has been seen, as it is told to people.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::super::compare::MORE;
use super::super::gate::{self, interval};
use super::super::status::{Coverage, Fallbacks, NoiseField, Row, SideStatus, Status};
use super::super::summary::{Answers, Found, Slot, Summary};
use super::{Evidence, seconds};

/// Instances count that have written within so many seconds.
const LATELY: u64 = 120;

impl Evidence {
    /// What has been seen, by the operation's part of a status. Its name, stage and the like are for whoever has them.
    pub fn status(&self, now: SystemTime) -> Status {
        let (now, all) = (seconds(now), self.all(seconds(now)));
        let mut sum = Slot::default();
        all.slots.values().for_each(|slot| sum.merge(slot));
        let noise = noise_fields(&all, sum.noise_pairs);
        let fields = rows(&all, &noise, sum.compared());
        let only_noise: u64 = fields.iter().filter(|row| row.noise).map(|row| row.count).sum();
        let against = sum.mismatched + sum.candidate_errors + sum.candidate_timeouts;
        let p99 = |answers: &Answers| answers.latency.quantile(0.99);
        let seen = gate::Seen {
            compared: sum.compared(),
            against,
            p99: p99(&sum.legacy).zip(p99(&sum.nats)),
            gathered: (all.began > 0).then(|| Duration::from_secs(now.saturating_sub(all.began))),
        };
        Status {
            epoch_since: (all.began > 0).then(|| rfc3339(all.began)),
            compared: seen.compared,
            matched: sum.matched,
            mismatched: sum.mismatched.saturating_sub(only_noise),
            noise: only_noise,
            candidate_errors: sum.candidate_errors,
            candidate_timeouts: sum.candidate_timeouts,
            skipped: sum.skipped.values().sum(),
            dropped: sum.dropped,
            rate: (seen.compared > 0).then(|| against as f64 / seen.compared as f64),
            interval: interval(against, seen.compared),
            needed: self.rules.wanted.needed(&seen),
            fields,
            other_fields: sum.without_row,
            noise_fields: noise,
            legacy: side(&sum.legacy),
            nats: side(&sum.nats),
            coverage: self.coverage(&all, &sum),
            fallbacks: Fallbacks { total: sum.fallbacks.values().sum(), by_code: sum.fallbacks },
            instances: instances(&all, now),
            gate: self.rules.wanted.gate(&seen),
            skipped_by: sum.skipped,
            ..Status::default()
        }
    }

    fn coverage(&self, all: &Summary, sum: &Slot) -> Coverage {
        let classes: BTreeSet<u16> = sum.legacy.statuses.keys().map(|status| status / 100).collect();
        let class = |class: u16| format!("{class}xx");
        let slots = all.slots.iter().filter(|(_, slot)| slot.compared() > 0);
        let days: BTreeSet<String> = slots.map(|(at, _)| rfc3339(*at).chars().take(10).collect()).collect();
        let missing = self.rules.declared.iter().filter(|declared| !classes.contains(declared));
        Coverage {
            missing: missing.map(|declared| class(*declared)).collect(),
            statuses: classes.iter().map(|seen| class(*seen)).collect(),
            media_types: sum.media_types.iter().cloned().collect(),
            days: days.into_iter().collect(),
        }
    }
}

/// Places that differ by themselves, the most frequent first.
fn noise_fields(all: &Summary, of: u64) -> Vec<NoiseField> {
    let field = |(pointer, counts): (&String, &BTreeMap<u64, u64>)| NoiseField {
        pointer: pointer.clone(),
        count: counts.values().sum(),
        of,
    };
    let mut fields: Vec<_> = all.noise.iter().map(field).collect();
    fields.sort_by_key(|field| std::cmp::Reverse(field.count));
    fields
}

fn rows(all: &Summary, noise: &[NoiseField], compared: u64) -> Vec<Row> {
    // Places that are not told may be any.
    let is_noise = |pointer: &String| pointer != MORE && noise.iter().any(|field| field.pointer == *pointer);
    let row = |found: &Found| Row {
        pointers: found.pointers.clone(),
        count: found.count(),
        share: found.count() as f64 / compared.max(1) as f64,
        first_seen: rfc3339(found.first),
        last_seen: rfc3339(found.last),
        example: found.example.clone(),
        noise: found.pointers.iter().all(is_noise),
    };
    let mut rows: Vec<_> = all.rows.iter().map(row).collect();
    rows.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.pointers.cmp(&b.pointers)));
    rows
}

fn side(answers: &Answers) -> SideStatus {
    let millis = |part| answers.latency.quantile(part).map(|took| (took.as_secs_f64() * 1e5).round() / 100.0);
    let errors = answers.statuses.iter().filter(|(status, _)| **status >= 400);
    SideStatus {
        answers: answers.latency.count(),
        p50_ms: millis(0.5),
        p99_ms: millis(0.99),
        errors: errors.map(|(status, count)| (status.to_string(), *count)).collect(),
    }
}

fn instances(all: &Summary, now: u64) -> u64 {
    all.writers.values().filter(|writer| writer.at.saturating_add(LATELY) >= now).count() as u64
}

/// Years beyond what a clock can say are none.
fn rfc3339(seconds: u64) -> String {
    let time = UNIX_EPOCH + Duration::from_secs(seconds.min(253_402_300_799));
    humantime::format_rfc3339_seconds(time).to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};

    use super::super::{Answer, Pair, Rules, Sending};
    use super::*;
    use crate::migrate::compare::Comparison;
    use crate::migrate::gate::Wanted;
    use crate::migrate::{FellBack, Side};
    use crate::problem::Code;

    fn rules() -> Rules {
        let gathered = Duration::from_secs(3600);
        let wanted = Wanted { compared: 10, mismatch: 0.5, p99_delta: None, gathered };
        Rules { comparison: Comparison::default(), wanted, declared: vec![2, 4] }
    }

    fn pair(legacy: &'static str, nats: &'static str) -> Pair {
        let answer = |body: &'static str| Answer {
            status: StatusCode::OK,
            headers: HeaderMap::from_iter([(
                http::header::CONTENT_TYPE,
                "application/json".parse().unwrap(),
            )]),
            body: Some(Bytes::from_static(body.as_bytes())),
            code: None,
            took: Duration::from_millis(3),
        };
        Pair {
            served: Side::Legacy,
            primary: Some(answer(legacy)),
            candidate: Some(answer(nats)),
            noise: false,
        }
    }

    #[test]
    fn a_status_says_what_was_seen() {
        let evidence = Evidence::new("1", rules(), None);
        assert!(!evidence.status(SystemTime::now()).gate.holds);
        (0..9).for_each(|_| evidence.observe(&pair("{}", "{}")));
        evidence.observe(&pair("{}", "{\"a\":1}"));
        evidence.observe(&Pair { primary: None, ..pair("{}", "{}") });
        evidence.fell_back(FellBack::Code(Code::NoResponders));
        evidence.fell_back(FellBack::Breaker);
        evidence.dropped();
        let status = evidence.status(SystemTime::now());
        assert_eq!((status.compared, status.matched, status.mismatched, status.skipped), (10, 9, 1, 1));
        assert_eq!(status.skipped_by, BTreeMap::from([("not_answered".to_owned(), 1)]));
        assert_eq!((status.dropped, status.rate), (1, Some(0.1)));
        assert_eq!(
            (&*status.coverage.statuses, &*status.coverage.missing),
            (&["2xx".to_owned()][..], &["4xx".to_owned()][..])
        );
        assert_eq!(
            (&*status.coverage.media_types, status.coverage.days.len()),
            (&["application/json".to_owned()][..], 1)
        );
        let reasons = [("breaker_open".to_owned(), 1), ("no_responders".to_owned(), 1)];
        assert_eq!((status.fallbacks.total, status.fallbacks.by_code), (2, BTreeMap::from(reasons)));
        assert!(status.nats.p99_ms.is_some_and(|p99| p99 > 2.0 && p99 <= 5.0));
        let missing: Vec<_> =
            status.gate.conditions.iter().filter(|one| !one.holds).map(|one| &*one.name).collect();
        assert_eq!(missing, ["for"], "the rest holds");
        let totals = evidence.totals();
        assert_eq!(totals.comparisons.map(|(_, count)| count), [9, 1, 0, 0, 1]);
        assert_eq!((totals.fallbacks, totals.dropped), (vec![("no_responders", 1), ("breaker_open", 1)], 1));

        let same = Evidence::new("1", rules(), Some(&evidence));
        assert_eq!(same.status(SystemTime::now()).compared, 10);
        let other = Evidence::new("2", rules(), Some(&evidence));
        assert_eq!(other.status(SystemTime::now()).compared, 0);
        assert_eq!(other.totals().comparisons[0], ("match", 9), "counters go on");
    }

    #[test]
    fn nothing_is_added_twice_and_nothing_is_lost() {
        let evidence = Evidence::new("1", rules(), None);
        let now = SystemTime::now();
        let compared = || evidence.status(now).compared;
        evidence.observe(&pair("{}", "{}"));
        let part = evidence.sending().unwrap();
        evidence.observe(&pair("{}", "{}"));
        assert_eq!(evidence.sending().unwrap().number, part.number, "one after the other");
        assert_eq!(compared(), 2);
        let stored = evidence.with(Summary::default(), &part, "me", now).unwrap();
        // It was stored, and nobody heard of it.
        assert!(evidence.with(stored.clone(), &part, "me", now).is_none());
        assert!(evidence.with(stored.clone(), &part, "you", now).is_some());
        evidence.read(stored.clone(), "me");
        assert_eq!(compared(), 2);
        let next = evidence.sending().unwrap();
        assert!(next.number > part.number);
        let stored = evidence.with(stored, &next, "me", now).unwrap();
        evidence.settled(stored);
        assert_eq!(compared(), 2);
        assert!(evidence.sending().is_none());
        // What was on its way when the connection went is still there.
        evidence.observe(&pair("{}", "{}"));
        let Sending { .. } = evidence.sending().unwrap();
        evidence.read(evidence.known(), "me");
        assert_eq!(compared(), 3);
        evidence.reset();
        assert_eq!(compared(), 0);
    }
}
