//! `/metrics`, as Prometheus reads it. Labels hold names out of the configuration's files, never what a caller has sent.

use std::fmt;
use std::time::UNIX_EPOCH;

use http::StatusCode;
use http::header::CONTENT_TYPE;
use prometheus_client::encoding::{EncodeLabelSet, prometheus_text};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::gateway::Gateway;
use crate::gateway::drift::Seen;

/// The text format of Prometheus, which every version of it reads.
const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asset {
    stream: String,
    /// Empty for the stream itself.
    consumer: String,
}

/// The answer to a scrape.
pub(super) fn answer(gateway: &Gateway) -> (StatusCode, [(http::HeaderName, &'static str); 1], String) {
    let (status, text) = match text(gateway) {
        Ok(text) => (StatusCode::OK, text),
        Err(fmt::Error) => (StatusCode::INTERNAL_SERVER_ERROR, String::new()),
    };
    (status, [(CONTENT_TYPE, FORMAT)], text)
}

fn text(gateway: &Gateway) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix("natsgate");
    let seen = gateway.drift();
    // Without a comparison there is nothing to say, and a 0 would say that all is well.
    if seen.at.is_some() || seen.failure.is_some() {
        drift(&seen, &mut registry);
    }
    let mut text = String::new();
    prometheus_text::encode(&mut text, &registry)?;
    Ok(text)
}

fn drift(seen: &Seen, registry: &mut Registry) {
    let drifted = Family::<Asset, Gauge>::default();
    for asset in &seen.assets {
        let consumer = asset.consumer.clone().unwrap_or_default();
        let labels = Asset { stream: asset.stream.clone(), consumer };
        drifted.get_or_create(&labels).set(i64::from(asset.drifted));
    }
    registry.register("stream_drift", "1 where the server is not as the manifests declare, else 0", drifted);
    let success = Gauge::<i64>::default();
    success.set(i64::from(seen.failure.is_none()));
    let help = "1 if the last comparison of the server with the manifests could be made, else 0";
    registry.register("stream_drift_check_success", help, success);
    if let Some(at) = seen.at.and_then(|at| at.duration_since(UNIX_EPOCH).ok()) {
        let timestamp = Gauge::<i64>::default();
        timestamp.set(i64::try_from(at.as_secs()).unwrap_or(i64::MAX));
        let help = "when the server was last compared with the manifests";
        registry.register("stream_drift_check_timestamp_seconds", help, timestamp);
    }
}
