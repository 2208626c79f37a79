//! One metric of the catalogue with its series: names, kinds and labels can only be those of the catalogue.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::telemetry::Latency;
use crate::telemetry::catalogue::{Kind, Metric};

/// Before every name.
pub(super) const PREFIX: &str = "natsgate";

/// A metric and its series.
pub(super) struct Family {
    metric: &'static Metric,
    series: Vec<(Vec<(&'static str, String)>, Value)>,
}

enum Value {
    Counter(u64),
    Gauge(i64),
    Seconds(f64),
    Latency(Box<Latency>),
}

impl Family {
    pub(super) fn new(metric: &'static Metric) -> Family {
        Family { metric, series: Vec::new() }
    }

    /// A counter's value. `labels`: in the order of the catalogue, as everywhere here.
    pub(super) fn count(&mut self, labels: &[&str], value: u64) {
        self.add(labels, Value::Counter(value));
    }

    /// A gauge's value.
    pub(super) fn gauge(&mut self, labels: &[&str], value: impl TryInto<i64>) {
        self.add(labels, Value::Gauge(value.try_into().unwrap_or(i64::MAX)));
    }

    /// A gauge's value, in seconds and parts of them.
    pub(super) fn seconds(&mut self, labels: &[&str], value: f64) {
        self.add(labels, Value::Seconds(value));
    }

    /// A histogram.
    pub(super) fn latency(&mut self, labels: &[&str], value: Latency) {
        self.add(labels, Value::Latency(Box::new(value)));
    }

    fn add(&mut self, labels: &[&str], value: Value) {
        debug_assert_eq!(labels.len(), self.metric.labels.len(), "{}", self.metric.name);
        let labels = self.metric.labels.iter().zip(labels);
        self.series.push((labels.map(|(name, value)| (*name, (*value).to_owned())).collect(), value));
    }

    /// Writes it, if there is anything to tell.
    pub(super) fn write(self, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
        if self.series.is_empty() {
            return Ok(());
        }
        let (kind, rest) = match self.metric.kind {
            Kind::Counter => (MetricType::Counter, "_total"),
            Kind::Gauge => (MetricType::Gauge, ""),
            Kind::Histogram => (MetricType::Histogram, ""),
        };
        // The library writes both ends of a name.
        let name = self.metric.name.strip_prefix(PREFIX).and_then(|name| name.strip_prefix('_'));
        let name = name.and_then(|name| name.strip_suffix(rest)).unwrap_or(self.metric.name);
        let mut encoder = out.encode_descriptor(name, self.metric.help, None, kind)?;
        for (labels, value) in &self.series {
            value.write(encoder.encode_family(labels)?)?;
        }
        Ok(())
    }
}

impl Value {
    fn write(&self, encoder: MetricEncoder<'_>) -> fmt::Result {
        match self {
            Value::Counter(value) => ConstCounter::new(*value).encode(encoder),
            Value::Gauge(value) => ConstGauge::new(*value).encode(encoder),
            Value::Seconds(value) => ConstGauge::new(*value).encode(encoder),
            Value::Latency(latency) => latency.encode(encoder),
        }
    }
}

/// A gauge without labels.
pub(super) fn one(
    metric: &'static Metric,
    value: impl TryInto<i64>,
    out: &mut DescriptorEncoder<'_>,
) -> fmt::Result {
    let mut family = Family::new(metric);
    family.gauge(&[], value);
    family.write(out)
}

/// A moment without labels.
pub(super) fn seconds(
    metric: &'static Metric,
    at: SystemTime,
    out: &mut DescriptorEncoder<'_>,
) -> fmt::Result {
    let mut family = Family::new(metric);
    family.seconds(&[], timestamp(at));
    family.write(out)
}

/// Seconds since 1970.
pub(super) fn timestamp(at: SystemTime) -> f64 {
    at.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_millis() as f64 / 1e3)
}
