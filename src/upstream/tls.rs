//! What TLS towards an upstream uses. No message holds anything of a file's content.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;

use super::{Options, Protocol, Tls};

/// Longest file, in bytes.
const LONGEST: u64 = 4 << 20;
const HTTP1: &[u8] = b"http/1.1";
const HTTP2: &[u8] = b"h2";

/// The configuration for whatever may be spoken, and for HTTP/1.1 alone. Blocking.
pub(super) fn configs(options: &Options) -> Result<[Arc<ClientConfig>; 2], String> {
    let config = config(&options.tls)?;
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

fn config(tls: &Tls) -> Result<ClientConfig, String> {
    let provider = Arc::new(default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(|error| error.to_string())?;
    let builder = match &tls.ca {
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(path)? {
                let unfit =
                    |_| format!("{}: a certificate in it cannot be used as an authority", path.display());
                roots.add(certificate).map_err(unfit)?;
            }
            builder.with_root_certificates(roots)
        }
        None => builder
            .with_platform_verifier()
            .map_err(|error| format!("the system's certificate authorities cannot be used: {error}"))?,
    };
    let Some((certificate, key)) = &tls.identity else { return Ok(builder.with_no_client_auth()) };
    let content = read(key)?;
    let unfit = |_| format!("{}: there is no private key in it that can be used", key.display());
    let private = PrivateKeyDer::from_pem_slice(&content).map_err(unfit)?;
    builder
        .with_client_auth_cert(certificates(certificate)?, private)
        .map_err(|_| format!("{}: it is not the key of the certificate, or cannot be used", key.display()))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let content = read(path)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&content).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err(format!("{}: there is no certificate in it", path.display())),
        Err(_) => Err(format!("{}: it is not PEM throughout", path.display())),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let mut content = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LONGEST).read_to_end(&mut content));
    read.map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(content)
}
