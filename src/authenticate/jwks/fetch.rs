//! One fetch of a key set: bounded in time and bytes, straight to its URL, over TLS that is verified.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, StatusCode};
use url::Url;

/// The whole fetch.
const PATIENCE: Duration = Duration::from_secs(10);
/// Of which so much to connect.
const CONNECT: Duration = Duration::from_secs(5);
/// The largest document, in bytes.
const LONGEST: usize = 1 << 20;

/// Where a key set is fetched.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::authenticate) struct Address {
    pub(in crate::authenticate) url: Url,
    /// Authorities (PEM) to trust instead of the system's.
    pub(in crate::authenticate) ca: Option<Vec<u8>>,
}

impl Address {
    /// For the log: a query may hold what nobody else should know.
    pub(super) fn shown(&self) -> &str {
        &self.url[..url::Position::AfterPath]
    }

    /// A client for this address alone.
    pub(super) fn client(&self) -> Result<Client, String> {
        let base = Client::builder()
            .tls_backend_rustls()
            .http1_only()
            .https_only(self.url.scheme() == "https")
            .redirect(Policy::none())
            .no_proxy()
            .referer(false)
            // The next fetch is minutes away: a connection would be stale by then.
            .pool_max_idle_per_host(0)
            .connect_timeout(CONNECT)
            .timeout(PATIENCE)
            .user_agent(concat!("natsgate/", env!("CARGO_PKG_VERSION")));
        let client = match &self.ca {
            None => base,
            Some(pem) => {
                let ca = Certificate::from_pem_bundle(pem).map_err(|_| "`ca` holds no certificates")?;
                base.tls_certs_only(ca)
            }
        };
        client.build().map_err(|error| told(&error))
    }

    /// Fetches the document. The error says what went wrong, without a part of the answer.
    pub(super) async fn fetch(&self, client: &Client) -> Result<String, String> {
        let request =
            client.get(self.url.clone()).header("accept", "application/jwk-set+json, application/json");
        let mut response = request.send().await.map_err(|error| told(&error))?;
        match response.status() {
            StatusCode::OK => {}
            status if status.is_redirection() => {
                return Err(format!("it answers {}, and redirections are not followed", status.as_u16()));
            }
            status => return Err(format!("it answers {}", status.as_u16())),
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| told(&error))? {
            if body.len() + chunk.len() > LONGEST {
                return Err(format!("its answer is longer than {LONGEST} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        String::from_utf8(body).map_err(|_| "its answer is not UTF-8".to_owned())
    }
}

/// The error with what lies behind it, which the crate's own text leaves out.
fn told(error: &reqwest::Error) -> String {
    let mut text = match error.is_timeout() {
        true => "it does not answer in time".to_owned(),
        false if error.is_connect() => "it cannot be reached".to_owned(),
        false => "the request failed".to_owned(),
    };
    let mut source = std::error::Error::source(error);
    let mut last = None;
    while let Some(cause) = source {
        last = Some(cause.to_string());
        source = cause.source();
    }
    if let Some(cause) = last {
        text = format!("{text}: {cause}");
    }
    text
}
