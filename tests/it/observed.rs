//! What the person on call sees: metrics, traces, logs, and the files that are made for reading them.

mod consumers;
mod everything;
mod files;
mod logs;
mod scrape;
mod sides;
mod tracing;
mod traffic;

use crate::support::golden;

#[test]
fn the_reference_of_metrics_is_current() {
    golden::assert("docs/metrics.md", &natsgate::telemetry::catalogue::reference());
}
