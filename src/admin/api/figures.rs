//! What has been counted of an operation, as documents have it. The one place that knows where counts come from.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::gateway::Gateway;
use crate::telemetry::{Latency, Traffic};

/// The counts of one operation since the process began; null where nothing counts it.
pub(super) fn of(gateway: &Gateway, operation: &str) -> Value {
    gateway.figures().operation(operation).map_or(Value::Null, |traffic| document(&traffic))
}

/// The counts of requests that were for no operation.
pub(super) fn unmatched(gateway: &Gateway) -> Value {
    document(gateway.figures().unmatched())
}

/// Upper bounds of the counts under `latency`; the last of those counts is of what is above them.
pub(super) fn bounds() -> Vec<f64> {
    let bounds = Latency::default().buckets().into_iter().map(|(seconds, _)| seconds * 1e3);
    bounds.filter(|bound| bound.is_finite()).collect()
}

fn document(traffic: &Traffic) -> Value {
    let (mut statuses, mut problems) = (BTreeMap::<String, u64>::new(), BTreeMap::<&str, u64>::new());
    let mut requests = 0;
    for counted in traffic.requests() {
        requests += counted.count;
        *statuses.entry(counted.status.to_string()).or_default() += counted.count;
        if !counted.code.is_empty() {
            *problems.entry(counted.code).or_default() += counted.count;
        }
    }
    json!({
        "requests": requests,
        "statuses": statuses,
        "problems": problems,
        "latency": latency(&traffic.latency()),
        "nats_latency": latency(&traffic.nats()),
        "upstream_latency": latency(&traffic.upstream()),
    })
}

fn latency(latency: &Latency) -> Value {
    let milliseconds = |part| latency.quantile(part).map(|took| (took.as_secs_f64() * 1e6).round() / 1e3);
    json!({
        "p50_ms": milliseconds(0.5),
        "p99_ms": milliseconds(0.99),
        "counts": latency.buckets().into_iter().map(|(_, count)| count).collect::<Vec<_>>(),
    })
}
