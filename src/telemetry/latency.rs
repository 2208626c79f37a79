//! How long things took: a histogram that costs two additions to fill, and that can be read.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use serde::{Deserialize, Serialize};

const BOUNDS: usize = 16;
/// Upper bounds of the buckets in microseconds: what a message through NATS takes stands at their beginning, the longest
/// usual deadlines at their end.
const MICROS: [u64; BOUNDS] = [
    250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    5_000_000, 10_000_000, 30_000_000,
];

/// Fills itself with durations.
#[derive(Debug, Default)]
pub(super) struct Histogram {
    /// The last one has what is above every bound.
    buckets: [AtomicU64; BOUNDS + 1],
    /// In nanoseconds: enough for 500 years.
    sum: AtomicU64,
}

impl Histogram {
    /// Adds one.
    pub(super) fn observe(&self, took: Duration) {
        let (bucket, nanos) = bucket(took);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(nanos, Ordering::Relaxed);
    }

    /// What there is so far. The sum may have one that no bucket has yet.
    pub(super) fn read(&self) -> Latency {
        let mut buckets = [0; BOUNDS + 1];
        for (count, bucket) in buckets.iter_mut().zip(&self.buckets) {
            *count = bucket.load(Ordering::Relaxed);
        }
        Latency { buckets, sum: Duration::from_nanos(self.sum.load(Ordering::Relaxed)) }
    }
}

/// Where a duration belongs, and its nanoseconds.
fn bucket(took: Duration) -> (usize, u64) {
    let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
    let micros = nanos.div_ceil(1000);
    (MICROS.partition_point(|bound| *bound < micros), nanos)
}

/// A histogram as it stood at one moment, or what came between two.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    buckets: [u64; BOUNDS + 1],
    sum: Duration,
}

impl Latency {
    /// Adds one.
    pub fn add(&mut self, took: Duration) {
        let (bucket, nanos) = bucket(took);
        self.buckets[bucket] = self.buckets[bucket].saturating_add(1);
        self.sum = self.sum.saturating_add(Duration::from_nanos(nanos));
    }

    /// Adds what another histogram has.
    pub fn merge(&mut self, other: &Latency) {
        for (count, more) in self.buckets.iter_mut().zip(other.buckets) {
            *count = count.saturating_add(more);
        }
        self.sum = self.sum.saturating_add(other.sum);
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.buckets.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// How long all of them took together.
    pub fn sum(&self) -> Duration {
        self.sum
    }

    /// Upper bounds in seconds, infinity as the last, each with how many are above the bound before it.
    pub fn buckets(&self) -> Vec<(f64, u64)> {
        let bounds = MICROS.iter().map(|micros| *micros as f64 / 1e6).chain([f64::INFINITY]);
        bounds.zip(self.buckets).collect()
    }

    /// The time within which a part (0 to 1) of them was done, as near as the buckets tell; none without any. Above the
    /// last bound it is that bound.
    pub fn quantile(&self, part: f64) -> Option<Duration> {
        let count = self.count();
        if count == 0 {
            return None;
        }
        let rank = part.clamp(0.0, 1.0) * count as f64;
        let mut below = 0;
        for (index, held) in self.buckets.iter().enumerate() {
            let lower = index.checked_sub(1).map_or(0, |before| MICROS[before]) as f64;
            let Some(upper) = MICROS.get(index).map(|micros| *micros as f64) else { break };
            if *held > 0 && (below + held) as f64 >= rank {
                let within = (rank - below as f64).max(0.0) / *held as f64;
                return Some(Duration::from_secs_f64((lower + (upper - lower) * within) / 1e6));
            }
            below += held;
        }
        Some(Duration::from_micros(MICROS[BOUNDS - 1]))
    }

    /// What came after an earlier reading of the same histogram.
    #[must_use]
    pub fn since(&self, earlier: &Latency) -> Latency {
        let mut buckets = self.buckets;
        for (count, before) in buckets.iter_mut().zip(earlier.buckets) {
            *count = count.saturating_sub(before);
        }
        Latency { buckets, sum: self.sum.saturating_sub(earlier.sum) }
    }
}

impl EncodeMetric for Latency {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), std::fmt::Error> {
        encoder.encode_histogram::<NoLabelSet>(self.sum.as_secs_f64(), self.count(), &self.buckets(), None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_its_bucket() {
        let histogram = Histogram::default();
        for micros in [0, 250, 251, 1000, 30_000_000, 30_000_001] {
            histogram.observe(Duration::from_micros(micros));
        }
        histogram.observe(Duration::from_nanos(250_001));
        let read = histogram.read();
        let counts: Vec<u64> = read.buckets().into_iter().map(|(_, count)| count).collect();
        assert_eq!((counts[0], counts[1], counts[2], counts[15], counts[16]), (2, 2, 1, 1, 1));
        assert_eq!(read.count(), 7);
    }

    #[test]
    fn quantiles_stand_within_their_bucket() {
        let histogram = Histogram::default();
        assert_eq!(histogram.read().quantile(0.5), None);
        (0..99).for_each(|_| histogram.observe(Duration::from_millis(2)));
        histogram.observe(Duration::from_secs(60));
        let read = histogram.read();
        let median = read.quantile(0.5).unwrap();
        assert!(median > Duration::from_millis(1) && median < Duration::from_micros(2500), "{median:?}");
        assert_eq!(read.quantile(1.0), Some(Duration::from_secs(30)), "more than that is not known");
        histogram.observe(Duration::from_millis(20));
        let mut added = read.clone();
        added.add(Duration::from_millis(20));
        assert_eq!(added, histogram.read());
        added.merge(&read);
        assert_eq!(added.count(), 201);
        let news = histogram.read().since(&read);
        assert_eq!((news.count(), news.sum()), (1, Duration::from_millis(20)));
    }
}
