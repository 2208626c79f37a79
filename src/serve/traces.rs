//! `telemetry.traces` as written, and as the environment has it → the way to a collector.

use std::time::Duration;

use crate::config::{Otlp, OtlpProtocol, Telemetry, Traces};
use crate::telemetry::Sample;
use crate::telemetry::traces::{Options, Protocol};

/// Variables that name a collector, whether or not the configuration speaks of one.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
const PROTOCOLS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
const TIMEOUTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"];
const DISABLED: &str = "OTEL_SDK_DISABLED";

/// Where spans go, and which part of the traces that begin here; none if there shall be none. Blocking.
///
/// # Errors
/// If a secret or a file cannot be read any more.
pub(super) fn options(telemetry: Telemetry) -> anyhow::Result<Option<(Options, Sample)>> {
    let written = telemetry.traces.map(|traces| traces.value);
    let is_disabled = variable(&[DISABLED]).is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let wanted = written.or_else(|| variable(&ENDPOINTS).map(|_| Traces::default()));
    let Some(Traces { otlp, sample, service }) = wanted.filter(|_| !is_disabled) else { return Ok(None) };
    let Otlp { endpoint, protocol, headers, timeout, ca } = otlp;
    let headers = headers.0.iter().map(|(name, value)| Ok((name.value.clone(), value.read()?)));
    let options = Options {
        protocol: match protocol {
            Some(OtlpProtocol::Http) => Protocol::Http,
            Some(OtlpProtocol::Grpc) => Protocol::Grpc,
            None if variable(&PROTOCOLS).is_some_and(|name| name == "grpc") => Protocol::Grpc,
            None => Protocol::Http,
        },
        endpoint: endpoint.map(|endpoint| endpoint.value),
        headers: headers.collect::<anyhow::Result<_>>()?,
        timeout: timeout.map(|timeout| timeout.value.0).or_else(patience),
        ca: ca.map(|path| std::fs::read(path.value)).transpose()?,
        service,
    };
    Ok(Some((options, Sample::of(sample.part()))))
}

/// How long a collector may take, in milliseconds, as the standard has it.
fn patience() -> Option<Duration> {
    variable(&TIMEOUTS)?.parse().ok().map(Duration::from_millis)
}

fn variable(names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
}
