//! TLS towards services over HTTP.

use std::path::Path;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::version::{TLS12, TLS13};
use rustls_platform_verifier::BuilderVerifierExt as _;

use super::{Fault, File, authorities, certificates, private_key, read_one, unfit};

/// What handshakes with a service use: the authorities in a file instead of the system's, and a certificate with its key for
/// services that ask for one. Blocking.
///
/// # Errors
/// If a file cannot be read or used, or the key is not that of the certificate; the text names the file.
pub fn client(ca: Option<&Path>, identity: Option<(&Path, &Path)>) -> Result<ClientConfig, String> {
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(|error| error.to_string())?;
    let builder = match ca {
        Some(path) => {
            let roots = read_one(File::ClientCa, path).and_then(|content| authorities(&content));
            builder.with_root_certificates(roots.map_err(in_file(path))?)
        }
        None => builder
            .with_platform_verifier()
            .map_err(|error| format!("the system's certificate authorities cannot be used: {error}"))?,
    };
    let Some((certificate, key)) = identity else { return Ok(builder.with_no_client_auth()) };
    let chain = read_one(File::Certificate, certificate)
        .and_then(|content| certificates(File::Certificate, &content))
        .map_err(in_file(certificate))?;
    let private = read_one(File::Key, key).and_then(|content| private_key(&content)).map_err(in_file(key))?;
    builder.with_client_auth_cert(chain, private).map_err(|error| in_file(key)(unfit(&error)))
}

fn in_file(path: &Path) -> impl Fn(Fault) -> String {
    move |fault| format!("{}: {}", path.display(), fault.message)
}
