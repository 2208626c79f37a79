//! Certificates for one test: an authority, a server on this machine, a client.

use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// Writes an authority of its own: `ca.pem`, `server.pem`, `server.key`, `client.pem` and `client.key` into a directory.
pub(crate) fn write(dir: &Path) {
    let mut params = CertificateParams::new(Vec::new()).expect("authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority =
        CertifiedIssuer::self_signed(params, KeyPair::generate().expect("key")).expect("authority");
    std::fs::write(dir.join("ca.pem"), authority.pem()).expect("ca.pem");
    for (name, host) in [("server", "127.0.0.1"), ("client", "natsgate")] {
        let key = KeyPair::generate().expect("key");
        let params = CertificateParams::new(vec![host.to_owned()]).expect("certificate");
        let certificate = params.signed_by(&key, &authority).expect("certificate");
        std::fs::write(dir.join(format!("{name}.pem")), certificate.pem()).expect("certificate");
        std::fs::write(dir.join(format!("{name}.key")), key.serialize_pem()).expect("key");
    }
}

/// What a server on this machine accepts connections with.
pub(crate) fn acceptor(certificate: &[u8], key: &[u8]) -> TlsAcceptor {
    TlsAcceptor::from(Arc::new(server_config(certificate, key)))
}

/// The same, to be changed.
pub(crate) fn server_config(certificate: &[u8], key: &[u8]) -> ServerConfig {
    let certificates = CertificateDer::pem_slice_iter(certificate).map(|one| one.expect("certificate"));
    let key = PrivateKeyDer::from_pem_slice(key).expect("key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("protocol versions")
        .with_no_client_auth()
        .with_single_cert(certificates.collect(), key)
        .expect("a certificate that fits its key")
}
