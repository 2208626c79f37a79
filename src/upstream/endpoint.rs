//! One URL of an upstream: where it points, and what requests that go there look like.

use http::header::HOST;
use http::uri::PathAndQuery;
use http::{HeaderValue, Request, Uri};
use rustls::pki_types::ServerName;

use super::{Host, Tls};

/// One URL.
#[derive(Debug)]
pub(super) struct Endpoint {
    /// A name or an address.
    pub(super) host: url::Host<String>,
    pub(super) port: u16,
    /// The name that certificates must have; `None` without TLS.
    pub(super) server_name: Option<ServerName<'static>>,
    /// What is put before every path, without a slash at its end.
    base: String,
    /// Host, and port where it is not the usual one.
    authority: String,
    /// What is sent as `Host`, if not the client's.
    host_sent: Option<HeaderValue>,
}

impl Endpoint {
    pub(super) fn new(url: &url::Url, host: &Host, tls: &Tls) -> Result<Endpoint, String> {
        let to = url.host().ok_or("the URL has no host")?.to_owned();
        let port = url.port_or_known_default().ok_or("the URL has no port")?;
        let authority = match url.port() {
            Some(port) => format!("{to}:{port}"),
            None => to.to_string(),
        };
        let host_sent = match host {
            Host::Original => None,
            Host::Upstream => Some(HeaderValue::from_str(&authority).map_err(|error| error.to_string())?),
            Host::Name(name) => Some(name.clone()),
        };
        let name = tls.server_name.clone().unwrap_or_else(|| match &to {
            url::Host::Ipv6(address) => address.to_string(),
            other => other.to_string(),
        });
        let server_name = match url.scheme() {
            "https" => {
                let unfit = |_| format!("`{name}` is no name that a certificate can have");
                Some(ServerName::try_from(name.clone()).map_err(unfit)?)
            }
            _ => None,
        };
        let base = url.path().trim_end_matches('/').to_owned();
        Ok(Endpoint { host: to, port, server_name, base, authority, host_sent })
    }

    /// Whether TLS is spoken.
    pub(super) fn is_secure(&self) -> bool {
        self.server_name.is_some()
    }

    /// Host and port.
    pub(super) fn authority(&self) -> &str {
        &self.authority
    }

    /// Aims a request here that was for a path.
    pub(super) fn aim<B>(&self, request: &mut Request<B>, target: &PathAndQuery) {
        if let Some(host) = &self.host_sent {
            request.headers_mut().insert(HOST, host.clone());
        } else if !request.headers().contains_key(HOST)
            && let Ok(host) = HeaderValue::from_str(&self.authority)
        {
            request.headers_mut().insert(HOST, host);
        }
        if self.base.is_empty() && request.uri().path_and_query() == Some(target) {
            return;
        }
        if let Ok(target) = PathAndQuery::try_from(format!("{}{target}", self.base)) {
            *request.uri_mut() = Uri::from(target);
        }
    }
}
