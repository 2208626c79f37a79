//! Checks of `telemetry:`. Headers of a collector are secrets, so no message repeats one.

use http::{HeaderName, HeaderValue};
use url::Url;

use super::above_zero;
use super::nats::{pem_file, written_out};
use crate::config::elsewhere::unreadable;
use crate::config::{Otlp, Secret, Telemetry};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::yaml::Located;

pub(super) fn check(telemetry: &Telemetry, diagnostics: &mut Diagnostics) {
    let Some(traces) = &telemetry.traces else { return };
    let Otlp { endpoint, headers, timeout, ca, .. } = &traces.otlp;
    if let Some(endpoint) = endpoint {
        url(endpoint, diagnostics);
    }
    above_zero("timeout", timeout.as_ref(), diagnostics);
    if let Some(ca) = ca {
        pem_file(ca, "CERTIFICATE", diagnostics);
    }
    for (name, value) in &headers.0 {
        header(name, value, diagnostics);
    }
}

fn url(endpoint: &Located<String>, diagnostics: &mut Diagnostics) {
    let help = "write the URL of a collector: http://collector:4318, or https://collector:4317 for grpc";
    let problem = match Url::parse(endpoint) {
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            Some("the URL of a collector holds no credentials here: put them under `headers`")
        }
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() && url.fragment().is_none() => {
            None
        }
        _ => Some("this is not the URL of a collector"),
    };
    if let Some(problem) = problem {
        diagnostics.push(Diagnostic::error(endpoint.place, problem).help(help));
    }
}

fn header(name: &Located<String>, value: &Located<Secret>, diagnostics: &mut Diagnostics) {
    if HeaderName::from_bytes(name.as_bytes()).is_err() {
        diagnostics.push(
            Diagnostic::error(name.place, "this is not the name of a header")
                .help("write it without spaces and colons: authorization"),
        );
    }
    match value.read() {
        Err(error) => diagnostics.push(unreadable(value.place, &error)),
        Ok(text) if HeaderValue::from_str(&text).is_err() || !text.is_ascii() => diagnostics.push(
            Diagnostic::error(value.place, "this cannot be the value of a header")
                .help("it has visible ASCII characters, in one line"),
        ),
        Ok(_) => {}
    }
    let told = name.to_ascii_lowercase();
    if ["auth", "key", "token", "secret"].iter().any(|word| told.contains(word)) {
        written_out(name, value, diagnostics);
    }
}
