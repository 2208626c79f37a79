//! The way to a collector: OTLP by HTTP or gRPC. What is not said here is as OpenTelemetry's environment variables say, or
//! as the standard has it.

use std::collections::HashMap;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::KeyValue;
use opentelemetry_otlp::tonic_types::metadata::MetadataMap;
use opentelemetry_otlp::tonic_types::transport::{Certificate, ClientTlsConfig};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig, WithTonicConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanExporter as _};

/// How long a collector may take where nobody says otherwise, as the standard has it.
const TIMEOUT: Duration = Duration::from_secs(10);
const SERVICE: &str = "OTEL_SERVICE_NAME";

/// How a collector is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Protobuf over HTTP.
    Http,
    /// gRPC.
    Grpc,
}

/// Where spans go.
#[derive(Clone)]
pub struct Options {
    /// How the collector is spoken to.
    pub protocol: Protocol,
    /// Its address; none: as the environment says, or the standard's port on this machine.
    pub endpoint: Option<String>,
    /// What it wants to see, such as a token.
    pub headers: Vec<(String, String)>,
    /// How long it may take.
    pub timeout: Option<Duration>,
    /// Who vouches for its certificate, in PEM; none: the system's authorities.
    pub ca: Option<Vec<u8>>,
    /// The name of this service; none: as the environment says, or `natsgate`.
    pub service: Option<String>,
}

/// Without the headers, which hold secrets.
impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("protocol", &self.protocol).finish_non_exhaustive()
    }
}

/// Sends spans.
#[derive(Debug)]
pub struct Exporter {
    inner: SpanExporter,
    timeout: Duration,
}

impl Exporter {
    /// Makes ready to send; nothing is connected yet. To be called inside a tokio runtime.
    ///
    /// # Errors
    /// Options that can never work, in words.
    pub fn new(options: &Options) -> Result<Exporter, String> {
        let mut inner = match options.protocol {
            Protocol::Http => by_http(options)?,
            Protocol::Grpc => by_grpc(options)?,
        };
        inner.set_resource(&resource(options));
        Ok(Exporter { inner, timeout: options.timeout.unwrap_or(TIMEOUT) })
    }

    /// Sends spans, and tries again where that may help, for as long as the collector may take.
    pub(super) async fn export(&self, batch: Vec<SpanData>) -> Result<(), String> {
        // The library bounds the tries, and not each of them.
        match tokio::time::timeout(self.timeout, self.inner.export(batch)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("the collector does not answer in time".to_owned()),
        }
    }
}

fn resource(options: &Options) -> Resource {
    let mut resource =
        Resource::builder().with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
    let named = std::env::var_os(SERVICE).is_some_and(|name| !name.is_empty());
    match &options.service {
        Some(service) => resource = resource.with_service_name(service.clone()),
        None if !named => resource = resource.with_service_name("natsgate"),
        None => {}
    }
    resource.build()
}

fn by_http(options: &Options) -> Result<SpanExporter, String> {
    let client = reqwest::Client::builder()
        .tls_backend_rustls()
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("natsgate/", env!("CARGO_PKG_VERSION")));
    let client = match &options.ca {
        None => client,
        Some(pem) => {
            let ca = reqwest::Certificate::from_pem_bundle(pem).map_err(|_| "`ca` holds no certificates")?;
            client.tls_certs_only(ca)
        }
    };
    let client = client.build().map_err(|error| error.to_string())?;
    let mut builder = SpanExporter::builder().with_http().with_http_client(client);
    let headers: HashMap<String, String> = options.headers.iter().cloned().collect();
    if !headers.is_empty() {
        builder = builder.with_headers(headers);
    }
    if let Some(endpoint) = &options.endpoint {
        builder = builder.with_endpoint(for_traces(endpoint));
    }
    if let Some(timeout) = options.timeout {
        builder = builder.with_timeout(timeout);
    }
    builder.with_protocol(opentelemetry_otlp::Protocol::HttpBinary).build().map_err(|error| error.to_string())
}

/// The address of a collector alone stands for the standard's path on it.
fn for_traces(endpoint: &str) -> String {
    let (scheme, rest) = endpoint.split_once("://").unwrap_or(("http", endpoint));
    match rest.split_once('/') {
        None => format!("{scheme}://{rest}/v1/traces"),
        Some((host, "")) => format!("{scheme}://{host}/v1/traces"),
        Some(_) => endpoint.to_owned(),
    }
}

fn by_grpc(options: &Options) -> Result<SpanExporter, String> {
    let mut builder = SpanExporter::builder().with_tonic();
    let mut headers = HeaderMap::new();
    for (name, value) in &options.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| "a name of `headers` is none")?;
        let mut value = HeaderValue::from_str(value).map_err(|_| "a value of `headers` cannot be sent")?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    if !headers.is_empty() {
        builder = builder.with_metadata(MetadataMap::from_headers(headers));
    }
    if let Some(endpoint) = &options.endpoint {
        let tls = ClientTlsConfig::new();
        let tls = match &options.ca {
            Some(pem) => tls.ca_certificate(Certificate::from_pem(pem)),
            None => tls.with_enabled_roots(),
        };
        if endpoint.starts_with("https://") {
            builder = builder.with_tls_config(tls);
        }
        builder = builder.with_endpoint(endpoint.clone());
    }
    if let Some(timeout) = options.timeout {
        builder = builder.with_timeout(timeout);
    }
    builder.build().map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_alone_is_its_path_for_traces() {
        for (endpoint, whole) in [
            ("http://c:4318", "http://c:4318/v1/traces"),
            ("https://c/", "https://c/v1/traces"),
            ("http://c:4318/otlp/traces", "http://c:4318/otlp/traces"),
        ] {
            assert_eq!(for_traces(endpoint), whole);
        }
    }

    #[tokio::test]
    async fn nothing_of_the_options_prints_a_secret() {
        let options = Options {
            protocol: Protocol::Grpc,
            endpoint: Some("https://c:4317".into()),
            headers: vec![("authorization".into(), "hunter2".into())],
            timeout: None,
            ca: None,
            service: None,
        };
        let exporter = Exporter::new(&options).unwrap();
        assert!(!format!("{options:?} {exporter:?}").contains("hunter2"));
        assert!(Exporter::new(&Options { protocol: Protocol::Http, ..options }).is_ok());
    }
}
