//! What TLS towards an upstream speaks.

use std::sync::Arc;

use rustls::ClientConfig;

use super::{Options, Protocol};
use crate::tls;

const HTTP1: &[u8] = b"http/1.1";
const HTTP2: &[u8] = b"h2";

/// The configuration for whatever may be spoken, and for HTTP/1.1 alone. Blocking.
pub(super) fn configs(options: &Options) -> Result<[Arc<ClientConfig>; 2], String> {
    let identity =
        options.tls.identity.as_ref().map(|(certificate, key)| (certificate.as_path(), key.as_path()));
    let config = tls::client(options.tls.ca.as_deref(), identity)?;
    let speaking = |protocols: &[&[u8]]| {
        let mut config = config.clone();
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        Arc::new(config)
    };
    let usual: &[&[u8]] = match options.protocol {
        Protocol::Auto => &[HTTP2, HTTP1],
        Protocol::Http1 => &[HTTP1],
        Protocol::Http2 => &[HTTP2],
    };
    Ok([speaking(usual), speaking(&[HTTP1])])
}
