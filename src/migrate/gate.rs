//! Whether an operation may be moved on, by what was seen of it.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether an operation may be moved on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Gate {
    /// Every condition holds.
    pub holds: bool,
    /// The share of mismatches that is tolerated (0 to 1).
    pub tolerated: Option<f64>,
    /// The conditions.
    pub conditions: Vec<Condition>,
}

/// One condition of `promote_when`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Condition {
    /// `compared`, `mismatch`, `p99_delta` or `for`.
    pub name: String,
    /// What is asked for: `at least 1000 pairs`.
    pub wanted: String,
    /// What there is.
    pub found: String,
    /// Whether that is enough.
    pub holds: bool,
    /// What is missing: `312 more pairs`, `18h 20m more`; absent where it holds.
    pub missing: Option<String>,
}

/// 95 % of a normal distribution lie within so many deviations.
const Z: f64 = 1.959_963_984_540_054;
/// More pairs than that are as good as never.
const NEVER: u64 = 1 << 40;

/// What is asked for before an operation is moved on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wanted {
    /// Pairs that were compared.
    pub compared: u64,
    /// The share of mismatches that is tolerated (0 to 1).
    pub mismatch: f64,
    /// By how much NATS may be slower at the 99th percentile.
    pub p99_delta: Option<Duration>,
    /// For how long evidence must have been gathered.
    pub gathered: Duration,
}

/// What there is.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Seen {
    /// Pairs that were compared.
    pub compared: u64,
    /// Those that count against the move.
    pub against: u64,
    /// The 99th percentiles of the legacy side and of NATS.
    pub p99: Option<(Duration, Duration)>,
    /// Since the first pair.
    pub gathered: Option<Duration>,
}

/// Where the true share lies with 95 % certainty, when so many of so many were seen (Wilson's score interval). None of
/// nothing.
pub fn interval(part: u64, of: u64) -> Option<[f64; 2]> {
    (of > 0).then(|| wilson(part.min(of) as f64 / of as f64, of as f64))
}

fn wilson(rate: f64, of: f64) -> [f64; 2] {
    let square = Z * Z;
    let center = rate + square / (2.0 * of);
    let spread = Z * (rate * (1.0 - rate) / of + square / (4.0 * of * of)).sqrt();
    let scale = 1.0 + square / of;
    [((center - spread) / scale).max(0.0), ((center + spread) / scale).min(1.0)]
}

impl Wanted {
    /// How many more pairs it takes until the gate could hold, if they go on as those before.
    pub fn needed(&self, seen: &Seen) -> Option<u64> {
        let rate = if seen.compared == 0 { 0.0 } else { seen.against as f64 / seen.compared as f64 };
        let enough = |of: u64| wilson(rate, of as f64)[1] <= self.mismatch;
        let least = self.compared.max(seen.compared).max(1);
        let mut high = least;
        while !enough(high) {
            high = high.checked_mul(2).filter(|high| *high < NEVER)?;
        }
        let mut low = if high == least { least } else { high / 2 };
        // The upper end falls as the number grows.
        while low < high {
            let middle = low + (high - low) / 2;
            if enough(middle) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Some(high - seen.compared)
    }

    /// Whether it is there.
    pub fn gate(&self, seen: &Seen) -> Gate {
        let mut conditions = vec![self.compared(seen), self.mismatch(seen)];
        conditions.extend(self.p99_delta.map(|most| slower(most, seen)));
        conditions.push(self.gathered(seen));
        let holds = conditions.iter().all(|condition| condition.holds);
        Gate { holds, tolerated: Some(self.mismatch), conditions }
    }

    fn compared(&self, seen: &Seen) -> Condition {
        let missing = self.compared.max(1).saturating_sub(seen.compared);
        Condition {
            name: "compared".to_owned(),
            wanted: format!("at least {}", pairs(self.compared)),
            found: pairs(seen.compared),
            holds: missing == 0,
            missing: (missing > 0).then(|| format!("{} more", pairs(missing))),
        }
    }

    fn mismatch(&self, seen: &Seen) -> Condition {
        let found = interval(seen.against, seen.compared);
        let holds = found.is_some_and(|[_, high]| high <= self.mismatch);
        let missing = match (holds, self.needed(seen)) {
            (true, _) => None,
            (false, Some(more)) if seen.compared == 0 => Some(format!("{} more", pairs(more.max(1)))),
            (false, Some(more)) => Some(format!("{} more, if they go on like this", pairs(more.max(1)))),
            (false, None) => Some("fewer mismatches: fix or ignore what differs".to_owned()),
        };
        Condition {
            name: "mismatch".to_owned(),
            wanted: format!("at most {}, with 95 % certainty", percent(self.mismatch)),
            found: match found {
                None => "no pairs".to_owned(),
                Some([low, high]) => {
                    format!("{} of {}: {} to {}", seen.against, seen.compared, percent(low), percent(high))
                }
            },
            holds,
            missing,
        }
    }

    fn gathered(&self, seen: &Seen) -> Condition {
        let found = seen.gathered.unwrap_or_default();
        let missing = self.gathered.saturating_sub(found);
        let holds = seen.gathered.is_some() && missing.is_zero();
        Condition {
            name: "for".to_owned(),
            wanted: format!("evidence of {}", time(self.gathered)),
            found: seen.gathered.map_or_else(|| "no pairs".to_owned(), time),
            holds,
            missing: (!holds).then(|| format!("{} more", time(missing.max(Duration::from_secs(1))))),
        }
    }
}

fn slower(most: Duration, seen: &Seen) -> Condition {
    let wanted = format!("p99 on NATS at most {} slower", time(most));
    let (found, holds) = match seen.p99 {
        None => ("no answers of both sides".to_owned(), false),
        Some((legacy, nats)) => {
            let holds = nats <= legacy.saturating_add(most);
            (format!("legacy {}, NATS {}", time(legacy), time(nats)), holds)
        }
    };
    let over = seen.p99.map(|(legacy, nats)| nats.saturating_sub(legacy.saturating_add(most)));
    let missing = (!holds).then(|| match over {
        Some(over) => format!("{} less on NATS", time(over.max(Duration::from_micros(100)))),
        None => "answers of both sides".to_owned(),
    });
    Condition { name: "p99_delta".to_owned(), wanted, found, holds, missing }
}

fn pairs(count: u64) -> String {
    if count == 1 { "1 pair".to_owned() } else { format!("{count} pairs") }
}

/// With two digits that count.
fn percent(part: f64) -> String {
    let percent = part * 100.0;
    let digits = if percent >= 10.0 || percent == 0.0 {
        0
    } else if percent >= 1.0 {
        1
    } else {
        2
    };
    format!("{percent:.digits$} %")
}

/// As precise as people say it.
fn time(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0 if span < Duration::from_millis(10) => format!("{:.1} ms", span.as_secs_f64() * 1e3),
        0 => format!("{:.0} ms", span.as_secs_f64() * 1e3),
        1 if span > Duration::from_secs(1) => format!("{:.1} s", span.as_secs_f64()),
        1..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 if seconds % 3600 < 60 => format!("{} h", seconds / 3600),
        7200..172_800 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WANTED: Wanted = Wanted {
        compared: 1000,
        mismatch: 0.005,
        p99_delta: Some(Duration::from_millis(50)),
        gathered: Duration::from_secs(24 * 3600),
    };

    #[test]
    fn intervals_are_wilsons() {
        // By the formula, worked out elsewhere.
        for (part, of, low, high) in [
            (0, 10, 0.0, 0.277_533),
            (1, 10, 0.017_876, 0.404_150),
            (5, 10, 0.236_593, 0.763_407),
            (10, 10, 0.722_467, 1.0),
            (0, 1000, 0.0, 0.003_827),
            (15, 148, 0.062_386, 0.160_487),
        ] {
            let [found_low, found_high] = interval(part, of).unwrap();
            assert!((found_low - low).abs() < 2e-6, "{part} of {of}: {found_low}");
            assert!((found_high - high).abs() < 2e-6, "{part} of {of}: {found_high}");
        }
        assert_eq!(interval(0, 0), None);
    }

    #[test]
    fn what_is_needed_is_the_least_number_that_is_enough() {
        let seen = |against, compared| Seen { against, compared, ..Seen::default() };
        assert_eq!(WANTED.needed(&seen(0, 0)), Some(1000), "so many are asked for");
        assert_eq!(WANTED.needed(&seen(0, 1000)), Some(0));
        let few = Wanted { compared: 10, ..WANTED };
        let needed = few.needed(&seen(0, 10)).unwrap();
        let high = |of| interval(0, of).unwrap()[1];
        assert!(high(10 + needed) <= 0.005 && high(9 + needed) > 0.005, "{needed}");
        let needed = WANTED.needed(&seen(4, 1000)).unwrap();
        assert!(wilson(0.004, (1000 + needed) as f64)[1] <= 0.005);
        assert!(wilson(0.004, (999 + needed) as f64)[1] > 0.005);
        assert_eq!(WANTED.needed(&seen(5, 1000)), None, "no number of pairs makes a rate better");
    }

    #[test]
    fn the_gate_holds_when_everything_does() {
        let millis = Duration::from_millis;
        let good = Seen {
            compared: 1000,
            against: 0,
            p99: Some((millis(20), millis(70))),
            gathered: Some(WANTED.gathered),
        };
        assert!(WANTED.gate(&good).holds);
        let missing = |seen: Seen| -> Vec<String> {
            let gate = WANTED.gate(&seen);
            assert!(!gate.holds);
            let conditions = gate.conditions.into_iter().filter(|condition| !condition.holds);
            conditions.map(|condition| condition.missing.unwrap()).collect()
        };
        assert_eq!(missing(Seen { compared: 688, ..good })[0], "312 pairs more");
        assert_eq!(missing(Seen { against: 9, ..good }), ["fewer mismatches: fix or ignore what differs"]);
        assert_eq!(missing(Seen { p99: Some((millis(20), millis(71))), ..good }), ["1.0 ms less on NATS"]);
        let hours = Some(Duration::from_secs(5 * 3600 + 40 * 60));
        assert_eq!(missing(Seen { gathered: hours, ..good }), ["18 h 20 min more"]);
        assert_eq!(missing(Seen::default()).len(), 4, "without a pair nothing holds");
        let nothing_asked = Wanted { compared: 0, mismatch: 1.0, p99_delta: None, gathered: Duration::ZERO };
        assert!(!nothing_asked.gate(&Seen::default()).holds);
    }
}
